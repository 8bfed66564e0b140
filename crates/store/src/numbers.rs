//! Numbers: packages, sets, images and what runs, in pages, for whoever holds all of it at once.
//!
//! A number is never used again. Each page begins after the last row of the page before; an empty
//! page is the end. All organisations' things are read, but where one is named.

use model::{Digest, OrganisationId, Package};

use crate::Store;
use crate::contract::{
    Error, ImageContent, ImageSet, KnownPackage, NumberedImage, RunningImage, SetPackage,
};
use crate::db::{Query, Row, values};
use crate::{inventories, packages};

const MOST: u32 = 50_000;

impl Store {
    /// The packages with numbers above `after`, by number; 0 begins.
    pub async fn packages_after(&self, after: i64, limit: u32) -> Result<Vec<KnownPackage>, Error> {
        let sql = "SELECT id, purl, source FROM packages WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.rows(sql, values![after, most(limit)]).await?;
        rows.iter().map(packages::read).collect()
    }

    /// Which sets have which packages, by set and package; the first begins after none.
    pub async fn set_packages_after(
        &self,
        after: Option<SetPackage>,
        limit: u32,
    ) -> Result<Vec<SetPackage>, Error> {
        let after = after.map_or((0, 0), |it| (it.set, it.package));
        let sql = "SELECT package_set, package FROM set_packages
                   WHERE (package_set, package) > ($1, $2)
                   ORDER BY package_set, package LIMIT $3";
        let rows = self.db.rows(sql, values![after.0, after.1, most(limit)]).await?;
        rows.iter().map(set_package).collect()
    }

    /// The packages of one set.
    pub async fn packages_of_set(&self, set: i64) -> Result<Vec<KnownPackage>, Error> {
        let sql = "SELECT p.id, p.purl, p.source FROM set_packages s
                   JOIN packages p ON p.id = s.package WHERE s.package_set = $1 ORDER BY p.id";
        self.db.rows(sql, values![set]).await?.iter().map(packages::read).collect()
    }

    /// Which images have which sets, by image and position; the first begins after none.
    pub async fn image_sets_after(
        &self,
        after: Option<ImageSet>,
        limit: u32,
    ) -> Result<Vec<ImageSet>, Error> {
        let after = after.map_or((0, 0), |it| (it.image, it.position));
        let sql = "SELECT image, position, package_set FROM image_sets
                   WHERE (image, position) > ($1, $2) ORDER BY image, position LIMIT $3";
        let rows = self.db.rows(sql, values![after.0, after.1, most(limit)]).await?;
        rows.iter().map(image_set).collect()
    }

    /// The sets of one image.
    pub async fn sets_of_image(&self, image: i64) -> Result<Vec<ImageSet>, Error> {
        let sql = "SELECT image, position, package_set FROM image_sets
                   WHERE image = $1 ORDER BY position";
        self.db.rows(sql, values![image]).await?.iter().map(image_set).collect()
    }

    /// The sets with numbers above `after`, by number, each with its packages as they were found,
    /// without layers; 0 begins.
    pub async fn set_contents_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<(i64, Vec<Package>)>, Error> {
        let sql = "SELECT id, body FROM package_sets WHERE id > $1 ORDER BY id LIMIT $2";
        let rows = self.db.rows(sql, values![after, most(limit)]).await?;
        rows.iter().map(set_content).collect()
    }

    /// The packages of one set as they were found, without layers; none when it is gone.
    pub async fn set_content(&self, set: i64) -> Result<Option<Vec<Package>>, Error> {
        let sql = "SELECT id, body FROM package_sets WHERE id = $1";
        let row = self.db.row(sql, values![set]).await?;
        Ok(row.as_ref().map(set_content).transpose()?.map(|(_, packages)| packages))
    }

    /// The analysed images with numbers above `after`, by number; 0 begins.
    pub async fn image_contents_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<ImageContent>, Error> {
        let sql = "SELECT i.id, i.organisation, i.digest, v.head FROM images i
                   JOIN inventories v ON v.image = i.id
                   WHERE i.id > $1 ORDER BY i.id LIMIT $2";
        let mut tx = self.db.read().await?;
        let rows = tx.rows(sql, values![after, most(limit)]).await?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        let sql = "SELECT image, position, package_set FROM image_sets
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
        let sql = "SELECT i.id, i.organisation, i.digest, v.head FROM images i
                   JOIN inventories v ON v.image = i.id
                   WHERE i.organisation = $1 AND i.digest = $2";
        let mut tx = self.db.read().await?;
        let rows = tx.rows(sql, values![&organisation.0, digest.as_str()]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let sql = "SELECT image, position, package_set FROM image_sets
                   WHERE image = $1 ORDER BY position";
        let sets = tx.rows(sql, values![row.int("id")?]).await?;
        drop(tx);
        Ok(contents(&rows, &sets)?.pop())
    }

    /// The images with numbers above `after`, by number; 0 begins.
    pub async fn images_after(
        &self,
        organisation: Option<&OrganisationId>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<NumberedImage>, Error> {
        let mut query = Query::new(
            "SELECT id, organisation, digest, platform, state FROM images WHERE id > $1",
            values![after],
        );
        if let Some(organisation) = organisation {
            query.with("AND organisation = $?", &organisation.0);
        }
        query.with("ORDER BY id LIMIT $?", most(limit));
        let (sql, values) = query.into_parts();
        let read = |row: &Row| {
            Ok(NumberedImage {
                number: row.int("id")?,
                organisation: OrganisationId(row.text("organisation")?),
                digest: row.parsed("digest")?,
                platform: row.parsed("platform")?,
                analysed: row.text("state")? == "analysed",
            })
        };
        self.db.rows(sql, values).await?.iter().map(read).collect()
    }

    /// The deployments that run now, by their ids; the empty one begins.
    pub async fn running_images_after(
        &self,
        organisation: Option<&OrganisationId>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<RunningImage>, Error> {
        let mut query = Query::new(
            "SELECT d.id, d.organisation, d.environment, d.digest, i.id AS image FROM deployments d
             LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
             WHERE d.until_at IS NULL AND d.id > $1",
            values![after],
        );
        if let Some(organisation) = organisation {
            query.with("AND d.organisation = $?", &organisation.0);
        }
        query.with("ORDER BY d.id LIMIT $?", most(limit));
        let (sql, values) = query.into_parts();
        self.db.rows(sql, values).await?.iter().map(running_image).collect()
    }

    /// That a deployment runs, by its id; none when it does not.
    pub async fn running_image(&self, deployment: &str) -> Result<Option<RunningImage>, Error> {
        let sql = "SELECT d.id, d.organisation, d.environment, d.digest, i.id AS image
                   FROM deployments d
                   LEFT JOIN images i ON i.organisation = d.organisation AND i.digest = d.digest
                   WHERE d.until_at IS NULL AND d.id = $1";
        self.db.row(sql, values![deployment]).await?.as_ref().map(running_image).transpose()
    }
}

fn running_image(row: &Row) -> Result<RunningImage, Error> {
    Ok(RunningImage {
        deployment: row.text("id")?,
        organisation: OrganisationId(row.text("organisation")?),
        environment: row.text("environment")?,
        digest: row.parsed("digest")?,
        image: row.maybe_int("image")?,
    })
}

fn most(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MOST))
}

fn set_content(row: &Row) -> Result<(i64, Vec<Package>), Error> {
    let set = row.int("id")?;
    let packages = inventories::packages(&row.blob("body")?)
        .map_err(|why| Error::Corrupt { what: format!("package set {set}"), why })?;
    Ok((set, packages))
}

/// Images with heads, and the sets of all of them.
fn contents(rows: &[Row], sets: &[Row]) -> Result<Vec<ImageContent>, Error> {
    let mut sets = sets.iter().map(image_set).peekable();
    let mut contents = Vec::with_capacity(rows.len());
    for row in rows {
        let image = row.int("id")?;
        let corrupt = |why| Error::Corrupt { what: format!("inventory of image {image}"), why };
        let mut content = ImageContent {
            image,
            organisation: OrganisationId(row.text("organisation")?),
            digest: row.parsed("digest")?,
            distro: inventories::distro(&row.blob("head")?).map_err(corrupt)?,
            sets: Vec::new(),
        };
        while let Some(set) = sets.next_if(|it| it.as_ref().map_or(true, |it| it.image <= image)) {
            let set = set?;
            if set.image == image {
                content.sets.push(set.set);
            }
        }
        contents.push(content);
    }
    Ok(contents)
}

fn set_package(row: &Row) -> Result<SetPackage, Error> {
    Ok(SetPackage { set: row.int("package_set")?, package: row.int("package")? })
}

fn image_set(row: &Row) -> Result<ImageSet, Error> {
    let (image, position) = (row.int("image")?, row.int("position")?);
    Ok(ImageSet { image, position, set: row.int("package_set")? })
}
