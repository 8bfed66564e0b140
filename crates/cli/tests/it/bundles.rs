//! Bundles of policies as registries have them: moved, gone, torn, false, and known from before.

use std::path::PathBuf;

use serde_json::{Value, json};
use testkit::{FakeRegistry, Fault, RealRegistry, digest};

use crate::policies::{OURS, house};
use crate::sandbox::Sandbox;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BUNDLE: &str = "application/vnd.cncf.openpolicyagent.policy.v1";
const CONFIG: &str = "application/vnd.cncf.openpolicyagent.config.v1+json";
const MODULE: &str = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego";

/// Judges an image by a bundle. `2`: by the rule of the old garden, which it breaks.
fn judge(bundle: &str) -> String {
    format!("policy archive://v2.tar -e --policy-bundle {bundle}")
}

/// `sha256:…` that was published under that name.
fn publish(house: &Sandbox, name: &str, rules: &str) -> String {
    let line = format!("policy publish {name} --policy-dir {rules} --format json");
    house.json(&line)["digest"].as_str().unwrap().to_owned()
}

/// Each file of bundles that is kept.
fn kept(house: &Sandbox) -> Vec<PathBuf> {
    let folder = fs_err::read_dir(house.path("home/.cache/foretop/policies/bundles")).unwrap();
    folder.map(|it| it.unwrap().path()).collect()
}

/// What is published, moved, and known from before, in a registry that forgets nothing but is asked less
/// and less.
fn goes_its_way(house: Sandbox, host: &str) -> Sandbox {
    let name = format!("{host}/acme/policies:v1");
    let first = publish(&house, &name, "rules");
    let pinned = format!("{host}/acme/policies@{first}");
    let house = house.with("FORETOP_OFFLINE", "1");
    for unknown in [&name, &pinned] {
        let said = house.exits(1, &judge(unknown));
        assert!(said.contains("not all of it is here from before"), "{said}");
        assert!(said.contains("hint: unset it, or name files"), "{said}");
    }
    let house = house.with("FORETOP_OFFLINE", "0");
    let said = house.exits(2, &judge(&name));
    assert!(said.contains("Tea of the old garden found"), "{said}");
    // From here on it is known by its name and by its digest.
    let house = house.with("FORETOP_OFFLINE", "1");
    let said = house.exits(2, &judge(&name));
    assert!(said.contains(&format!("bundle {name} is {first}, as it was pulled at 2")), "{said}");
    let said = house.exits(2, &judge(&pinned));
    assert!(!said.contains("as it was pulled"), "{said}");
    let other = format!("{host}/acme/policies:v2");
    house.exits(1, &judge(&other));

    // Who moves the tag changes what is judged: that is said, once.
    house.file("mild/garden.rego", OURS.replace("tea-leaves", "coffee"));
    let house = house.with("FORETOP_OFFLINE", "0");
    let second = publish(&house, &name, "mild");
    assert_ne!(first, second);
    let said = house.exits(2, &judge(&pinned));
    assert!(!said.contains(&second), "{said}");
    let said = house.done(&judge(&name));
    assert!(
        said.contains(&format!("bundle {name} is {second} now; it was {first} when")),
        "{said}"
    );
    let said = house.done(&judge(&name));
    assert!(!said.contains(&first), "{said}");
    let house = house.with("FORETOP_OFFLINE", "1");
    house.done(&judge(&name));
    house.exits(2, &judge(&pinned));
    house
}

#[test]
fn known_from_before() {
    let registry = FakeRegistry::start();
    let host = registry.host();
    let house = goes_its_way(house().with("FORETOP_OFFLINE", "0"), &host);
    let name = format!("{host}/acme/policies:v1");
    let second = registry.tag("acme/policies", "v1").unwrap();
    let pinned = format!("{host}/acme/policies@{second}");
    // What is pinned is asked of nobody; what is named is, and an old answer is not taken for a new one.
    let house = house.with("FORETOP_OFFLINE", "0");
    let asked = registry.seen().len();
    house.done(&judge(&pinned));
    assert_eq!(registry.seen().len(), asked);
    registry.plan("/v2/acme/policies/manifests/v1", 1, Fault::status(404));
    house.exits(1, &judge(&name));
    // What is torn, or somebody else's, is not what was pulled.
    for path in kept(&house) {
        fs_err::write(path, OURS).unwrap();
    }
    let house = house.with("FORETOP_OFFLINE", "1");
    for known in [&name, &pinned] {
        house.exits(1, &judge(known));
    }
    let house = house.with("FORETOP_OFFLINE", "0");
    house.done(&judge(&name));
    drop(registry);
    house.done(&judge(&pinned));
    let said = house.exits(1, &judge(&name));
    assert!(said.contains("hint: FORETOP_OFFLINE=1 judges by what was pulled at 2"), "{said}");
    // It takes room as all that is kept does, and gives it back.
    let bundles = || house.json("cache df --format json")["policies"]["entries"].clone();
    assert_ne!(bundles(), 0);
    house.done("cache prune --force");
    assert_eq!(bundles(), 0);
    house.exits(1, &judge(&pinned));
    // Nothing is kept where nothing is to be kept.
    let house = house.with("FORETOP_NO_CACHE", "1").with("FORETOP_OFFLINE", "1");
    house.exits(1, &judge(&pinned));
}

#[test]
fn in_a_real_registry() {
    let Some(registry) = RealRegistry::start() else { return };
    let host = registry.host().to_owned();
    let house = goes_its_way(house().with("FORETOP_OFFLINE", "0"), &host);
    drop(registry);
    house.done(&judge(&format!("{host}/acme/policies:v1")));
}

/// A bundle with these layers, as anybody can push it: by its tag and by its digest.
fn pushed(registry: &FakeRegistry, tag: &str, layers: &[Value]) -> [String; 2] {
    let config = registry.push_blob("acme/bad", CONFIG, b"{}");
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
        "config": {"mediaType": CONFIG, "digest": config, "size": 2},
        "layers": layers,
    });
    let digest = registry.push_manifest("acme/bad", tag, MANIFEST, manifest.to_string().as_bytes());
    let host = registry.host();
    [format!("{host}/acme/bad:{tag}"), format!("{host}/acme/bad@{digest}")]
}

fn layer(registry: &FakeRegistry, title: &str, text: &str) -> Value {
    let digest = registry.push_blob("acme/bad", MODULE, text.as_bytes());
    json!({
        "mediaType": MODULE, "digest": digest, "size": text.len(),
        "annotations": {"org.opencontainers.image.title": title},
    })
}

#[test]
fn what_nobody_should_have_pushed() {
    let registry = FakeRegistry::start();
    let house = house().with("FORETOP_OFFLINE", "0");
    let check = |tag: &str, layers: &[Value], expect: &str| {
        for name in pushed(&registry, tag, layers) {
            for _ in 0..2 {
                let said = house.exits(1, &judge(&name));
                assert!(said.contains(expect), "{tag}: {said}");
                assert!(said.contains("acme/bad"), "{tag}: {said}");
            }
        }
    };
    for (at, path) in ["../../../out.rego", "/tmp/out.rego", "a/../../out.rego", "C:out.rego"]
        .into_iter()
        .enumerate()
    {
        let layers = [layer(&registry, path, OURS)];
        check(&format!("path-{at}"), &layers, "leads out of it");
    }
    assert!(!house.path("out.rego").exists() && !house.path("home/out.rego").exists());
    // It is refused by what it declares, before a byte of it is read.
    let mut huge = layer(&registry, "huge.rego", OURS);
    huge["size"] = json!(1_u64 << 30);
    let asked = |it: &Value| {
        let blob = it["digest"].as_str().unwrap();
        registry.seen().iter().filter(|it| it.path.ends_with(blob)).count()
    };
    let before = asked(&huge);
    check("gigabyte", &[huge.clone()], "the bundle is larger than 16777216 bytes");
    assert_eq!(asked(&huge), before);
    let mut many = layer(&registry, "many.rego", OURS);
    many["size"] = json!(u64::MAX);
    check("more", &[many.clone(), many], "the bundle is larger than 16777216 bytes");
    // What is no policy is not fetched, even under the digest of one.
    let mut film = layer(&registry, "film.mp4", OURS);
    film["mediaType"] = json!("video/mp4");
    film["size"] = json!(1_u64 << 30);
    let [name, _] = pushed(&registry, "film", &[film, layer(&registry, "garden.rego", OURS)]);
    let said = house.exits(2, &judge(&name));
    assert!(said.contains("Tea of the old garden found"), "{said}");
    let mut short = layer(&registry, "short.rego", &format!("{OURS}# short"));
    short["size"] = json!(10);
    check("short", &[short], "longer than the 10 bytes");
    let mut wrong = layer(&registry, "wrong.rego", OURS);
    wrong["digest"] = json!(digest(b"nothing that is there"));
    check("wrong", &[wrong], "does not have a part of it");
    check("nothing", &[], "there is no file of Rego in it");
}

#[test]
fn a_registry_that_lies() {
    let registry = FakeRegistry::start();
    let house = house().with("FORETOP_OFFLINE", "0");
    let [name, pinned] = pushed(&registry, "v1", &[layer(&registry, "garden.rego", OURS)]);
    let blob = digest(OURS.as_bytes());
    // Its bytes are not what they are called: neither the policies nor the manifest.
    for (path, asks) in [
        (format!("/v2/acme/bad/blobs/{blob}"), &name),
        (format!("/v2/acme/bad/blobs/{blob}"), &pinned),
        (format!("/v2/acme/bad/manifests/{}", pinned.split_once('@').unwrap().1), &pinned),
    ] {
        registry.plan(&path, 100, Fault::Spoil);
        let said = house.exits(1, &judge(asks));
        assert!(said.contains("sha256:"), "{path}: {said}");
        registry.forgive();
    }
    // Nothing of that was kept.
    let house = house.with("FORETOP_OFFLINE", "1");
    for asks in [&name, &pinned] {
        house.exits(1, &judge(asks));
    }
    let house = house.with("FORETOP_OFFLINE", "0");
    house.exits(2, &judge(&pinned));
}
