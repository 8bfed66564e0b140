//! An inventory taken apart into a head and package sets, and put together again.
//!
//! A set is what one layer brought of one ecosystem: of a package database that grew in three
//! layers there are three sets, and the first is that of the base, in every image built on it. What
//! differs from image to image, the numbers and digests of layers, is told in the head.

use std::collections::BTreeMap;

use model::{Digest, Distro, Inventory, Package, PackageKind, Place, Purl};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::contract::Error;

/// Inflated bytes of the largest document that is read back.
const LARGEST: usize = 1 << 30;
const LEVEL: i32 = 3;

/// An inventory, taken apart.
pub(super) struct Packed {
    pub(super) head: Vec<u8>,
    pub(super) sets: Vec<PackageSet>,
}

/// Some packages that came together.
pub(super) struct PackageSet {
    /// Of the body; what the set is called everywhere.
    pub(super) hash: String,
    /// Its packages as they are written, without layers.
    pub(super) body: Vec<u8>,
}

impl PackageSet {
    /// What its packages are found by.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, String> {
        let packages: Vec<Package> =
            serde_json::from_slice(&self.body).map_err(|error| error.to_string())?;
        Ok(entries(&packages))
    }
}

/// What packages are found by, each once.
pub(super) fn entries(packages: &[Package]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = packages.iter().map(entry).collect();
    entries.sort();
    entries.dedup();
    entries
}

/// A package as it is found, and as matching reads it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    /// Of all the rest but names.
    pub(super) hash: String,
    pub(super) purl: String,
    pub(super) kind: &'static str,
    pub(super) source: Option<String>,
    pub(super) source_version: Option<String>,
    pub(super) author: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) names: Vec<String>,
}

/// An inventory without its packages, and where those are.
#[derive(Serialize, Deserialize)]
struct Head {
    inventory: Inventory,
    /// For each set, where its packages' places are: so many places in a row, and their layers.
    spots: Vec<Vec<(u32, Spot)>>,
}

/// The layers of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Spot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layer: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<u32>,
    /// Its digest and diff id, where they are not those of that layer of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<(Option<Digest>, Option<Digest>)>,
}

/// What keeps packages together.
type Group = (String, PackageKind, Option<u32>);

pub(super) fn packed(inventory: &Inventory) -> Result<Packed, std::io::Error> {
    let mut groups: BTreeMap<Group, Vec<&Package>> = BTreeMap::new();
    for package in &inventory.packages {
        let first = package.places.first().and_then(|it| it.first_layer.or(it.layer));
        let group = (package.purl.kind().to_owned(), package.kind, first);
        groups.entry(group).or_default().push(package);
    }
    let layers = Layers::of(inventory);
    let mut spots = Vec::with_capacity(groups.len());
    let mut sets = Vec::with_capacity(groups.len());
    for packages in groups.into_values() {
        let mut run: Vec<(u32, Spot)> = Vec::new();
        let mut bare = Vec::with_capacity(packages.len());
        for package in packages {
            let mut package = package.clone();
            for place in &mut package.places {
                let spot = layers.take(place);
                match run.last_mut() {
                    Some((count, last)) if *last == spot => *count += 1,
                    _ => run.push((1, spot)),
                }
            }
            bare.push(package);
        }
        let body = serde_json::to_vec(&bare)?;
        spots.push(run);
        sets.push(PackageSet { hash: hash(&body), body });
    }
    let inventory = Inventory { packages: Vec::new(), ..inventory.clone() };
    let head = deflated(&serde_json::to_vec(&Head { inventory, spots })?)?;
    Ok(Packed { head, sets })
}

pub(super) fn unpacked(head: &[u8], bodies: &[Vec<u8>]) -> Result<Inventory, String> {
    let head: Head = read(head)?;
    if head.spots.len() != bodies.len() {
        return Err(format!("it has {} package sets of {}", bodies.len(), head.spots.len()));
    }
    let mut inventory = head.inventory;
    let layers = Layers::of(&inventory);
    let mut packages = Vec::new();
    for (body, spots) in bodies.iter().zip(head.spots) {
        let mut set: Vec<Package> = read(body)?;
        let mut spots = spots.into_iter().flat_map(|(count, spot)| {
            std::iter::repeat_n(spot, usize::try_from(count).unwrap_or(0))
        });
        for place in set.iter_mut().flat_map(|it| &mut it.places) {
            let spot = spots.next().ok_or("a place without a layer")?;
            layers.give(place, spot);
        }
        packages.append(&mut set);
    }
    inventory.packages = packages;
    Ok(inventory.in_order())
}

/// The packages of a set, without layers.
pub(super) fn packages(body: &[u8]) -> Result<Vec<Package>, String> {
    read(body)
}

/// The distribution that a head tells of.
pub(super) fn distro(head: &[u8]) -> Result<Option<Distro>, String> {
    #[derive(Deserialize)]
    struct Told {
        inventory: OfInventory,
    }
    #[derive(Deserialize)]
    struct OfInventory {
        distro: Option<Distro>,
    }
    read::<Told>(head).map(|it| it.inventory.distro)
}

/// The digests of an image's layers, bottom first.
struct Layers(Vec<(Option<Digest>, Option<Digest>)>);

impl Layers {
    fn of(inventory: &Inventory) -> Self {
        let layers = inventory.subject.image().map(|it| it.layers.as_slice()).unwrap_or_default();
        Self(layers.iter().map(|it| (it.digest.clone(), it.diff_id.clone())).collect())
    }

    fn told(&self, layer: Option<u32>) -> (Option<Digest>, Option<Digest>) {
        let layer = layer.and_then(|it| self.0.get(it as usize));
        layer.cloned().unwrap_or_default()
    }

    /// Takes the layers out of a place.
    fn take(&self, place: &mut Place) -> Spot {
        let own = (place.digest.take(), place.diff_id.take());
        let (layer, first) = (place.layer.take(), place.first_layer.take());
        let own = (own != self.told(layer)).then_some(own);
        Spot { layer, first, own }
    }

    /// Puts them back.
    fn give(&self, place: &mut Place, spot: Spot) {
        let (digest, diff_id) = spot.own.unwrap_or_else(|| self.told(spot.layer));
        place.layer = spot.layer;
        place.first_layer = spot.first;
        place.digest = digest;
        place.diff_id = diff_id;
    }
}

fn entry(package: &Package) -> Entry {
    let purl = package.purl.to_string();
    let source = package.source.as_ref().map(|it| it.name.clone());
    let source_version = package.source.as_ref().and_then(|it| it.version.clone());
    let (author, owner) = (package.author.clone(), package.owner.as_ref().map(Purl::to_string));
    let full = package.purl.full_name();
    let mut names = vec![name_key(&full), name_key(package.purl.name())];
    names.push(name_key(&model::filed_name(package.purl.kind(), &full)));
    names.extend(source.as_deref().map(name_key));
    names.sort();
    names.dedup();
    let kind = package.kind.as_str();
    let told = json!([purl, kind, source, source_version, author, owner]).to_string();
    let hash = hash(told.as_bytes());
    Entry { hash, purl, kind, source, source_version, author, owner, names }
}

/// The key under which a name is found: small letters, and no longer than an index can hold.
pub(crate) fn name_key(name: &str) -> String {
    const LONGEST: usize = 400;
    let name = name.to_lowercase().replace('\0', "\u{fffd}");
    if name.len() <= LONGEST {
        return name;
    }
    let kept = name.floor_char_boundary(LONGEST);
    format!("{}…{}", name.get(..kept).unwrap_or_default(), hash(name.as_bytes()))
}

/// Half of a SHA-256, in hexadecimal digits: enough for names that nobody may choose to collide,
/// short enough for an index.
fn hash(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().take(20).fold(String::with_capacity(40), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn deflated(bytes: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    zstd::bulk::compress(bytes, LEVEL)
}

/// A value as it is kept.
pub(crate) fn deflated_json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let corrupt = |why: String| Error::Corrupt { what: "what is to be kept".to_owned(), why };
    let text = serde_json::to_vec(value).map_err(|error| corrupt(error.to_string()))?;
    deflated(&text).map_err(|error| corrupt(error.to_string()))
}

/// The value that was kept.
pub(crate) fn inflated_json<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, Error> {
    read(bytes).map_err(|why| Error::Corrupt { what: "what was kept".to_owned(), why })
}

fn read<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Result<T, String> {
    let stream = zstd::stream::read::Decoder::new(bytes).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let mut limited = std::io::Read::take(stream, LARGEST as u64);
    std::io::Read::read_to_end(&mut limited, &mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_names() {
        assert_eq!(name_key("Newtonsoft.Json"), "newtonsoft.json");
        assert_eq!(name_key("a\0b"), "a\u{fffd}b");
        let long = name_key(&"é".repeat(1000));
        assert!(long.len() < 500, "{}", long.len());
        assert_ne!(long, name_key(&"é".repeat(1001)));
    }
}
