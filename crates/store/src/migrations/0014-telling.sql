-- Who is to be told of what, by which integration.
CREATE TABLE rules (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    definition {text} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by {text} NOT NULL,
    UNIQUE (organisation, name)
);
CREATE INDEX rules_by_integration ON rules (integration);

-- What is to be told, and what was. One thing is told once by a rule: two are never under one key.
CREATE TABLE outbox (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    rule {text} REFERENCES rules (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    about {text} NOT NULL,
    body {text} NOT NULL,
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    trouble {text},
    created_at BIGINT NOT NULL,
    -- When it was to be told first, and when it is to be told next.
    due_at BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (rule, key)
);
CREATE INDEX outbox_waiting ON outbox (integration, ready_at, id) WHERE state = 'waiting';
CREATE INDEX outbox_by_state ON outbox (organisation, state, id);
CREATE INDEX outbox_by_end ON outbox (ended_at);

-- What a rule told of lately, so that it does not tell it again.
CREATE TABLE told (
    rule {text} NOT NULL REFERENCES rules (id) ON DELETE CASCADE,
    what {text} NOT NULL,
    severity BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (rule, what)
) {compact};
CREATE INDEX told_by_time ON told (at);

-- Up to which of its events an organisation's rules were looked through.
CREATE TABLE told_until (
    organisation {text} PRIMARY KEY REFERENCES organisations (id) ON DELETE CASCADE,
    cursor {text} NOT NULL
);
