//! `foretop cache`.

use cache::{Cache, Shelf};
use model::Digest;

use crate::sandbox::Sandbox;

fn filled() -> Sandbox {
    let sandbox = Sandbox::new();
    let sandbox = sandbox.with("FORETOP_CACHE_SIZE", "64MiB");
    let cache = Cache::open(sandbox.path("home/.cache/foretop"), 1 << 26);
    for number in 0..3 {
        let digest = Digest::from_sha256(&[number; 32]);
        cache.put(Shelf::Layers, "f", &digest, &vec![7_u8; 1000]).unwrap();
    }
    cache.put(Shelf::Inventories, "f", &Digest::from_sha256(&[9; 32]), &7_u64).unwrap();
    cache.put_file(Shelf::Policies, "f", &Digest::from_sha256(&[8; 32]), b"package tea").unwrap();
    sandbox
}

#[test]
fn nothing_yet() {
    let sandbox = Sandbox::new();
    insta::assert_snapshot!(sandbox.foretop("cache df"));
    assert!(!sandbox.path("home/.cache").exists(), "looking creates nothing");
}

#[test]
fn df() {
    let sandbox = filled();
    insta::assert_snapshot!(
        [sandbox.foretop("cache df"), sandbox.foretop("cache df --format json")].concat()
    );
}

#[test]
fn prune() {
    let sandbox = filled();
    let lines = ["cache prune", "cache prune --force", "cache prune -f --sboms", "cache df"];
    insta::assert_snapshot!(sandbox.transcript(&lines));
}

#[test]
fn its_place_and_size_are_set_by_variables() {
    let sandbox = Sandbox::new().with("DOCKER_SCOUT_CACHE_DIR", "/nowhere");
    assert!(sandbox.foretop("cache df").contains("/nowhere (at most 1.00 GiB)"));
    let sandbox = sandbox.with("FORETOP_CACHE_SIZE", "lots");
    insta::assert_snapshot!(sandbox.foretop("cache df"));
}
