//! `foretop sbom`.

use testkit::{Compression, ImageBuilder};

use crate::sandbox::Sandbox;

const OS_RELEASE: &str = "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n";
const INSTALLED: &str = "\
C:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=
P:musl
V:1.2.5-r0
A:x86_64
S:411136
I:667648
T:the musl c library (libc) implementation
U:https://musl.libc.org/
L:MIT
o:musl
m:Somebody <somebody@example.com>

";
const LEFT_PAD: &str = r#"{"name": "left-pad", "version": "1.3.0", "license": "WTFPL"}"#;

/// Alpine with one package of its own and one of npm's.
fn small() -> ImageBuilder {
    let base =
        testkit::layer().file("etc/os-release", OS_RELEASE).file("lib/apk/db/installed", INSTALLED);
    let application = testkit::layer()
        .stored(Compression::Plain)
        .file("app/node_modules/left-pad/package.json", LEFT_PAD);
    testkit::image().layer(base).layer(application)
}

/// A sandbox that holds this image as `image.tar`.
pub(crate) fn with_archive() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("image.tar", small().docker_archive("example/small:1"));
    sandbox
}

#[test]
fn as_a_list() {
    insta::assert_snapshot!(with_archive().foretop("sbom --format list archive://image.tar"));
}

#[test]
fn as_json() {
    let sandbox = with_archive();
    insta::assert_snapshot!(sandbox.foretop("sbom archive://image.tar"));
}

#[test]
fn as_spdx() {
    let sandbox = with_archive();
    insta::assert_snapshot!(sandbox.foretop("sbom --format spdx archive://image.tar"));
}

#[test]
fn as_cyclonedx() {
    let sandbox = with_archive();
    insta::assert_snapshot!(sandbox.foretop("sbom --format cyclonedx archive://image.tar"));
}

#[test]
fn the_same_report_from_every_place() {
    let sandbox = with_archive();
    small().write_layout(&sandbox.path("layout"), "example/small:1");
    sandbox.file("old.tar", small().old_docker_archive("example/small:1"));
    sandbox.file("tree/etc/os-release", OS_RELEASE);
    sandbox.file("tree/lib/apk/db/installed", INSTALLED);
    sandbox.file("tree/app/node_modules/left-pad/package.json", LEFT_PAD);
    let list = |subject: &str| {
        let shown = sandbox.foretop(&format!("sbom --format list {subject}"));
        let (report, said) = shown.split_once("--- stderr\n").unwrap();
        (report.to_owned(), format!("# {subject}\n{said}"))
    };
    let (report, mut said) = list("archive://image.tar");
    for subject in ["archive://old.tar", "oci-dir://layout", "fs://tree"] {
        let (other, more) = list(subject);
        assert_eq!(other, report, "{subject}");
        said += &more;
    }
    insta::assert_snapshot!(said);
}

#[test]
fn a_document_is_read_back() {
    let sandbox = with_archive();
    let first = sandbox.output("sbom --format cyclonedx archive://image.tar").stdout;
    let direct = sandbox.foretop("sbom --format list archive://image.tar");
    let (direct, _) = direct.split_once("--- stderr\n").unwrap();
    let fed = sandbox.fed("sbom --format list sbom://", &first);
    let (report, said) = fed.split_once("--- stderr\n").unwrap();
    assert_eq!(report, direct);
    assert_eq!(said, "    ✓ SBOM read, 2 packages found\n");
}

#[test]
fn the_second_time_it_is_known() {
    let sandbox = with_archive();
    let first = sandbox.output("sbom archive://image.tar");
    let second = sandbox.output("sbom archive://image.tar");
    assert_eq!(first.stdout, second.stdout);
    let said = sandbox.shown(&second);
    let (_, said) = said.split_once("--- stderr\n").unwrap();
    assert_eq!(said, "    ✓ SBOM of image already cached, 2 packages indexed\n");
    assert!(sandbox.foretop("cache df").contains("sboms           1"));
    // Without a cache nothing is known, nor is anything kept.
    let sandbox = with_archive().with("FORETOP_NO_CACHE", "1");
    for _ in 0..2 {
        assert!(sandbox.foretop("sbom archive://image.tar").contains("✓ Archive read"));
    }
    assert!(!sandbox.path("home/.cache").exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_told_of() {
    let sandbox = with_archive().with("FORETOP_CACHE_DIR", "image.tar");
    let said = sandbox.foretop("sbom --format list archive://image.tar");
    assert!(said.contains("! Nothing is kept for the next time: cache image.tar: "), "{said}");
    assert!(said.contains("exit 0\n"), "{said}");
}

#[test]
fn the_time_can_be_stated() {
    let sandbox = with_archive().with("SOURCE_DATE_EPOCH", "86400");
    let report = sandbox.foretop("sbom --format spdx archive://image.tar");
    assert!(report.contains("1970-01-02T00:00:00Z"), "{report}");
}

#[test]
fn into_a_file() {
    let sandbox = with_archive();
    let plain = sandbox.output("sbom archive://image.tar").stdout;
    let lines = [
        "sbom -o sbom.json archive://image.tar",
        "sbom --output tmp archive://image.tar",
        "sbom --output nowhere/sbom.json archive://image.tar",
    ];
    insta::assert_snapshot!(sandbox.transcript(&lines));
    assert_eq!(fs_err::read(sandbox.path("sbom.json")).unwrap(), plain);
    assert_eq!(fs_err::read_dir(sandbox.path("tmp")).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn a_file_stays_what_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = with_archive();
    let target = sandbox.file("reports/sbom.json", "before");
    fs_err::set_permissions(&target, PermissionsExt::from_mode(0o600)).unwrap();
    fs_err::os::unix::fs::symlink(&target, sandbox.path("latest.json")).unwrap();
    sandbox.foretop("sbom -o latest.json archive://image.tar");
    let link = fs_err::symlink_metadata(sandbox.path("latest.json")).unwrap();
    assert!(link.is_symlink());
    let metadata = fs_err::metadata(&target).unwrap();
    assert!(metadata.len() > 6);
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    // What is no file is written to as it is.
    assert!(sandbox.foretop("sbom -o /dev/null archive://image.tar").starts_with("exit 0"));
}

#[test]
fn only_some_types() {
    let sandbox = with_archive();
    let lines = [
        "sbom --format list --only-package-type npm archive://image.tar",
        "sbom --format list --only-package-type APK,npm archive://image.tar",
        "sbom --format list --only-package-type cargo archive://image.tar",
    ];
    insta::assert_snapshot!(sandbox.transcript(&lines));
    let said = sandbox.foretop("sbom --only-package-type nonsense archive://image.tar");
    assert!(said.contains("! No package has the type `nonsense`; there are "), "{said}");
}

#[test]
fn gaps_are_told() {
    let sandbox = Sandbox::new();
    let layer = testkit::layer()
        .file("etc/os-release", OS_RELEASE)
        .file("lib/apk/db/installed", "V:1.2.5-r0\n\nP:musl\nV:1.2.5-r0\nA:x86_64\n\n");
    sandbox.file("image.tar", testkit::image().layer(layer).docker_archive("gap:1"));
    let said = sandbox.foretop("sbom --format list archive://image.tar");
    let (_, said) = said.split_once("--- stderr\n").unwrap();
    insta::assert_snapshot!(said);
}

#[test]
fn what_cannot_be_had() {
    let sandbox = with_archive();
    let archive = fs_err::read(sandbox.path("image.tar")).unwrap();
    sandbox.file("short.tar", &archive[..archive.len() / 2]);
    sandbox.file("noise.tar", "this is not an archive");
    let lines = [
        "sbom",
        "sbom nonsense://x",
        "sbom archive://missing.tar",
        "sbom archive://tmp",
        "sbom archive://short.tar",
        "sbom archive://noise.tar",
        "sbom archive://image.tar --ref other:1",
        "sbom archive://image.tar --platform mars",
        "sbom archive://image.tar --platform linux/s390x",
        "sbom archive://image.tar --format pdf",
        "sbom fs://missing",
        "sbom oci-dir://tmp",
        "sbom sbom://image.tar",
        "sbom local://example/small:1",
        "sbom one two",
    ];
    insta::assert_snapshot!(sandbox.transcript(&lines));
}

#[test]
fn what_the_environment_forbids() {
    let check = |name: &str, value: &str, line: &str| {
        let mut sandbox = with_archive().with(name, value);
        if name == "DOCKER_CONTEXT" {
            // It would go before.
            sandbox = sandbox.with("DOCKER_HOST", "");
        }
        format!("# {name}={value} foretop {line}\n{}\n", sandbox.foretop(line))
    };
    insta::assert_snapshot!(
        [
            check("FORETOP_OFFLINE", "1", "sbom registry://debian"),
            check("DOCKER_SCOUT_OFFLINE", "true", "sbom debian"),
            check("FORETOP_REGISTRY_USER", "me", "sbom archive://image.tar"),
            check("SOURCE_DATE_EPOCH", "now", "sbom archive://image.tar"),
            check("DOCKER_CONTEXT", "far", "sbom local://example/small:1"),
            check("DOCKER_CONTEXT", "far", "sbom --format list archive://image.tar"),
        ]
        .concat()
    );
}

#[test]
fn debug_tells_what_is_done() {
    let sandbox = with_archive();
    let said = sandbox.foretop("--debug sbom --format list archive://image.tar");
    for words in ["ms cache: ", "ms analyze start: archive://image.tar", "ms analyze done: 2 of 2"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("settings"));
    let said = sandbox.foretop("--verbose-debug sbom --format list archive://image.tar");
    assert!(said.contains("settings: Settings {"), "{said}");
    assert!(said.contains("analyze done: the image was kept"), "{said}");
}

#[test]
fn debug_tells_of_requests() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let sandbox = Sandbox::new().with("FORETOP_REGISTRY_TOKEN", "very-secret");
    let said = sandbox.foretop(&format!("--debug sbom registry://127.0.0.1:{port}/a:1"));
    let line = format!("ms GET http://127.0.0.1:{port}/v2/a/manifests/1: 404 Not Found");
    assert!(said.contains(&line), "{said}");
    let said = sandbox.foretop(&format!("--verbose-debug sbom registry://127.0.0.1:{port}/a:1"));
    assert!(said.contains("settings: ") && !said.contains("very-secret"), "{said}");
}
