//! Every byte of a small almanac changed, and every length cut: nothing panics, `verify` tells it, and what is
//! cut off is never silent.

use almanac::Almanac;
use fuzz_targets::world::{World, agree, ask, world};

const WORLD: &str = "d debian 12
p pkg:deb/debian/libssl3@3.0.11-1?arch=amd64&distro=debian-12 openssl
p pkg:npm/%40babel/core@7.0.0
r osv debian:12 openssl CVE-2024-0001,DSA-1 yes 0 3.0.13
r osv npm @babel/core CVE-2024-0002,GHSA-1 yes 0 8";

/// The ids of what is found, and the gaps.
fn answer(world: &World) -> (Vec<String>, Vec<model::Gap>) {
    let question = matching::Question {
        inventory: &world.inventory,
        book: &world.almanac,
        statements: &[],
        options: matching::Options { texts: Some(&|_| true), ..matching::Options::default() },
    };
    let (findings, gaps) = matching::analyze(&question);
    (findings.into_iter().map(|it| it.id).collect(), gaps)
}

#[test]
fn damage_never_panics_and_a_cut_is_never_silent() {
    let mut world = world(WORLD);
    let good = world.sheets.clone();
    let (found, usual) = answer(&world);
    assert_eq!(found.len(), 2);
    let mut tried = 0;
    for (number, sheet) in good.iter().enumerate() {
        for at in 0..sheet.bytes.len() {
            let mut flipped = sheet.bytes.clone();
            flipped[at] ^= 0xff;
            for bytes in [flipped, sheet.bytes[..at].to_vec()] {
                let is_cut = bytes.len() == at;
                let mut sheets = good.clone();
                ask(bytes.clone(), false);
                sheets[number].bytes = bytes;
                world.almanac = Almanac::in_memory(sheets);
                assert!(!world.almanac.verify(&[]).is_empty(), "byte {at} of sheet {number}");
                agree(&world);
                let (now, gaps) = answer(&world);
                let is_new = gaps.iter().any(|it| !usual.contains(it));
                let is_told = is_new || world.almanac.torn().is_some();
                assert!(!is_cut || is_told || now == found, "sheet {number} cut at {at}: {now:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}
