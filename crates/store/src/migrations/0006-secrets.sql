CREATE TABLE secrets (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    key {text} NOT NULL,
    sealed {blob} NOT NULL,
    kept_at BIGINT NOT NULL,
    kept_by {text} NOT NULL,
    PRIMARY KEY (organisation, name)
) {compact};
CREATE INDEX secrets_by_key ON secrets (key);
