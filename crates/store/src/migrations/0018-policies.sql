-- Sets of policies, each with all that is needed to judge by it. One of no environment holds wherever no
-- environment has its own.
CREATE TABLE policy_sets (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    environment {text} REFERENCES environments (id) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    in_force BIGINT NOT NULL,
    -- The same for sets that say the same.
    digest {text} NOT NULL,
    summary {text} NOT NULL,
    modules {text} NOT NULL,
    config {text} NOT NULL,
    bytes BIGINT NOT NULL,
    set_at BIGINT NOT NULL,
    set_by {text} NOT NULL
);
CREATE UNIQUE INDEX policy_sets_by_version
    ON policy_sets (organisation, COALESCE(environment, ''), version);
CREATE INDEX policy_sets_by_environment ON policy_sets (environment);

-- What policies say of an image. The stance is what it was judged by: policies and exceptions, which
-- many environments may share. The ground is what it was judged from; the mark is of all that policies saw.
CREATE TABLE policy_verdicts (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    stance {text} NOT NULL,
    digest {text} NOT NULL,
    ground {text} NOT NULL,
    mark {text} NOT NULL,
    states {text} NOT NULL,
    verdicts {text} NOT NULL,
    judged_at BIGINT NOT NULL,
    looked_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, stance, digest)
);
CREATE INDEX policy_verdicts_by_image ON policy_verdicts (organisation, digest);

-- By what an environment was judged last.
CREATE TABLE policy_judgings (
    environment {text} PRIMARY KEY REFERENCES environments (id) ON DELETE CASCADE,
    revision BIGINT NOT NULL,
    stance {text} NOT NULL,
    basis {text} NOT NULL,
    judged_at BIGINT NOT NULL
);

-- Which policies each application met then.
CREATE TABLE policy_states (
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    application {text} NOT NULL,
    states {text} NOT NULL,
    PRIMARY KEY (environment, application)
);

-- How many images met which policies on a day, the day by its first moment.
CREATE TABLE policy_samples (
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    sample {text} NOT NULL,
    PRIMARY KEY (environment, day)
);
