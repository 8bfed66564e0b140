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

/// What is deleted is gone, so it is never guessed what is meant.
#[test]
fn of_several_platforms_none_is_guessed() {
    let sandbox = pushed();
    let layer = testkit::layer().file("app/node_modules/a/package.json", "{}");
    let image = testkit::image().layer(layer).platform("linux", "arm64");
    sandbox.file("arm.tar", image.docker_archive("myorg/myapp:v1.2.0"));
    let lines = [
        "push archive://arm.tar",
        "image delete myorg/myapp:v1.2.0",
        "image delete myorg/myapp:v1.2.0 --platform linux/s390x",
        "image delete myorg/myapp:v1.2.0 --platform linux/arm64",
        "image delete myorg/myapp:v1.2.0",
        "image delete myorg/myapp",
        "image delete MYORG",
        "image list",
    ];
    check(&sandbox, "of_several_platforms_none_is_guessed", &lines);
}

#[test]
fn a_digest_for_another_platform_stays() {
    let sandbox = pushed();
    let layer = testkit::layer().file("app/node_modules/a/package.json", "{}");
    let image = testkit::image().layer(layer).platform("linux", "arm64");
    sandbox.file("arm.tar", image.docker_archive("myorg/myapp:v1.2.0"));
    let pushed = sandbox.foretop("push archive://arm.tar");
    let digest = pushed.split('@').nth(1).unwrap().split_whitespace().next().unwrap();
    let delete =
        |platform: &str| sandbox.foretop(&format!("image delete {digest} --platform {platform}"));
    let refused = delete("linux/amd64");
    assert!(refused.contains(": it is not for linux/amd64\n"), "{refused}");
    assert!(refused.contains("hint: it is for linux/arm64"), "{refused}");
    assert!(sandbox.foretop("image list").contains(digest));
    let gone = delete("linux/arm64/v8");
    assert!(gone.contains("Successfully deleted image"), "{gone}");
}

#[test]
fn an_unset_variable_is_no_name() {
    let sandbox = alone(Sandbox::new());
    let foretop = std::path::Path::new(env!("CARGO_BIN_EXE_foretop"));
    for words in [
        &["repo", "delete", ""][..],
        &["repo", "enable", ""],
        &["image", "delete", ""],
        &["organization", "delete", ""],
        &["enroll", ""],
        &["where", ""],
        &["member", "remove", ""],
        &["token", "revoke", ""],
        &["session", "end", ""],
        &["admin", "forget", ""],
    ] {
        let output = sandbox.command(foretop).args(words).output().unwrap();
        let said = sandbox.shown(&output);
        assert!(said.starts_with("exit 1\n"), "{words:?}: {said}");
        assert!(said.contains("a value is required for '"), "{words:?}: {said}");
    }
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
