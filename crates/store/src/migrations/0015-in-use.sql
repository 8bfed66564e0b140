-- What the containers of an image were seen to load, by the digest that whoever looked calls it.
CREATE TABLE in_use (
    runtime {text} NOT NULL REFERENCES runtimes (id) ON DELETE CASCADE,
    environment {text} NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    digest {text} NOT NULL,
    seen_at BIGINT NOT NULL,
    packages {blob} NOT NULL,
    PRIMARY KEY (runtime, environment, digest)
);
CREATE INDEX in_use_by_environment ON in_use (environment, digest);
