//! Inventories of the applications of the portfolio's bench, and what is said of all of them.

use model::{
    Act, Digest, ImageDescription, Inventory, LayerDescription, Moment, OrganisationId, Place,
    Platform, Subject,
};
use store::{Error, NewInventory, Store};

use super::applications::{Layer, package};
use super::catalogue::SYSTEMS;

pub(crate) fn inventory(system: u64, layers: &[Layer]) -> Inventory {
    let described: Vec<LayerDescription> = layers
        .iter()
        .map(|(key, _)| LayerDescription {
            digest: Some(digest(key)),
            diff_id: Some(digest(&[key[0], key[1], key[2], 1])),
            ..LayerDescription::default()
        })
        .collect();
    let mut packages = Vec::new();
    for (number, (layer, (_, members))) in (0..).zip(described.iter().zip(layers)) {
        packages.extend(members.iter().map(|it| {
            let mut package = package(*it);
            package.places = vec![Place {
                path: if it[0] < 100 { "/var/lib/packages" } else { "/app/lock" }.to_owned(),
                layer: Some(number),
                digest: layer.digest.clone(),
                diff_id: layer.diff_id.clone(),
                first_layer: Some(number),
            }];
            package
        }));
    }
    let image = ImageDescription { layers: described, ..ImageDescription::default() };
    Inventory {
        subject: Subject::Image(Box::new(image)),
        distro: Some(SYSTEMS[system as usize].distro()),
        packages,
        statements: Vec::new(),
        gaps: Vec::new(),
    }
    .in_order()
}

pub(crate) fn digest(parts: &[u64]) -> Digest {
    let mut bytes = [0; 32];
    for (at, part) in bytes.chunks_exact_mut(8).zip(parts) {
        at.copy_from_slice(&part.to_be_bytes());
    }
    Digest::from_sha256(&bytes)
}

pub(crate) fn act() -> Act {
    let at = Moment::from_micros(1_795_219_200_000_000);
    Act { who: "ann".to_owned(), origin: "ci".to_owned(), at }
}

pub(crate) fn platform() -> Platform {
    Platform::new("linux", "amd64", None)
}

/// Keeps what is inside of these images, of no repository.
pub(crate) async fn keep(
    store: &Store,
    organisation: &OrganisationId,
    inventories: &[(Digest, Inventory)],
) -> Result<(), Error> {
    let platform = platform();
    let new: Vec<NewInventory<'_>> = inventories
        .iter()
        .map(|(digest, inventory)| NewInventory {
            digest,
            platform: &platform,
            repository: None,
            inventory,
        })
        .collect();
    store.keep_inventories(organisation, &act(), &new).await?;
    Ok(())
}
