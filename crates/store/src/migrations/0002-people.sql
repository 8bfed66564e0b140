CREATE TABLE users (
    id {text} PRIMARY KEY,
    name {text} NOT NULL UNIQUE,
    password {text} NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE members (
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    person {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role {text} NOT NULL,
    since_at BIGINT NOT NULL,
    PRIMARY KEY (organisation, person)
) {compact};
CREATE INDEX members_by_person ON members (person, organisation);

-- What is shown to us is kept as its SHA-256 alone, in hexadecimal digits.
CREATE TABLE sessions (
    id {text} PRIMARY KEY,
    hash {text} NOT NULL UNIQUE,
    person {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    origin {text} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX sessions_by_person ON sessions (person, id);

-- A token is a person's or an organisation's.
CREATE TABLE tokens (
    id {text} PRIMARY KEY,
    hash {text} NOT NULL UNIQUE,
    organisation {text} REFERENCES organisations (id) ON DELETE CASCADE,
    person {text} REFERENCES users (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    prefix {text} NOT NULL,
    scope {text} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    expires_at BIGINT,
    used_at BIGINT,
    revoked_at BIGINT,
    CHECK ((organisation IS NULL) <> (person IS NULL))
);
CREATE INDEX tokens_by_organisation ON tokens (organisation, id);
CREATE INDEX tokens_by_person ON tokens (person, id);

CREATE TABLE invitations (
    id {text} PRIMARY KEY,
    hash {text} NOT NULL UNIQUE,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    role {text} NOT NULL,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX invitations_by_organisation ON invitations (organisation, id);
