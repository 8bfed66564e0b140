//! Doctor: is everything as it should be, and what to do if not.

use model::Moment;

use crate::contract::{Check, Error, Trouble};
use crate::db::{Query, Sql, Value, values};
use crate::{Keyring, Store, derived, migrations};

/// Seconds after which work that waits is stuck, and after which work that nobody keeps is.
const WAITED: i64 = 3600;
const LEFT: i64 = 600;
/// Seconds after which an image should have been read.
const PENDING: i64 = 3600;
/// Seconds by which clocks differ without harm.
const SKEW: i64 = 60;

impl Store {
    /// Looks at everything that can go wrong, one after the other. What cannot be looked at is
    /// trouble too; where the database does not answer, that is all there is to say.
    pub async fn doctor(&self, now: Moment) -> Vec<Check> {
        let sql = "SELECT COUNT(*) AS rows FROM schema_version";
        let reachable = self.one(sql, vec![]).await.map(|_| None);
        let reachable = told("the database answers", reachable);
        if reachable.trouble.is_some() {
            return vec![reachable];
        }
        let mut checks = vec![
            reachable,
            told("its schema is ours", self.schema().await),
            told("it can be written to", self.writing().await),
        ];
        if self.db.is_file() {
            checks.push(told("its file is whole", self.whole().await));
            checks.push(told("its rows refer to rows that are there", self.references().await));
        }
        checks.push(told("nothing is left over", self.orphans().await));
        checks.push(told("the clock is right", self.clock(now).await));
        checks.push(told("no work was given up", self.dead().await));
        checks.push(told("no work is stuck", self.stuck(now).await));
        checks.push(told("what is to be told is told", self.untold(now).await));
        checks.push(told("images are read", self.pending(now).await));
        checks.push(told("secrets can be opened", self.sealed().await));
        checks
    }

    async fn schema(&self) -> Result<Option<Trouble>, Error> {
        let row = self.db.row("SELECT version FROM schema_version", vec![]).await?;
        let found = row.map(|it| it.int("version")).transpose()?.unwrap_or(0);
        let known = migrations::known();
        Ok((found != known).then(|| Trouble {
            what: format!("it is of version {found}, this program knows version {known}"),
            hint: "run the same version of this program everywhere".to_owned(),
        }))
    }

    /// A full disk and a file that may not be written show here.
    async fn writing(&self) -> Result<Option<Trouble>, Error> {
        let write = async {
            let mut tx = self.db.write().await?;
            tx.run("UPDATE schema_version SET version = version", vec![]).await?;
            tx.commit().await
        };
        Ok(write.await.err().map(|error: Error| Trouble {
            what: error.to_string(),
            hint: "see that the disk has room and the file may be written".to_owned(),
        }))
    }

    async fn whole(&self) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT quick_check AS found FROM pragma_quick_check LIMIT 3";
        let mut found = Vec::new();
        for row in self.db.rows(sql, vec![]).await? {
            let text = row.text("found")?;
            if text != "ok" {
                found.push(text);
            }
        }
        Ok((!found.is_empty()).then(|| Trouble {
            what: found.join("; "),
            hint: "stop, keep a copy of the file, and restore the last backup".to_owned(),
        }))
    }

    async fn references(&self) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT COUNT(*) AS rows FROM pragma_foreign_key_check";
        let rows = self.one(sql, vec![]).await?;
        Ok((rows > 0).then(|| Trouble {
            what: format!("{rows} rows do not"),
            hint: "stop, keep a copy of the file, and restore the last backup".to_owned(),
        }))
    }

    async fn orphans(&self) -> Result<Option<Trouble>, Error> {
        let laws = [
            ("package sets of no image", derived::IDLE_SETS),
            ("packages of no set", derived::IDLE_PACKAGES),
            ("packages that matching cannot read", derived::UNREAD_PACKAGES),
            ("images whose distribution matching cannot read", derived::UNREAD_IMAGES),
            ("analysed images without an inventory", derived::HOLLOW_IMAGES),
            ("environments that miscount what runs in them", derived::MISCOUNTED),
        ];
        let mut found = Vec::new();
        for (what, sql) in laws {
            let sql = format!("SELECT COUNT(*) AS rows FROM ({sql}) amiss");
            let rows = self.one(sql, vec![]).await?;
            if rows > 0 {
                found.push(format!("{rows} {what}"));
            }
        }
        Ok((!found.is_empty()).then(|| Trouble {
            what: found.join(", "),
            hint:
                "`foretop admin doctor --mend` puts it right; where it does not, or it comes back \
                   though all programs are of one version, tell us"
                    .to_owned(),
        }))
    }

    async fn clock(&self, now: Moment) -> Result<Option<Trouble>, Error> {
        // By ids, which begin with the time; the times alone have no index.
        let sql = "SELECT at FROM events ORDER BY id DESC LIMIT 1";
        let Some(row) = self.db.row(sql, vec![]).await? else { return Ok(None) };
        let newest = row.moment("at")?;
        Ok((newest > now.plus_seconds(SKEW)).then(|| Trouble {
            what: format!("it is {now} here, but the last event was written at {newest}"),
            hint: "set the clocks of all machines by the same time".to_owned(),
        }))
    }

    async fn dead(&self) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT COUNT(*) AS rows FROM jobs WHERE state = 'dead'";
        let rows = self.one(sql, vec![]).await?;
        let sql = "SELECT kind, trouble FROM jobs WHERE state = 'dead'
                   ORDER BY ended_at DESC LIMIT 1";
        let Some(last) = self.db.row(sql, vec![]).await? else { return Ok(None) };
        let why = last.maybe_text("trouble")?.unwrap_or_default();
        Ok(Some(Trouble {
            what: format!("{rows} jobs failed for good, last `{}`: {why}", last.text("kind")?),
            hint: "see to what they failed of, then `foretop admin doctor --mend` tries them anew"
                .to_owned(),
        }))
    }

    async fn stuck(&self, now: Moment) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT COUNT(*) AS rows FROM jobs
                   WHERE (state = 'ready' AND ready_at < $1)
                   OR (state = 'running' AND leased_until < $2)";
        let since = values![now.plus_seconds(-WAITED), now.plus_seconds(-LEFT)];
        let rows = self.one(sql, since).await?;
        Ok((rows > 0).then(|| Trouble {
            what: format!("{rows} jobs wait, and nobody does them"),
            hint: "see that a worker is running, or start more of them".to_owned(),
        }))
    }

    async fn untold(&self, now: Moment) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT COUNT(*) AS rows FROM outbox WHERE state = 'waiting' AND due_at < $1";
        let rows = self.one(sql, values![now.plus_seconds(-WAITED)]).await?;
        Ok((rows > 0).then(|| Trouble {
            what: format!("{rows} messages wait for more than an hour to be told"),
            hint:
                "see with `foretop notification list --state waiting` who does not take them, and \
                   that a worker is running"
                    .to_owned(),
        }))
    }

    async fn pending(&self, now: Moment) -> Result<Option<Trouble>, Error> {
        let sql = "SELECT COUNT(*) AS rows FROM
                       (SELECT organisation, digest FROM images
                        WHERE state = 'pending' AND first_seen < $1
                        UNION
                        SELECT d.organisation, d.digest FROM deployments d
                        LEFT JOIN images i ON i.organisation = d.organisation
                             AND i.digest = d.digest AND i.state <> 'pending'
                        WHERE d.until_at IS NULL AND d.from_at < $1 AND i.id IS NULL) waiting";
        let rows = self.one(sql, values![now.plus_seconds(-PENDING)]).await?;
        Ok((rows > 0).then(|| Trouble {
            what: format!("{rows} images wait for more than an hour to be read"),
            hint: "see that their registry can be reached and a worker is running, or push them"
                .to_owned(),
        }))
    }

    async fn sealed(&self) -> Result<Option<Trouble>, Error> {
        let mut query = Query::new("SELECT COUNT(*) AS rows FROM secrets", vec![]);
        let ids: Vec<&str> = self.keyring.iter().flat_map(Keyring::ids).collect();
        if !ids.is_empty() {
            query.with_all("WHERE key NOT IN $?", ids);
        }
        let (sql, values) = query.into_parts();
        let row = self.db.row(sql, values).await?;
        let rows = row.map(|it| it.int("rows")).transpose()?.unwrap_or(0);
        Ok((rows > 0).then(|| Trouble {
            what: format!("{rows} are sealed with a key that is not at hand"),
            hint: "start with that key too".to_owned(),
        }))
    }

    async fn one(&self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<i64, Error> {
        let row = self.db.row(sql, values).await?;
        row.map_or(Ok(0), |it| it.int("rows"))
    }
}

/// What there is to say of a database that cannot be opened.
pub fn unopened(error: &Error) -> Check {
    let hint = error.hint().unwrap_or_else(|| "see whether the database runs".to_owned());
    let trouble = Trouble { what: error.to_string(), hint };
    Check { name: "the database can be opened".to_owned(), trouble: Some(trouble) }
}

fn told(name: &str, looked: Result<Option<Trouble>, Error>) -> Check {
    let trouble = looked.unwrap_or_else(|error| {
        let hint = error.hint().unwrap_or_else(|| "see whether the database runs".to_owned());
        Some(Trouble { what: error.to_string(), hint })
    });
    Check { name: name.to_owned(), trouble }
}
