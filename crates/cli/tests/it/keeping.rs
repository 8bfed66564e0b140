//! `foretop retention`, `image`, `repo delete` and `organization`: what is kept, and what goes.

use crate::environment::{alone, pushed, settled};
use crate::sandbox::Sandbox;

#[track_caller]
fn check(sandbox: &Sandbox, name: &str, lines: &[&str]) {
    insta::assert_snapshot!(name, settled(&sandbox.transcript(lines)));
}

#[test]
fn how_long_things_are_kept() {
    let sandbox = alone(Sandbox::new());
    let lines = [
        "retention list",
        "retention set events 90d",
        "retention set images forever",
        "retention set history 1y",
        "retention set counts default",
        "retention set all 1d",
        "retention set events soon",
        "retention list",
        "retention list --format json",
        "retention apply --dry-run",
        "retention apply",
        "retention apply --dry-run --format json",
        "events --kind setting-changed --format text",
    ];
    check(&sandbox, "how_long_things_are_kept", &lines);
}

#[test]
fn images_and_repositories_go() {
    let sandbox = pushed();
    let lines = [
        "image list",
        "image list myorg/other",
        "env production myorg/myapp:v1.2.0",
        "env staging myorg/myapp:v1.2.3",
        "image delete myorg/myapp:v1.2.0",
        "image delete myorg/myapp:v1.2.0 --force",
        "image delete myorg/myapp:v1.2.0 --force",
        "image delete sha256:1111111111111111111111111111111111111111111111111111111111111111",
        "env production --history",
        "events --limit 2",
        "repo delete myorg/myapp",
        "repo delete myorg/myapp --force",
        "repo delete myorg/myapp",
        "image list",
        "env staging",
        "where kettle",
    ];
    check(&sandbox, "images_and_repositories_go", &lines);
}

#[test]
fn an_organisation_goes_when_its_name_is_said() {
    let sandbox = alone(Sandbox::new());
    let lines = [
        "enroll heliotrope",
        "env create production --org heliotrope",
        "organization list",
        "organization delete heliotrope",
        "organization delete heliotrope --yes acme",
        "org delete heliotrope --yes heliotrope",
        "org delete heliotrope --yes heliotrope",
        "org list",
    ];
    check(&sandbox, "an_organisation_goes_when_its_name_is_said", &lines);
    // Not in the database's files, and not in a backup of it.
    let folder = sandbox.path("home/.local/share/foretop");
    let mut files = 0;
    for entry in fs_err::read_dir(folder).unwrap() {
        let bytes = fs_err::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(10).any(|it| it == b"heliotrope"));
        files += 1;
    }
    assert!(files > 0, "there is a database");
}
