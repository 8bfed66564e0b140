CREATE TABLE evaluations (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    almanac {text} NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (organisation, position)
) {compact};

CREATE TABLE environment_counts (
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    almanac {text} NOT NULL,
    critical BIGINT NOT NULL,
    high BIGINT NOT NULL,
    medium BIGINT NOT NULL,
    low BIGINT NOT NULL,
    unspecified BIGINT NOT NULL,
    images BIGINT NOT NULL,
    pending BIGINT NOT NULL,
    gaps BIGINT NOT NULL,
    PRIMARY KEY (environment, at)
) {compact};
