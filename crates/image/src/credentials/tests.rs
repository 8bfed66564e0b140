//! Tests of credentials from Docker's and podman's files.

use std::sync::Mutex;

use super::*;

#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn expect(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn tell(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

/// What the file `json` knows about `name` (`host/repository`), and what is told meanwhile.
/// Helpers are the programs in `fixtures/helpers`.
#[tokio::main(flavor = "current_thread")]
async fn check(json: &str, name: &str, expect: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    fs_err::write(&path, json).unwrap();
    let (host, repository) = name.split_once('/').unwrap();
    let told = Told::default();
    let program =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/helpers/{name}"));
    let found = match read_file(&path) {
        Ok(Some(file)) => file.find(&path, host, repository, &program, &told).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let shown = match found {
        Ok(None) => "none".to_owned(),
        Ok(Some(Credentials::Basic { user, password })) => format!("{user}:{}", password.expose()),
        Ok(Some(Credentials::Identity(token))) => format!("identity {}", token.expose()),
        Ok(Some(Credentials::Bearer(token))) => format!("bearer {}", token.expose()),
        Err(error) => error.to_string().replace(&path.display().to_string(), "FILE"),
    };
    let told = told.0.into_inner().unwrap().into_iter().map(|it| it + "\n").collect::<String>();
    assert_eq!(told + &shown, expect);
}

#[test]
fn the_hub_has_a_login_of_its_own() {
    let basic = |user: &str| {
        let (user, password) = (user.to_owned(), model::Secret::new("p"));
        Some(Credentials::Basic { user, password })
    };
    let check = |host: &str, settings: &Settings, expect: Option<Credentials>| {
        assert_eq!(given(host, settings), expect.as_ref(), "{host}");
    };
    let hub = Settings { hub: basic("ann"), ..Settings::default() };
    check("docker.io", &hub, basic("ann"));
    check("registry-1.docker.io", &hub, basic("ann"));
    check("ghcr.io", &hub, None);
    let both = Settings { credentials: basic("bob"), ..hub };
    check("docker.io", &both, basic("ann"));
    check("docker.io.evil.example", &both, basic("bob"));
}

#[test]
fn reads_logins() {
    let file = r#"{"auths": {
        "ghcr.io": {"auth": "YWxpY2U6czNjcjp0AAA="},
        "https://index.docker.io/v1/": {"auth": "Ym9iOnB3"},
        "old.example": {"username": "carol", "password": "x"},
        "https://legacy.example/v2/": {"identitytoken": "refresh"},
        "localhost:5000": {"registrytoken": "as-is"},
        "empty.example": {}, "null.example": null
    }}"#;
    check(file, "ghcr.io/a/b", "alice:s3cr:t");
    check(file, "docker.io/library/debian", "bob:pw");
    check(file, "old.example/a", "carol:x");
    check(file, "legacy.example/a", "identity refresh");
    check(file, "localhost:5000/a", "bearer as-is");
    check(file, "localhost/a", "none");
    check(file, "empty.example/a", "none");
    check(file, "null.example/a", "none");
    check("", "ghcr.io/a", "none");
    check("{}", "ghcr.io/a", "none");
}

#[test]
fn the_longest_path_wins() {
    let file = r#"{"auths": {
        "quay.io": {"auth": "YTpiCg"}, "quay.io/team": {"username": "team", "password": "1"},
        "quay.io/team/app": {"username": "app", "password": "2"},
        "docker.io": {"username": "hub", "password": "3"}
    }}"#;
    check(file, "quay.io/team/app", "app:2");
    check(file, "quay.io/team/application", "team:1");
    check(file, "quay.io/teams/x", "a:b\n");
    check(file, "docker.io/library/debian", "hub:3");
}

#[test]
fn broken_files_are_named_but_not_quoted() {
    check(
        r#"{"auths": {"ghcr.io": {"auth": 12345}}}"#,
        "ghcr.io/a",
        "FILE: its JSON is broken at line 1, column 36",
    );
    check("{", "ghcr.io/a", "FILE: its JSON is broken at line 1, column 1");
    let file = |auth: &str| format!(r#"{{"auths": {{"ghcr.io": {{"auth": "{auth}"}}}}}}"#);
    check(&file("?"), "ghcr.io/a", "FILE: its login for ghcr.io is no base64");
    check(&file("YQ=="), "ghcr.io/a", "FILE: its login for ghcr.io is no user and password");
    // Of other registries no login is needed.
    check(&file("?"), "quay.io/a", "none");
}

#[test]
fn asks_helpers() {
    if !cfg!(unix) {
        println!("left out: the helpers of this test are shell scripts");
        return;
    }
    let file = r#"{
        "credsStore": "echoes",
        "credHelpers": {
            "token.example": "token", "lost.example": "knows-nothing", "sick.example": "fails",
            "junk.example": "babbles", "gone.example": "not-there", "odd.example": "../../bin/sh"
        },
        "auths": {"lost.example": {"auth": "YWxpY2U6cHc="}}
    }"#;
    check(file, "token.example/a", "identity from-a-helper");
    check(file, "ghcr.io/a", "asked-about:ghcr.io");
    check(file, "docker.io/library/debian", "asked-about:https://index.docker.io/v1/");
    // The store comes after a registry's own helper, the file after both.
    check(file, "lost.example/a", "asked-about:lost.example");
    let own = file.replace("echoes", "knows-nothing");
    check(&own, "lost.example/a", "alice:pw");
    check(&own, "ghcr.io/a", "none");
    check(
        &own,
        "sick.example/a",
        "docker-credential-fails is of no help: the key ring is locked\nnone",
    );
    check(
        &own,
        "junk.example/a",
        "docker-credential-babbles is of no help: its answer is no JSON\nnone",
    );
    check(
        &own,
        "gone.example/a",
        "docker-credential-not-there is of no help: No such file or directory (os error 2)\nnone",
    );
    check(
        &own,
        "odd.example/a",
        "docker-credential-../../bin/sh is of no help: that is not the name of a helper\nnone",
    );
}

#[tokio::test]
async fn a_helper_that_hangs_is_given_up() {
    if !cfg!(unix) {
        println!("left out: the helpers of this test are shell scripts");
        return;
    }
    let program =
        |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/helpers/{name}"));
    let patience = std::time::Duration::from_millis(50);
    let answer = helper::ask("hangs", &program, "ghcr.io", patience).await;
    assert_eq!(answer.unwrap_err(), "it did not answer within 0 seconds");
}
