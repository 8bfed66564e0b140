//! What is asked of all images at once, so that what each stands on can be told.

use std::collections::BTreeMap;

use model::{Digest, OrganisationId, Outline, Platform};

use crate::Store;
use crate::contract::{Error, LayeredImage};
use crate::db::{Query, Row, runs, values};
use crate::deployments::platform_key;

/// Images that are read together: each is a document.
const PART: u32 = 1_000;
/// Names of an image that are told.
const NAMES: usize = 5;

const SELECT: &str = "SELECT id, digest, platform, outline, analysed_at FROM images";

impl Store {
    /// The analysed images of an organisation with numbers above `after`, by number; 0 begins.
    pub async fn layered_images_after(
        &self,
        organisation: &OrganisationId,
        after: i64,
    ) -> Result<Vec<LayeredImage>, Error> {
        let sql = format!(
            "{SELECT} WHERE organisation = $1 AND id > $2 AND outline IS NOT NULL
             ORDER BY id LIMIT {PART}"
        );
        let rows = self.db.rows(sql, values![&organisation.0, after]).await?;
        rows.iter().map(layered).collect()
    }

    /// One of them; none where it is gone or not analysed.
    pub async fn layered_image(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Option<LayeredImage>, Error> {
        let sql =
            format!("{SELECT} WHERE organisation = $1 AND digest = $2 AND outline IS NOT NULL");
        let rows = self.db.rows(sql, values![&organisation.0, digest.as_str()]).await?;
        rows.first().map(layered).transpose()
    }

    /// What images are called: the tags that lead to each or led to it last, those that do first; without
    /// any, a repository that it was seen in. The first few of each.
    pub async fn names_of_images(
        &self,
        organisation: &OrganisationId,
        digests: &[Digest],
    ) -> Result<BTreeMap<Digest, Vec<String>>, Error> {
        let mut named: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
        let all: Vec<String> = digests.iter().map(ToString::to_string).collect();
        for run in runs(&all) {
            let mut query = Query::new(
                "SELECT digest, repository, tag, MAX(from_at) AS since,
                        COUNT(*) - COUNT(until_at) AS leads
                 FROM tags WHERE organisation =",
                vec![],
            );
            query.with("$?", &organisation.0);
            query.with_all("AND digest IN $?", run);
            query.then("GROUP BY digest, repository, tag");
            query.then("ORDER BY digest, leads DESC, since DESC, repository, tag");
            let (sql, values) = query.into_parts();
            for row in &self.db.rows(sql, values).await? {
                let name = format!("{}:{}", row.text("repository")?, row.text("tag")?);
                let names = named.entry(row.parsed("digest")?).or_default();
                if names.len() < NAMES {
                    names.push(name);
                }
            }
        }
        let unnamed = digests.iter().filter(|it| !named.contains_key(*it));
        let unnamed: Vec<String> = unnamed.map(ToString::to_string).collect();
        for run in runs(&unnamed) {
            let mut query = Query::new(
                "SELECT i.digest, MIN(r.repository) AS repository FROM images i
                 JOIN image_repositories r ON r.image = i.id WHERE i.organisation =",
                vec![],
            );
            query.with("$?", &organisation.0);
            query.with_all("AND i.digest IN $?", run);
            query.then("GROUP BY i.digest");
            let (sql, values) = query.into_parts();
            for row in &self.db.rows(sql, values).await? {
                let digest: Digest = row.parsed("digest")?;
                let name = format!("{}@{digest}", row.text("repository")?);
                named.entry(digest).or_default().push(name);
            }
        }
        Ok(named)
    }

    /// Where the tags of a repository lead now, the latest first; at most so many.
    pub async fn tags_now(
        &self,
        organisation: &OrganisationId,
        repository: &str,
        platform: &Platform,
        limit: u32,
    ) -> Result<Vec<(String, Digest)>, Error> {
        let sql = "SELECT tag, digest FROM tags
                   WHERE organisation = $1 AND repository = $2 AND platform = $3
                     AND until_at IS NULL
                   ORDER BY from_at DESC, tag LIMIT $4";
        let values =
            values![&organisation.0, repository, platform_key(platform)?, i64::from(limit)];
        let rows = self.db.rows(sql, values).await?;
        rows.iter().map(|it| Ok((it.text("tag")?, it.parsed("digest")?))).collect()
    }
}

fn layered(row: &Row) -> Result<LayeredImage, Error> {
    let outline = row.maybe_text("outline")?.unwrap_or_default();
    // One that cannot be read has no layers; what it stands on is not known.
    let outline: Outline = serde_json::from_str(&outline).unwrap_or_default();
    let all = outline.layers.len();
    let layers: Vec<Digest> = outline.layers.into_iter().map_while(|it| it.diff_id).collect();
    Ok(LayeredImage {
        number: row.int("id")?,
        digest: row.parsed("digest")?,
        platform: row.parsed("platform")?,
        analysed: row.maybe_moment("analysed_at")?,
        config: outline.config,
        is_whole: all > 0 && layers.len() == all,
        layers,
        said: outline.base,
        built_on: outline.built_on,
    })
}
