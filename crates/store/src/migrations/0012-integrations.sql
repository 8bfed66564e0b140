-- The parties around us, what they told, and what was seen of them.
CREATE TABLE integrations (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    kind {text} NOT NULL,
    name {text} NOT NULL,
    settings {text} NOT NULL,
    hook {text} NOT NULL UNIQUE,
    state {text} NOT NULL,
    why {text},
    state_since BIGINT NOT NULL,
    begun_at BIGINT,
    next_look BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    refused BIGINT,
    refused_of BIGINT,
    refused_at BIGINT,
    refused_why {text},
    UNIQUE (organisation, kind, name)
);

-- What was heard and is to be looked at. Two are never in one slot; one that may come again leaves its
-- slot once it is dealt with.
CREATE TABLE notices (
    id {text} PRIMARY KEY,
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    slot {text},
    lasting BIGINT NOT NULL,
    about {text} NOT NULL,
    payload {text} NOT NULL,
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    trouble {text},
    heard_at BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (integration, slot)
);
CREATE INDEX notices_by_state ON notices (integration, state, id);
CREATE INDEX notices_by_end ON notices (ended_at);

CREATE TABLE watched_tags (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    registry {text} NOT NULL,
    repository {text} NOT NULL,
    tag {text} NOT NULL,
    digest {text} NOT NULL,
    PRIMARY KEY (integration, registry, repository, tag)
) {compact};

-- Of which nobody knows yet what was in them before anybody watched.
CREATE TABLE awaited_repositories (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    registry {text} NOT NULL,
    repository {text} NOT NULL,
    PRIMARY KEY (integration, registry, repository)
) {compact};

CREATE TABLE watched_images (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    digest {text} NOT NULL,
    PRIMARY KEY (integration, digest)
) {compact};
