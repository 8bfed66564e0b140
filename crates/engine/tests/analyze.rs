//! The walk from end to end: images built here, read from every place that holds files.

use std::fmt::Write as _;
use std::sync::Arc;

use cache::Cache;
use engine::{Analyzed, Engine, Error, Hearing, Origin, Request};
use model::Inventory;
use tempfile::TempDir;
use testkit::{AttestationForm, Compression, FakeRegistry, ImageBuilder, image, index, layer};

const RELEASE: &str = "ID=debian\nVERSION_ID=12\n";
const STATUS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n\
                      Source: zlib\nVersion: 1:1.3.dfsg-1\n\n";
const PACKAGE_JSON: &str = r#"{"name":"left-pad","version":"1.3.0","license":"WTFPL"}"#;

/// A base, and an application on top.
fn two_layers(compression: Compression) -> ImageBuilder {
    image()
        .layer(
            layer()
                .file("etc/os-release", RELEASE)
                .file("var/lib/dpkg/status", STATUS)
                .file("app/node_modules/left-pad/package.json", PACKAGE_JSON)
                .stored(compression),
        )
        .layer(layer().delete("app/node_modules").file("app/readme", "hello").stored(compression))
}

const TWO_LAYERS: &str = "\
pkg:deb/debian/zlib1g@1:1.3.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib installed /var/lib/dpkg/status in 0
";

fn ask(engine: &Engine, subject: &str) -> Result<Analyzed, Error> {
    let request = Request {
        subject: subject.to_owned(),
        platform: None,
        reference: None,
        manifest: None,
        hearing: Hearing::Nothing,
        settings: Arc::new(image::Settings::default()),
        progress: Arc::new(image::Silent),
    };
    answer(engine, &request)
}

fn answer(engine: &Engine, request: &Request) -> Result<Analyzed, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("there are threads").block_on(engine.inventory(request))
}

/// Packages with their places, then gaps.
fn shown(inventory: &Inventory) -> String {
    let mut text = String::new();
    for package in &inventory.packages {
        let _ = write!(text, "{} {}", package.purl, package.kind.as_str());
        for place in &package.places {
            let _ = write!(text, " {}", place.path);
            if let Some(layer) = place.layer {
                let _ = write!(text, " in {layer}");
            }
        }
        text.push('\n');
    }
    for gap in &inventory.gaps {
        let _ = writeln!(text, "gap: {gap}");
    }
    text
}

fn check(subject: &str, expect: &str) {
    match ask(&Engine::default(), subject) {
        Ok(analyzed) => assert_eq!(shown(&analyzed.inventory), expect, "{subject}"),
        Err(error) => panic!("{subject}: {error}"),
    }
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs_err::create_dir_all(path.parent().expect("it has one")).expect("a fresh directory");
    fs_err::write(&path, bytes).expect("a fresh directory");
    path.display().to_string()
}

#[test]
fn every_layout_and_compression_says_the_same() {
    let folder = TempDir::new().unwrap();
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let image = two_layers(compression);
        for archive in
            [image.oci_archive("a:1"), image.docker_archive("a:1"), image.old_docker_archive("a:1")]
        {
            check(&format!("archive://{}", write(&folder, "image.tar", archive)), TWO_LAYERS);
        }
        let layout = folder.path().join("layout");
        image.write_layout(&layout, "a:1");
        check(&format!("oci-dir://{}", layout.display()), TWO_LAYERS);
        fs_err::remove_dir_all(layout).unwrap();
    }
}

#[test]
fn a_directory_is_one_tree() {
    let folder = TempDir::new().unwrap();
    write(&folder, "etc/os-release", RELEASE);
    write(&folder, "var/lib/dpkg/status", STATUS);
    check(
        &format!("fs://{}", folder.path().display()),
        "pkg:deb/debian/zlib1g@1:1.3.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib installed /var/lib/dpkg/status\n",
    );
}

#[test]
fn a_database_behind_links_in_another_layer_is_found() {
    let folder = TempDir::new().unwrap();
    let image = image()
        .layer(layer().file("etc/os-release", RELEASE).file("data/dpkg/status", STATUS))
        .layer(layer().symlink("srv/dpkg", "../data/dpkg"))
        .layer(layer().symlink("var/lib/dpkg", "/srv/dpkg"));
    let path = write(&folder, "image.tar", image.oci_archive("a:1"));
    check(
        &format!("archive://{path}"),
        "pkg:deb/debian/zlib1g@1:1.3.dfsg-1?arch=amd64&distro=debian-12&upstream=zlib installed /data/dpkg/status in 0\n",
    );
}

#[test]
fn the_second_time_nothing_is_read() {
    let folder = TempDir::new().unwrap();
    let engine = Engine {
        cache: Some(Arc::new(Cache::open(folder.path().join("cache"), cache::DEFAULT_LIMIT))),
    };
    let image = two_layers(Compression::Gzip);
    let path = write(&folder, "image.tar", image.oci_archive("a:1"));
    let subject = format!("archive://{path}");
    let first = ask(&engine, &subject).unwrap();
    assert_eq!(first.origin, Origin::Layers { read: 2, all: 2 });
    let second = ask(&engine, &subject).unwrap();
    assert_eq!(second.origin, Origin::Kept);
    assert_eq!(first.inventory, second.inventory);

    let more = image.layer(layer().file("app/node_modules/left-pad/package.json", PACKAGE_JSON));
    let path = write(&folder, "more.tar", more.oci_archive("b:1"));
    let third = ask(&engine, &format!("archive://{path}")).unwrap();
    assert_eq!(third.origin, Origin::Layers { read: 1, all: 3 });
    assert_eq!(
        shown(&third.inventory),
        format!(
            "{TWO_LAYERS}pkg:npm/left-pad@1.3.0 installed /app/node_modules/left-pad/package.json in 2\n"
        )
    );
}

#[test]
fn what_the_names_do_not_hold_is_refused() {
    let folder = TempDir::new().unwrap();
    let image = two_layers(Compression::Gzip);
    let layout = folder.path().join("layout");
    image.write_layout(&layout, "a:1");
    let subject = format!("oci-dir://{}", layout.display());
    for blob in fs_err::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = blob.unwrap().path();
        let honest = fs_err::read(&path).unwrap();
        let mut bytes = honest.clone();
        bytes.push(b'\n');
        fs_err::write(&path, bytes).unwrap();
        let error = ask(&Engine::default(), &subject).unwrap_err();
        assert!(matches!(&error, Error::Image(image::Error::Corrupt { .. })), "{error}");
        fs_err::write(&path, honest).unwrap();
    }
}

#[test]
fn an_old_archive_must_hold_what_its_diff_ids_say() {
    let folder = TempDir::new().unwrap();
    let honest = two_layers(Compression::Plain).old_docker_archive("a:1");
    let at = honest.windows(5).position(|it| it == b"hello").unwrap();
    let mut bytes = honest;
    bytes[at] = b'j';
    let path = write(&folder, "image.tar", bytes);
    let error = ask(&Engine::default(), &format!("archive://{path}")).unwrap_err();
    assert!(matches!(&error, Error::Image(image::Error::Corrupt { .. })), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_layer_that_is_no_archive_is_a_hole() {
    let folder = TempDir::new().unwrap();
    let image = two_layers(Compression::Gzip).blob_layer(b"this is no archive, and no layer");
    let path = write(&folder, "image.tar", image.oci_archive("a:1"));
    let analyzed = ask(&Engine::default(), &format!("archive://{path}")).unwrap();
    let text = shown(&analyzed.inventory);
    assert!(text.starts_with(TWO_LAYERS.trim_end()), "{text}");
    assert!(text.contains("gap: layer"), "{text}");
}

#[test]
fn a_layer_that_nobody_can_vouch_for_is_refused() {
    let folder = TempDir::new().unwrap();
    let image = two_layers(Compression::Plain).blob_layer(b"this is no archive, and no layer");
    let path = write(&folder, "image.tar", image.old_docker_archive("a:1"));
    let error = ask(&Engine::default(), &format!("archive://{path}")).unwrap_err();
    assert!(matches!(&error, Error::Image(image::Error::Corrupt { .. })), "{error}");
}

#[test]
fn a_document_reads_back_to_what_was_written() {
    let folder = TempDir::new().unwrap();
    let path = write(&folder, "image.tar", two_layers(Compression::Gzip).oci_archive("a:1"));
    let inventory = ask(&Engine::default(), &format!("archive://{path}")).unwrap().inventory;
    for format in format::ALL.iter().filter(|it| it.writes() && it.id() != "list") {
        let document = format.write(&inventory, &format::Options::default());
        let path = write(&folder, format.id(), document);
        let again = ask(&Engine::default(), &format!("sbom://{path}")).unwrap();
        assert_eq!(again.origin, Origin::Document);
        assert_eq!(again.inventory, inventory, "{}", format.id());
    }
}

#[test]
fn statements_are_fetched_for_those_who_judge() {
    let registry = FakeRegistry::start();
    let stated = index()
        .image("linux/amd64", two_layers(Compression::Gzip))
        .attestation(AttestationForm::Artifact, "https://openvex.dev/ns/v0.2.0");
    registry.push_index("app", "1", &stated);
    let asked_for = |hearing: Hearing| {
        let before = registry.seen().len();
        let request = Request {
            subject: format!("registry://{}/app:1", registry.host()),
            platform: Some("linux/amd64".parse().unwrap()),
            reference: None,
            manifest: None,
            hearing,
            settings: Arc::new(image::Settings::default()),
            progress: Arc::new(image::Silent),
        };
        let Analyzed { inventory, beside, .. } = answer(&Engine::default(), &request).unwrap();
        assert_eq!(beside.is_some(), hearing == Hearing::All);
        let stated = beside.map_or(0, |it| it.unwrap().statements.len());
        (registry.seen().len() - before, inventory.gaps.len(), stated)
    };
    let (without, gaps, _) = asked_for(Hearing::Nothing);
    assert_eq!(gaps, 0);
    // The statement is an empty one, which is a hole. Of the image and of its index three places are asked:
    // the referrers, the list in place of them, and the tag of cosign's.
    assert_eq!(asked_for(Hearing::Flaws), (without + 2 + 2 * 3, 1, 0));
    assert_eq!(asked_for(Hearing::Origins), (without + 2 + 2 * 3, 1, 0));
    // Whoever hears all hears it once, and it is handed on.
    assert_eq!(asked_for(Hearing::All), (without + 2 + 2 * 3, 1, 1));
}
