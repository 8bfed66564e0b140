-- What teams decided about flaws of what they run. Environments are named, so that one that is deleted and
-- made anew is still meant; who renames one renames it here.
CREATE TABLE exceptions (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    definition {text} NOT NULL,
    -- From when on it does not hold any more, and when that was told.
    expires_at BIGINT,
    expired_at BIGINT,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by {text} NOT NULL,
    UNIQUE (organisation, name)
);
CREATE INDEX exceptions_by_end ON exceptions (expires_at);
