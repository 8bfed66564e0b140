//! The ecosystem that CONTRIBUTING.md writes as an example: it compiles, it finds, and it is what is
//! printed there.

mod opam;

use ecosystem::{Beside, Cataloger, Claim, Ecosystem, EcosystemId, File, Nothing};
use opam::Opam;

#[test]
fn the_example_finds_what_it_should() {
    let check = |path: &str, expect: &str| {
        let [cataloger] = Opam.catalogers() else { panic!("it has one cataloger") };
        let found = (cataloger.read)(&File::in_memory(path, 0o644, b""), &Nothing);
        let packages = found.packages.iter().map(|it| it.purl.to_string());
        let gaps = found.gaps.iter().map(|it| format!("gap: {it}"));
        assert_eq!(packages.chain(gaps).collect::<Vec<String>>(), [expect]);
    };
    check("home/o/.opam/5.1/.opam-switch/packages/dune.3.16.0/opam", "pkg:opam/dune@3.16.0");
    check(
        "x/.opam-switch/packages/dune/opam",
        "gap: x/.opam-switch/packages/dune/opam: its folder is not called NAME.VERSION",
    );
}

/// In a list, so each line is indented.
#[test]
fn the_example_is_what_is_printed() {
    let printed = include_str!("../../../../CONTRIBUTING.md").replace("\n   ", "\n");
    let written = include_str!("opam.rs");
    assert!(printed.contains(written), "CONTRIBUTING.md and tests/recipe/opam.rs differ");
}
