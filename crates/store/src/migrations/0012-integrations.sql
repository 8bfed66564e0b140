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
    -- The revisions in which it was told its address, and what of it is watched.
    address_since BIGINT NOT NULL,
    scope_since BIGINT NOT NULL,
    -- How many of its notices wait, of those that are of its address.
    waiting BIGINT NOT NULL,
    deleting BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    refused BIGINT,
    refused_of BIGINT,
    refused_at BIGINT,
    refused_why {text},
    UNIQUE (organisation, kind, name)
);

-- What was heard and is to be looked at. Two are never in one slot; one that may come again leaves its
-- slot once it is dealt with. What is of a former address is not looked at any more.
CREATE TABLE notices (
    id {text} PRIMARY KEY,
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    slot {text},
    lasting BIGINT NOT NULL,
    about {text} NOT NULL,
    repository {text},
    payload {text} NOT NULL,
    state {text} NOT NULL,
    attempts BIGINT NOT NULL,
    trouble {text},
    heard_at BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    ended_at BIGINT,
    UNIQUE (integration, since, slot)
);
CREATE INDEX notices_by_state ON notices (integration, state, id);
CREATE INDEX notices_by_turn ON notices (integration, since, ready_at, id) WHERE state = 'waiting';
CREATE INDEX notices_by_end ON notices (ended_at);

CREATE TABLE watched_tags (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    registry {text} NOT NULL,
    repository {text} NOT NULL,
    tag {text} NOT NULL,
    digest {text} NOT NULL,
    PRIMARY KEY (integration, since, registry, repository, tag)
) {compact};

-- Of which nobody knows yet what was in them before anybody watched; and until the first look is over,
-- those of which somebody does.
CREATE TABLE awaited_repositories (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    registry {text} NOT NULL,
    repository {text} NOT NULL,
    is_met BIGINT NOT NULL,
    PRIMARY KEY (integration, since, registry, repository)
) {compact};

CREATE TABLE watched_images (
    integration {text} NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    since BIGINT NOT NULL,
    digest {text} NOT NULL,
    PRIMARY KEY (integration, since, digest)
) {compact};
