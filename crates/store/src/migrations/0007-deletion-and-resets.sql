-- An organisation that is being deleted is nobody's any more, and goes part by part.
ALTER TABLE organisations ADD COLUMN deleting BIGINT NOT NULL DEFAULT 0;

-- Whoever has the secret may choose another password for a person, once.
CREATE TABLE resets (
    id {text} PRIMARY KEY,
    hash {text} NOT NULL UNIQUE,
    person {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    created_by {text} NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX resets_by_person ON resets (person, id);
