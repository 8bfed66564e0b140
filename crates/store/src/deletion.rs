//! Deletion: images, repositories and organisations, really gone, and a part at a time.

use model::{Act, Deployment, Digest, EventKind, OrganisationId};
use serde_json::json;

use crate::contract::{Cleared, Error};
use crate::db::{Query, Sql, Tx, Value, runs, values};
use crate::environments::Held;
use crate::integrations::PARTS;
use crate::retention::{IMAGES, SETS, delete_images};
use crate::schedules::SCHEDULES;
use crate::{Store, deployments, derived, events, images, members, names, runtimes};

/// How often we begin anew where something was recorded meanwhile.
const TRIES: usize = 10;

/// What a deployment that ended with its image says.
const IMAGE_GONE: &str = "its image was deleted";
const REPOSITORY_GONE: &str = "its repository was deleted";

/// Along the jobs of these keys, and not all there are.
pub(crate) const FORGET_READING: &str = "DELETE FROM jobs WHERE";

impl Store {
    /// Deletes an image and all that is known of its content. One that runs is refused.
    ///
    /// That it ran stays in the history of its environments, by its digest.
    pub async fn delete_image(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
    ) -> Result<(), Error> {
        self.delete_image_with(organisation, act, digest, false).await.map(|_| ())
    }

    /// The same, also where it runs: there it has ended, and the history says so.
    pub async fn delete_image_that_runs(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
    ) -> Result<Vec<Deployment>, Error> {
        self.delete_image_with(organisation, act, digest, true).await
    }

    async fn delete_image_with(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
        ending: bool,
    ) -> Result<Vec<Deployment>, Error> {
        let running = Running { column: "digest", value: digest.as_str() };
        let what = format!("image {digest}");
        let (mut tx, ended) =
            self.stopped(organisation, act, &running, ending.then_some(IMAGE_GONE), &what).await?;
        let sql = "SELECT id FROM images WHERE organisation = $1 AND digest = $2";
        let row = tx.row(sql, values![&organisation.0, digest.as_str()]).await?;
        // One that runs may be known by its deployments alone.
        if row.is_none() && ended.is_empty() {
            let name = digest.to_string();
            return Err(Error::NotFound { what: "image", name, among: Vec::new() });
        }
        let repository = images::repository_of(&mut tx, organisation, digest).await?;
        let repository = repository.or_else(|| ended.first().map(|it| it.repository.clone()));
        let sql = "DELETE FROM tags WHERE organisation = $1 AND digest = $2";
        tx.run(sql, values![&organisation.0, digest.as_str()]).await?;
        if let Some(row) = row {
            delete_images(&mut tx, &[row.int("id")?]).await?;
        }
        forget_reading(&mut tx, organisation, &[digest.as_str()]).await?;
        let note = events::Note::new(EventKind::ImageDeleted, digest.as_str());
        let note = note.detail(json!({ "ended": ended.len(), "repository": repository }));
        note.write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        self.db.scrub().await;
        Ok(ended)
    }

    /// Deletes a repository: that it is enrolled, its tags, and the images that were seen in it
    /// alone, but for those that run under another name. Where something of it runs, that is
    /// refused, or with `ending` ends first.
    ///
    /// What ran stays in the history of its environments.
    pub async fn delete_repository(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
        ending: bool,
    ) -> Result<Cleared, Error> {
        let name = names::repository(name)?;
        let running = Running { column: "repository", value: &name };
        let what = format!("repository `{name}`");
        let why = ending.then_some(REPOSITORY_GONE);
        let (mut tx, ended) = self.stopped(organisation, act, &running, why, &what).await?;
        let sql = "DELETE FROM repositories WHERE organisation = $1 AND name = $2";
        let enrolled = tx.run(sql, values![&organisation.0, &name]).await?;
        let mut cleared = Cleared { ended: ended.len() as u64, ..Cleared::default() };
        let sql = "SELECT COUNT(*) AS rows FROM tags WHERE organisation = $1 AND repository = $2";
        let tags = count(&mut tx, sql, values![&organisation.0, &name]).await?;
        let sql =
            "SELECT COUNT(*) AS rows FROM image_repositories r JOIN images i ON i.id = r.image
                   WHERE i.organisation = $1 AND r.repository = $2";
        let seen = count(&mut tx, sql, values![&organisation.0, &name]).await?;
        if enrolled == 0 && ended.is_empty() && tags == 0 && seen == 0 {
            return Err(Error::NotFound { what: "repository", name, among: Vec::new() });
        }
        let note = events::Note::new(EventKind::RepositoryDeleted, &name);
        let detail = json!({ "tags": tags, "seen": seen, "ended": cleared.ended });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        tx.commit().await?;
        // From here on it is gone for everybody; whoever does it again after a crash goes on.
        let fits = "organisation = $1 AND repository = $2";
        cleared.tags +=
            self.delete_parts(("tags", "id"), fits, values![&organisation.0, &name]).await?;
        self.forget_watched(organisation, &name).await?;
        while let Some(gone) = self.clear_repository(organisation, act, &name).await? {
            cleared.images += gone;
        }
        self.db.scrub().await;
        Ok(cleared)
    }

    /// Deletes an organisation and everything that is its own. Nothing of it remains.
    ///
    /// It is nobody's any more before anything else goes; whoever is stopped in between leaves the
    /// rest to `finish_deletions`.
    pub async fn delete_organisation(&self, organisation: &OrganisationId) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        members::hold_all(&mut tx).await?;
        let sql = "UPDATE organisations SET deleting = 1, name = id WHERE id = $1 AND deleting = 0";
        if tx.run(sql, values![&organisation.0]).await? == 0 {
            return Err(Error::Gone("organization"));
        }
        // Whoever attends to one of its registries does no more.
        let sql = "UPDATE integrations SET deleting = 1, revision = revision + 1
                   WHERE organisation = $1";
        tx.run(sql, values![&organisation.0]).await?;
        // What members were answered may tell of it.
        let sql = "DELETE FROM idempotency_keys WHERE organisation = $1
                   OR person IN (SELECT person FROM members WHERE organisation = $1)";
        tx.run(sql, values![&organisation.0]).await?;
        tx.lock(SCHEDULES, true).await?;
        for table in [
            "members",
            "tokens",
            "invitations",
            "secrets",
            "settings",
            "repositories",
            "schedules",
            "exceptions",
            "policy_sets",
            "bases",
            "stale_feeds",
        ] {
            let sql = format!("DELETE FROM {table} WHERE organisation = $1");
            tx.run(sql, values![&organisation.0]).await?;
        }
        tx.commit().await?;
        self.clear_organisation(organisation).await?;
        self.db.scrub().await;
        Ok(())
    }

    /// Deletes what is left of organisations and integrations whose deletion was broken off, and of all in
    /// SQLite's log. Says how many those were.
    pub async fn finish_deletions(&self) -> Result<u64, Error> {
        let rows = self.db.rows("SELECT id FROM organisations WHERE deleting = 1", vec![]).await?;
        for row in &rows {
            self.clear_organisation(&OrganisationId(row.text("id")?)).await?;
        }
        self.finish_integrations().await?;
        self.db.scrub().await;
        Ok(rows.len() as u64)
    }

    async fn clear_organisation(&self, organisation: &OrganisationId) -> Result<(), Error> {
        const OF_INTEGRATIONS: &str =
            "integration IN (SELECT id FROM integrations WHERE organisation = $1)";
        const OF_RUNTIMES: &str = "runtime IN (SELECT id FROM runtimes WHERE organisation = $1)";
        const TABLES: [((&str, &str), &str); 10] = [
            (("policy_verdicts", "organisation, stance, digest"), "organisation = $1"),
            (("events", "id"), "organisation = $1"),
            (("runtime_containers", "runtime, environment, key"), OF_RUNTIMES),
            (("in_use", "runtime, environment, digest"), OF_RUNTIMES),
            (("runtimes", "id"), "organisation = $1"),
            (("deployments", "id"), "organisation = $1"),
            (("tags", "id"), "organisation = $1"),
            (("integrations", "id"), "organisation = $1"),
            (("told_until", "organisation"), "organisation = $1"),
            (
                ("environment_counts", "environment, at"),
                "environment IN (SELECT id FROM environments WHERE organisation = $1)",
            ),
        ];
        for (part, fits) in PARTS.map(|it| (it, OF_INTEGRATIONS)).into_iter().chain(TABLES) {
            self.delete_parts(part, fits, values![&organisation.0]).await?;
        }
        loop {
            let mut tx = self.db.write().await?;
            tx.lock(SETS, true).await?;
            let sql = "SELECT id FROM images WHERE organisation = $1 ORDER BY id LIMIT $2";
            let ids = ids(&mut tx, sql, values![&organisation.0, IMAGES]).await?;
            delete_images(&mut tx, &ids).await?;
            if ids.len() < IMAGES {
                // Nobody adds packages while we have their lock, so what came since goes with it.
                let sql = "DELETE FROM jobs WHERE payload LIKE $1 OR key LIKE $1";
                tx.run(sql, values![format!("%{}%", organisation.0)]).await?;
                let sql = "DELETE FROM organisations WHERE id = $1";
                tx.run(sql, values![&organisation.0]).await?;
                return tx.commit().await;
            }
            tx.commit().await?;
        }
    }

    /// Takes a repository's name off some images, and deletes those that have no other and do not
    /// run. Says how many; none is that no image has it any more.
    async fn clear_repository(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        name: &str,
    ) -> Result<Option<u64>, Error> {
        let mut tx = self.db.write().await?;
        tx.lock(SETS, true).await?;
        // We hold them before we ask whether they run, so that nobody records them in between: those
        // that nobody else holds, or else the first one when it is let go. Who holds one and waits for
        // another is never waited for by those who hold that other.
        let mut seen = Vec::new();
        for (most, held) in [(IMAGES, tx.skipping_held()), (1, tx.holding())] {
            let sql = format!(
                "SELECT i.id FROM images i JOIN image_repositories r ON r.image = i.id
                 WHERE i.organisation = $1 AND r.repository = $2 ORDER BY i.id LIMIT {most} {held}"
            );
            seen = ids(&mut tx, sql, values![&organisation.0, name]).await?;
            // In a file nobody else holds any.
            if !seen.is_empty() || self.db.is_file() {
                break;
            }
        }
        if seen.is_empty() {
            return Ok(None);
        }
        let mut going = Vec::new();
        for run in runs(&seen) {
            let mut query = Query::new("DELETE FROM image_repositories WHERE", vec![]);
            query.with("repository = $?", name);
            query.with_all("AND image IN $?", run.clone());
            let (sql, values) = query.into_parts();
            tx.run(sql, values).await?;
            let mut query = Query::new("SELECT id, digest FROM images WHERE", vec![]);
            query.with_all("id IN $?", run);
            query.then(
                "AND NOT EXISTS (SELECT 1 FROM image_repositories r WHERE r.image = images.id)
                 AND NOT EXISTS (SELECT 1 FROM deployments d
                     WHERE d.organisation = images.organisation AND d.digest = images.digest
                     AND d.until_at IS NULL)
                 AND NOT EXISTS (SELECT 1 FROM tags t
                     WHERE t.organisation = images.organisation AND t.digest = images.digest
                     AND t.until_at IS NULL) ORDER BY id",
            );
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                going.push((row.int("id")?, row.text("digest")?));
            }
        }
        let numbers: Vec<i64> = going.iter().map(|it| it.0).collect();
        let gone = delete_images(&mut tx, &numbers).await?;
        let digests: Vec<&str> = going.iter().map(|it| it.1.as_str()).collect();
        forget_reading(&mut tx, organisation, &digests).await?;
        for digest in digests {
            let note = events::Note::new(EventKind::ImageDeleted, digest);
            let note = note.detail(json!({ "repository": name }));
            note.write(&mut tx, organisation, act).await?;
        }
        tx.commit().await?;
        Ok(Some(gone))
    }

    /// A transaction in which nothing of that runs any more: what did is ended, with the reason, or
    /// without one it is in the way. The lock of sets is ours, and so are the images.
    async fn stopped(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        running: &Running<'_>,
        why: Option<&str>,
        what: &str,
    ) -> Result<(Tx, Vec<Deployment>), Error> {
        for _ in 0..TRIES {
            let mut tx = self.db.write().await?;
            // Whoever records holds the environment first, and so do we: in one order.
            let environments = running.environments(&mut tx, organisation).await?;
            if let (Some((_, first)), None) = (environments.first(), why) {
                let names: Vec<&str> =
                    environments.iter().take(20).map(|(_, name)| name.as_str()).collect();
                return Err(Error::InUse {
                    what: what.to_owned(),
                    why: format!("it runs in {}", names.join(", ")),
                    hint: format!("remove it from `{first}` first, or delete it by force"),
                });
            }
            for (id, _) in &environments {
                runtimes::ask_anew(&mut tx, id, act.at).await?;
            }
            let mut held = Vec::with_capacity(environments.len());
            for (id, _) in &environments {
                let sql = "SELECT id, name FROM environments WHERE id = $1";
                if let Some(row) = tx.hold(sql, values![id]).await? {
                    held.push(Held { id: row.text("id")?, name: row.text("name")? });
                }
            }
            tx.lock(SETS, true).await?;
            running.hold_images(&mut tx, organisation).await?;
            let mut ended = Vec::new();
            if let Some(why) = why {
                for held in &held {
                    let deployments = running.deployments(&mut tx, organisation, held).await?;
                    let fewer = 0_i64.saturating_sub_unsigned(deployments.len() as u64);
                    derived::runs_more(&mut tx, &held.id, fewer).await?;
                    for deployment in deployments {
                        let ending = deployments::end_because(
                            &mut tx,
                            organisation,
                            act,
                            held,
                            deployment,
                            Some(why),
                        );
                        ended.push(ending.await?);
                    }
                }
            }
            // Somebody may have recorded it elsewhere before we held it.
            if running.environments(&mut tx, organisation).await?.is_empty() {
                return Ok((tx, ended));
            }
        }
        Err(Error::Unavailable {
            what: what.to_owned(),
            why: "it is recorded again and again meanwhile".to_owned(),
        })
    }
}

/// What runs that goes by a digest or a repository.
struct Running<'a> {
    column: &'static str,
    value: &'a str,
}

impl Running<'_> {
    /// The environments it runs in, by their ids.
    async fn environments(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
    ) -> Result<Vec<(String, String)>, Error> {
        let sql = format!(
            "SELECT DISTINCT e.id, e.name FROM deployments d
             JOIN environments e ON e.id = d.environment
             WHERE d.organisation = $1 AND d.{} = $2 AND d.until_at IS NULL ORDER BY e.id",
            self.column
        );
        let rows = tx.rows(sql, values![&organisation.0, self.value]).await?;
        rows.iter().map(|it| Ok((it.text("id")?, it.text("name")?))).collect()
    }

    /// What runs of it in an environment that we hold: not along all that ever ran there, but that an
    /// index leads to by itself.
    async fn deployments(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        held: &Held,
    ) -> Result<Vec<Deployment>, Error> {
        let unfit = if self.column == "digest" { "|| ''" } else { "" };
        let sql = format!(
            "{} WHERE d.organisation = $3 AND d.environment {unfit} = $1 AND d.{} = $2
             AND d.until_at IS NULL ORDER BY d.application, d.platform, d.slot",
            deployments::SELECT,
            self.column
        );
        let rows = tx.rows(sql, values![&held.id, self.value, &organisation.0]).await?;
        rows.iter().map(deployments::read).collect()
    }

    /// Nobody else changes the image before the end; a repository's are many, and go one by one.
    async fn hold_images(&self, tx: &mut Tx, organisation: &OrganisationId) -> Result<(), Error> {
        if self.column == "digest" {
            let sql = "SELECT id FROM images WHERE organisation = $1 AND digest = $2";
            tx.hold(sql, values![&organisation.0, self.value]).await?;
        }
        Ok(())
    }
}

/// Nobody reads images any more that are not there.
async fn forget_reading(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digests: &[&str],
) -> Result<(), Error> {
    for run in runs(digests) {
        let mut query = Query::new(FORGET_READING, vec![]);
        let keys = run.iter().map(|digest| format!("{}/{digest}", organisation.0)).collect();
        query.with_all("key IN $?", keys);
        let (sql, values) = query.into_parts();
        tx.run(sql, values).await?;
    }
    Ok(())
}

async fn ids(tx: &mut Tx, sql: impl Into<Sql>, values: Vec<Value>) -> Result<Vec<i64>, Error> {
    tx.rows(sql, values).await?.iter().map(|it| it.int("id")).collect()
}

async fn count(tx: &mut Tx, sql: &'static str, values: Vec<Value>) -> Result<u64, Error> {
    let row = tx.row(sql, values).await?;
    Ok(row.map(|it| it.int("rows")).transpose()?.map_or(0, |it| u64::try_from(it).unwrap_or(0)))
}
