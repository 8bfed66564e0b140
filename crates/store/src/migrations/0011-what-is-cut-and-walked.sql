-- When work was asked for, by the clock of whoever did: a clock that is behind it was set back.
ALTER TABLE jobs ADD COLUMN asked_at BIGINT;
