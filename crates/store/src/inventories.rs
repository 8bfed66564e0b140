//! Inventories: kept as package sets, so that images on one base share what they share.

mod keep;
mod pack;

use model::{Act, Digest, EventKind, Inventory, OrganisationId, Outline, Platform};
use serde_json::json;

use crate::contract::Error;
use crate::db::values;
use crate::deployments::platform_key;
use crate::{Store, derived, events, images, names, retention};

pub(crate) use pack::{distro, name_key, packages};

impl Store {
    /// Keeps what is inside an image, instead of what was kept before, and marks it as analysed.
    pub async fn keep_inventory(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        digest: &Digest,
        platform: &Platform,
        repository: Option<&str>,
        inventory: &Inventory,
    ) -> Result<(), Error> {
        let platform = platform_key(platform)?;
        let repository = repository.map(names::repository).transpose()?;
        let outline = inventory.subject.image().map(Outline::from);
        let outline = outline.map(|it| serde_json::to_string(&it)).transpose();
        let outline = outline.map_err(|error| keep::unfit(&error))?;
        let packed = pack::packed(inventory).map_err(|error| keep::unfit(&error))?;
        let sets = keep::sets(&self.db, packed.sets).await?;

        // Whoever replaces sweeps, and sweeps alone; whoever only adds does so beside others. Only
        // who holds the image knows which of them it is.
        let mut alone = self.has_inventory(organisation, digest).await?;
        let (mut tx, image) = loop {
            let mut tx = self.db.write().await?;
            tx.lock(retention::SETS, alone).await?;
            let (image, _) = images::know(&mut tx, organisation, act, digest, &platform).await?;
            if alone || !has_inventory(&mut tx, organisation, digest).await? {
                break (tx, image);
            }
            alone = true;
        };
        images::see_in(&mut tx, image, repository.as_deref()).await?;
        let former = retention::sets_of(&mut tx, image).await?;
        let kept = keep::put(&mut tx, &sets).await?;
        if former != kept {
            tx.run("DELETE FROM image_sets WHERE image = $1", values![image]).await?;
            keep::join(&mut tx, image, &kept).await?;
            retention::sweep_sets(&mut tx, &former).await?;
        }
        tx.run(
            "INSERT INTO inventories (image, head) VALUES ($1, $2)
             ON CONFLICT (image) DO UPDATE SET head = excluded.head",
            values![image, packed.head],
        )
        .await?;
        let packages = inventory.packages.len();
        tx.run(
            "UPDATE images SET platform = $2, state = 'analysed', why = NULL, outline = $3,
                    packages = $4, analysed_at = $5 WHERE id = $1",
            values![image, &platform, outline.as_deref(), packages, act.at],
        )
        .await?;
        derived::is_analysed(&mut tx, organisation, digest, image).await?;
        let note = events::Note::new(EventKind::ImageAnalysed, digest.as_str());
        let detail = json!({ "packages": packages, "gaps": inventory.gaps.len() });
        note.detail(detail).write(&mut tx, organisation, act).await?;
        tx.commit().await
    }

    /// What is inside an image, if it was analysed.
    pub async fn inventory(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<Option<Inventory>, Error> {
        let mut tx = self.db.read().await?;
        let head = tx
            .row(
                "SELECT v.image, v.head FROM inventories v JOIN images i ON i.id = v.image
                 WHERE i.organisation = $1 AND i.digest = $2",
                values![&organisation.0, digest.as_str()],
            )
            .await?;
        let Some(head) = head else { return Ok(None) };
        let rows = tx
            .rows(
                "SELECT p.body FROM image_sets s JOIN package_sets p ON p.id = s.package_set
                 WHERE s.image = $1 ORDER BY s.position",
                values![head.int("image")?],
            )
            .await?;
        drop(tx);
        let bodies: Vec<Vec<u8>> =
            rows.iter().map(|it| it.blob("body")).collect::<Result<_, _>>()?;
        pack::unpacked(&head.blob("head")?, &bodies)
            .map(Some)
            .map_err(|why| Error::Corrupt { what: format!("inventory of {digest}"), why })
    }

    /// Was this image analysed?
    pub async fn has_inventory(
        &self,
        organisation: &OrganisationId,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let mut tx = self.db.read().await?;
        has_inventory(&mut tx, organisation, digest).await
    }
}

async fn has_inventory(
    tx: &mut crate::db::Tx,
    organisation: &OrganisationId,
    digest: &Digest,
) -> Result<bool, Error> {
    let sql = "SELECT v.image FROM inventories v JOIN images i ON i.id = v.image
               WHERE i.organisation = $1 AND i.digest = $2";
    Ok(tx.row(sql, values![&organisation.0, digest.as_str()]).await?.is_some())
}
