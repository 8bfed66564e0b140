//! Verdicts: what policies say of what runs, and what they said.

use std::collections::BTreeMap;

use model::{Act, Moment, OrganisationId};
use serde_json::Value as Json;

use crate::contract::{
    Error, JudgedImage, JudgedRunning, NewJudging, PolicyJudging, PolicySample, PolicyVerdicts,
};
use crate::db::{Query, Row, Tx, runs, values};
use crate::policies::json_of;
use crate::{Store, environments, events};

/// Deployments that are read at once, at most.
const MOST: u32 = 50_000;
/// Samples are kept so long, in seconds,
const KEPT: i64 = 366 * 86_400;
/// and verdicts that nobody needs any more: another process may be about to say that it does.
const LINGERS: i64 = 3_600;

impl Store {
    /// What runs, as whoever judges it by policies looks at it, by the deployments' ids; the empty one
    /// begins, and an empty page is the end.
    pub async fn running_to_judge(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<JudgedRunning>, Error> {
        let mut query = Query::new(
            "SELECT d.id, d.environment, d.application, d.platform, d.repository, d.tag, d.digest,
                    i.analysed_at
             FROM deployments d
             LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
                  AND i.state = 'analysed'
             WHERE d.until_at IS NULL AND d.id > $1",
            values![after],
        );
        // An environment is of one organisation: naming that as well makes databases look through all
        // that runs there.
        match environment {
            Some(id) => query.with("AND d.environment = $?", id),
            None => query.with("AND d.organisation = $?", &organisation.0),
        }
        query.then(&format!("ORDER BY d.id LIMIT {}", limit.clamp(1, MOST)));
        let (sql, values) = query.into_parts();
        self.db.few(sql, values).await?.iter().map(running).collect()
    }

    /// By what each environment of an organisation was judged last, by its id.
    pub async fn policy_judgings(
        &self,
        organisation: &OrganisationId,
    ) -> Result<BTreeMap<String, PolicyJudging>, Error> {
        let sql = "SELECT j.environment, j.revision, j.stance, j.basis, j.judged_at
                   FROM policy_judgings j JOIN environments e ON e.id = j.environment
                   WHERE e.organisation = $1";
        let rows = self.db.rows(sql, values![&organisation.0]).await?;
        let judging = |row: &Row| {
            let judging = PolicyJudging {
                revision: row.int("revision")?,
                stance: row.text("stance")?,
                basis: json_of(row, "basis")?,
                at: row.moment("judged_at")?,
            };
            Ok((row.text("environment")?, judging))
        };
        rows.iter().map(judging).collect()
    }

    /// Of which images it is known what policies say by that stance, but for the words; of those that run
    /// in one environment, if that is given by its id.
    pub async fn judged_images(
        &self,
        organisation: &OrganisationId,
        stance: &str,
        environment: Option<&str>,
    ) -> Result<Vec<JudgedImage>, Error> {
        let mut query = Query::new(
            "SELECT digest, ground, mark, states FROM policy_verdicts
             WHERE organisation = $1 AND stance = $2",
            values![&organisation.0, stance],
        );
        if let Some(id) = environment {
            let there = "AND digest IN (SELECT d.digest FROM deployments d
                         WHERE d.environment = $? AND d.until_at IS NULL)";
            query.with(there, id);
        }
        query.then("ORDER BY digest");
        let (sql, values) = query.into_parts();
        self.db.few(sql, values).await?.iter().map(image).collect()
    }

    /// What policies say of these images by that stance, as far as it is known.
    pub async fn policy_verdicts(
        &self,
        organisation: &OrganisationId,
        stance: &str,
        digests: &[&str],
    ) -> Result<Vec<PolicyVerdicts>, Error> {
        let mut found = Vec::new();
        for run in runs(digests) {
            let mut query = Query::new(
                "SELECT digest, ground, mark, states, verdicts, judged_at, looked_at
                 FROM policy_verdicts WHERE organisation = $1 AND stance = $2",
                values![&organisation.0, stance],
            );
            query.with_all("AND digest IN $?", run);
            query.then("ORDER BY digest");
            let (sql, values) = query.into_parts();
            for row in self.db.few(sql, values).await? {
                found.push(PolicyVerdicts {
                    image: image(&row)?,
                    verdicts: json_of(&row, "verdicts")?,
                    judged: row.moment("judged_at")?,
                    looked: row.moment("looked_at")?,
                });
            }
        }
        Ok(found)
    }

    /// Keeps what policies say of an image by that stance, instead of what they said.
    pub async fn keep_policy_verdicts(
        &self,
        organisation: &OrganisationId,
        stance: &str,
        new: &PolicyVerdicts,
    ) -> Result<(), Error> {
        let mut tx = self.db.write().await?;
        if !is_there(&mut tx, organisation).await? {
            return Ok(());
        }
        let JudgedImage { digest, ground, mark, states } = &new.image;
        tx.run(
            "INSERT INTO policy_verdicts (organisation, stance, digest, ground, mark, states, verdicts,
                                          judged_at, looked_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (organisation, stance, digest) DO UPDATE SET
                 ground = excluded.ground, mark = excluded.mark, states = excluded.states,
                 verdicts = excluded.verdicts, judged_at = excluded.judged_at,
                 looked_at = excluded.looked_at",
            values![
                &organisation.0,
                stance,
                digest,
                ground,
                mark,
                states.to_string(),
                new.verdicts.to_string(),
                new.judged,
                new.looked,
            ],
        )
        .await?;
        tx.commit().await
    }

    /// Carries over what policies said of an image when they saw the same, by whichever stance that
    /// was. `None`: they never saw the same.
    pub async fn carry_policy_verdicts(
        &self,
        organisation: &OrganisationId,
        stance: &str,
        (digest, mark): (&str, &str),
        ground: &str,
        now: Moment,
    ) -> Result<Option<Json>, Error> {
        let mut tx = self.db.write().await?;
        if !is_there(&mut tx, organisation).await? {
            return Ok(None);
        }
        let sql = "INSERT INTO policy_verdicts (organisation, stance, digest, ground, mark, states,
                                                verdicts, judged_at, looked_at)
                   SELECT organisation, $2, digest, $5, mark, states, verdicts, judged_at, $6
                   FROM (SELECT * FROM policy_verdicts
                         WHERE organisation = $1 AND digest = $3 AND mark = $4
                         ORDER BY judged_at DESC LIMIT 1) former
                   WHERE judged_at <= $6
                   ON CONFLICT (organisation, stance, digest) DO UPDATE SET
                       ground = excluded.ground, mark = excluded.mark, states = excluded.states,
                       verdicts = excluded.verdicts, judged_at = excluded.judged_at,
                       looked_at = excluded.looked_at
                   RETURNING states";
        let values = values![&organisation.0, stance, digest, mark, ground, now];
        let Some(row) = tx.row(sql, values).await? else { return Ok(None) };
        let states = json_of(&row, "states")?;
        tx.commit().await?;
        Ok(Some(states))
    }

    /// Which policies each application of an environment met when it was judged last.
    pub async fn policy_states(&self, environment: &str) -> Result<BTreeMap<String, Json>, Error> {
        let sql = "SELECT application, states FROM policy_states WHERE environment = $1";
        let rows = self.db.rows(sql, values![environment]).await?;
        rows.iter().map(|row| Ok((row.text("application")?, json_of(row, "states")?))).collect()
    }

    /// Writes down what came of judging all that runs in an environment: all of it, or nothing. It is
    /// nothing where somebody was quicker, or where the environment is gone, and says no.
    pub async fn judged(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        new: &NewJudging<'_>,
    ) -> Result<bool, Error> {
        let mut tx = self.db.write().await?;
        let Some(held) = environments::hold_by_id(&mut tx, new.environment).await? else {
            return Ok(false);
        };
        let sql = "SELECT revision FROM policy_judgings WHERE environment = $1";
        let row = tx.row(sql, values![&held.id]).await?;
        let revision = row.map(|it| it.int("revision")).transpose()?.unwrap_or(0);
        if revision != new.former {
            return Ok(false);
        }
        tx.run(
            "INSERT INTO policy_judgings (environment, revision, stance, basis, judged_at)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (environment) DO UPDATE SET revision = excluded.revision,
                 stance = excluded.stance, basis = excluded.basis, judged_at = excluded.judged_at",
            values![&held.id, revision + 1, new.stance, new.basis.to_string(), act.at],
        )
        .await?;
        for (application, states) in new.states {
            if let Some(states) = states {
                let sql = "INSERT INTO policy_states (environment, application, states)
                           VALUES ($1, $2, $3)
                           ON CONFLICT (environment, application) DO UPDATE SET states = excluded.states";
                tx.run(sql, values![&held.id, application, states.to_string()]).await?;
            } else {
                let sql = "DELETE FROM policy_states WHERE environment = $1 AND application = $2";
                tx.run(sql, values![&held.id, application]).await?;
            }
        }
        let (day, sample) = new.sample;
        let sql = "INSERT INTO policy_samples (environment, day, sample) VALUES ($1, $2, $3)
                   ON CONFLICT (environment, day) DO UPDATE SET sample = excluded.sample";
        tx.run(sql, values![&held.id, day, sample.to_string()]).await?;
        let sql = "DELETE FROM policy_samples WHERE environment = $1 AND day < $2";
        tx.run(sql, values![&held.id, act.at.plus_seconds(-KEPT)]).await?;
        let notes: Vec<events::Note<'_>> = new
            .events
            .iter()
            .map(|it| {
                let note = events::Note::new(it.kind, &it.about).detail(it.detail.clone());
                note.within(&held.id, &held.name)
            })
            .collect();
        events::write_all(&mut tx, organisation, act, &notes).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Forgets verdicts that nobody needs any more: of images that do not run, and by what no
    /// environment is judged by. Says how many those were.
    pub async fn sweep_policy_verdicts(
        &self,
        organisation: &OrganisationId,
        now: Moment,
    ) -> Result<u64, Error> {
        let mut tx = self.db.write().await?;
        let sql = "DELETE FROM policy_verdicts WHERE organisation = $1 AND looked_at < $2
                   AND (stance NOT IN (SELECT j.stance FROM policy_judgings j
                            JOIN environments e ON e.id = j.environment WHERE e.organisation = $1)
                        OR NOT EXISTS (SELECT 1 FROM deployments d
                            WHERE d.organisation = policy_verdicts.organisation
                            AND d.digest = policy_verdicts.digest AND d.until_at IS NULL))";
        let gone = tx.run(sql, values![&organisation.0, now.plus_seconds(-LINGERS)]).await?;
        tx.commit().await?;
        Ok(gone)
    }

    /// How many images met which policies in an environment, by day from a moment on, the first first.
    pub async fn policy_samples(
        &self,
        organisation: &OrganisationId,
        environment: &str,
        since: Moment,
    ) -> Result<Vec<PolicySample>, Error> {
        let id = environments::find(&self.db, organisation, environment).await?;
        let sql = "SELECT day, sample FROM policy_samples WHERE environment = $1 AND day >= $2
                   ORDER BY day";
        let rows = self.db.rows(sql, values![id, since]).await?;
        let sample = |row: &Row| {
            Ok(PolicySample { day: row.moment("day")?, sample: json_of(row, "sample")? })
        };
        rows.iter().map(sample).collect()
    }
}

/// One that is being deleted gets nothing any more.
async fn is_there(tx: &mut Tx, organisation: &OrganisationId) -> Result<bool, Error> {
    let sql = "SELECT id FROM organisations WHERE id = $1 AND deleting = 0";
    Ok(tx.row(sql, values![&organisation.0]).await?.is_some())
}

fn image(row: &Row) -> Result<JudgedImage, Error> {
    Ok(JudgedImage {
        digest: row.text("digest")?,
        ground: row.text("ground")?,
        mark: row.text("mark")?,
        states: json_of(row, "states")?,
    })
}

fn running(row: &Row) -> Result<JudgedRunning, Error> {
    Ok(JudgedRunning {
        deployment: row.text("id")?,
        environment: row.text("environment")?,
        application: row.text("application")?,
        platform: row.parsed("platform")?,
        repository: row.text("repository")?,
        tag: row.maybe_text("tag")?,
        digest: row.parsed("digest")?,
        analysed: row.maybe_moment("analysed_at")?,
    })
}
