//! Much at once: a burst of webhooks over a server whose plug is pulled, and a registry of many tags
//! that share what they are made of. How much is in the environment; without that it is a little.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{FakeRegistry, Hook, ImageBuilder, LayerBuilder, RealRegistry, image, layer};

use crate::sandbox::Sandbox;
use crate::serving::Serving;
use crate::watch::Watching;

/// How much, from a variable.
#[expect(clippy::disallowed_methods, reason = "whoever measures says how much")]
fn size(variable: &str, usual: usize) -> usize {
    std::env::var(variable).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

const SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Who send at once.
const SENDERS: usize = 8;
/// Times that the server is killed.
const KILLS: usize = 5;

fn alpine(package: &str) -> ImageBuilder {
    let base = layer().file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n");
    let installed = format!("P:{package}\nV:1.0-r0\nA:x86_64\n\n");
    image().layer(base).layer(layer().file("lib/apk/db/installed", installed))
}

/// A notification of the distribution project's registry.
pub(crate) fn pushed(id: &str, repository: &str, tag: &str, proof: &str) -> Hook {
    let event = json!({
        "id": id, "timestamp": "2026-11-21T10:00:00Z", "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            // What it says of the digest is not true: the registry knows better.
            "repository": repository, "tag": tag, "digest": format!("sha256:{}", "1".repeat(64)),
        },
    });
    let kind = "application/vnd.docker.distribution.events.v2+json";
    let headers = [("content-type", kind), ("authorization", proof)];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let body = json!({ "events": [event] }).to_string().into_bytes();
    Hook { method: "POST".to_owned(), path: String::new(), headers, body }
}

/// What a command says that is to say JSON.
fn parsed(home: &Sandbox, line: &str) -> Value {
    let output = home.output(line);
    assert!(output.status.success(), "{line}: {}", home.shown(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The part of them that so many of a thousand are below.
fn mark(sorted: &[Duration], of_thousand: usize) -> Duration {
    sorted[(sorted.len() * of_thousand / 1000).min(sorted.len() - 1)]
}

/// Events of images of which each has four tags, told about five times under ids of their own and
/// once more under the same; beside them tags that are not there, images that nobody tells of, and
/// senders who prove nothing.
#[test]
fn a_burst_of_webhooks_over_kills() {
    let events = size("FORETOP_TEST_EVENTS", 400);
    let images = (events / 20).max(1);
    let registry = FakeRegistry::start();
    let house = Sandbox::new().with("FORETOP_LOG", "warn");
    let mut serving = Serving::start(&house, "--organization acme --workers 2 --rate-limit 0");
    let home = Sandbox::new().with("FORETOP_REGISTRY_WEBHOOK_AUTH", SECRET);
    serving.settled(&home, "it --org acme --scope admin");
    let host = registry.host();
    let repository = |image: usize| format!("team/app{}", image % 7);
    let mut wanted = BTreeSet::new();
    for image in 0..images {
        let built = alpine(&format!("cup{image}"));
        for tag in ["a", "b", "c", "d"] {
            wanted.insert(registry.push(&repository(image), &format!("{tag}{image}"), &built));
        }
    }
    // Of these nobody tells anything, and they are not the newest of their repository.
    for image in 0..images.max(7) {
        let built = alpine(&format!("pot{image}"));
        registry.push(&repository(image), &format!("old{image}"), &built);
        let built = alpine(&format!("cup{}", image % images));
        registry.push(&repository(image), "latest", &built);
    }
    let made =
        home.output(&format!("integration configure distribution --parameter registry={host}"));
    assert!(made.status.success(), "{}", home.shown(&made));
    let address = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    let path = address.strip_prefix(&serving.root).unwrap().to_owned();
    let mut hooks = Vec::new();
    for event in 0..events {
        let (image, round) = (event % images, event / images);
        let tag = format!("{}{image}", ["a", "b", "c", "d"][round % 4]);
        let id = format!("{image}-{}", round / 2);
        hooks.push(match event % 50 {
            7 => pushed(&id, "team/none", &tag, SECRET),
            23 => pushed(&id, &repository(image), "gone", SECRET),
            _ => pushed(&id, &repository(image), &tag, SECRET),
        });
    }
    // Each image is told of, whatever the odd ones took the place of.
    for image in 0..images {
        hooks.push(pushed(
            &format!("last {image}"),
            &repository(image),
            &format!("a{image}"),
            SECRET,
        ));
    }
    let target = serving.host().to_owned();
    let (next, took) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let tries = AtomicUsize::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while let Some(hook) = hooks.get(next.fetch_add(1, Ordering::SeqCst)) {
                    // Whoever is not answered, or told to come again, does.
                    loop {
                        tries.fetch_add(1, Ordering::SeqCst);
                        let began = Instant::now();
                        match hook.send(&target, &path).map(|it| it.status) {
                            Some(200) => break took.lock().unwrap().push(began.elapsed()),
                            Some(503) | None => std::thread::yield_now(),
                            Some(other) => panic!("it answers {other}"),
                        }
                    }
                }
            });
        }
        for kill in 1..=KILLS {
            while next.load(Ordering::SeqCst) < hooks.len() * kill / (KILLS + 1) {
                std::thread::yield_now();
            }
            serving.kill();
            serving.again(&house, 2);
        }
    });
    let sent = began.elapsed();
    let stranger = pushed("x", "team/app0", "a0", "Bearer of nothing");
    assert_eq!(stranger.send(&target, &path).unwrap().status, 401);

    // Until nothing waits any more.
    loop {
        let listed = parsed(&home, "integration list distribution --format json");
        assert_eq!(listed[0]["aside"], 0, "{listed}");
        if listed[0]["waiting"] == 0 {
            break;
        }
    }
    let done = began.elapsed();
    let known = parsed(&home, "image list --format json");
    let known = known.as_array().unwrap().iter().map(|it| {
        assert_eq!(it["state"], "analysed", "{it}");
        it["digest"].as_str().unwrap().to_owned()
    });
    assert_eq!(known.collect::<BTreeSet<_>>(), wanted, "exactly those");
    let analysed = parsed(&home, "events --kind image-analysed --limit 100000 --format json");
    assert_eq!(analysed.as_array().unwrap().len(), images, "each once");
    let mut took = took.into_inner().unwrap();
    took.sort();
    println!(
        "{} events of {images} images in {sent:.1?} ({KILLS} kills, {} tries), all dealt with after \
         {done:.1?}; taken within {:?} in the middle, {:?} for 99 of 100, {:?} for 999 of 1000, {:?} \
         at worst",
        took.len(),
        tries.into_inner(),
        mark(&took, 500),
        mark(&took, 990),
        mark(&took, 999),
        took[took.len() - 1],
    );
}

/// Bytes that nobody can pack, another piece for each seed.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut state = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    next.flatten().take(length).collect()
}

/// Five bases, eight middles on each, and a hundred images above those.
fn shared(number: usize) -> ImageBuilder {
    let (base, middle) = (number % 5, number % 40);
    let layers: [LayerBuilder; 3] = [
        layer()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.0\n")
            .file("opt/base", noise(base, 1 << 20)),
        layer().file("opt/middle", noise(1000 + middle, 100 << 10)),
        layer()
            .file("opt/own", noise(2000 + number, 5 << 10))
            .file("lib/apk/db/installed", format!("P:cup{number}\nV:1.0-r0\nA:x86_64\n\n")),
    ];
    layers.into_iter().fold(image(), ImageBuilder::layer)
}

/// What was pulled of a registry since it had answered so much: how often each blob, and how many bytes.
fn pulled(registry: &RealRegistry, since: usize) -> (BTreeMap<String, usize>, u64) {
    let (mut blobs, mut bytes) = (BTreeMap::new(), 0);
    for it in registry.asked().into_iter().skip(since) {
        bytes += if it.method == "GET" { it.bytes } else { 0 };
        if it.method == "GET" && it.status == 200 && it.path.contains("/blobs/") {
            *blobs.entry(it.path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
        }
    }
    (blobs, bytes)
}

#[test]
fn a_registry_of_many_tags_that_share() {
    let tags = size("FORETOP_TEST_TAGS", 60);
    let images = (tags / 10).max(4);
    let Some(registry) = RealRegistry::start() else { return };
    let home = Sandbox::new();
    let repository = |image: usize| format!("team/app{}", image % 4);
    for number in 0..images {
        registry.push_image(&shared(number), &format!("{}:v{number}", repository(number)));
    }
    for number in images..tags {
        let image = number % images;
        registry.tag(&repository(image), &format!("v{image}"), &format!("v{number}"));
    }

    let before = registry.asked().len();
    let line = format!("--registry {} --all-images", registry.host());
    let began = Instant::now();
    let mut watching = Watching::start(&home, &line);
    for _ in 0..images / 2 {
        watching.until(": 1 package");
    }
    watching.kill();
    let stopped = began.elapsed();
    let rest = home.foretop(&format!("watch {line} --once"));
    let took = began.elapsed();
    let read = rest.matches(": 1 package").count();
    assert!(rest.contains(&format!(": 4 repositories, {tags} tags")), "{rest}");
    assert!(read <= images - images / 2, "{read} of {images}: it goes on");
    let (blobs, bytes) = pulled(&registry, before);
    // What was being read when it was killed is read again; nothing else is.
    let again: usize = blobs.values().map(|it| it - 1).sum();
    assert!(again <= 3 * 4, "{again} of {} twice", blobs.len());
    let layers = 5 + 40.min(images) + images;
    assert!(blobs.len() <= layers + images, "{} blobs", blobs.len());
    let events = home.foretop("events --kind image-analysed --limit 100000");
    assert_eq!(events.matches("image-analysed").count(), images, "{events}");
    let before = registry.asked().len();
    let began = Instant::now();
    let still = home.foretop(&format!("watch {line} --once"));
    assert!(still.ends_with(&format!(": 4 repositories, {tags} tags\n")), "{still}");
    let (none, little) = pulled(&registry, before);
    assert!(none.is_empty(), "{none:?}");
    println!(
        "{tags} tags of {images} images: {} blobs, {again} of them twice, {bytes} bytes in {took:.1?}, \
         killed after {stopped:.1?}; looked at once more in {:.1?} with {little} bytes",
        blobs.len(),
        began.elapsed(),
    );

    // A plain pull of everything, tag by tag.
    let before = registry.asked().len();
    let began = Instant::now();
    for number in 0..4 {
        let from = format!("{}/{}", registry.host(), repository(number));
        let to = home.path(&format!("pulled{number}"));
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "sync", "--src-tls-verify=false"]);
        skopeo.args(["--src", "docker", "--dest", "dir", &from]).arg(&to);
        skopeo.env("TMPDIR", home.path("tmp")).env("HOME", home.path("home"));
        let output = skopeo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let _ = fs_err::remove_dir_all(&to);
    }
    let (all, plain) = pulled(&registry, before);
    let pulls: usize = all.values().sum();
    println!("a plain pull of each tag: {pulls} blobs, {plain} bytes in {:.1?}", began.elapsed());
    assert!(plain > bytes * (tags / images) as u64 / 2, "{plain} {bytes}");
}
