//! The distribution project's own registry (Debian: `docker-registry`), filled by `skopeo`.
//!
//! Where one of the two programs is missing these tests leave themselves out and say so.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use image::{Credentials, Settings};
use model::Secret;
use testkit::{AttestationForm, RealRegistry, image, index, layer, layout};

use super::artifacts::{book, pulled, pushed};
use super::{Watch, noise, read, settings};

/// Stands between a client and the registry, and hangs up once after so many bytes of answers.
/// Gives its address, and what clients said to it.
fn relay(registry: &str, cut_after: usize) -> (String, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let registry = registry.to_owned();
    let said = Arc::new(Mutex::new(String::new()));
    let heard = Arc::clone(&said);
    let left = Arc::new(Mutex::new(Some(cut_after)));
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (mut client, mut server) =
                (client.unwrap(), TcpStream::connect(&registry).unwrap());
            let (mut asking, mut asked) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            let heard = Arc::clone(&heard);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = asking.read(&mut buffer) {
                    *heard.lock().unwrap() += &String::from_utf8_lossy(&buffer[..count]);
                    if asked.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
            });
            let left = Arc::clone(&left);
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = server.read(&mut buffer) {
                    let mut left = left.lock().unwrap();
                    let cut = left.is_some_and(|it| it < count);
                    *left = left.filter(|_| !cut).map(|it| it - count);
                    drop(left);
                    if cut || client.write_all(&buffer[..count]).is_err() {
                        break;
                    }
                }
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    (address, said)
}

/// Pushes an image for two platforms, one of them with an SBOM beside it; the index's digest.
fn push(registry: &RealRegistry, login: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let images = index()
        .image(
            "linux/amd64",
            image().layer(layer().file("a", "amd64")).layer(layer().file("b", "")),
        )
        .attestation(AttestationForm::Legacy, "https://spdx.dev/Document")
        .image("linux/arm64", image().layer(layer().file("a", noise(2_000_000))));
    layout().index("1", &images).write(directory.path());
    let source = format!("oci:{}:1", Path::new(directory.path()).display());
    let target = format!("docker://{}/team/app:1", registry.host());
    let output = Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--quiet", "--all", "--dest-tls-verify=false"])
        .args(login)
        .args([&source, &target])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    images.blobs().manifest
}

fn check(name: &str, platform: &str, settings: Settings, expect: &str) {
    let watch = Arc::new(Watch::default());
    let shown = match read(name, platform, settings, &watch) {
        Ok(found) => {
            let read = watch.layers.lock().unwrap().len();
            let stated: Vec<String> =
                found.attestations.into_iter().flat_map(|it| it.predicate_types).collect();
            format!("{}, {read} layers read {}", found.platform, stated.join(" "))
        }
        Err(error) => format!("{error} ({})", error.hint().unwrap_or_default()),
    };
    assert_eq!(shown, expect);
}

#[test]
fn by_tag_digest_and_platform() {
    let Some(registry) = RealRegistry::start() else { return };
    let digest = push(&registry, &[]);
    let tag = format!("{}/team/app:1", registry.host());
    let expect = "linux/amd64, 2 layers read https://spdx.dev/Document";
    check(&tag, "linux/amd64", settings(), expect);
    check(&tag, "linux/arm64", settings(), "linux/arm64, 1 layers read ");
    let name = format!("{}/team/app@{digest}", registry.host());
    check(&name, "linux/amd64", settings(), expect);
    let missing = format!("{}/team/app:2", registry.host());
    let expect = format!("{missing}: {} has no such tag or digest ()", registry.host());
    check(&missing, "", settings(), &expect);
    let missing = format!("{}/team/none:1", registry.host());
    // It does not tell the two apart.
    let expect = format!("{missing}: {} has no such tag or digest ()", registry.host());
    check(&missing, "", settings(), &expect);
}

#[test]
fn interrupted_half_way() {
    let Some(registry) = RealRegistry::start() else { return };
    push(&registry, &[]);
    let (address, said) = relay(registry.host(), 1_000_000);
    let tag = format!("{address}/team/app:1");
    check(&tag, "linux/arm64", settings(), "linux/arm64, 1 layers read ");
    let said = said.lock().unwrap().to_ascii_lowercase();
    let resumed = said.split("range: bytes=").nth(1).and_then(|it| it.split('-').next());
    let resumed: usize = resumed.unwrap().parse().unwrap();
    assert!(resumed > 100_000, "it went on at {resumed}");
}

#[test]
fn with_a_login() {
    // `alice`, whose password is `wonderland`, as `htpasswd -nbB` writes it.
    let Some(registry) = RealRegistry::start_for(
        "alice:$2y$04$abcdefghijklmnopqrstuujZkTwHUiJ9XdZPwKfcfDo7dMp5DjlTu\n",
    ) else {
        return;
    };
    push(&registry, &["--dest-creds", "alice:wonderland"]);
    let tag = format!("{}/team/app:1", registry.host());
    let with = |password: &str| Settings {
        credentials: Some(Credentials::Basic {
            user: "alice".to_owned(),
            password: Secret::new(password),
        }),
        ..settings()
    };
    check(&tag, "linux/arm64", with("wonderland"), "linux/arm64, 1 layers read ");
    let host = registry.host();
    check(
        &tag,
        "linux/arm64",
        with("looking-glass"),
        &format!(
            "{tag}: {host} does not give it to the user alice: authentication required \
             (log in anew, or as somebody who may have it: docker login {host})"
        ),
    );
    check(
        &tag,
        "linux/arm64",
        settings(),
        &format!(
            "{tag}: {host} does not give it to everybody: authentication required \
             (if it exists, log in: docker login {host})"
        ),
    );
}

/// Pushes an artifact, pulls it elsewhere, and pushes it again after a small change.
fn check_artifact(registry: &RealRegistry, settings: &Settings) {
    let name = format!("{}/team/book:1", registry.host());
    let large = 20_000_000;
    let first = pushed(&name, &book(large), settings.clone()).unwrap();
    assert_eq!((first.sent.blobs, first.sent.bytes, first.kept.blobs), (4, 20_000_026, 0));
    let folder = tempfile::tempdir().unwrap();
    let all = pulled(&name, &|_| false, settings.clone(), folder.path()).unwrap();
    assert_eq!((all.came.blobs, all.came.bytes), (3, 20_000_009));
    assert_eq!(all.found.digest, first.digest);
    let page = folder.path().join(all.found.layers[1].digest.hex());
    assert_eq!(fs_err::read(page).unwrap(), noise(large));

    let mut changed = book(large);
    changed
        .layers
        .push(image::artifact::Piece::of_bytes("application/vnd.example.page.v1", "more"));
    let second = pushed(&name, &changed, settings.clone()).unwrap();
    assert_eq!((second.sent.blobs, second.sent.bytes), (1, 4));
    assert_eq!((second.kept.blobs, second.kept.bytes), (4, 20_000_026));
    let here = |it: &image::artifact::Layer| folder.path().join(it.digest.hex()).is_file();
    let news = pulled(&name, &here, settings.clone(), folder.path()).unwrap();
    assert_eq!((news.came.blobs, news.came.bytes, news.kept.blobs), (1, 4, 3));
}

#[test]
fn artifacts_there_and_back() {
    let Some(registry) = RealRegistry::start() else { return };
    check_artifact(&registry, &settings());
}

#[test]
fn artifacts_with_a_login() {
    let Some(registry) = RealRegistry::start_for(
        "alice:$2y$04$abcdefghijklmnopqrstuujZkTwHUiJ9XdZPwKfcfDo7dMp5DjlTu\n",
    ) else {
        return;
    };
    let with = |password: &str| Settings {
        credentials: Some(Credentials::Basic {
            user: "alice".to_owned(),
            password: Secret::new(password),
        }),
        ..settings()
    };
    check_artifact(&registry, &with("wonderland"));
    let name = format!("{}/team/book:2", registry.host());
    for settings in [with("looking-glass"), settings()] {
        let error = pushed(&name, &book(1), settings).unwrap_err();
        assert!(matches!(error, image::Error::Denied { .. }), "{error}");
    }
}
