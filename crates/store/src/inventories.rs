//! Inventories: kept as package sets, so that images on one base share what they share.

mod keep;
mod pack;

use model::{Act, Digest, EventKind, Inventory, OrganisationId, Outline, Platform};
use serde_json::json;

use crate::contract::{Error, NewInventory};
use crate::db::{Tx, values};
use crate::deployments::platform_key;
use crate::{Store, bases, derived, events, images, names, retention};

pub(crate) use keep::{can_fill_in, fill_in, is_filled_in};
pub(crate) use pack::{deflated_json, inflated_json, name_key};

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
        let one = NewInventory { digest, platform, repository, inventory };
        self.keep_inventories(organisation, act, &[one]).await
    }

    /// The same of several images, of which each is there once: all of them, or none.
    pub async fn keep_inventories(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        inventories: &[NewInventory<'_>],
    ) -> Result<(), Error> {
        let mut drafts: Vec<Draft<'_>> = Vec::with_capacity(inventories.len());
        let mut sets = Vec::new();
        for new in inventories {
            let (draft, of_it) = Draft::new(new)?;
            drafts.push(draft);
            sets.extend(of_it);
        }
        let sets = keep::sets(&self.db, sets).await?;
        // Everybody holds images in one order, so that no two wait for each other.
        let mut order: Vec<usize> = (0..drafts.len()).collect();
        order.sort_by_key(|it| drafts.get(*it).map(|it| it.new.digest));

        // Whoever replaces sweeps, and sweeps alone; whoever only adds does so beside others. Only
        // who holds the images knows which of them it is.
        let mut alone = false;
        for it in &drafts {
            alone = alone || self.has_inventory(organisation, it.new.digest).await?;
        }
        let mut tx = 'held: loop {
            let mut tx = self.db.write().await?;
            tx.lock(retention::SETS, alone).await?;
            for it in &order {
                let Some(draft) = drafts.get_mut(*it) else { continue };
                let (digest, platform) = (draft.new.digest, &draft.platform);
                let (image, _) = images::know(&mut tx, organisation, act, digest, platform).await?;
                draft.image = image;
                if !alone && has_inventory(&mut tx, organisation, digest).await? {
                    alone = true;
                    continue 'held;
                }
            }
            break tx;
        };
        let mut kept = keep::put(&mut tx, &sets).await?;
        for draft in &drafts {
            let rest = kept.split_off(draft.sets.min(kept.len()));
            draft.put(&mut tx, organisation, act, &std::mem::replace(&mut kept, rest)).await?;
        }
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
        let head = head.blob("head")?;
        let corrupt = |why| Error::Corrupt { what: format!("inventory of {digest}"), why };
        // It takes milliseconds, and others have something to do meanwhile.
        let unpacking = tokio::task::spawn_blocking(move || pack::unpacked(&head, &bodies));
        let unpacked = unpacking.await.map_err(|error| corrupt(error.to_string()))?;
        unpacked.map(Some).map_err(corrupt)
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

/// An inventory that was taken apart.
struct Draft<'a> {
    new: &'a NewInventory<'a>,
    platform: String,
    repository: Option<String>,
    outline: Option<String>,
    chain: String,
    depth: usize,
    head: Vec<u8>,
    distro: String,
    /// How many sets it has.
    sets: usize,
    /// The image's number, once it is held.
    image: i64,
}

impl<'a> Draft<'a> {
    fn new(new: &'a NewInventory<'a>) -> Result<(Self, Vec<pack::PackageSet>), Error> {
        let platform = platform_key(new.platform)?;
        let repository = new.repository.map(names::repository).transpose()?;
        let outline = new.inventory.subject.image().map(Outline::from);
        let outline = outline.map(|it| serde_json::to_string(&it)).transpose();
        let outline = outline.map_err(|error| keep::unfit(&error))?;
        let (chain, depth) = bases::chain(new.inventory.subject.image());
        let packed = pack::packed(new.inventory).map_err(|error| keep::unfit(&error))?;
        let distro = keep::distro_text(new.inventory.distro.as_ref())?;
        let (head, sets, image) = (packed.head, packed.sets.len(), 0);
        let draft =
            Self { new, platform, repository, outline, chain, depth, head, distro, sets, image };
        Ok((draft, packed.sets))
    }

    async fn put(
        &self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
        kept: &[i64],
    ) -> Result<(), Error> {
        let (image, inventory) = (self.image, self.new.inventory);
        images::see_in(tx, image, self.repository.as_deref()).await?;
        if let Some(description) = inventory.subject.image() {
            images::call(tx, image, self.new.digest, description).await?;
        }
        let former = retention::sets_of(tx, image).await?;
        if former != kept {
            if !former.is_empty() {
                tx.run("DELETE FROM image_sets WHERE image = $1", values![image]).await?;
            }
            keep::join(tx, image, kept).await?;
            retention::sweep_sets(tx, &former).await?;
        }
        tx.run(
            "INSERT INTO inventories (image, head, distro) VALUES ($1, $2, $3)
             ON CONFLICT (image) DO UPDATE SET head = excluded.head, distro = excluded.distro",
            values![image, self.head.clone(), &self.distro],
        )
        .await?;
        let packages = inventory.packages.len();
        tx.run(
            "UPDATE images SET platform = $2, state = 'analysed', why = NULL, outline = $3,
                    packages = $4, analysed_at = $5, chain = $6, depth = $7 WHERE id = $1",
            values![
                image,
                &self.platform,
                self.outline.as_deref(),
                packages,
                act.at,
                &self.chain,
                self.depth
            ],
        )
        .await?;
        derived::is_analysed(tx, organisation, self.new.digest, image).await?;
        let note = events::Note::new(EventKind::ImageAnalysed, self.new.digest.as_str());
        let gaps = inventory.gaps.len();
        let detail = json!({ "packages": packages, "gaps": gaps, "repository": self.repository });
        note.detail(detail).write(tx, organisation, act).await
    }
}

async fn has_inventory(
    tx: &mut Tx,
    organisation: &OrganisationId,
    digest: &Digest,
) -> Result<bool, Error> {
    let sql = "SELECT v.image FROM inventories v JOIN images i ON i.id = v.image
               WHERE i.organisation = $1 AND i.digest = $2";
    Ok(tx.row(sql, values![&organisation.0, digest.as_str()]).await?.is_some())
}
