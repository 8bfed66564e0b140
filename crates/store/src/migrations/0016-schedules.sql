-- What is checked again and again, and what came of it the last time. An environment is named, so that
-- one that is deleted and made anew is checked again; who renames it renames it here.
CREATE TABLE schedules (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    environment {text} NOT NULL,
    cron {text} NOT NULL,
    zone {text} NOT NULL,
    question {text} NOT NULL,
    revision BIGINT NOT NULL,
    -- When its next turn is, and when somebody worked that out.
    next_at BIGINT,
    turned_at BIGINT NOT NULL,
    -- Its turn has come, and it is not checked yet.
    due_at BIGINT,
    checked_at BIGINT,
    verdict {text},
    outcome {text},
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    UNIQUE (organisation, name)
);
CREATE INDEX schedules_by_turn ON schedules (next_at);
CREATE INDEX schedules_by_clock ON schedules (turned_at);

-- Of which feeds an organisation was told that they are older than they are to be, and not yet that
-- they are not.
CREATE TABLE stale_feeds (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    feed {text} NOT NULL,
    since_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, feed)
);
