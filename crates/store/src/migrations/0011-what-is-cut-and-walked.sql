-- When work was asked for, by the clock of whoever did: a clock that is behind it was set back.
ALTER TABLE jobs ADD COLUMN asked_at BIGINT;

-- Each list in its order: what held at a time, what runs by id, and the tags that something runs by.
DROP INDEX deployments_by_key;
CREATE INDEX deployments_by_key
    ON deployments (organisation, environment, application, platform, slot, from_at);
CREATE INDEX deployments_running ON deployments (organisation, id) WHERE until_at IS NULL;
CREATE INDEX deployments_tagged ON deployments (organisation, repository, tag, platform)
    WHERE until_at IS NULL AND tag IS NOT NULL;
CREATE INDEX images_by_number ON images (organisation, id);

-- What is old enough to go, without a look at what is not.
CREATE INDEX deployments_ended ON deployments (organisation, until_at) WHERE until_at IS NOT NULL;
CREATE INDEX tags_ended ON tags (organisation, until_at) WHERE until_at IS NOT NULL;
CREATE INDEX events_by_time ON events (organisation, at);

-- What a program of an older version left out; there is none, but after it wrote beside a newer one.
CREATE INDEX packages_unread ON packages (id) WHERE kind IS NULL;
CREATE INDEX inventories_unread ON inventories (image) WHERE distro IS NULL;

-- Former environments by name, and the jobs of a key, without a look at all events and all jobs.
CREATE INDEX events_of_deleted ON events (organisation, about) WHERE kind = 'environment-deleted';
CREATE INDEX jobs_by_key ON jobs (key);
