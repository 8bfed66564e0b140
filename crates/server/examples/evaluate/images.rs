//! Images as the portfolio's bench has them, with inventories: bases that are built again and again,
//! and applications on them, of which most builds change no dependency or a few.

use model::{
    Act, Digest, ImageDescription, Inventory, LayerDescription, Moment, OrganisationId, Package,
    Place, Platform, Recording, Source, Subject,
};
use store::{Error, Store};

use super::catalogue::{
    Dice, LANGUAGES, SOURCES, SYSTEMS, VERSIONS, language_package, mixed, parts,
};

const BASES: u64 = 40;
/// How often each base was built anew.
const REBUILDS: u64 = 8;
/// Images of one application.
const BUILDS: u64 = 20;
const ENVIRONMENTS: u64 = 60;

/// Packages that come in one layer, by what they are.
type Layer = ([u64; 3], Vec<[u64; 4]>);

pub(crate) async fn make(store: &Store, images: u64) -> Result<(), Error> {
    let acme = store.create_organisation(&act(), "acme").await?.id;
    let other = store.create_organisation(&act(), "other").await?.id;
    for number in 0..ENVIRONMENTS {
        for organisation in [&acme, &other] {
            let name = format!("environment-{number}");
            store.create_environment(organisation, &act(), &name).await?;
        }
    }
    for application in 0..images.div_ceil(BUILDS) {
        let builds = BUILDS.min(images - application * BUILDS);
        let organisation = if application % 20 == 19 { &other } else { &acme };
        make_application(store, organisation, application, builds).await?;
    }
    Ok(())
}

/// One application: a base, perhaps something of the distribution on it, and its dependencies.
async fn make_application(
    store: &Store,
    organisation: &OrganisationId,
    application: u64,
    builds: u64,
) -> Result<(), Error> {
    let mut dice = Dice(mixed(&[application, 11]));
    let base = dice.popular(BASES);
    let system = base % SYSTEMS.len() as u64;
    let language = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3][dice.below(10) as usize];
    let (_, names) = LANGUAGES[language as usize];
    let mut dependencies: Vec<(u64, u64)> = (0..dice.between(50, 800))
        .map(|_| (dice.popular(names), VERSIONS - 1 - dice.popular(VERSIONS)))
        .collect();
    dependencies.sort_unstable();
    dependencies.dedup_by_key(|it| it.0);
    let more: Vec<u64> = if dice.below(2) == 0 {
        Vec::new()
    } else {
        (0..dice.between(5, 60)).map(|_| dice.popular(SOURCES)).collect()
    };
    let mut edition = 0;
    for build in 0..builds {
        let rebuild = build * REBUILDS / BUILDS;
        let mut layers: Vec<Layer> = vec![([u64::MAX, base, rebuild], of_base(base, rebuild))];
        if !more.is_empty() {
            let packages = more.iter().flat_map(|source| {
                let version = version_of(system, *source, rebuild);
                [[system, *source, 0, version], [system, *source, 1, version]]
            });
            layers.push(([application, 1, rebuild], packages.collect()));
        }
        // Every other build has the dependencies of the one before.
        if build % 2 == 1 {
            edition = build;
            for it in &mut dependencies {
                if dice.below(33) == 0 {
                    it.1 = (it.1 + 1).min(VERSIONS - 1);
                }
            }
        }
        let packages = dependencies.iter().map(|it| [100 + language, it.0, 0, it.1]);
        layers.push(([application, 2, edition], packages.collect()));
        let image = digest(&[application, build]);
        let inventory = inventory(system, &layers);
        store.keep_inventory(organisation, &act(), &image, &platform(), None, &inventory).await?;
        // The last builds run, each in a few places.
        if build + 6 >= builds {
            for number in 0..=mixed(&[application, build]) % 2 {
                let environment = mixed(&[application, build, number]) % ENVIRONMENTS;
                let recording = Recording {
                    application: Some(format!("app{application}-{build}-{number}")),
                    platform: platform(),
                    repository: format!("docker.io/company/app{application}"),
                    tag: Some(format!("v{build}")),
                    digest: image.clone(),
                };
                let environment = format!("environment-{environment}");
                store.record(organisation, &act(), &environment, &Source::Cli, &recording).await?;
            }
        }
    }
    Ok(())
}

/// Eighty to four hundred packages of a distribution; each rebuild brings some up to date.
fn of_base(base: u64, rebuild: u64) -> Vec<[u64; 4]> {
    let mut dice = Dice(mixed(&[base, 12]));
    let system = base % SYSTEMS.len() as u64;
    let wanted = dice.between(80, 400);
    let mut packages = Vec::new();
    let mut source = 0;
    while (packages.len() as u64) < wanted {
        let version = version_of(system, source, rebuild);
        packages.extend((0..parts(source)).map(|part| [system, source, part, version]));
        source += 1 + dice.below(3);
    }
    packages
}

fn inventory(system: u64, layers: &[Layer]) -> Inventory {
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

fn package([world, name, part, version]: [u64; 4]) -> Package {
    match world.checked_sub(100) {
        Some(language) => language_package(LANGUAGES[language as usize].0, name, version),
        None => SYSTEMS[world as usize].package(name, part, version),
    }
}

/// The version of a distribution's package at the time of a rebuild.
fn version_of(system: u64, source: u64, rebuild: u64) -> u64 {
    (mixed(&[system, source]) % 4 + (rebuild + mixed(&[source]) % 4) / 3).min(VERSIONS - 1)
}

fn digest(parts: &[u64]) -> Digest {
    let mut bytes = [0; 32];
    for (at, part) in bytes.chunks_exact_mut(8).zip(parts) {
        at.copy_from_slice(&part.to_be_bytes());
    }
    Digest::from_sha256(&bytes)
}

fn act() -> Act {
    let at = Moment::from_micros(1_795_219_200_000_000);
    Act { who: "ann".to_owned(), origin: "ci".to_owned(), at }
}

fn platform() -> Platform {
    Platform::new("linux", "amd64", None)
}
