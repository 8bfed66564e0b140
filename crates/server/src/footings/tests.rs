//! What is told of all images at once is what is told of each alone.

use std::collections::BTreeSet;

use base::{Claim, Clues, Layers, Way as Found, claims};
use model::{
    Act, Digest, ImageDescription, Inventory, LayerDescription, OrganisationId, Reference,
    SaidBase, Subject,
};
use store::{NewBase, Store};

use super::survey::Survey;
use super::{Ground, Way};

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % most
    }
}

fn digest(number: u64) -> Digest {
    Digest::from_sha256(&std::array::from_fn(
        |at| if at < 8 { number.to_be_bytes()[at] } else { 7 },
    ))
}

/// Layers go by letters of their own.
fn layer(letter: u64) -> Digest {
    digest(1_000_000 + letter)
}

fn image(number: u64, layers: &[u64], said: Option<String>) -> ImageDescription {
    let layers = layers
        .iter()
        .map(|it| LayerDescription { diff_id: Some(layer(*it)), ..LayerDescription::default() });
    ImageDescription {
        digest: Some(digest(number)),
        config: Some(digest(2_000_000 + number)),
        layers: layers.collect(),
        raw_config: said.map(|it| format!(r#"{{"config":{{"Labels":{it}}}}}"#)),
        ..ImageDescription::default()
    }
}

fn act() -> Act {
    let at = "2026-11-21T10:00:00Z".parse().unwrap();
    Act { at, who: "ann".to_owned(), origin: "test".to_owned() }
}

async fn keep(store: &Store, acme: &OrganisationId, image: &ImageDescription) {
    let subject = Subject::Image(Box::new(image.clone()));
    let inventory =
        Inventory { subject, distro: None, packages: vec![], statements: vec![], gaps: vec![] };
    let (digest, platform) = (image.digest.clone().unwrap(), "linux/amd64".parse().unwrap());
    let name = Some("docker.io/acme/web");
    store.keep_inventory(acme, &act(), &digest, &platform, name, &inventory).await.unwrap();
}

async fn ground(store: &Store, acme: &OrganisationId, known: Option<Survey>) -> (Survey, Ground) {
    let survey = Survey::now(known, store, acme).await.unwrap();
    let ground = survey.ground(std::time::Instant::now());
    (survey, ground)
}

/// `LAYERS WAY`, or a name, of an image alone.
async fn alone(
    store: &Store,
    acme: &OrganisationId,
    image: &ImageDescription,
    all: &[ImageDescription],
) -> String {
    let layers: Vec<Digest> = image.layers.iter().filter_map(|it| it.diff_id.clone()).collect();
    let known = store.bases_below(acme, &layers).await.unwrap();
    let built = image.built_on.iter().map(|it| {
        let reference: Reference = it.name.as_ref().unwrap().parse().unwrap();
        let reference = Reference { digest: it.digest.clone(), ..reference };
        Claim { way: Found::Provenance, reference, says: "it says so".to_owned() }
    });
    let claims: Vec<(Claim, Result<Layers, String>)> = built
        .chain(claims(image, None))
        .map(|it| {
            // What is named may be known, and have other layers.
            let named = all
                .iter()
                .find(|other| other.digest == it.reference.digest && !other.layers.is_empty());
            let layers = it.layers_among(image, &known);
            let layers = layers.or_else(|| named.and_then(Layers::of));
            (it, layers.ok_or_else(|| "nobody asked".to_owned()))
        })
        .collect();
    let found = Clues { image, built: None, claims: &claims, known: &known }.find();
    let Some(base) = found.base() else { return "unknown".to_owned() };
    let way = match base.way {
        Found::Provenance => "provenance",
        Found::Label => "label",
        Found::Taught => "taught",
        Found::Layers => "layers",
    };
    match base.layers {
        Some(layers) => format!("{layers} {way}"),
        None => format!("{} {way}", base.name()),
    }
}

/// The same, of all at once.
fn together(ground: &Ground, digest: &Digest) -> String {
    for it in ground.footings() {
        let Some(image) = it.on.iter().find(|it| it.digest == *digest) else { continue };
        let way = match image.way {
            Some(Way::Provenance) => "provenance",
            Some(Way::Label) => "label",
            Some(Way::Taught) => "taught",
            Some(Way::Layers) => "layers",
            None => "nothing",
        };
        let name = it.said.as_deref().map(|it| it.trim_start_matches("docker.io/library/"));
        return match (it.layers, name) {
            (Some(layers), _) => format!("{layers} {way}"),
            (None, name) => format!("{} {way}", name.unwrap_or("?")),
        };
    }
    assert!(ground.unknown.iter().any(|it| it.digest == *digest), "it is nowhere");
    "unknown".to_owned()
}

#[tokio::test]
async fn all_at_once_is_as_each_alone() {
    let mut told = BTreeSet::new();
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let store = Store::open("sqlite::memory:").await.unwrap();
        let acme = store.create_organisation(&act(), "acme").await.unwrap().id;
        let mut images: Vec<ImageDescription> = Vec::new();
        let mut survey = None;
        for number in 0..30 {
            let layers: Vec<u64> = (0..dice.below(5)).map(|_| dice.below(2)).collect();
            let said = match dice.below(5) {
                0 => Some(r#"{"org.opencontainers.image.base.name":"debian:12"}"#.to_owned()),
                1 => {
                    // Of an image with other layers, or none that is known.
                    let other = images.iter().find(|it| it.layers.len() != layers.len());
                    let other = other.and_then(|it| it.digest.clone()).unwrap_or(digest(999));
                    Some(format!(
                        r#"{{"org.opencontainers.image.base.name":"alpine:3",
                            "org.opencontainers.image.base.digest":"{other}"}}"#
                    ))
                }
                _ => None,
            };
            let built_on = match dice.below(4) {
                0 => {
                    let other = images.get(usize::try_from(dice.below(number + 1)).unwrap());
                    let other = other.and_then(|it| it.digest.clone());
                    let digest = other.or_else(|| Some(digest(998)));
                    Some(SaidBase { name: Some("ubuntu:24.04".to_owned()), digest })
                }
                _ => None,
            };
            let image = ImageDescription { built_on, ..image(number, &layers, said) };
            keep(&store, &acme, &image).await;
            if dice.below(4) == 0 && !layers.is_empty() {
                let diff_ids: Vec<Digest> = layers.iter().map(|it| layer(*it)).collect();
                let new = NewBase {
                    platform: "linux/amd64".parse().unwrap(),
                    digest: digest(5_000 + number),
                    config: None,
                    chain: model::chains_of(&diff_ids).pop().unwrap(),
                    layers: u32::try_from(layers.len()).unwrap(),
                };
                store.learn_bases(&acme, &act(), "docker.io/x/y:1", &[new]).await.unwrap();
            }
            images.push(image);
            // What came meanwhile is taken in.
            if number % 10 == 4 {
                survey = Some(ground(&store, &acme, survey.take()).await.0);
            }
        }
        let (survey, all) = ground(&store, &acme, survey).await;
        assert_eq!(all.images, 30);
        for image in &images {
            let digest = image.digest.as_ref().unwrap();
            let expect = alone(&store, &acme, image, &images).await;
            assert_eq!(together(&all, digest), expect, "seed {seed}: {image:?}");
            told.insert(expect);
        }
        assert!(!all.footings().is_empty());
        assert!(all.holds(&store, &acme).await.unwrap());
        // What is gone is gone from it, too.
        let gone = images[0].digest.as_ref().unwrap();
        store.delete_image(&acme, &act(), gone).await.unwrap();
        assert!(!all.holds(&store, &acme).await.unwrap());
        let (_, all) = ground(&store, &acme, Some(survey)).await;
        assert_eq!(all.images, 29);
    }
    for way in
        ["1 provenance", "ubuntu:24.04 provenance", "debian:12 label", "1 taught", "1 layers"]
    {
        assert!(told.contains(way), "{way}: {told:?}");
    }
}
