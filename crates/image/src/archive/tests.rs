//! Tests of image archives.

use testkit::{AttestationForm, Compression, compress, digest, image, index, layer, layout};

use super::*;
use crate::testing::{ask, told};

/// What is told of an archive with these bytes; its path is called `FILE`.
fn told_of(bytes: &[u8], change: impl FnOnce(&mut Ask)) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    fs_err::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    let mut ask = ask(path);
    change(&mut ask);
    told(&Archive, &ask).replace(path, "FILE")
}

/// The same is told whether the archive is plain, gzip or zstd.
fn check(bytes: &[u8], expect: &str) {
    check_ask(bytes, |_| {}, expect);
}

fn check_ask(bytes: &[u8], change: impl Fn(&mut Ask), expect: &str) {
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let told = told_of(&compress(bytes, compression), &change);
        assert_eq!(told, expect, "{compression:?}");
    }
}

fn check_ref(bytes: &[u8], reference: &str, expect: &str) {
    check_ask(bytes, |ask| ask.reference = Some(reference.to_owned()), expect);
}

fn check_platform(bytes: &[u8], platform: &str, expect: &str) {
    check_ask(bytes, |ask| ask.platform = Some(platform.parse().unwrap()), expect);
}

fn small() -> testkit::ImageBuilder {
    image()
        .layer(layer().file("etc/os-release", "ID=alpine").file("bin/sh", "x"))
        .layer(layer().file("app/main", "y"))
}

#[test]
fn docker_save_as_it_is_now() {
    check(
        &small().docker_archive("app:1"),
        "linux/amd64 digest no-index config [app:1]\n  \
         etc/os-release bin/sh <COPY layer 0>\n  app/main <COPY layer 1>",
    );
}

#[test]
fn docker_save_as_it_was() {
    check(
        &small().old_docker_archive("app:1"),
        "linux/amd64 no-digest no-index config [app:1]\n  \
         etc/os-release bin/sh no-digest <COPY layer 0>\n  app/main no-digest <COPY layer 1>",
    );
}

#[test]
fn podman_save() {
    check(
        &small().podman_archive("localhost/app:1"),
        "linux/amd64 no-digest no-index config [localhost/app:1]\n  \
         etc/os-release bin/sh no-digest <COPY layer 0>\n  app/main no-digest <COPY layer 1>",
    );
}

#[test]
fn oci_archive() {
    let layers = |compression| {
        image()
            .layer(layer().file("a", "1").stored(compression))
            .layer(layer().file("b", "2").stored(compression))
    };
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        check(
            &layers(compression).oci_archive("1"),
            "linux/amd64 digest no-index config [1]\n  a <COPY layer 0>\n  b <COPY layer 1>",
        );
    }
}

#[test]
fn the_same_layer_twice_is_read_once() {
    let twice = image().layer(layer().file("a", "1")).layer(layer().file("a", "1"));
    let expect = "linux/amd64 digest no-index config [1]\n  a <COPY layer 0>\n  a <COPY layer 1>";
    check(&twice.oci_archive("1"), expect);
    check(
        &twice.podman_archive("a:1"),
        "linux/amd64 no-digest no-index config [a:1]\n  \
         a no-digest <COPY layer 0>\n  a no-digest <COPY layer 1>",
    );
}

/// Files as an archive of this kind holds them.
fn saved(config: &str, layers: &[(&str, &[u8])], links: &[(&str, &str)]) -> Vec<u8> {
    let names: Vec<&str> =
        layers.iter().map(|(name, _)| *name).chain(links.iter().map(|(name, _)| *name)).collect();
    let manifest = serde_json::json!([{"Config": "c.json", "RepoTags": null, "Layers": names}]);
    let tar = layers.iter().fold(layer(), |tar, (name, bytes)| tar.file(name, bytes));
    let tar = links.iter().fold(tar, |tar, (name, target)| tar.symlink(name, target));
    tar.file("c.json", config).file("manifest.json", manifest.to_string()).tar()
}

fn config_of(layers: &[&[u8]]) -> String {
    let diff_ids: Vec<String> = layers.iter().map(|it| digest(it)).collect();
    serde_json::json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
    .to_string()
}

#[test]
fn a_layer_that_is_a_link_to_another() {
    let tar = layer().file("a", "1").tar();
    check(
        &saved(
            &config_of(&[&tar, &tar]),
            &[("1/layer.tar", &tar)],
            &[("2/layer.tar", "../1/layer.tar")],
        ),
        "linux/amd64 no-digest no-index config\n  a no-digest\n  a no-digest",
    );
}

#[test]
fn links_in_a_circle_lead_nowhere() {
    let links = [("1/layer.tar", "../2/layer.tar"), ("2/layer.tar", "../1/layer.tar")];
    let tar = layer().file("a", "1").tar();
    check(
        &saved(&config_of(&[&tar, &tar]), &[], &links),
        "Corrupt: FILE: the layer 1/layer.tar is missing from it\n  \
         hint: it was written in part, or for another platform: save it again",
    );
}

#[test]
fn links_stay_inside() {
    let tar = layer().file("a", "1").tar();
    check(
        &saved(&config_of(&[&tar]), &[], &[("1/layer.tar", "../../../../etc/passwd")]),
        "Corrupt: FILE: the layer 1/layer.tar is missing from it\n  \
         hint: it was written in part, or for another platform: save it again",
    );
}

#[test]
fn layers_may_be_compressed_whatever_they_are_called() {
    let tar = layer().file("a", "1").tar();
    let gzip = compress(&tar, Compression::Gzip);
    check(
        &saved(&config_of(&[&tar]), &[("abc.tar.gz", &gzip)], &[]),
        "linux/amd64 no-digest no-index config\n  a no-digest",
    );
}

#[test]
fn a_layer_that_begins_like_json() {
    let tar = layer().file("{\"a\"", "1").tar();
    check(
        &saved(&config_of(&[&tar]), &[("1/layer.tar", &tar)], &[]),
        "linux/amd64 no-digest no-index config\n  {\"a\" no-digest",
    );
    let image = image().layer(layer().file("[", "1").stored(Compression::Plain));
    check(&image.oci_archive("1"), "linux/amd64 digest no-index config [1]\n  [ <COPY layer 0>");
}

#[test]
fn content_that_is_not_what_the_configuration_says() {
    let (said, is) = (layer().file("a", "1").tar(), layer().file("a", "2").tar());
    let archive = saved(&config_of(&[&said]), &[("1/layer.tar", &is)], &[]);
    assert_eq!(told_of(&archive, |_| {}), "Corrupt: layer 1/layer.tar: its content is another");
    assert_eq!(
        told_of(&compress(&archive, Compression::Gzip), |_| {}),
        format!(
            "Corrupt: layer 1/layer.tar of FILE: its content is {}, not {}\n  \
             hint: save the image again",
            digest(&is),
            digest(&said)
        )
    );
}

#[test]
fn blobs_that_are_not_what_their_names_say() {
    let image = small();
    let blobs = image.blobs().blobs;
    let short = |at: usize| blobs[at].0.trim_start_matches("sha256:")[..12].to_owned();
    let hint = "\n  hint: it was damaged or replaced on its way or where it is kept; push it again";
    let damaged = |at: usize, bytes: &[u8]| layout().image("", &image).damaged(&blobs[at].0, bytes);
    // As long as before, so that only the digest tells.
    let mut other = blobs[0].2.clone();
    *other.last_mut().unwrap() ^= 1;
    let told = told_of(&damaged(0, &other).archive(), |_| {});
    assert!(
        told.starts_with(&format!("Corrupt: layer {} of FILE: its digest is", blobs[0].0)),
        "{told}"
    );
    let other = compress(&layer().file("a", "2").tar(), Compression::Gzip);
    let told = told_of(&compress(&damaged(1, &other).archive(), Compression::Zstd), |_| {});
    assert_eq!(
        told,
        format!(
            "Corrupt: layer {} of FILE: its digest is {}, not {}{hint}",
            blobs[1].0,
            digest(&other),
            blobs[1].0
        )
    );
    for at in [2, 3] {
        check(
            &damaged(at, b"{}").archive(),
            &format!(
                "Corrupt: blob {} of FILE: its digest is {}, not {}{hint}",
                short(at),
                digest(b"{}"),
                blobs[at].0
            ),
        );
    }
}

#[test]
fn blobs_that_are_missing() {
    let image = small();
    let blobs = image.blobs().blobs;
    let names = [
        format!("layer {}", blobs[0].0),
        format!("layer {}", blobs[1].0),
        format!("configuration {}", &blobs[2].0[7..19]),
        format!("manifest {}", &blobs[3].0[7..19]),
    ];
    for ((digest, _, _), name) in blobs.iter().zip(names) {
        check(
            &layout().image("", &image).without(digest).archive(),
            &format!(
                "Corrupt: FILE: the {name} is missing from it\n  \
                 hint: it was written in part, or for another platform: save it again"
            ),
        );
    }
}

#[test]
fn archives_that_are_cut_off() {
    let whole = small().oci_archive("1");
    let needed = whole.trim_ascii_end().iter().rposition(|it| *it != 0).unwrap() + 1;
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let bytes = compress(&whole, compression);
        for cut in (1..40).map(|part| bytes.len() * part / 40) {
            // Without the zeros at its end a plain archive is whole enough.
            let refused = compression != Compression::Plain || cut < needed;
            let told = told_of(&bytes[..cut], |_| {});
            let is_refused = ["Corrupt: ", "Invalid: "].iter().any(|it| told.starts_with(it));
            assert_eq!(is_refused, refused, "{compression:?} {cut}: {told}");
        }
    }
}

#[test]
fn what_is_no_image() {
    let hint = "\n  hint: `docker save` and OCI layouts do; for a tree of files there is fs://";
    let why = "it is no image: it holds neither an index.json nor a manifest.json";
    check(&layer().file("etc/passwd", "x").tar(), &format!("Invalid: FILE: {why}{hint}"));
    check(
        &layer().file("repositories", "{}").file("abc/json", "{}").tar(),
        "Unsupported: FILE: it was saved by a docker from before 2016\n  \
         hint: load it into a current docker and save it again",
    );
    check(
        &layer().file("manifest.json", "nonsense").tar(),
        "Corrupt: FILE: its manifest.json is odd: expected ident at line 1 column 2\n  \
         hint: `docker save` and OCI layouts are read; for others there is skopeo copy",
    );
    check(
        &layer().file("manifest.json", "[]").file("index.json", "<html>").tar(),
        "Corrupt: FILE: its manifest is HTML",
    );
    check(&layer().file("manifest.json", "[]").tar(), &format!("Invalid: FILE: {why}{hint}"));
    assert!(told_of(b"no archive at all, and no image", |_| {}).starts_with("Corrupt: FILE: "));
    assert!(told_of(b"", |_| {}).starts_with("Invalid: FILE: "));
    assert!(told_of(b"\xfd7zXZ\0and so on", |_| {}).contains("xz, which is not supported"));
    assert!(told_of(&[0xff; 4096], |_| {}).starts_with("Corrupt: FILE: "));
}

fn several() -> Vec<u8> {
    let one = image().layer(layer().file("one", ""));
    let two = image().layer(layer().file("two", ""));
    layout().image("docker.io/library/app:1", &one).image("docker.io/library/app:2", &two).archive()
}

#[test]
fn several_images_must_be_told_apart() {
    check(
        &several(),
        "Invalid: FILE: it holds several images: docker.io/library/app:1 (linux/amd64), \
         docker.io/library/app:2 (linux/amd64)\n  hint: choose one with --ref",
    );
    let two = "linux/amd64 digest no-index config [docker.io/library/app:2]\n  two <COPY layer 0>";
    check_ref(&several(), "docker.io/library/app:2", two);
    check_ref(&several(), "app:2", two);
    check_ref(&several(), "2", two);
    let blobs = image().layer(layer().file("two", "")).blobs();
    check_ref(&several(), &blobs.manifest, two);
    check_ref(&several(), &blobs.manifest[7..20], two);
    check_ref(&several(), &blobs.blobs[1].0, two);
    check_ref(
        &several(),
        "0",
        "linux/amd64 digest no-index config [docker.io/library/app:1]\n  one <COPY layer 0>",
    );
    check_ref(
        &several(),
        "app:3",
        "NotFound: FILE: it holds no image `app:3`\n  \
         hint: it holds docker.io/library/app:1 (linux/amd64), docker.io/library/app:2 (linux/amd64)",
    );
}

#[test]
fn several_images_saved_by_docker() {
    let tars = [layer().file("one", "").tar(), layer().file("two", "").tar()];
    let configs = [config_of(&[&tars[0]]), config_of(&[&tars[1]])];
    let manifest = serde_json::json!([
        {"Config": "1.json", "RepoTags": ["app:1", "app:latest"], "Layers": ["1/layer.tar"]},
        {"Config": "2.json", "RepoTags": ["app:2"], "Layers": ["2/layer.tar"]},
    ]);
    let archive = layer()
        .file("1/layer.tar", &tars[0])
        .file("2/layer.tar", &tars[1])
        .file("1.json", &configs[0])
        .file("2.json", &configs[1])
        .file("manifest.json", manifest.to_string())
        .tar();
    check(
        &archive,
        "Invalid: FILE: it holds several images: app:1 (linux/amd64), app:2 (linux/amd64)\n  \
         hint: choose one with --ref",
    );
    let one = "linux/amd64 no-digest no-index config [app:1 app:latest]\n  one no-digest";
    check_ref(&archive, "app", one);
    check_ref(&archive, "docker.io/library/app:1", one);
    check_ref(&archive, &digest(configs[0].as_bytes()), one);
}

#[test]
fn platforms() {
    let made = |architecture: &str| {
        image().platform("linux", architecture).layer(layer().file(architecture, ""))
    };
    let (amd, arm) = (made("amd64"), made("arm64"));
    let index = index()
        .image("linux/amd64", amd.clone())
        .image("linux/arm64", arm.clone())
        .attestation(AttestationForm::Legacy, "https://spdx.dev/Document");
    let archive = layout().index("app:1", &index).archive();
    check_platform(
        &archive,
        "linux/arm64/v8",
        "linux/arm64 digest index config [app:1] +https://spdx.dev/Document\n  \
         arm64 <COPY layer 0>",
    );
    check_platform(
        &archive,
        "linux/s390x",
        "NotFound: FILE: there is none for linux/s390x; there is linux/amd64, linux/arm64\n  \
         hint: choose one of these with --platform",
    );
    // By the digest of one of them, without a platform.
    check_ref(
        &archive,
        &arm.blobs().manifest,
        "linux/arm64 digest index config +https://spdx.dev/Document\n  arm64 <COPY layer 0>",
    );
    let flat = layout().image("app:1", &amd).image("app:1", &arm).archive();
    check_platform(
        &flat,
        "linux/amd64",
        "linux/amd64 digest no-index config [app:1]\n  amd64 <COPY layer 0>",
    );
    check_platform(
        &amd.old_docker_archive("app:1"),
        "linux/arm64",
        "NotFound: FILE: there is none for linux/arm64; it is for linux/amd64\n  \
         hint: leave --platform out, or say --platform linux/amd64",
    );
}

#[test]
fn paths_that_lead_outside() {
    let archive = small().docker_archive("app:1");
    // The same parts, written with detours.
    let mut builder = tar::Archive::new(&archive[..]);
    let mut detours = layer();
    for entry in builder.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = format!("./x/../{}", entry.path().unwrap().display());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        detours = detours.raw_file(&path, bytes);
    }
    check(
        &detours.tar(),
        "linux/amd64 digest no-index config [app:1]\n  \
         etc/os-release bin/sh <COPY layer 0>\n  app/main <COPY layer 1>",
    );
}

#[test]
fn paths_of_the_wrong_kind() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    assert_eq!(
        told(&Archive, &ask(path)).replace(path, "DIR"),
        "Invalid: DIR: it is a directory, not a file\n  hint: to read an OCI layout: oci-dir://DIR"
    );
    assert_eq!(
        told(&Archive, &ask("no/such.tar")),
        "NotFound: no/such.tar: there is no such file\n  \
         hint: give the path of a file that `docker save` wrote"
    );
}

#[test]
fn many_files_are_no_image() {
    let tar = (0..50_001).fold(layer(), |tar, number| tar.file(&number.to_string(), "")).tar();
    for compression in [Compression::Plain, Compression::Zstd] {
        assert_eq!(
            told_of(&compress(&tar, compression), |_| {}),
            "Limit: FILE: it holds more than 50000 files, as no image does\n  \
             hint: for a tree of files: unpack it, then fs://DIRECTORY"
        );
    }
}

#[test]
fn a_pipe_goes_by_once() {
    let (reader, mut writer) = io::pipe().unwrap();
    let archive = small().docker_archive("app:1");
    let writing = std::thread::spawn(move || io::Write::write_all(&mut writer, &archive));
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    if !std::path::Path::new(&path).exists() {
        println!("left out: this system has no /dev/fd");
        return;
    }
    let ask = ask(&path);
    let Opened::Image(image) = open(&ask).unwrap() else { panic!("it is an image") };
    crate::testing::wait(async {
        let read = image.read(Arc::new(crate::testing::Lister::default())).await.unwrap();
        assert_eq!(read.tags, ["app:1"]);
        let again = image.read(Arc::new(crate::testing::Lister::default())).await.unwrap_err();
        assert!(matches!(again, Error::Unsupported { .. }));
    });
    writing.join().unwrap().unwrap();
}

/// Digests guard everything but the names: damage is refused, or has done no harm.
#[test]
fn no_damage_goes_unnoticed() {
    let lines = |told: &str| told.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    for whole in [small().docker_archive("app:1"), small().podman_archive("app:1")] {
        let unharmed = lines(&told_of(&whole, |_| {}));
        for compression in [Compression::Plain, Compression::Gzip] {
            let whole = compress(&whole, compression);
            for (at, flip) in (0..whole.len()).step_by(97).zip([0x01, 0x80, 0xff].iter().cycle()) {
                let mut damaged = whole.clone();
                damaged[at] ^= flip;
                let told = told_of(&damaged, |_| {});
                let refused = ["Corrupt: ", "Invalid: ", "Limit: ", "Unsupported: "];
                let refused = refused.iter().any(|it| told.starts_with(it));
                assert!(refused || lines(&told) == unharmed, "{compression:?} {at}: {told}");
            }
        }
    }
}

/// What skopeo makes of an image is read as the image it was made of.
#[test]
fn what_skopeo_writes() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs_err::write(path("from.tar"), small().oci_archive("1")).unwrap();
    let copy = |to: &str| {
        let mut skopeo = std::process::Command::new("skopeo");
        let from = format!("oci-archive:{}:1", path("from.tar"));
        skopeo.args(["--insecure-policy", "copy", "-q", &from, to]).output()
    };
    let layers = "etc/os-release bin/sh <COPY layer 0>\n  app/main <COPY layer 1>";
    let undigested = layers.replace(" <", " no-digest <");
    for (kind, expect) in [
        (
            "docker-archive",
            format!("linux/amd64 no-digest no-index config [app:1]\n  {undigested}"),
        ),
        ("oci-archive", format!("linux/amd64 digest no-index config [app:1]\n  {layers}")),
    ] {
        let to = path(kind);
        let Ok(copied) = copy(&format!("{kind}:{to}:app:1")) else {
            println!("left out: skopeo is not installed");
            return;
        };
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        let told = told(&Archive, &ask(&to)).replace("docker.io/library/", "");
        assert_eq!(told, expect);
    }
}
