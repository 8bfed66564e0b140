-- By which images are found at the beginning of others. An image's chain is that of all its layers, and
-- empty where they are not known; what was there before is filled in by `bases::fill_in`.
ALTER TABLE images ADD COLUMN chain {text};
ALTER TABLE images ADD COLUMN depth BIGINT;
CREATE INDEX images_by_chain ON images (organisation, chain);
CREATE INDEX images_without_chain ON images (id) WHERE outline IS NOT NULL AND chain IS NULL;

-- Images that somebody taught to be bases of others. What a tag led to before is still what older images
-- stand on, so it stays.
CREATE TABLE bases (
    id {text} PRIMARY KEY,
    organisation {text} NOT NULL REFERENCES organisations (id) ON DELETE CASCADE,
    name {text} NOT NULL,
    platform {text} NOT NULL,
    -- Of its manifest; of its configuration where it has none.
    digest {text} NOT NULL,
    config {text},
    chain {text} NOT NULL,
    depth BIGINT NOT NULL,
    learned_at BIGINT NOT NULL,
    learned_by {text} NOT NULL,
    UNIQUE (organisation, name, digest)
);
CREATE INDEX bases_by_chain ON bases (organisation, chain);
