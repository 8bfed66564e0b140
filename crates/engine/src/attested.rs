//! What an image holds, in the words of somebody who is believed: an SBOM that is attested in place of layers.

use image::{Attached, Image, Progress, Stated, Trust};
use model::{Gap, ImageDescription, Inventory, Place, Subject};

use crate::analyze::{Analyzed, Origin};

/// Predicate types of documents that say what is inside, and what goes before what.
const DOCUMENTS: [&str; 4] = [
    "https://scout.docker.com/sbom",
    "https://syft.dev/bom",
    "https://spdx.dev/Document",
    "https://cyclonedx.org/bom",
];

/// What the image holds, if somebody says so who is believed, of what is known to be stated beside it or
/// else asked for now. Whatever is wrong with their words is told,
/// and then the layers are read as ever.
pub(crate) async fn attested(
    image: &dyn Image,
    known: Option<&Attached>,
    trust: &Trust,
    progress: &dyn Progress,
) -> Option<Analyzed> {
    let description = image.description().filter(|_| !trust.is_empty())?;
    let digest = description.digest.clone()?;
    let asked;
    let attached = if let Some(known) = known {
        known
    } else {
        asked = image.attached(|kind| rank(kind).is_some()).await;
        &asked
    };
    let mut doubts: Vec<String> = attached.gaps.iter().map(ToString::to_string).collect();
    let documents = attached.statements.iter().filter(|it| rank(&it.predicate_type).is_some());
    let mut stated: Vec<&Stated> = documents.collect();
    stated.sort_by_key(|it| (it.seal.is_none(), rank(&it.predicate_type)));
    for it in stated {
        let taken =
            trust.believes(it, &digest).and_then(|who| Ok((inventory(it, description)?, who)));
        match taken {
            Ok((mut inventory, who)) => {
                let why = format!(
                    "no layer was read: what is inside is as this document says, which is {who}"
                );
                let gap = Gap::new(format!("SBOM {}", it.origin()), why);
                inventory.gaps.push(gap.clone());
                let inventory = inventory.in_order();
                return Some(Analyzed::of(inventory, Origin::Attested(gap)));
            }
            Err(why) => doubts.push(format!("{}: {why}", it.origin())),
        }
    }
    if let Some((first, more)) = doubts.split_first() {
        let more =
            if more.is_empty() { String::new() } else { format!("; and {} more", more.len()) };
        let why = format!("An attested SBOM is not believed, so layers are read: {first}{more}");
        progress.tell(&why);
    }
    None
}

/// The place of a predicate type among those of documents that say what is inside.
fn rank(predicate_type: &str) -> Option<usize> {
    let is_it = |uri: &str| {
        let rest = predicate_type.strip_prefix(uri);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    DOCUMENTS.iter().position(|it| is_it(it))
}

/// What the document says, as that of this image.
fn inventory(stated: &Stated, image: &ImageDescription) -> Result<Inventory, String> {
    let mut inventory = format::read(&stated.bytes).map_err(|why| why.to_string())?;
    if inventory.packages.is_empty() {
        // An image with nothing in it is rare; a document that tells nothing is not.
        return Err("it names no package".to_owned());
    }
    for place in inventory.packages.iter_mut().flat_map(|it| &mut it.places) {
        settle(place, image);
    }
    if inventory.distro.is_none() {
        let why = "the attested SBOM does not say which one the image is built on";
        inventory.gaps.push(Gap::new("distribution", why));
    }
    inventory.subject = Subject::Image(Box::new(image.clone()));
    Ok(inventory)
}

/// Layers that a document speaks of count where they are this image's.
fn settle(place: &mut Place, image: &ImageDescription) {
    let known = image.layers.iter().position(|it| {
        let same = |own: &Option<model::Digest>, said: &Option<model::Digest>| {
            said.is_some() && own == said
        };
        same(&it.digest, &place.digest) || same(&it.diff_id, &place.diff_id)
    });
    let known = known.and_then(|it| u32::try_from(it).ok());
    if known.is_none() || known != place.layer {
        *place = Place { path: std::mem::take(&mut place.path), ..Place::default() };
    }
}
