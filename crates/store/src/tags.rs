//! Tags: where they lead, and where they led.

use model::{Act, Digest, EventKind, OrganisationId, Platform, TagSpan};
use serde_json::json;

use crate::contract::{Error, Page, Paged};
use crate::db::{Query, Row, values};
use crate::deployments::platform_key;
use crate::{Store, events, names, new_id};

impl Store {
    /// Takes note of where a tag leads. Says whether it led elsewhere, or nowhere, before.
    pub async fn point_tag(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        repository: &str,
        tag: &str,
        platform: &Platform,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let repository = names::repository(repository)?;
        let tag = names::cleaned("tag", tag)?;
        let platform = platform_key(platform)?;
        let mut tx = self.db.write().await?;
        let name = format!("tag {} {repository}:{tag} {platform}", organisation.0);
        tx.lock(&name, true).await?;
        let former = tx
            .row(
                "SELECT id, digest, from_at, until_at FROM tags WHERE organisation = $1
                 AND repository = $2 AND tag = $3 AND platform = $4
                 ORDER BY from_at DESC LIMIT 1",
                values![&organisation.0, &repository, &tag, &platform],
            )
            .await?;
        let mut from = act.at;
        let mut led_to = None;
        if let Some(row) = former {
            let until = row.maybe_moment("until_at")?;
            let former: Digest = row.parsed("digest")?;
            from = from.max(until.unwrap_or(row.moment("from_at")?.next()));
            if until.is_none() {
                if former == *digest {
                    return Ok(false);
                }
                let sql = "UPDATE tags SET until_at = $2 WHERE id = $1";
                tx.run(sql, values![row.text("id")?, from]).await?;
                led_to = Some(former);
            }
        }
        tx.run(
            "INSERT INTO tags (id, organisation, repository, tag, platform, digest, from_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![
                new_id(),
                &organisation.0,
                &repository,
                &tag,
                &platform,
                digest.as_str(),
                from,
            ],
        )
        .await?;
        if led_to.is_some() {
            let about = format!("{repository}:{tag}");
            let note = events::Note::new(EventKind::TagMoved, &about);
            let detail = json!({ "platform": platform, "from": led_to, "to": digest });
            note.detail(detail).write(&mut tx, organisation, act).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Where the tags of a repository lead and led: by tag and platform, latest first.
    pub async fn tags(
        &self,
        organisation: &OrganisationId,
        repository: &str,
        tag: Option<&str>,
    ) -> Result<Vec<TagSpan>, Error> {
        let mut query = Query::new(
            "SELECT repository, tag, platform, digest, from_at, until_at FROM tags",
            vec![],
        );
        query.with("WHERE organisation = $?", &organisation.0);
        query.with("AND repository = $?", repository);
        if let Some(tag) = tag {
            query.with("AND tag = $?", tag);
        }
        query.then("ORDER BY tag, platform, from_at DESC");
        let (sql, values) = query.into_parts();
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// The tags that something that runs was deployed by, each once, as `repository:tag` and
    /// platform: what is to be resolved anew now and then. Of all environments, or of one.
    pub async fn deployed_tags(
        &self,
        organisation: &OrganisationId,
        environment: Option<&str>,
        page: &Page,
    ) -> Result<Paged<(String, String, Platform)>, Error> {
        let limit = page.rows();
        let after: [String; 3] = match &page.after {
            Some(text) => serde_json::from_str(text).map_err(|_| Error::Refused {
                what: "page".to_owned(),
                why: "what it is to begin after is no end of a page".to_owned(),
                hint: None,
            })?,
            None => Default::default(),
        };
        let [repository, tag, platform] = after;
        let mut query =
            Query::new("SELECT DISTINCT repository, tag, platform FROM deployments", vec![]);
        // An index has them in this order, those of all environments.
        query.with("WHERE organisation = $?", &organisation.0);
        if let Some(name) = environment {
            query.with(
                "AND environment || '' = (SELECT id FROM environments WHERE name = $?",
                names::normal(name),
            );
            query.then("AND organisation = $1)");
        }
        query.then("AND until_at IS NULL AND tag IS NOT NULL");
        query.with("AND (repository, tag, platform) > ($?,", repository);
        query.with("$?,", tag);
        query.with("$?)", platform);
        query.then(&format!("ORDER BY repository, tag, platform LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let read =
            |row: &Row| Ok((row.text("repository")?, row.text("tag")?, row.parsed("platform")?));
        let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |(repository, tag, platform): &(String, String, Platform)| {
            json!([repository, tag, platform.to_string()]).to_string()
        }))
    }
}

fn read(row: &Row) -> Result<TagSpan, Error> {
    Ok(TagSpan {
        repository: row.text("repository")?,
        tag: row.text("tag")?,
        platform: row.parsed("platform")?,
        digest: row.parsed("digest")?,
        from: row.moment("from_at")?,
        until: row.maybe_moment("until_at")?,
    })
}
