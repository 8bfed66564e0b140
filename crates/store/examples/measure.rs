//! How long the store takes: `cargo run --release -p store --example measure -- ADDRESS IMAGES`.
//!
//! Images are made up as companies have them: one of twenty bases each, of 120 packages of the
//! distribution, and an application of 200 packages of which nine in ten are those of the
//! application's former version. Each runs in one of ten environments.

use std::time::Instant;

use model::{
    Act, Digest, ImageDescription, Inventory, LayerDescription, Moment, OrganisationId, Package,
    Place, Platform, Recording, Source, Subject,
};
use store::{Page, Selection, Sought, Store, When};

const BASES: u32 = 20;
const BASE_PACKAGES: u32 = 120;
const OWN_PACKAGES: u32 = 200;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().ok_or("say which database")?;
    let images: u32 = arguments.next().ok_or("say how many images")?.parse()?;
    let store = Store::open(&address).await?;
    let name = format!("company {images}");
    // What was made before is asked again, without being made again.
    let company = match store.organisation(&name).await {
        Ok(company) => company.id,
        Err(_) => make(&store, &name, images).await?,
    };

    let begin = Instant::now();
    let rounds = 100;
    for number in 0..rounds {
        let environment = Some(format!("environment {}", number % 10));
        let selection = Selection { environment, ..Selection::default() };
        let page = Page::first(100);
        store.deployments(&company, &selection, When::Now, &page).await?;
    }
    tell("list a page of 100", begin, rounds);

    let begin = Instant::now();
    let mut page = Page::first(1000);
    let mut rows = 0;
    loop {
        let part = store.deployments(&company, &Selection::default(), When::Now, &page).await?;
        rows += part.rows.len();
        match part.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    tell(&format!("list all {rows} that run"), begin, 1);

    let begin = Instant::now();
    store.environments(&company).await?;
    tell("list environments with counts", begin, 1);

    for name in ["own-7-0", "base-3-5"] {
        let mut places = 0;
        for (told, rounds) in [("first", 1), ("then", 10)] {
            let begin = Instant::now();
            for _ in 0..rounds {
                let sought = Sought::Named(name.to_owned());
                let known = store.known_packages(&company, &sought).await?;
                let numbers: Vec<i64> = known.iter().map(|it| it.number).collect();
                places = store.running_with(&company, &numbers).await?.len();
            }
            tell(&format!("where {name} runs, {places} times, {told}"), begin, rounds);
        }
    }

    let begin = Instant::now();
    for number in 0..images.min(200) {
        let kept = store.inventory(&company, &digest(number)).await?;
        assert_eq!(kept.as_ref(), Some(&inventory(number)), "it reads back");
    }
    tell("read an inventory, and make it up to compare", begin, images.min(200));
    store.close().await;
    Ok(())
}

async fn make(
    store: &Store,
    name: &str,
    images: u32,
) -> Result<OrganisationId, Box<dyn std::error::Error>> {
    let company = store.create_organisation(&act(0), name).await?.id;
    for number in 0..10 {
        store.create_environment(&company, &act(0), &format!("environment {number}")).await?;
    }

    let begin = Instant::now();
    for number in 0..images {
        let kept = inventory(number);
        store.keep_inventory(&company, &act(1), &digest(number), &platform(), None, &kept).await?;
    }
    tell("keep an inventory", begin, images);

    let begin = Instant::now();
    for number in 0..images {
        let environment = format!("environment {}", number % 10);
        store.record(&company, &act(2), &environment, &Source::Cli, &recording(number)).await?;
    }
    tell("record a deployment", begin, images);

    let begin = Instant::now();
    for number in 0..images.min(1000) {
        let environment = format!("environment {}", number % 10);
        store.record(&company, &act(3), &environment, &Source::Cli, &recording(number)).await?;
    }
    tell("record the same again", begin, images.min(1000));

    let report: Vec<Recording> = (0..images.min(1000)).map(recording).collect();
    let begin = Instant::now();
    store.report(&company, &act(4), "environment 0", "east", &report).await?;
    tell("report, for each of its images", begin, images.min(1000));
    Ok(company)
}

#[expect(clippy::print_stdout, reason = "figures are what this is for")]
fn tell(what: &str, begin: Instant, times: u32) {
    let whole = begin.elapsed();
    println!("{what}: {:?} each, {whole:?} in all", whole / times.max(1));
}

fn act(minute: i64) -> Act {
    let at = Moment::from_micros(1_795_219_200_000_000).plus_seconds(minute * 60);
    Act { who: "ann".to_owned(), origin: "ci".to_owned(), at }
}

fn platform() -> Platform {
    Platform::new("linux", "amd64", None)
}

fn digest(number: u32) -> Digest {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Digest::from_sha256(&bytes)
}

fn recording(number: u32) -> Recording {
    Recording {
        application: None,
        platform: platform(),
        repository: format!("docker.io/company/app{number}"),
        tag: Some("v1".to_owned()),
        digest: digest(number),
    }
}

fn inventory(number: u32) -> Inventory {
    let (base, application, version) = (number % BASES, number % 97, number / 97);
    let layer = |it: u32| LayerDescription {
        digest: Some(digest(it)),
        diff_id: Some(digest(!it)),
        ..LayerDescription::default()
    };
    let layers = vec![layer(1_000_000 + base), layer(2_000_000 + number)];
    let package = |purl: String, path: &str, at: u32| {
        let mut package = Package::new(purl.parse().expect("it is a purl"));
        package.licenses = vec!["MIT".to_owned(), "Apache-2.0".to_owned()];
        package.description = Some("something that somebody needed once".to_owned());
        let told = layers.get(at as usize);
        package.places = vec![Place {
            path: path.to_owned(),
            layer: Some(at),
            digest: told.and_then(|it| it.digest.clone()),
            diff_id: told.and_then(|it| it.diff_id.clone()),
            first_layer: Some(at),
        }];
        package
    };
    let of_base = (0..BASE_PACKAGES).map(|it| {
        let purl = format!("pkg:deb/debian/base-{base}-{it}@1.{it}?arch=amd64&distro=debian-12");
        package(purl, "/var/lib/dpkg/status", 0)
    });
    let own = (0..OWN_PACKAGES).map(|it| {
        // A tenth changes with each version of the application.
        let version = if it % 10 == version % 10 { version } else { version / 10 };
        let purl = format!("pkg:npm/own-{application}-{it}@1.{version}.0");
        package(purl, "/app/node_modules/.package-lock.json", 1)
    });
    let packages = of_base.chain(own).collect();
    let image = ImageDescription { layers: layers.clone(), ..ImageDescription::default() };
    let subject = Subject::Image(Box::new(image));
    Inventory { subject, distro: None, packages, statements: Vec::new(), gaps: Vec::new() }
        .in_order()
}
