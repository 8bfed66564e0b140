//! A company, made up: services that run in many places, by tags that move, with history.

use model::{
    Act, Digest, ImageDescription, Inventory, LayerDescription, Moment, OrganisationId, Package,
    Place, Platform, Recording, Source, Subject,
};
use store::{Counts, Error, Store};

/// Versions of a service that are about.
const VERSIONS: usize = 8;
/// Layers of an image.
const LAYERS: u8 = 8;
/// Recorded at once.
const AT_ONCE: usize = 1000;

/// How much there is.
pub(crate) struct Company {
    pub(crate) environments: usize,
    pub(crate) services: usize,
}

impl Company {
    /// With so many deployments.
    pub(crate) fn of(deployments: usize) -> Self {
        let environments = match deployments {
            ..=1_000 => 10,
            1_001..=10_000 => 40,
            _ => 160,
        };
        Self { environments, services: deployments.div_ceil(environments) }
    }

    /// Makes it all. A third runs its second image, so that there is history.
    pub(crate) async fn make(
        &self,
        store: &Store,
        organisation: &OrganisationId,
    ) -> Result<(), Error> {
        for service in 0..self.services {
            self.make_service(store, organisation, service).await?;
        }
        let mut counts = Vec::new();
        for environment in 0..self.environments {
            let name = environment_name(environment);
            store.create_environment(organisation, &act(1), &name).await?;
            for (minute, third) in [(2, 1), (3, 3)] {
                let services: Vec<usize> =
                    (0..self.services).filter(|it| it % third == 0).collect();
                for some in services.chunks(AT_ONCE) {
                    let recording = |it: &usize| recording(*it, environment + minute);
                    let recordings: Vec<Recording> = some.iter().map(recording).collect();
                    let act = act(i64::try_from(minute).unwrap_or_default());
                    store
                        .record_all(organisation, &act, &name, &Source::Action, &recordings)
                        .await?;
                }
            }
            counts.push((name, Counts { critical: 1, images: 3, ..Counts::default() }));
        }
        store.count(organisation, at(4), &"0".repeat(64), &counts).await.map(|_| ())
    }

    /// Its repository, its images, and where its tags lead: `latest` led to all of them in turn, and
    /// of every tenth service all tags lead elsewhere by now.
    async fn make_service(
        &self,
        store: &Store,
        organisation: &OrganisationId,
        service: usize,
    ) -> Result<(), Error> {
        let repository = repository(service);
        store.enable_repository(organisation, &act(0), &repository, true).await?;
        for version in 0..VERSIONS {
            let image = digest(&[service, version]);
            if version % 2 == 0 {
                let inventory = inventory(service, version);
                store
                    .keep_inventory(
                        organisation,
                        &act(0),
                        &image,
                        &platform(),
                        Some(&repository),
                        &inventory,
                    )
                    .await?;
            } else {
                let repository = Some(&*repository);
                store.hear_of_image(organisation, &act(0), &image, &platform(), repository).await?;
            }
            let moved = if service.is_multiple_of(10) { version + 1 } else { version };
            for (tag, leads_to) in [(format!("v{version}"), moved), ("latest".to_owned(), version)]
            {
                let image = digest(&[service, leads_to]);
                store
                    .point_tag(organisation, &act(0), &repository, &tag, &platform(), &image)
                    .await?;
            }
        }
        Ok(())
    }
}

pub(crate) fn environment_name(number: usize) -> String {
    format!("environment-{number:03}")
}

pub(crate) fn repository(service: usize) -> String {
    format!("registry.example/acme/service-{service:04}")
}

pub(crate) fn recording(service: usize, version: usize) -> Recording {
    let version = version % VERSIONS;
    Recording {
        application: Some(format!("service-{service:04}")),
        platform: platform(),
        repository: repository(service),
        tag: Some(format!("v{version}")),
        digest: digest(&[service, version]),
    }
}

pub(crate) fn act(minute: i64) -> Act {
    Act { who: "ann".to_owned(), origin: "ci/17".to_owned(), at: at(minute) }
}

fn at(minute: i64) -> Moment {
    Moment::from_micros(1_795_219_200_000_000).plus_seconds(minute * 60)
}

fn platform() -> Platform {
    Platform::new("linux", "amd64", None)
}

/// Spread as digests are.
fn digest(numbers: &[usize]) -> Digest {
    use sha2::Digest as _;
    let mut sum = sha2::Sha256::new();
    for number in numbers {
        sum.update(number.to_be_bytes());
    }
    Digest::from_sha256(&sum.finalize().into())
}

fn inventory(service: usize, version: usize) -> Inventory {
    let layer = |number: u8| LayerDescription {
        digest: Some(digest(&[service, version, usize::from(number)])),
        diff_id: Some(digest(&[service, version, usize::from(number), 1])),
        created_by: Some("RUN /bin/sh -c make && make install # buildkit".to_owned()),
        ..LayerDescription::default()
    };
    let layers: Vec<LayerDescription> = (0..LAYERS).map(layer).collect();
    let package = |number: usize| {
        let purl = format!("pkg:npm/package-{number}@1.{version}.0");
        let mut package = Package::new(purl.parse().expect("it is a purl"));
        package.places = vec![Place {
            path: "/app/package-lock.json".to_owned(),
            layer: Some(0),
            digest: layers.first().and_then(|it| it.digest.clone()),
            diff_id: layers.first().and_then(|it| it.diff_id.clone()),
            first_layer: Some(0),
        }];
        package
    };
    let packages = (0..5).map(package).collect();
    let image = ImageDescription { layers: layers.clone(), ..ImageDescription::default() };
    let subject = Subject::Image(Box::new(image));
    Inventory { subject, distro: None, packages, statements: Vec::new(), gaps: Vec::new() }
        .in_order()
}
