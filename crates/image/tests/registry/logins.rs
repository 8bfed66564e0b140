//! Who is let in, and who never learns a password.

use image::{Credentials, Settings};
use model::Secret;
use testkit::{FakeRegistry, Fault, Guard};

use super::{WHOLE, check, outcome, settings, small};

fn guarded(guard: Guard) -> FakeRegistry {
    let registry = FakeRegistry::start().guarded(guard);
    registry.push("app", "1", &small());
    registry
}

fn with(credentials: Credentials) -> Settings {
    Settings { credentials: Some(credentials), ..settings() }
}

fn basic(user: &str, password: &str) -> Settings {
    with(Credentials::Basic { user: user.to_owned(), password: Secret::new(password) })
}

#[test]
fn with_user_and_password() {
    let guard = || Guard::Basic("alice".into(), "s3cr:t".into());
    check(&guarded(guard()), "app:1", basic("alice", "s3cr:t"), WHOLE);
    check(
        &guarded(guard()),
        "app:1",
        basic("alice", "wrong"),
        "Denied: HOST/app:1: HOST does not give it to the user alice: authentication required\n\
         hint: log in anew, or as somebody who may have it: docker login HOST",
    );
    check(
        &guarded(guard()),
        "app:1",
        settings(),
        "Denied: HOST/app:1: HOST does not give it to everybody: authentication required\n\
         hint: if it exists, log in: docker login HOST",
    );
}

#[test]
fn with_tokens() {
    check(&guarded(Guard::Anonymous), "app:1", settings(), WHOLE);
    let guard = || Guard::Token("alice".into(), "pw".into());
    check(&guarded(guard()), "app:1", basic("alice", "pw"), WHOLE);
    check(
        &guarded(guard()),
        "app:1",
        basic("alice", "wrong"),
        "Denied: HOST/app:1: HOST does not give it to the user alice: who are you\n\
         hint: log in anew, or as somebody who may have it: docker login HOST",
    );
    check(
        &guarded(guard()),
        "app:1",
        settings(),
        "Denied: HOST/app:1: HOST does not give it to everybody: who are you\n\
         hint: if it exists, log in: docker login HOST",
    );
    let identity = || with(Credentials::Identity(Secret::new("refresh-me")));
    check(&guarded(Guard::Identity("refresh-me".into())), "app:1", identity(), WHOLE);
    check(&guarded(Guard::OldIdentity("refresh-me".into())), "app:1", identity(), WHOLE);
    check(
        &guarded(Guard::Identity("other".into())),
        "app:1",
        identity(),
        "Denied: HOST/app:1: HOST does not give it to the given token: who are you\n\
         hint: log in anew, or as somebody who may have it: docker login HOST",
    );
    let bearer = || with(Credentials::Bearer(Secret::new("as-it-is")));
    check(&guarded(Guard::Bearer("as-it-is".into())), "app:1", bearer(), WHOLE);
    check(
        &guarded(Guard::Bearer("other".into())),
        "app:1",
        bearer(),
        "Denied: HOST/app:1: HOST does not give it to the given token: authentication required\n\
         hint: log in anew, or as somebody who may have it: docker login HOST",
    );
}

#[test]
fn one_token_serves_all_requests_until_it_ends() {
    let tokens = |registry: &FakeRegistry| {
        registry.seen().iter().filter(|it| it.path.starts_with("/token")).count()
    };
    let registry = guarded(Guard::Anonymous);
    check(&registry, "app:1", settings(), WHOLE);
    assert_eq!(tokens(&registry), 1);
    let service = &registry.seen()[1].path;
    assert_eq!(
        service,
        "/token?service=fake%2C+registry&scope=repository%3Aapp%3Apull&client_id=foretop"
    );
    // One after the other, for each token ends the one before.
    let registry = guarded(Guard::Anonymous).tokens_for(0);
    check(&registry, "app:1", Settings { workers: 1, ..settings() }, WHOLE);
    assert_eq!(tokens(&registry), 4);
}

#[test]
fn from_the_files_of_docker_and_podman() {
    let registry = guarded(Guard::Token("alice".into(), "pw".into()));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config.json");
    let write = |host: &str| {
        let file = format!(r#"{{"auths": {{"{host}": {{"auth": "YWxpY2U6cHc="}}}}}}"#);
        fs_err::write(&path, file).unwrap();
    };
    write(&registry.host());
    let docker = || Settings { docker_config: Some(directory.path().into()), ..settings() };
    check(&registry, "app:1", docker(), WHOLE);
    write(&format!("{}/app", registry.host()));
    let podman = Settings { auth_files: vec![path.clone()], ..settings() };
    check(&registry, "app:1", podman, WHOLE);
    write("somewhere.else");
    assert!(outcome(&registry, "app:1", docker()).starts_with("Denied: "));
    fs_err::write(&path, "{broken").unwrap();
    let outcome = outcome(&registry, "app:1", docker());
    let expect = "config.json: its JSON is broken at line 1, column 2\nhint: mend it, or move it \
                  away and log in again with docker login";
    assert!(outcome.ends_with(expect), "{outcome}");
}

#[test]
fn a_helper_that_is_not_there_is_told_and_nobody_is_asked() {
    let registry = guarded(Guard::Anonymous);
    let directory = tempfile::tempdir().unwrap();
    let file = r#"{"credsStore": "of-which-there-is-none"}"#;
    fs_err::write(directory.path().join("config.json"), file).unwrap();
    let settings = Settings { docker_config: Some(directory.path().into()), ..settings() };
    let outcome = outcome(&registry, "app:1", settings);
    let told = "docker-credential-of-which-there-is-none is of no help: ";
    assert!(outcome.starts_with(told) && outcome.ends_with(WHOLE), "{outcome}");
}

#[test]
fn nobody_else_learns_what_is_for_the_registry() {
    let elsewhere = FakeRegistry::start();
    elsewhere.push("app", "1", &small());
    let registry = guarded(Guard::Basic("alice".into(), "pw".into()));
    let manifest = registry.push("app", "1", &small());
    let blobs: Vec<String> = small().blobs().blobs.into_iter().map(|it| it.0).collect();
    for digest in blobs.iter().filter(|it| **it != manifest) {
        let url = format!("http://eve:eve@{}/v2/app/blobs/{digest}", elsewhere.host());
        // The first time it meets the guard, the second time it is sent on.
        registry.plan(digest, 1, Fault::Redirect(url));
    }
    check(&registry, "app:1", basic("alice", "pw"), WHOLE);
    assert_eq!(elsewhere.seen().len(), 3);
    assert!(elsewhere.seen().iter().all(|it| it.authorization.is_none()));
    assert!(registry.seen().iter().any(|it| it.authorization.is_some()));

    // And a stranger that asks for a login gets none.
    let stranger = guarded(Guard::Basic("alice".into(), "pw".into()));
    let registry = guarded(Guard::Basic("alice".into(), "pw".into()));
    let url = format!("http://{}/v2/app/manifests/1", stranger.host());
    registry.plan("manifests", 1, Fault::Redirect(url));
    assert!(outcome(&registry, "app:1", basic("alice", "pw")).starts_with("Denied: "));
    assert!(stranger.seen().iter().all(|it| it.authorization.is_none()));
}

#[test]
fn no_login_without_tls() {
    let registry =
        guarded(Guard::Token("alice".into(), "pw".into())).realm("http://auth.example/token");
    check(
        &registry,
        "app:1",
        basic("alice", "pw"),
        "Unavailable: HOST/app:1: HOST wants a login at a place without TLS\n\
         hint: if you trust the way there, name its host as an insecure registry",
    );
    let registry = guarded(Guard::Anonymous).realm("nowhere");
    check(
        &registry,
        "app:1",
        settings(),
        "Unavailable: HOST/app:1: HOST wants a login at an address that is none",
    );
}

#[test]
fn token_servers_that_answer_nonsense() {
    for body in ["", "[]", "{}", r#"{"token": 7}"#, r#"{"token": "a\nb"}"#, "<html>"] {
        let registry = guarded(Guard::Anonymous);
        registry.plan("/token", 1, Fault::Status(200, Vec::new(), body.to_owned()));
        let expect = "Unavailable: HOST/app:1: the token server of HOST answered with nonsense";
        check(&registry, "app:1", settings(), expect);
    }
    let registry = guarded(Guard::Anonymous);
    registry.plan("/token", 1, Fault::status(503));
    check(&registry, "app:1", settings(), WHOLE);
    let registry = guarded(Guard::Anonymous);
    let negotiate = vec![("WWW-Authenticate".to_owned(), "Negotiate".to_owned())];
    registry.plan("manifests", 1, Fault::Status(401, negotiate, String::new()));
    check(
        &registry,
        "app:1",
        settings(),
        "Unsupported: HOST/app:1: HOST wants a login by negotiate",
    );
}
