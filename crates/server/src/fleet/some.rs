//! Some packages and where they are, asked of the store by name: for whoever asks once and goes, and
//! would wait long for all the others.

use std::collections::{BTreeSet, HashMap};

use model::{OrganisationId, Purl};
use portfolio::PackageNumber;
use store::{KnownPackage, Store};

use super::Ships;

impl Ships {
    /// As the portfolio of all would be, were it asked about packages that go by these names alone,
    /// in that organisation's images.
    pub(super) async fn about(
        store: &Store,
        organisation: &OrganisationId,
        names: &[String],
    ) -> Result<Self, store::Error> {
        let mut ships = Self::begin(store).await?;
        let mut known = store.packages_called(names).await?;
        known.extend(owners(store, &known).await?);
        let mut numbers: HashMap<i64, PackageNumber> = HashMap::new();
        for it in &known {
            numbers.insert(it.number, ships.portfolio.know(&it.package));
        }
        let all: Vec<i64> = numbers.keys().copied().collect();
        let mut sets: HashMap<i64, Vec<PackageNumber>> = HashMap::new();
        for it in store.sets_with(&all).await? {
            sets.entry(it.set).or_default().extend(numbers.get(&it.package));
        }
        let set_numbers: Vec<i64> = sets.keys().copied().collect();
        for (set, packages) in sets {
            ships.portfolio.add_set(set, packages);
        }
        let images = store.image_contents_with(organisation, &set_numbers).await?;
        let image_numbers: Vec<i64> = images.iter().map(|it| it.image).collect();
        for image in &images {
            ships.take_aboard(store, image).await?;
        }
        for it in store.running_images_of(organisation, &image_numbers).await? {
            ships.start(it);
        }
        Ok(ships)
    }
}

/// The packages that own some of these: where they answer, they are asked too.
async fn owners(
    store: &Store,
    packages: &[KnownPackage],
) -> Result<Vec<KnownPackage>, store::Error> {
    let purls: BTreeSet<&Purl> =
        packages.iter().filter_map(|it| it.package.owner.as_ref()).collect();
    let names: BTreeSet<String> = purls.iter().map(|it| it.full_name()).collect();
    let mut owners = store.packages_called(&names.into_iter().collect::<Vec<_>>()).await?;
    owners.retain(|it| purls.contains(&it.package.purl));
    Ok(owners)
}
