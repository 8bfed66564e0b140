//! Numbers: packages, sets, images and what runs, in pages, for whoever holds all of it at once.
//!
//! A number is never used again. Each page begins after the last row of the page before; an empty
//! page is the end. All organisations' things are read, but where one is named.

use std::collections::{BTreeMap, HashMap};

use model::{Digest, Distro, OrganisationId};

use crate::contract::{Error, ImageContent, KnownPackage, RunningImage};
use crate::db::{Query, Row, runs, values};
use crate::{Store, packages, retention};

const MOST: u32 = 50_000;

impl Store {
    /// The packages with numbers above `after`, by number; 0 begins.
    pub async fn packages_after(&self, after: i64, limit: u32) -> Result<Vec<KnownPackage>, Error> {
        let sql = format!("{} WHERE p.id > $1 ORDER BY p.id LIMIT $2", packages::SELECT);
        let rows = self.db.rows(sql, values![after, most(limit)]).await?;
        rows.iter().map(packages::read).collect()
    }

    /// The sets with numbers above `after`, by number, each with the numbers of its packages; 0
    /// begins.
    pub async fn sets_after(&self, after: i64, limit: u32) -> Result<Vec<(i64, Vec<i64>)>, Error> {
        let sql = "SELECT package_set, string_agg(CAST(package AS TEXT), ',') AS packages
                   FROM set_packages WHERE package_set > $1
                   GROUP BY package_set ORDER BY package_set LIMIT $2";
        let rows = self.db.rows(sql, values![after, most(limit)]).await?;
        rows.iter().map(set).collect()
    }

    /// The packages of one set; none when it is gone.
    pub async fn packages_of_set(&self, set: i64) -> Result<Vec<KnownPackage>, Error> {
        let sql = format!(
            "{} JOIN set_packages s ON s.package = p.id WHERE s.package_set = $1 ORDER BY p.id",
            packages::SELECT
        );
        self.db.rows(sql, values![set]).await?.iter().map(packages::read).collect()
    }

    /// The analysed images with numbers above `after`, by number; 0 begins.
    pub async fn image_contents_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ImageContent>, Error> {
        let sql = "SELECT i.id, i.organisation, i.digest, v.distro FROM images i
                   JOIN inventories v ON v.image = i.id
                   WHERE i.id > $1 ORDER BY i.id LIMIT $2";
        let mut tx = self.db.read().await?;
        let rows = tx.rows(sql, values![after, most(limit)]).await?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        let sql = "SELECT image, package_set FROM image_sets
                   WHERE image > $1 AND image <= $2 ORDER BY image, position";
        let sets = tx.rows(sql, values![after, last.int("id")?]).await?;
        drop(tx);
        contents(&rows, &sets)
    }

    /// What an image of an organisation holds, if it is analysed.
    pub async fn image_content(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Option<ImageContent>, Error> {
        let sql = "SELECT i.id, i.organisation, i.digest, v.distro FROM images i
                   JOIN inventories v ON v.image = i.id
                   WHERE i.organisation = $1 AND i.digest = $2";
        let mut tx = self.db.read().await?;
        let rows = tx.rows(sql, values![&organisation.0, digest.as_str()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let sets = retention::sets_of(&mut tx, row.int("id")?).await?;
        drop(tx);
        Ok(Some(ImageContent { sets, ..content(row)? }))
    }

    /// The images of an organisation that have any of these sets, by number; of their sets, these
    /// alone are told.
    pub async fn image_contents_with(
        &self,
        organisation: &OrganisationId,
        sets: &[i64],
    ) -> Result<Vec<ImageContent>, Error> {
        let mut found: BTreeMap<i64, ImageContent> = BTreeMap::new();
        let mut distros: HashMap<String, Option<Distro>> = HashMap::new();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        for run in runs(sets) {
            let mut query = Query::new(
                "SELECT i.id, i.digest, v.distro, s.package_set FROM image_sets s
                 JOIN images i ON i.id = s.image JOIN inventories v ON v.image = i.id",
                vec![],
            );
            query.with("WHERE i.organisation = $?", &organisation.0);
            query.with_all("AND s.package_set IN $?", run);
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                let image = row.int("id")?;
                let set = row.int("package_set")?;
                if let Some(it) = found.get_mut(&image) {
                    it.sets.push(set);
                    continue;
                }
                // Few there are, and many images have each.
                let text = row.maybe_text("distro")?.unwrap_or_default();
                let distro = match distros.get(&text) {
                    Some(known) => known.clone(),
                    None => distros.entry(text).or_insert(distro(&row, image)?).clone(),
                };
                let (organisation, digest) = (organisation.clone(), row.parsed("digest")?);
                let sets = vec![set];
                found.insert(image, ImageContent { image, organisation, digest, distro, sets });
            }
        }
        Ok(found.into_values().collect())
    }

    /// The deployments that run now, by their ids; the empty one begins.
    pub async fn running_images_after(
        &self,
        organisation: Option<&OrganisationId>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RunningImage>, Error> {
        let mut query = Query::new(
            &format!("{RUNNING} WHERE d.until_at IS NULL AND d.id > $1"),
            values![after],
        );
        if let Some(organisation) = organisation {
            query.with("AND d.organisation = $?", &organisation.0);
        }
        query.then(&format!("ORDER BY d.id LIMIT {}", most(limit)));
        let (sql, values) = query.into_parts();
        self.db.few(sql, values).await?.iter().map(running_image).collect()
    }

    /// What runs of these images of an organisation, by their numbers; and what runs of images that
    /// nobody has analysed.
    pub async fn running_images_of(
        &self,
        organisation: &OrganisationId,
        images: &[i64],
    ) -> Result<Vec<RunningImage>, Error> {
        // What is not known to be analysed has an index of its own; from each environment to it.
        let mut query = Query::new(
            "SELECT d.id, d.organisation, d.environment, d.application, d.platform, d.digest,
                    i.id AS image
             FROM environments e CROSS JOIN deployments d
             LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
                  AND i.state = 'analysed'",
            vec![],
        );
        query.with("WHERE e.organisation = $?", &organisation.0);
        query.then("AND d.environment = e.id AND d.until_at IS NULL AND d.analysed IS NULL");
        query.then("AND i.id IS NULL");
        let (sql, values) = query.into_parts();
        let mut tx = self.db.read().await?;
        tx.expect_few().await?;
        let rows = tx.rows(sql, values).await?;
        let mut found: Vec<RunningImage> =
            rows.iter().map(running_image).collect::<Result<_, _>>()?;
        for run in runs(images) {
            // SQLite joins in this order, because it is a cross join: from the images to what runs of
            // them. It would look for each deployment among all images that are named.
            let mut query = Query::new(
                "SELECT d.id, d.organisation, d.environment, d.application, d.platform, d.digest,
                        i.id AS image
                 FROM images i CROSS JOIN deployments d
                 WHERE d.organisation = i.organisation AND d.digest = i.digest
                 AND d.until_at IS NULL AND i.state = 'analysed'",
                vec![],
            );
            query.with("AND i.organisation = $?", &organisation.0);
            query.with_all("AND i.id IN $?", run);
            let (sql, values) = query.into_parts();
            for row in tx.rows(sql, values).await? {
                found.push(running_image(&row)?);
            }
        }
        Ok(found)
    }

    /// That a deployment runs, by its id; none when it does not.
    pub async fn running_image(&self, deployment: &str) -> Result<Option<RunningImage>, Error> {
        let sql = format!("{RUNNING} WHERE d.until_at IS NULL AND d.id = $1");
        self.db.row(sql, values![deployment]).await?.as_ref().map(running_image).transpose()
    }
}

const RUNNING: &str = "
    SELECT d.id, d.organisation, d.environment, d.application, d.platform, d.digest, i.id AS image
    FROM deployments d
    LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
         AND i.state = 'analysed'";

fn running_image(row: &Row) -> Result<RunningImage, Error> {
    Ok(RunningImage {
        deployment: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        environment: row.text("environment")?,
        application: row.text("application")?,
        platform: row.parsed("platform")?,
        digest: row.parsed("digest")?,
        image: row.maybe_int("image")?,
    })
}

fn most(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MOST))
}

fn set(row: &Row) -> Result<(i64, Vec<i64>), Error> {
    let set = row.int("package_set")?;
    let text = row.text("packages")?;
    let packages: Result<Vec<i64>, _> = text.split(',').map(str::parse).collect();
    let packages = packages.map_err(|error| Error::Corrupt {
        what: format!("package set {set}"),
        why: error.to_string(),
    })?;
    Ok((set, packages))
}

/// Images, and the sets of all of them.
fn contents(rows: &[Row], sets: &[Row]) -> Result<Vec<ImageContent>, Error> {
    let set = |row: &Row| Ok((row.int("image")?, row.int("package_set")?));
    let mut sets = sets.iter().map(set).collect::<Result<Vec<_>, Error>>()?.into_iter().peekable();
    let mut contents = Vec::with_capacity(rows.len());
    for row in rows {
        let mut content = content(row)?;
        while let Some((image, set)) = sets.next_if(|(image, _)| *image <= content.image) {
            if image == content.image {
                content.sets.push(set);
            }
        }
        contents.push(content);
    }
    Ok(contents)
}

/// An image, but for its sets.
fn content(row: &Row) -> Result<ImageContent, Error> {
    let image = row.int("id")?;
    Ok(ImageContent {
        image,
        organisation: OrganisationId(row.text("organisation")?),
        digest: row.parsed("digest")?,
        distro: distro(row, image)?,
        sets: Vec::new(),
    })
}

/// The distribution of an image.
fn distro(row: &Row, image: i64) -> Result<Option<Distro>, Error> {
    let corrupt = |why| Error::Corrupt { what: format!("inventory of image {image}"), why };
    let text = row.maybe_text("distro")?;
    // Its head could not be read when this column was filled in.
    let text = text.ok_or_else(|| corrupt("nobody knows its distribution".to_owned()))?;
    serde_json::from_str(&text).map_err(|error| corrupt(error.to_string()))
}
