-- On SQLite, too, many events that are written together are of one turn; what comes without one still
-- takes its own.
{turning_many}
