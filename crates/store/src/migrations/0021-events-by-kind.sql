-- What happened of some kinds: the latest of each are found without reading all that happened since.
CREATE INDEX events_by_kind ON events (organisation, kind, id, at);
