-- A turn is the transaction that an event was written in: ids and clocks do not tell in which order
-- things came to be seen. On SQLite, where one writes at a time, turns are counted.
CREATE TABLE turns (now BIGINT NOT NULL);
INSERT INTO turns (now) VALUES (1);
ALTER TABLE events ADD COLUMN turn {turn};
CREATE INDEX events_by_turn ON events (turn, id);
CREATE INDEX events_by_organisation_and_turn ON events (organisation, turn, id);
{turning}
