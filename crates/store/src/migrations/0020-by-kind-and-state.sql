-- What happened of some kinds: the latest of each are found without reading all that happened since.
CREATE INDEX events_by_kind ON events (organisation, kind, id, at);
-- And the few images that could not be read, without going through all that could.
CREATE INDEX images_by_state ON images (organisation, state, digest);
-- Beside the first of these, what a name stood for formerly is found by this alone.
DROP INDEX events_of_deleted;
CREATE INDEX events_of_deleted ON events (organisation, about, environment_id)
    WHERE kind = 'environment-deleted';
