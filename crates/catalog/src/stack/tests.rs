//! Tests of stacked layers.

use std::fmt::Write as _;

use proptest::prelude::*;
use testkit::{LayerBuilder, layer};

use super::*;
use crate::ReadOptions;
use crate::toy::{claims, read_with};

/// Reads and stacks the layers as the engine does: again, while something is missing.
fn stacked(layers: &[LayerBuilder]) -> Stacked {
    let claims = claims();
    let tars: Vec<Vec<u8>> = layers.iter().map(|it| it.clone().tar()).collect();
    let mut options = vec![ReadOptions::default(); tars.len()];
    let descriptions = vec![LayerDescription::default(); tars.len()];
    let mut result = Stacked::default();
    for _ in 0..8 {
        let read = |(tar, options): (&Vec<u8>, &ReadOptions)| {
            let mut reader = tarball::TarReader::new(&tar[..], &tarball::Limits::default());
            claims.read_layer(&mut reader, options).expect("a whole archive")
        };
        let layers: Vec<LayerInventory> = tars.iter().zip(&options).map(read).collect();
        let layers: Vec<Option<&LayerInventory>> = layers.iter().map(Some).collect();
        result = claims.stack(&layers, &descriptions);
        for it in &result.missing {
            options[it.layer].extra.push((it.path.clone(), it.pretend.clone()));
        }
        if result.missing.is_empty() {
            break;
        }
    }
    result
}

fn shown(stacked: Stacked) -> String {
    let inventory = stacked.into_inventory(Subject::Document { name: String::new() });
    let mut text = String::new();
    if let Some(distro) = &inventory.distro {
        writeln!(text, "{}", distro.qualifier()).unwrap();
    }
    for package in &inventory.packages {
        write!(text, "{} {}", package.purl, package.kind.as_str()).unwrap();
        for place in &package.places {
            let layers = [place.layer, place.first_layer].map(Option::unwrap);
            write!(text, " {}@{}", place.path, layers[0]).unwrap();
            if layers[0] != layers[1] {
                write!(text, " first@{}", layers[1]).unwrap();
            }
        }
        if let Some(owner) = &package.owner {
            write!(text, " owner {owner}").unwrap();
        }
        if !package.licenses.is_empty() {
            write!(text, " {:?}", package.licenses).unwrap();
        }
        text.push('\n');
    }
    for gap in &inventory.gaps {
        writeln!(text, "gap {gap}").unwrap();
    }
    text
}

fn check(layers: &[LayerBuilder], expect: &str) {
    assert_eq!(shown(stacked(layers)), expect);
}

const NOTHING: &str = "gap /: no package database was found, nor any other package\n";

fn toy(version: u8) -> LayerBuilder {
    layer().file("a/b/toy.json", format!("npm n {version}"))
}

#[test]
fn what_higher_layers_hide() {
    let one = "pkg:npm/n@1 installed /a/b/toy.json@0\n";
    let check = |upper: LayerBuilder, expect: &str| check(&[toy(1), upper], expect);
    check(layer(), one);
    check(layer().file("a/b/other", ""), one);
    check(layer().directory("a/b"), one);
    check(layer().delete("a/b/toy.json"), NOTHING);
    check(layer().delete("a/b"), NOTHING);
    check(layer().delete("a"), NOTHING);
    check(layer().delete("b"), one);
    check(layer().opaque("a"), NOTHING);
    check(layer().opaque("a/b"), NOTHING);
    check(layer().opaque("a/b/toy.json"), one);
    check(layer().file(".wh..wh..opq", ""), NOTHING);
    check(layer().file("a", ""), NOTHING);
    check(layer().symlink("a/b", "x"), NOTHING);
    check(layer().file("a/b/toy.json", ""), NOTHING);
    check(layer().symlink("a/b/toy.json", "x"), NOTHING);
    check(toy(2), "pkg:npm/n@2 installed /a/b/toy.json@1\n");
    check(toy(2).delete("a/b/toy.json"), "pkg:npm/n@2 installed /a/b/toy.json@1\n");
    check(toy(2).delete("a"), "pkg:npm/n@2 installed /a/b/toy.json@1\n");
    check(toy(2).opaque("a/b"), "pkg:npm/n@2 installed /a/b/toy.json@1\n");
}

#[test]
fn gaps_vanish_with_their_files() {
    let broken = layer().file("toy.json", "gap broken");
    check(std::slice::from_ref(&broken), &format!("{NOTHING}gap /toy.json: broken\n"));
    check(&[broken, layer().delete("toy.json")], NOTHING);
}

#[test]
fn the_layer_that_first_brought_it() {
    let status = |text: &str| layer().file("toy.json", text);
    check(
        &[status("npm a 1"), status("npm a 1\nnpm b 1"), layer(), status("npm a 1\nnpm b 2")],
        "pkg:npm/a@1 installed /toy.json@3 first@0\npkg:npm/b@2 installed /toy.json@3\n",
    );
    check(
        &[toy(1), layer().delete("a"), toy(1)],
        "pkg:npm/n@1 installed /a/b/toy.json@2 first@0\n",
    );
}

#[test]
fn one_package_in_many_places() {
    check(
        &[layer()
            .file("b/toy.json", "npm n 1")
            .file("a/toy.json", "npm n 1 in=x.jar!/y.jar\nnpm n 1 vendored\nnpm n 2")],
        "pkg:npm/n@1 installed /a/toy.json!/x.jar!/y.jar@0 /b/toy.json@0\n\
         pkg:npm/n@1 vendored /a/toy.json@0\n\
         pkg:npm/n@2 installed /a/toy.json@0\n",
    );
}

fn os(id: &str) -> LayerBuilder {
    layer().file("etc/os-release", format!("ID={id}\nVERSION_ID=9\n"))
}

#[test]
fn distributions() {
    let status = |text: &str| layer().file("var/db/status", text);
    check(
        &[os("debian"), status("deb a 1")],
        "debian-9\npkg:deb/debian/a@1?distro=debian-9 installed /var/db/status@1\n",
    );
    check(
        &[os("ubuntu"), status("deb a 1 arch=amd64\nnpm n 1")],
        "ubuntu-9\npkg:deb/ubuntu/a@1?arch=amd64&distro=ubuntu-9 installed /var/db/status@1\n\
         pkg:npm/n@1 installed /var/db/status@1\n",
    );
    for (id, namespace) in [
        ("rhel", "redhat"),
        ("opensuse-leap", "opensuse"),
        ("sles", "suse"),
        ("amzn", "amzn"),
        ("ol", "ol"),
    ] {
        check(
            &[os(id), status("rpm a 1")],
            &format!("{id}-9\npkg:rpm/{namespace}/a@1?distro={id}-9 installed /var/db/status@1\n"),
        );
    }
    check(
        &[os("debian"), status("rpm a 1\napk b 1")],
        "debian-9\npkg:apk/alpine/b@1 installed /var/db/status@1\npkg:rpm/a@1 installed /var/db/status@1\n\
         gap debian-9: it has apk packages, which are none of its own: their distribution is not known\n\
         gap debian-9: it has rpm packages, which are none of its own: their distribution is not known\n",
    );
    check(
        &[os("mystery"), status("apk b 1")],
        "mystery-9\npkg:apk/mystery/b@1?distro=mystery-9 installed /var/db/status@1\n",
    );
    check(
        &[os("debian"), status("deb a 1 attested")],
        "debian-9\npkg:deb/a@1 attested /var/db/status@1\n\
         gap debian-9: no package database was found, so its packages are not known\n",
    );
}

#[test]
fn distributions_or_packages_that_are_missing() {
    check(&[layer()], NOTHING);
    check(
        &[layer().file("var/db/status", "deb a 1")],
        "pkg:deb/debian/a@1 installed /var/db/status@0\n\
         gap etc/os-release: no distribution is named, so nobody can tell which flaws its packages have\n",
    );
    let hole =
        "debian-9\ngap debian-9: no package database was found, so its packages are not known\n";
    check(&[os("debian")], hole);
    check(&[os("debian").file("var/db/status", "deb a 1"), layer().delete("var/db/status")], hole);
    check(&[toy(1)], "pkg:npm/n@1 installed /a/b/toy.json@0\n");
}

#[test]
fn which_file_names_the_distribution() {
    let status = layer().file("var/db/status", "deb a 1");
    let of =
        |files: LayerBuilder| stacked(&[status.clone(), files]).distro.map(|it| it.qualifier());
    let usr = || layer().file("usr/lib/os-release", "ID=debian\nVERSION_ID=9");
    assert_eq!(of(usr()).unwrap(), "debian-9");
    assert_eq!(of(usr().symlink("etc/os-release", "../usr/lib/os-release")).unwrap(), "debian-9");
    assert_eq!(of(usr().file("etc/os-release", "ID=other")).unwrap(), "other");
    assert_eq!(of(usr().file("etc/debian_version", "12.5")).unwrap(), "debian-9");
    assert_eq!(of(layer().file("etc/debian_version", "12.5")).unwrap(), "debian-12");
    assert_eq!(
        of(layer().symlink("etc/os-release", "/opt/release").file("opt/release", "ID=elsewhere"))
            .unwrap(),
        "elsewhere",
    );
    // What an older file lacks is no hole once the distribution is known.
    let both = usr().file("etc/redhat-release", "Something");
    assert_eq!(stacked(&[status.clone(), both]).gaps, []);
}

#[test]
fn links_to_databases() {
    let found = |path: &str, layer: u8| {
        format!("debian-9\npkg:deb/debian/a@1?distro=debian-9 installed /{path}@{layer}\n")
    };
    let real = |path: &str| os("debian").file(path, "deb a 1");
    let link = || layer().symlink("var/db/status", "/opt/real");
    check(&[real("opt/real"), link()], &found("opt/real", 0));
    check(&[link(), real("opt/real")], &found("opt/real", 1));
    check(&[real("opt/real").symlink("var/db/status", "/opt/real")], &found("opt/real", 0));
    // Another link on the way, at the end of the path or in the middle of it.
    check(&[real("x/y"), link().symlink("opt/real", "../x/y")], &found("x/y", 0));
    check(&[real("x/real"), link().symlink("opt", "x")], &found("x/real", 0));
    check(&[layer().symlink("opt", "x"), real("x/real"), link()], &found("x/real", 1));
    // The directory is a link.
    check(
        &[real("opt/var/db/status"), layer().symlink("var", "opt/var")],
        &found("opt/var/db/status", 0),
    );
    check(&[real("usr/db/status"), layer().symlink("var", "usr")], &found("usr/db/status", 0));
    // The link goes away, or what it leads to does.
    let hole =
        "debian-9\ngap debian-9: no package database was found, so its packages are not known\n";
    check(&[real("opt/real"), link(), layer().delete("var/db/status")], hole);
    let broken = "gap var/db/status: it is a link to opt/real, which is not there\n";
    check(&[real("opt/real"), link(), layer().delete("opt/real")], &format!("{hole}{broken}"));
    check(
        &[real("opt/real").symlink("var/db/status", "/opt/real"), layer().delete("opt")],
        &format!("{hole}{broken}"),
    );
    check(&[os("debian").symlink("var", "x")], hole);
    // Links that run in a circle, and to what is no file.
    check(
        &[link().symlink("opt/real", "/var/db/status")],
        "gap /: no package database was found, nor any other package\n\
         gap var/db/status: it is a link to var/db/status, which is not there\n",
    );
    check(
        &[link().symlink("opt/real", "/opt/other").symlink("opt/other", "real")],
        "gap /: no package database was found, nor any other package\n\
         gap var/db/status: it is a link to opt/other, which is not there\n",
    );
    check(
        &[link().file("opt", "")],
        "gap /: no package database was found, nor any other package\n\
         gap var/db/status: it leads to opt/real, which was not read\n",
    );
}

#[test]
fn hard_links_outlive_their_first_name() {
    let lower = || {
        layer()
            .file("a/toy.json", "npm a 1")
            .hardlink("b/x", "a/toy.json")
            .hardlink("c", "a/toy.json")
    };
    check(&[lower()], "pkg:npm/a@1 installed /a/toy.json@0\n");
    check(&[lower(), layer().delete("a")], "pkg:npm/a@1 installed /b/x@0\n");
    check(&[lower(), layer().delete("a").delete("b")], "pkg:npm/a@1 installed /c@0\n");
    check(&[lower(), layer().delete("a").delete("b").delete("c")], NOTHING);
    let status = || {
        layer()
            .file("real", "deb a 1")
            .hardlink("var/db/status", "real")
            .file("etc/os-release", "ID=debian")
    };
    check(&[status()], "debian\npkg:deb/debian/a@1?distro=debian installed /real@0\n");
    check(
        &[status(), layer().delete("real")],
        "debian\npkg:deb/debian/a@1?distro=debian installed /var/db/status@0\n",
    );
}

#[test]
fn owners_of_files() {
    let status = "deb a 1\nowns a a/b/toy.json\nowns gone x/toy.json";
    let os = os("debian").file("var/db/status", status);
    check(
        &[os.clone(), toy(1).file("x/toy.json", "npm x 1")],
        "debian-9\npkg:deb/debian/a@1?distro=debian-9 installed /var/db/status@0\n\
         pkg:npm/n@1 installed /a/b/toy.json@1 owner pkg:deb/debian/a@1?distro=debian-9\n\
         pkg:npm/x@1 installed /x/toy.json@1\n",
    );
    // A second copy that nobody owns counts for itself.
    check(
        &[os, toy(1).file("x/toy.json", "npm n 1")],
        "debian-9\npkg:deb/debian/a@1?distro=debian-9 installed /var/db/status@0\n\
         pkg:npm/n@1 installed /a/b/toy.json@1 /x/toy.json@1\n",
    );
    let owner = |owns: &str, path: &str| {
        let status = format!("deb a 1 arch=i386\ndeb a 1 arch=amd64\nowns {owns}");
        let layer = self::os("debian").file("var/db/status", status).file(path, "npm n 1");
        let packages = stacked(&[layer]).packages;
        let package = packages.iter().find(|it| it.purl.kind() == "npm").unwrap();
        package.owner.as_ref().map_or("-", |it| it.qualifier("arch").unwrap()).to_owned()
    };
    assert_eq!(owner("a:i386 lib/toy.json", "lib/toy.json"), "i386");
    assert_eq!(owner("a:amd64 lib/toy.json", "usr/lib/toy.json"), "amd64");
    assert_eq!(owner("a:amd64 usr/lib/toy.json", "lib/toy.json"), "amd64");
    assert_eq!(owner("a:amd64 share/toy.json", "usr/share/toy.json"), "-");
    assert_eq!(owner("b lib/toy.json", "lib/toy.json"), "-");
}

#[test]
fn licences_from_elsewhere() {
    check(
        &[os("debian")
            .file("var/db/status", "deb a 1\ndeb b 1\nlicense deb a MIT\nlicense npm b GPL-2.0")],
        "debian-9\npkg:deb/debian/a@1?distro=debian-9 installed /var/db/status@0 [\"MIT\"]\n\
         pkg:deb/debian/b@1?distro=debian-9 installed /var/db/status@0\n",
    );
}

#[test]
fn proofs() {
    let package = layer().file("toy.json", "npm n 1 proof=bin/x proof=/lib/y.dll");
    let declared = "pkg:npm/n@1 declared /toy.json@0\n";
    let installed = "pkg:npm/n@1 installed /toy.json@0\n";
    check(std::slice::from_ref(&package), declared);
    check(&[package.clone(), layer().file("bin/x", "")], installed);
    check(&[package.clone(), layer().file("lib/y.dll", "")], installed);
    check(&[package.clone(), layer().file("bin/x", ""), layer().delete("bin")], declared);
    check(&[package, layer().delete("bin").file("bin/x", "")], installed);
    // What a list of vendored modules names must be there too.
    check(&[layer().file("toy.json", "npm n 1 vendored proof=bin/x")], declared);
}

#[test]
fn only_a_database_is_worth_another_pass() {
    let layer = read_with(
        layer().file("b/data", "npm n 1").symlink("a/toy.json", "../b/data"),
        &ReadOptions::default(),
    );
    assert_eq!(claims().stack(&[Some(&layer)], &[]).missing, []);
}

#[test]
fn a_document_about_what_is_there_adds_a_place() {
    check(
        &[layer()
            .file("a/toy.json", "npm n 1\nnpm m 1 attested")
            .file("sbom/toy.json", "npm n 1 attested")],
        "pkg:npm/m@1 attested /a/toy.json@0\n\
         pkg:npm/n@1 installed /a/toy.json@0 /sbom/toy.json@0\n",
    );
}

#[test]
fn layers_that_are_not_there() {
    let below = read_with(layer().file("toy.json", "npm n 1 proof=bin/x"), &ReadOptions::default());
    let absent = LayerDescription {
        absent: Some("a foreign layer".to_owned()),
        ..LayerDescription::default()
    };
    let digest = LayerDescription {
        digest: format!("sha256:{}", "ab".repeat(32)).parse().ok(),
        ..LayerDescription::default()
    };
    let descriptions = [LayerDescription::default(), absent, digest];
    let stacked = claims().stack(&[Some(&below), None, None], &descriptions);
    assert_eq!(
        shown(stacked),
        "pkg:npm/n@1 installed /toy.json@0\n\
         gap layer 1: a foreign layer\n\
         gap layer 2 (abababababab): its content is not known\n",
    );
}

#[test]
fn a_directory_has_no_layers() {
    let tree = read_with(layer().file("toy.json", "npm n 1"), &ReadOptions::default());
    let stacked = claims().stack(&[Some(&tree)], &[]);
    assert_eq!(stacked.packages[0].places[0].path, "/toy.json");
    assert_eq!(stacked.packages[0].places[0].layer, None);
}

/// What an image's files are, by unpacking layer after layer into a map.
fn unpacked(layers: &[Vec<Change>]) -> Vec<String> {
    let mut files: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    for (number, changes) in layers.iter().enumerate() {
        let below = |path: &str, it: &str| it == path || it.starts_with(&format!("{path}/"));
        // Whiteouts first: they never touch their own layer.
        for change in changes {
            match change {
                Change::Delete(path) => files.retain(|it, _| !below(path, it)),
                Change::Opaque(path) => files.retain(|it, _| it == path || !below(path, it)),
                Change::File(..) => {}
            }
        }
        for change in changes {
            if let Change::File(path) = change {
                files.retain(|it, _| !below(path, it) && !below(it, path));
                files.insert(path.clone(), number);
            }
        }
    }
    let toys = files.into_iter().filter(|(path, _)| path.ends_with("toy.json"));
    toys.map(|(path, number)| format!("/{path}@{number}")).collect()
}

#[derive(Clone, Debug)]
enum Change {
    File(String),
    Delete(String),
    Opaque(String),
}

fn change() -> impl Strategy<Value = Change> {
    let path = || "([ab]/){0,3}(a|b|toy\\.json)";
    prop_oneof![
        4 => path().prop_map(Change::File),
        1 => path().prop_map(Change::Delete),
        1 => path().prop_map(Change::Opaque),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn shows_what_unpacking_would_leave(
        layers in prop::collection::vec(prop::collection::vec(change(), 0..6), 1..5),
    ) {
        let built: Vec<LayerBuilder> = layers
            .iter()
            .map(|changes| changes.iter().fold(layer(), |it, change| match change {
                Change::File(path) => it.file(path, "npm n 1"),
                Change::Delete(path) => it.delete(path),
                Change::Opaque(path) => it.opaque(path),
            }))
            .collect();
        let stacked = stacked(&built);
        let seen: Vec<String> = stacked
            .packages
            .iter()
            .flat_map(|it| &it.places)
            .map(|place| format!("{}@{}", place.path, place.layer.unwrap()))
            .collect();
        prop_assert_eq!(seen, unpacked(&layers));
    }
}
