-- Clusters and hosts, and all that they say runs in them.

-- Other digests by which an image goes: that of its configuration, and those of indexes that lead to it.
CREATE TABLE image_names (
    image BIGINT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
    digest {text} NOT NULL,
    is_config BIGINT NOT NULL,
    PRIMARY KEY (image, digest)
) {compact};
CREATE INDEX image_names_by_digest ON image_names (digest, image);

-- An outline begins with the configuration's digest.
INSERT INTO image_names (image, digest, is_config)
    SELECT id, substr(outline, 12, 71), 1 FROM images
    WHERE state = 'analysed' AND outline LIKE '{"config":"sha256:%'
    AND substr(outline, 12, 71) <> digest;

-- The one whose word counts is the agent; another one that was heard, and whether it says something else,
-- is kept beside it. What is not known by any mark is to be told anew.
CREATE TABLE runtimes (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    kind {text} NOT NULL,
    agent {text} NOT NULL,
    seen_at BIGINT NOT NULL,
    heard_at BIGINT NOT NULL,
    every BIGINT NOT NULL,
    mark {text} NOT NULL,
    gaps {text} NOT NULL,
    changed_at BIGINT NOT NULL,
    silent_since BIGINT,
    other {text},
    other_heard_at BIGINT,
    other_differs BIGINT NOT NULL DEFAULT 0,
    UNIQUE (organisation, name)
);

-- The environments that it names, by the names that it has for them.
CREATE TABLE runtime_environments (
    runtime {text} NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    called {text} NOT NULL,
    PRIMARY KEY (runtime, environment)
) {compact};
CREATE INDEX runtime_environments_by_environment
    ON runtime_environments (environment, runtime);

-- What it said, container by container: as it was told, and as what it is recorded. What cannot be
-- placed is of no image that anybody knows.
CREATE TABLE runtime_containers (
    runtime {text} NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    key {text} NOT NULL,
    namespace {text} NOT NULL,
    kind {text} NOT NULL,
    workload {text} NOT NULL,
    container {text} NOT NULL,
    image {text} NOT NULL,
    repository {text},
    tag {text},
    digest {text} NOT NULL,
    platform {text},
    application {text},
    placed {text},
    PRIMARY KEY (runtime, environment, key)
) {compact};
CREATE INDEX runtime_containers_by_environment ON runtime_containers (environment, runtime);
CREATE INDEX runtime_containers_by_digest ON runtime_containers (digest, runtime);
CREATE INDEX runtime_containers_unplaced ON runtime_containers (environment, digest)
    WHERE placed IS NULL;

CREATE INDEX deployments_now_by_slot ON deployments (organisation, slot, environment)
    WHERE until_at IS NULL AND slot <> '';
