//! Tests of OCI layouts.

use testkit::{AttestationForm, image, index, layer, layout};

use super::*;
use crate::testing::{ask, told};

fn check(build: impl FnOnce(&Path), platform: Option<&str>, expect: &str) {
    let directory = tempfile::tempdir().unwrap();
    build(directory.path());
    let path = directory.path().to_str().unwrap();
    let mut ask = ask(path);
    ask.platform = platform.map(|it| it.parse().unwrap());
    assert_eq!(told(&OciDir, &ask).replace(path, "DIR"), expect);
}

#[test]
fn one_platform() {
    check(
        |directory| image().layer(layer().file("a", "1")).write_layout(directory, "1"),
        None,
        "linux/amd64 digest no-index config [1]\n  a <COPY layer 0>",
    );
}

#[test]
fn several_platforms_with_attestations_and_without() {
    let amd = image().layer(layer().file("amd", ""));
    let arm = image().platform("linux", "arm").layer(layer().file("arm", ""));
    let bare = index().image("linux/amd64", amd.clone()).image("linux/arm", arm.clone());
    let spdx = "https://spdx.dev/Document";
    let attested = index()
        .image("linux/amd64", amd)
        .attestation(AttestationForm::Artifact, spdx)
        .image("linux/arm", arm)
        .attestation(AttestationForm::Legacy, spdx);
    for (index, beside) in [(attested, " +https://spdx.dev/Document"), (bare, "")] {
        check(
            |directory| layout().index("1", &index).write(directory),
            Some("linux/arm/v7"),
            &format!("linux/arm digest index config [1]{beside}\n  arm <COPY layer 0>"),
        );
    }
}

#[test]
fn blobs_may_be_links() {
    let elsewhere = tempfile::tempdir().unwrap();
    image().layer(layer().file("a", "1")).write_layout(elsewhere.path(), "1");
    check(
        |directory| {
            for part in ["blobs", "index.json"] {
                fs_err::os::unix::fs::symlink(elsewhere.path().join(part), directory.join(part))
                    .unwrap();
            }
        },
        None,
        "linux/amd64 digest no-index config [1]\n  a <COPY layer 0>",
    );
}

#[test]
fn a_layer_of_the_wrong_length() {
    let image = image().layer(layer().file("a", "1"));
    let blob = &image.blobs().blobs[0];
    let length = blob.2.len();
    let name = format!("layer {} of DIR", blob.0);
    check(
        |it| layout().image("", &image).damaged(&blob.0, &blob.2[..length - 9]).write(it),
        None,
        &format!("Corrupt: {name}: it ends after {} of {length} bytes", length - 9),
    );
    check(
        |it| layout().image("", &image).damaged(&blob.0, [&blob.2[..], b"more"].concat()).write(it),
        None,
        &format!("Corrupt: {name}: it is longer than the {length} bytes stated"),
    );
}

#[test]
fn indexes_in_a_circle() {
    // No index can hold its own digest, but it can say that something else is an index.
    let image = image().layer(layer().file("a", "1"));
    let manifest = image.blobs().manifest;
    let index = serde_json::json!({"manifests": [{
        "mediaType": "application/vnd.oci.image.index.v1+json", "digest": manifest, "size": 1,
    }]});
    check(
        |it| layout().image("", &image).file("index.json", index.to_string()).write(it),
        None,
        "Corrupt: DIR: a manifest in it says that it is an index",
    );
}

#[test]
fn what_is_no_layout() {
    check(
        |_| {},
        None,
        "Invalid: DIR: it is no image: it holds neither an index.json nor a manifest.json\n  \
         hint: `docker save` and OCI layouts do; for a tree of files there is fs://",
    );
    check(|directory| layout().write(directory), None, "Invalid: DIR: it holds no image");
    assert_eq!(
        told(&OciDir, &ask("no/such")),
        "NotFound: no/such: there is no such file\n  \
         hint: give the directory that holds index.json and blobs"
    );
}
