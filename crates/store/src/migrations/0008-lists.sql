-- What lists tell of many rows is kept beside the one it is told of: how much runs in an environment,
-- and by which image, once it is analysed, a deployment is known. Both follow from the rest.
ALTER TABLE environments ADD COLUMN running BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deployments ADD COLUMN analysed BIGINT REFERENCES images (id) ON DELETE SET NULL;
CREATE INDEX deployments_by_image ON deployments (analysed) WHERE analysed IS NOT NULL;
CREATE INDEX deployments_unread ON deployments (environment)
    WHERE until_at IS NULL AND analysed IS NULL;

-- Each list in its order.
CREATE INDEX deployments_now_by_repository
    ON deployments (environment, repository, application, platform, slot) WHERE until_at IS NULL;
CREATE INDEX deployments_ever ON deployments (organisation, from_at, id);
CREATE INDEX deployments_ever_by_repository ON deployments (organisation, repository, from_at, id);
DROP INDEX deployments_by_repository;

UPDATE environments SET running = (SELECT COUNT(*) FROM deployments d
    WHERE d.environment = environments.id AND d.until_at IS NULL);
UPDATE deployments SET analysed = (SELECT i.id FROM images i
    WHERE i.organisation = deployments.organisation AND i.digest = deployments.digest
    AND i.state = 'analysed') WHERE until_at IS NULL;
