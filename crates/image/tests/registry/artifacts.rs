//! Artifacts pushed and pulled.

use std::path::Path;
use std::sync::Arc;

use image::artifact::{Artifact, Found, Layer, Piece, Pushed, Tally, find, push};
use image::{Credentials, Error, Progress, Settings, Silent};
use model::Secret;
use testkit::{FakeRegistry, Fault, Guard, digest};

use super::{noise, settings, show_error};

pub(super) const KIND: &str = "application/vnd.example.book.v1";
const CONFIG: &str = "application/vnd.example.index.v1+json";
const PAGE: &str = "application/vnd.example.page.v1";

/// Three pages, the second of which is so many bytes.
pub(super) fn book(size: usize) -> Artifact {
    Artifact {
        artifact_type: KIND.to_owned(),
        config: Piece::of_bytes(CONFIG, format!("{{\"size\":{size}}}")),
        layers: vec![
            Piece::of_bytes(PAGE, "first").titled("one"),
            Piece::of_bytes(PAGE, noise(size)),
            Piece::of_bytes(PAGE, "last"),
            Piece::of_bytes(PAGE, "first").titled("one again"),
        ],
        annotations: [("org.example.edition".to_owned(), "7".to_owned())].into(),
    }
}

fn silent() -> Arc<dyn Progress> {
    Arc::new(Silent)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn pushed(
    name: &str,
    artifact: &Artifact,
    settings: Settings,
) -> Result<Pushed, Error> {
    push(name, artifact, &Arc::new(settings), &silent()).await
}

/// What was found, what came of it, and what was here already.
pub(super) struct Pulled {
    pub(super) found: Found,
    pub(super) came: Tally,
    pub(super) kept: Tally,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
pub(super) async fn pulled(
    name: &str,
    already: &(dyn Fn(&Layer) -> bool + Sync),
    settings: Settings,
    into: &Path,
) -> Result<Pulled, Error> {
    let found = find(name, KIND, &Arc::new(settings), &silent()).await?;
    let (came, kept) = found.fetch(already, into).await?;
    Ok(Pulled { found, came, kept })
}

fn told(registry: &FakeRegistry, outcome: Result<Pushed, Error>) -> String {
    let told = match outcome {
        Ok(Pushed { sent, kept, .. }) => format!(
            "sent {} of {} bytes, kept {} of {} bytes",
            sent.blobs, sent.bytes, kept.blobs, kept.bytes
        ),
        Err(error) => show_error(&error),
    };
    told.replace(&registry.host(), "HOST")
}

fn told_of_pull(registry: &FakeRegistry, outcome: Result<Pulled, Error>) -> String {
    let told = match outcome {
        Ok(Pulled { came, kept, .. }) => format!(
            "came {} of {} bytes, kept {} of {} bytes",
            came.blobs, came.bytes, kept.blobs, kept.bytes
        ),
        Err(error) => show_error(&error),
    };
    told.replace(&registry.host(), "HOST")
}

/// Files in a folder, by name: their sizes.
fn files(folder: &Path) -> Vec<(String, usize)> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<(String, usize)> = entries
        .map(|it| it.unwrap())
        .map(|it| (it.file_name().into_string().unwrap(), fs_err::read(it.path()).unwrap().len()))
        .collect();
    files.sort_by_key(|(_, size)| *size);
    files
}

fn login(password: &str) -> Settings {
    let password = Secret::new(password);
    let user = "alice".to_owned();
    Settings { credentials: Some(Credentials::Basic { user, password }), ..settings() }
}

#[test]
fn there_and_back() {
    for registry in [FakeRegistry::start(), FakeRegistry::start().with_relative_locations()] {
        let name = format!("{}/team/book:1", registry.host());
        let large = 20_000_000;
        let first = pushed(&name, &book(large), settings()).unwrap();
        assert_eq!((first.sent.blobs, first.sent.bytes), (4, 20_000_026));
        assert_eq!(registry.tag("team/book", "1").as_deref(), Some(first.digest.as_str()));
        // What is large goes in pieces.
        let seen = registry.seen();
        assert_eq!(seen.iter().filter(|it| it.method == "PATCH").count(), 2);
        assert!(seen.iter().all(|it| it.length <= 8 << 20));

        let folder = tempfile::tempdir().unwrap();
        let into = folder.path().join("new");
        let all = pulled(&name, &|_| false, settings(), &into).unwrap();
        assert_eq!(all.found.digest, first.digest);
        assert_eq!(all.found.config, b"{\"size\":20000000}");
        assert_eq!(all.found.annotations["org.example.edition"], "7");
        let titles: Vec<Option<&str>> =
            all.found.layers.iter().map(|it| it.title.as_deref()).collect();
        assert_eq!(titles, [Some("one"), None, None, Some("one again")]);
        assert_eq!((all.came.blobs, all.came.bytes), (3, 20_000_009));
        let names: Vec<String> = files(&into).into_iter().map(|(name, _)| name).collect();
        let expect = [digest(b"last"), digest(b"first"), digest(&noise(large))];
        assert_eq!(names, expect.map(|it| it.replace("sha256:", "")));
    }
}

#[test]
fn only_what_changed_is_sent_and_fetched() {
    let registry = FakeRegistry::start();
    let name = format!("{}/team/book:1", registry.host());
    let outcome = pushed(&name, &book(300_000), settings());
    assert_eq!(told(&registry, outcome), "sent 4 of 300024 bytes, kept 0 of 0 bytes");
    let again = pushed(&name, &book(300_000), settings());
    assert_eq!(told(&registry, again), "sent 0 of 0 bytes, kept 4 of 300024 bytes");
    let folder = tempfile::tempdir().unwrap();
    pulled(&name, &|_| false, settings(), folder.path()).unwrap();

    let mut changed = book(300_000);
    changed.layers[2] = Piece::of_bytes(PAGE, "the new last page");
    let before = registry.seen().len();
    let outcome = pushed(&name, &changed, settings());
    assert_eq!(told(&registry, outcome), "sent 1 of 17 bytes, kept 3 of 300020 bytes");
    let uploads = registry.seen().split_off(before);
    let sent: usize =
        uploads.iter().filter(|it| !it.path.contains("manifests")).map(|it| it.length).sum();
    assert_eq!(sent, 17);
    let here = |layer: &Layer| folder.path().join(layer.digest.hex()).is_file();
    let outcome = pulled(&name, &here, settings(), folder.path());
    assert_eq!(told_of_pull(&registry, outcome), "came 1 of 17 bytes, kept 2 of 300005 bytes");
}

#[test]
fn whoever_may() {
    let alice = || ("alice".to_owned(), "wonderland".to_owned());
    let basic = || Guard::Basic(alice().0, alice().1);
    let token = || Guard::Token(alice().0, alice().1);
    let sent = "sent 4 of 1022 bytes, kept 0 of 0 bytes";
    for guard in [basic(), token()] {
        let registry = FakeRegistry::start().guarded(guard);
        let name = format!("{}/app:1", registry.host());
        let outcome = pushed(&name, &book(1_000), login("wonderland"));
        assert_eq!(told(&registry, outcome), sent);
        let folder = tempfile::tempdir().unwrap();
        assert!(pulled(&name, &|_| false, login("wonderland"), folder.path()).is_ok());
        let outcome = told(&registry, pushed(&name, &book(1_001), login("looking-glass")));
        assert!(
            outcome.starts_with("Denied: HOST/app:1: HOST does not take it from the user alice")
        );
    }
    let registry = FakeRegistry::start().guarded(Guard::Basic("bob".into(), "x".into()));
    let name = format!("{}/app:1", registry.host());
    assert_eq!(
        told(&registry, pushed(&name, &book(1_000), settings())),
        "Denied: HOST/app:1: HOST does not take it from everybody\n\
         hint: log in: docker login HOST"
    );
}

#[test]
fn uploads_that_break() {
    let check = |path: &str, times: usize, fault: Fault, expect: &str| {
        let registry = FakeRegistry::start();
        registry.plan(path, times, fault);
        let name = format!("{}/app:1", registry.host());
        assert_eq!(told(&registry, pushed(&name, &book(1_000), settings())), expect);
    };
    let sent = "sent 4 of 1022 bytes, kept 0 of 0 bytes";
    check("blobs/uploads/", 1, Fault::status(503), sent);
    check("?at=0", 1, Fault::status(503), sent);
    check("?at=0", 1, Fault::HangUp, sent);
    check("manifests", 1, Fault::status(503), sent);
    check(
        "manifests",
        9,
        Fault::status(500),
        "Unavailable: HOST/app:1: HOST answered 500 (tried 3 times)",
    );
    check(
        "blobs/uploads/",
        99,
        Fault::status(200),
        "Unavailable: HOST/app:1: HOST answered 200 to an upload\n\
         hint: is HOST a registry that takes uploads?",
    );
    check("blobs/uploads/", 99, Fault::status(405), "Unavailable: HOST/app:1: HOST answered 405");
    let zero = "0".repeat(64);
    let registry = FakeRegistry::start();
    registry.plan("manifests", 1, Fault::WrongDigest);
    let name = format!("{}/app:1", registry.host());
    let outcome = told(&registry, pushed(&name, &book(1_000), settings()));
    assert!(outcome.starts_with(&format!("Corrupt: HOST/app:1: HOST keeps sha256:{zero}, not ")));
}

#[test]
fn files_that_are_not_what_was_said() {
    let registry = FakeRegistry::start();
    let name = format!("{}/app:1", registry.host());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page");
    fs_err::write(&path, "forged").unwrap();
    let with = |text: &str, size: u64| Artifact {
        layers: vec![Piece::of_file(PAGE, &path, digest(text.as_bytes()).parse().unwrap(), size)],
        ..book(1)
    };
    assert_eq!(
        told(&registry, pushed(&name, &with("genuin", 6), settings())),
        "Unavailable: HOST/app:1: HOST answered 400: provided digest did not match"
    );
    assert_eq!(
        told(&registry, pushed(&name, &with("forged", 7), settings())),
        "Corrupt: HOST/app:1: a file changed while it was sent\nhint: push it again"
    );
    assert!(registry.tag("app", "1").is_none());
    assert!(pushed(&name, &with("forged", 6), settings()).is_ok());
    let digest = format!("{}/app@{}", registry.host(), digest(b"x"));
    let outcome = told(&registry, pushed(&digest, &book(1), settings()));
    assert!(outcome.starts_with("Invalid: HOST/app@sha256:"), "{outcome}");
}

#[test]
fn blobs_that_are_not_what_was_pushed() {
    let registry = FakeRegistry::start();
    let name = format!("{}/app:1", registry.host());
    pushed(&name, &book(1_000), settings()).unwrap();
    let page = digest(&noise(1_000));
    for (fault, expect) in [
        (Fault::Spoil, "its digest is sha256:"),
        (Fault::Lengthen(1), "a layer is longer than the 1000 bytes that it may have"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        registry.plan(&page, 1, fault);
        let outcome = told_of_pull(&registry, pulled(&name, &|_| false, settings(), folder.path()));
        assert!(outcome.starts_with("Corrupt: ") && outcome.contains(expect), "{outcome}");
        // Neither the wrong file is there, nor a piece of it.
        assert!(files(folder.path()).iter().all(|(_, size)| *size < 10));
    }
    let folder = tempfile::tempdir().unwrap();
    registry.plan(&page, 1, Fault::BreakAfter(500));
    assert!(pulled(&name, &|_| false, settings(), folder.path()).is_ok());
    let limits = tarball::Limits { total: 1000, ..tarball::Limits::default() };
    let outcome = pulled(&name, &|_| false, Settings { limits, ..settings() }, folder.path());
    assert_eq!(told_of_pull(&registry, outcome), "Limit: HOST/app:1: it is over 1000 bytes");
}

#[tokio::main(flavor = "current_thread")]
async fn looked(registry: &FakeRegistry, name: &str) -> String {
    let name = format!("{}/{name}", registry.host());
    let outcome = find(&name, KIND, &Arc::new(settings()), &silent()).await;
    show_error(&outcome.err().unwrap()).replace(&registry.host(), "HOST")
}

#[test]
fn other_things() {
    let registry = FakeRegistry::start();
    registry.push("app", "1", &super::small());
    assert_eq!(
        looked(&registry, "app:1"),
        format!(
            "Unsupported: HOST/app:1: it is application/vnd.oci.image.config.v1+json, not {KIND}\n\
             hint: is it the right name?"
        )
    );
    let oci = "application/vnd.oci.image.manifest.v1+json";
    for (manifest, expect) in [
        ("{", "Corrupt: HOST/app:2: its manifest is no JSON ("),
        (
            r#"{"schemaVersion": 2, "artifactType": "KIND", "config": {"mediaType": "x", "digest": "sha256:../x", "size": 1}}"#,
            "Corrupt: HOST/app:2: in its manifest, ",
        ),
        (
            r#"{"schemaVersion": 2, "artifactType": "KIND", "config": 7}"#,
            "Corrupt: HOST/app:2: its manifest cannot be read: ",
        ),
    ] {
        registry.push_manifest("app", "2", oci, manifest.replace("KIND", KIND).as_bytes());
        let error = looked(&registry, "app:2");
        assert!(error.starts_with(expect), "{error}");
    }
}
