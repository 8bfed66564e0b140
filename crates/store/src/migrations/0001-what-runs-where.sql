CREATE TABLE organisations (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

CREATE TABLE repositories (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    enabled BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, name)
) {compact};

CREATE TABLE images (
    id {number},
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    digest {text} NOT NULL,
    platform {text} NOT NULL,
    state {text} NOT NULL,
    why {text},
    outline {text},
    packages BIGINT,
    first_seen BIGINT NOT NULL,
    analysed_at BIGINT,
    UNIQUE (organisation, digest)
);

CREATE TABLE image_repositories (
    image BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    repository {text} NOT NULL,
    PRIMARY KEY (image, repository)
) {compact};
CREATE INDEX image_repositories_by_name ON image_repositories (repository, image);

CREATE TABLE tags (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    repository {text} NOT NULL,
    tag {text} NOT NULL,
    platform {text} NOT NULL,
    digest {text} NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT
);
CREATE UNIQUE INDEX tags_now ON tags (organisation, repository, tag, platform)
    WHERE until_at IS NULL;
CREATE INDEX tags_by_name ON tags (organisation, repository, tag, platform, from_at);
CREATE INDEX tags_by_digest ON tags (organisation, digest);

CREATE TABLE inventories (
    image BIGINT PRIMARY KEY REFERENCES images (id) ON DELETE CASCADE,
    head {blob} NOT NULL
);

CREATE TABLE package_sets (
    id {number},
    hash {text} NOT NULL UNIQUE,
    body {blob} NOT NULL
);

CREATE TABLE image_sets (
    image BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    package_set BIGINT NOT NULL REFERENCES package_sets (id),
    PRIMARY KEY (image, position)
) {compact};
CREATE INDEX image_sets_by_set ON image_sets (package_set, image);

CREATE TABLE packages (
    id {number},
    hash {text} NOT NULL UNIQUE,
    purl {text} NOT NULL,
    source {text}
);

CREATE TABLE package_names (
    name {text} NOT NULL,
    package BIGINT NOT NULL REFERENCES packages (id) ON DELETE CASCADE,
    PRIMARY KEY (name, package)
) {compact};
CREATE INDEX package_names_by_package ON package_names (package);

CREATE TABLE set_packages (
    package_set BIGINT NOT NULL REFERENCES package_sets (id) ON DELETE CASCADE,
    package BIGINT NOT NULL REFERENCES packages (id),
    PRIMARY KEY (package_set, package)
) {compact};
CREATE INDEX set_packages_by_package ON set_packages (package, package_set);

CREATE TABLE environments (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    UNIQUE (organisation, name)
);

-- A slot is a runtime's own, or the empty one that everybody else records into.
CREATE TABLE deployments (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    slot {text} NOT NULL,
    application {text} NOT NULL,
    platform {text} NOT NULL,
    repository {text} NOT NULL,
    tag {text},
    digest {text} NOT NULL,
    source {text} NOT NULL,
    recorded_by {text} NOT NULL,
    recorded_from {text} NOT NULL,
    from_at BIGINT NOT NULL,
    until_at BIGINT
);
CREATE UNIQUE INDEX deployments_now ON deployments (environment, application, platform, slot)
    WHERE until_at IS NULL;
CREATE INDEX deployments_by_key
    ON deployments (environment, slot, application, platform, from_at);
CREATE INDEX deployments_by_time ON deployments (environment, from_at, id);
CREATE INDEX deployments_by_digest ON deployments (organisation, digest, until_at);
CREATE INDEX deployments_by_repository ON deployments (organisation, repository);

CREATE TABLE events (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    who {text} NOT NULL,
    origin {text} NOT NULL,
    kind {text} NOT NULL,
    environment_id {text},
    environment {text},
    about {text} NOT NULL,
    detail {text} NOT NULL
);
CREATE INDEX events_in_order ON events (organisation, id);
CREATE INDEX events_by_environment ON events (environment_id, id);

CREATE TABLE jobs (
    id {text} PRIMARY KEY,
    kind {text} NOT NULL,
    payload {text} NOT NULL,
    key {text},
    state {text} NOT NULL,
    attempt BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    ready_at BIGINT NOT NULL,
    claim {text},
    leased_until BIGINT,
    trouble {text},
    ended_at BIGINT
);
CREATE UNIQUE INDEX jobs_waiting ON jobs (kind, key) WHERE state = 'ready';
CREATE INDEX jobs_by_state ON jobs (state, ready_at, id);
