//! Tags: where they lead, and where they led.

use model::{Act, Digest, EventKind, Moment, OrganisationId, Platform, TagSpan};
use serde_json::json;

use crate::contract::{Error, Led, Page, Paged};
use crate::db::{Query, Row, Tx, values};
use crate::deployments::platform_key;
use crate::{Store, events, images, names, new_id};

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
        let name = Name { organisation, repository: &repository, tag: &tag };
        let platform = platform_key(platform)?;
        let mut tx = self.db.write().await?;
        name.hold(&mut tx).await?;
        let moved = name.point(&mut tx, act, &platform, digest).await?;
        if moved {
            tx.commit().await?;
        }
        Ok(moved)
    }

    /// Takes note of all that a tag leads to: an image for each platform, and for no other any more.
    /// Whoever looked for some platforms alone says nothing of the others; none of them is all. A tag
    /// that leads to nothing is gone. An image that nobody has heard of waits to be analysed.
    pub async fn lead_tag(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        repository: &str,
        tag: &str,
        images: &[(Platform, Digest)],
        looked_for: &[Platform],
    ) -> Result<Led, Error> {
        let repository = names::repository(repository)?;
        let tag = names::cleaned("tag", tag)?;
        let name = Name { organisation, repository: &repository, tag: &tag };
        let mut wanted: Vec<(String, &Digest)> = Vec::new();
        for (platform, digest) in images {
            let platform = platform_key(platform)?;
            if wanted.iter().any(|it| it.0 == platform) {
                return Err(Error::Refused {
                    what: format!("tag {repository}:{tag}"),
                    why: format!("it leads to one image for {platform}, not to several"),
                    hint: None,
                });
            }
            wanted.push((platform, digest));
        }
        // In one order, whatever tag leads there, so that nobody waits for somebody who waits for them.
        wanted.sort_by(|left, right| left.1.cmp(right.1));
        let mut led = Led::default();
        let mut tx = self.db.write().await?;
        name.hold(&mut tx).await?;
        for (platform, digest) in &wanted {
            let (image, _) = images::know(&mut tx, organisation, act, digest, platform).await?;
            images::see_in(&mut tx, image, Some(&repository)).await?;
        }
        wanted.sort();
        for (platform, digest) in &wanted {
            led.moved += u64::from(name.point(&mut tx, act, platform, digest).await?);
        }
        let rows = tx
            .rows(
                "SELECT platform FROM tags WHERE organisation = $1 AND repository = $2 AND tag = $3
                 AND until_at IS NULL ORDER BY platform",
                values![&organisation.0, &repository, &tag],
            )
            .await?;
        for row in rows {
            let platform = row.text("platform")?;
            let there: Platform = row.parsed("platform")?;
            let is_meant = looked_for.is_empty()
                || looked_for.iter().any(|wish| there.rank_for(wish).is_some());
            if is_meant && !wanted.iter().any(|it| it.0 == platform) {
                led.ended += u64::from(name.end(&mut tx, act, &platform).await?);
            }
        }
        tx.commit().await?;
        Ok(led)
    }

    /// Where the tags of a repository lead now, for each platform.
    pub async fn current_tags(
        &self,
        organisation: &OrganisationId,
        repository: &str,
    ) -> Result<Vec<TagSpan>, Error> {
        let sql = "SELECT repository, tag, platform, digest, from_at, until_at FROM tags
                   WHERE organisation = $1 AND repository = $2 AND until_at IS NULL
                   ORDER BY tag, platform";
        let rows = self.db.rows(sql, values![&organisation.0, repository]).await?;
        rows.iter().map(read).collect()
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

    /// The same part by part; of those, what led to that image, if one is said.
    pub async fn tags_of(
        &self,
        organisation: &OrganisationId,
        (repository, tag): (&str, Option<&str>),
        digest: Option<&Digest>,
        page: &Page,
    ) -> Result<Paged<TagSpan>, Error> {
        let limit = page.rows();
        let mut query = Query::new(
            "SELECT repository, tag, platform, digest, from_at, until_at, id FROM tags",
            vec![],
        );
        query.with("WHERE organisation = $?", &organisation.0);
        query.with("AND repository = $?", repository);
        if let Some(tag) = tag {
            query.with("AND tag = $?", tag);
        }
        if let Some(digest) = digest {
            query.with("AND digest = $?", digest.to_string());
        }
        if let Some(text) = &page.after {
            // Whatever is asked is after something.
            let mut parts = text.splitn(4, '\n');
            let (tag, platform) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
            let from = parts.next().and_then(|it| it.parse::<i64>().ok()).unwrap_or(i64::MAX);
            let id = parts.next().unwrap_or("");
            // An index leads there; behind that, times fall.
            query.with("AND (tag, platform) >= ($?,", tag);
            query.with("$?)", platform);
            query.with("AND ((tag, platform) > ($?,", tag);
            query.with("$?)", platform);
            query.with("OR from_at < $?", from);
            query.with("OR (from_at = $?", from);
            query.with("AND id > $?))", id);
        }
        query.then(&format!("ORDER BY tag, platform, from_at DESC, id LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let read = |row: &Row| Ok((read(row)?, row.text("id")?));
        let rows = rows.iter().map(read).collect::<Result<_, Error>>()?;
        let paged = Paged::of(rows, limit, |(it, id): &(TagSpan, String)| {
            format!("{}\n{}\n{}\n{id}", it.tag, it.platform, it.from.micros())
        });
        let rows = paged.rows.into_iter().map(|(it, _)| it).collect();
        Ok(Paged { rows, next: paged.next })
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

/// A tag by its name.
struct Name<'a> {
    organisation: &'a OrganisationId,
    repository: &'a str,
    tag: &'a str,
}

/// Where it led last.
struct Former {
    id: String,
    digest: Digest,
    from: Moment,
    until: Option<Moment>,
}

impl Name<'_> {
    /// Holds it, for every platform: whoever held one after the other would wait for somebody who
    /// holds them in another order.
    async fn hold(&self, tx: &mut Tx) -> Result<(), Error> {
        let Self { organisation, repository, tag } = *self;
        tx.lock(&format!("tag {} {repository}:{tag}", organisation.0), true).await
    }

    /// Where it led last, for a platform.
    async fn last(&self, tx: &mut Tx, platform: &str) -> Result<Option<Former>, Error> {
        let Self { organisation, repository, tag } = *self;
        let row = tx
            .row(
                "SELECT id, digest, from_at, until_at FROM tags WHERE organisation = $1
                 AND repository = $2 AND tag = $3 AND platform = $4
                 ORDER BY from_at DESC LIMIT 1",
                values![&organisation.0, repository, tag, platform],
            )
            .await?;
        let read = |row: Row| {
            Ok(Former {
                id: row.text("id")?,
                digest: row.parsed("digest")?,
                from: row.moment("from_at")?,
                until: row.maybe_moment("until_at")?,
            })
        };
        row.map(read).transpose()
    }

    /// Lets it lead to that image. Says whether it led elsewhere, or nowhere, before.
    async fn point(
        &self,
        tx: &mut Tx,
        act: &Act,
        platform: &str,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let mut from = act.at;
        let mut led_to = None;
        if let Some(former) = self.last(tx, platform).await? {
            from = from.max(former.until.unwrap_or(former.from.next()));
            if former.until.is_none() {
                if former.digest == *digest {
                    return Ok(false);
                }
                let sql = "UPDATE tags SET until_at = $2 WHERE id = $1";
                tx.run(sql, values![&former.id, from]).await?;
                led_to = Some(former.digest);
            }
        }
        let Self { organisation, repository, tag } = *self;
        tx.run(
            "INSERT INTO tags (id, organisation, repository, tag, platform, digest, from_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            values![new_id(), &organisation.0, repository, tag, platform, digest.as_str(), from],
        )
        .await?;
        if led_to.is_some() {
            let detail = json!({ "platform": platform, "from": led_to, "to": digest });
            self.tell(tx, act, EventKind::TagMoved, detail).await?;
        }
        Ok(true)
    }

    /// Lets it lead nowhere. Says whether it led anywhere before.
    async fn end(&self, tx: &mut Tx, act: &Act, platform: &str) -> Result<bool, Error> {
        let former = self.last(tx, platform).await?;
        let Some(former) = former.filter(|it| it.until.is_none()) else { return Ok(false) };
        let until = act.at.max(former.from.next());
        tx.run("UPDATE tags SET until_at = $2 WHERE id = $1", values![&former.id, until]).await?;
        let detail = json!({ "platform": platform, "from": former.digest });
        self.tell(tx, act, EventKind::TagGone, detail).await?;
        Ok(true)
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        act: &Act,
        kind: EventKind,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        let about = format!("{}:{}", self.repository, self.tag);
        events::Note::new(kind, &about).detail(detail).write(tx, self.organisation, act).await
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
