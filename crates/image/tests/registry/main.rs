//! The registry source against a registry in this process that misbehaves, and a real one.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests")]

mod artifacts;
mod attested;
mod faults;
mod logins;
mod proxy;
mod reading;
mod real;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use image::{Ask, Error, LayerReader, Opened, Progress, Settings};
use model::{ImageDescription, LayerDescription};
use testkit::{FakeRegistry, ImageBuilder, image, layer};

/// Nothing is known; patience is long enough for a busy machine.
fn settings() -> Settings {
    Settings {
        docker_host: None,
        docker_sockets: Vec::new(),
        docker_config: None,
        docker_certificates: None,
        auth_files: Vec::new(),
        credentials: None,
        hub: None,
        insecure_registries: BTreeSet::new(),
        certificate_authorities: Vec::new(),
        stall: Duration::from_secs(10),
        retries: 2,
        limits: tarball::Limits::default(),
        workers: 2,
        user_agent: "foretop/test".to_owned(),
        pace: Arc::default(),
        outgoing: None,
        redirects: None,
    }
}

/// The same for a registry that is known to stall.
fn hasty() -> Settings {
    Settings { stall: Duration::from_secs(1), ..settings() }
}

/// What is seen of reading one image.
#[derive(Default)]
struct Watch {
    known: BTreeSet<String>,
    layers: Mutex<BTreeMap<String, Vec<Vec<u8>>>>,
    expected: Mutex<u64>,
    came: Mutex<u64>,
    told: Mutex<Vec<String>>,
}

impl LayerReader for Watch {
    fn knows(&self, layer: &LayerDescription) -> bool {
        self.known.contains(&layer.key.0)
    }

    fn read(&self, layer: &LayerDescription, bytes: &mut dyn Read) -> Result<(), Error> {
        let mut content = Vec::new();
        // A decoder says in its own words that its input failed.
        bytes.read_to_end(&mut content).map_err(|_| Error::corrupt("decoder", "bad input"))?;
        self.layers.lock().unwrap().entry(layer.key.0.clone()).or_default().push(content);
        Ok(())
    }
}

impl Progress for Watch {
    fn expect(&self, bytes: u64) {
        *self.expected.lock().unwrap() += bytes;
    }

    fn advance(&self, bytes: u64) {
        *self.came.lock().unwrap() += bytes;
    }

    fn tell(&self, line: &str) {
        self.told.lock().unwrap().push(line.to_owned());
    }
}

/// Opens `name` and reads its layers.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn read(
    name: &str,
    platform: &str,
    settings: Settings,
    watch: &Arc<Watch>,
) -> Result<ImageDescription, Error> {
    let source = image::ALL.iter().find(|it| it.scheme() == "registry").unwrap();
    let ask = Ask {
        name: name.to_owned(),
        platform: (!platform.is_empty()).then(|| platform.parse().unwrap()),
        reference: None,
        manifest: None,
        settings: Arc::new(settings),
        progress: Arc::<Watch>::clone(watch),
    };
    let Some(Opened::Image(image)) = source.open(&ask).await? else {
        panic!("the registry source opens images, or says why not");
    };
    assert!(image.description().is_some());
    image.read(Arc::<Watch>::clone(watch) as Arc<dyn LayerReader>).await
}

/// Reads `name` (without a host) from `registry`: what was found, or the error and its hint.
fn outcome(registry: &FakeRegistry, name: &str, settings: Settings) -> String {
    let watch = Arc::new(Watch::default());
    let name = format!("{}/{name}", registry.host());
    let outcome = read(&name, "", settings, &watch);
    let told: Vec<String> = watch.told.lock().unwrap().iter().map(|it| format!("{it}\n")).collect();
    let shown = match outcome {
        Ok(found) => show(registry, &found, &watch),
        Err(error) => show_error(&error),
    };
    (told.concat() + &shown).replace(&registry.host(), "HOST")
}

fn check(registry: &FakeRegistry, name: &str, settings: Settings, expect: &str) {
    assert_eq!(outcome(registry, name, settings), expect);
}

fn show(registry: &FakeRegistry, found: &ImageDescription, watch: &Watch) -> String {
    let mut shown = format!("{} {}", found.name, found.platform);
    let layers = watch.layers.lock().unwrap();
    for layer in &found.layers {
        let repository = found.name.split(['/', ':', '@']).nth(2).unwrap_or_default();
        let wanted = registry.blob(repository, &layer.key.0);
        let state = match layers.get(&layer.key.0).map(Vec::as_slice) {
            None => "not read",
            Some([bytes]) if Some(bytes) == wanted.as_ref() => "whole",
            Some([_]) => "WRONG",
            Some(_) => "READ TWICE",
        };
        shown += "\n";
        shown += layer.created_by.as_deref().unwrap_or("?");
        shown += ": ";
        shown += state;
    }
    for gap in &found.gaps {
        shown += "\ngap: ";
        shown += &gap.to_string();
    }
    shown
}

fn show_error(error: &Error) -> String {
    let kind = format!("{error:?}");
    let kind = kind.split([' ', '{']).next().unwrap_or_default().to_owned();
    let hint = error.hint().map(|it| format!("\nhint: {it}")).unwrap_or_default();
    format!("{kind}: {error}{hint}")
}

/// Two layers, one of them of some size.
fn small() -> ImageBuilder {
    image()
        .layer(layer().file("etc/os-release", "ID=alpine\n").file("big", noise(300_000)))
        .layer(layer().file("app", "hello"))
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    });
    next.take(count).collect()
}

const WHOLE: &str = "HOST/app:1 linux/amd64\nCOPY layer 0: whole\nCOPY layer 1: whole";
