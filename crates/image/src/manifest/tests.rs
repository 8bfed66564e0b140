//! Tests of manifests, indexes and configurations.

use attestation::IN_TOTO;
use serde_json::{Value, json};

use super::*;

fn digest(letter: char) -> String {
    format!("sha256:{}", letter.to_string().repeat(64))
}

fn outcome<T>(result: Result<T, Error>, show: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(it) => show(it),
        Err(error) => {
            let kind = format!("{error:?}");
            let kind = kind.split([' ', '{']).next().unwrap_or_default();
            format!("{kind}: {error}")
        }
    }
}

/// What a document is recognised as.
fn check_read(bytes: impl AsRef<[u8]>, expect: &str) {
    let shown = outcome(read("app", bytes.as_ref()), |it| match it {
        Document::Index(index) => format!("index of {}", index.descriptors().count()),
        Document::Manifest(manifest) => format!("manifest of {} layers", manifest.layers.len()),
    });
    assert_eq!(shown, expect);
}

fn image_entry(letter: char, platform: &str) -> Value {
    let mut parts = platform.split('/');
    let mut platform = json!({"os": parts.next(), "architecture": parts.next()});
    if let Some(variant) = parts.next() {
        platform["variant"] = variant.into();
    }
    json!({
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": digest(letter), "size": 1, "platform": platform,
    })
}

fn index_of(entries: &[Value]) -> Index {
    match read("app", json!({"manifests": entries}).to_string().as_bytes()) {
        Ok(Document::Index(index)) => index,
        other => panic!("{other:?} is no index"),
    }
}

/// Which of `entries` is chosen: the letter of its digest.
fn check_choice(entries: &[Value], wanted: &str, expect: &str) {
    let wanted: Option<Platform> = (!wanted.is_empty()).then(|| wanted.parse().unwrap());
    let index = index_of(entries);
    let shown = outcome(index.choose("app", wanted.as_ref()), |it| it.digest[7..8].to_owned());
    assert_eq!(shown, expect);
}

/// What becomes of a manifest and a configuration.
fn check_image(manifest: &Value, config: impl AsRef<[u8]>, expect: &str) {
    let bytes = manifest.to_string();
    let Ok(Document::Manifest(manifest)) = read("app", bytes.as_bytes()) else {
        panic!("{bytes} is no manifest");
    };
    let shown = outcome(manifest.describe("app", bytes.as_bytes(), config.as_ref()), |it| {
        assert_eq!(it.raw_manifest.as_deref(), Some(bytes.as_str()));
        let mut text = format!("{}, {} bytes", it.platform, it.size);
        for layer in it.layers {
            text.push('\n');
            text += &layer.digest.map_or(String::new(), |it| it.hex()[..1].into());
            text += &layer.diff_id.map_or(String::new(), |it| format!(" = {}", &it.hex()[..1]));
            text += &layer.created_by.map_or(String::new(), |it| format!(" by {it}"));
            text += if layer.absent.is_some() { " absent" } else { "" };
        }
        it.gaps.iter().fold(text, |text, gap| format!("{text}\ngap: {gap}"))
    });
    assert_eq!(shown, expect);
}

fn manifest_of(layers: &[(char, &str)]) -> Value {
    json!({
        "schemaVersion": 2,
        "config": {"mediaType": IMAGE_CONFIGS[0], "digest": digest('c'), "size": 2},
        "layers": layers.iter().map(|(letter, media_type)| json!({
            "mediaType": media_type, "digest": digest(*letter), "size": 10,
        })).collect::<Vec<_>>(),
    })
}

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

#[test]
fn recognises_what_a_document_holds() {
    check_read(json!({"manifests": []}).to_string(), "index of 0");
    check_read(manifest_of(&[('a', LAYER)]).to_string(), "manifest of 1 layers");
    // A media type that lies changes nothing.
    let lie = json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "manifests": [{}]});
    check_read(lie.to_string(), "index of 1");
    let wrong_shapes = json!({
        "schemaVersion": "two", "mediaType": 7, "annotations": [], "subject": "x",
        "manifests": [{"size": -1, "platform": "linux", "annotations": {"a": 1}}],
    });
    check_read(wrong_shapes.to_string(), "index of 1");
}

#[test]
fn tells_what_a_document_is_not() {
    check_read(
        "",
        "Corrupt: app: its manifest is no JSON (EOF while parsing a value at line 1 column 0)",
    );
    check_read("\n<!DOCTYPE html>", "Corrupt: app: its manifest is HTML");
    check_read(b"\xff\xfe", "Corrupt: app: its manifest is not text");
    check_read("{}", "Corrupt: app: its manifest is neither that of an image nor an index");
    check_read(
        json!({"config": {}, "layers": [], "manifests": []}).to_string(),
        "Corrupt: app: its manifest is an index and an image at once",
    );
    check_read(
        json!({"schemaVersion": 1, "fsLayers": [{"blobSum": "x"}]}).to_string(),
        "Unsupported: app: it is an image of docker's schema 1, from before 2017",
    );
    check_read(vec![b' '; MANIFEST_LIMIT + 1], "Limit: app: its manifest is over 4194304 bytes");
    let layers = vec![('a', LAYER); LAYERS_LIMIT + 1];
    check_read(manifest_of(&layers).to_string(), "Limit: app: it has 1001 layers, more than 1000");
    check_read(
        "[".repeat(100_000),
        "Corrupt: app: its manifest is no JSON (recursion limit exceeded at line 1 column 128)",
    );
}

#[test]
fn chooses_by_platform() {
    let entries = [
        image_entry('a', "linux/amd64"),
        image_entry('b', "linux/arm/v6"),
        image_entry('c', "linux/arm/v7"),
        image_entry('d', "linux/arm64/v8"),
    ];
    check_choice(&entries, "linux/amd64", "a");
    check_choice(&entries, "linux/arm64", "d");
    check_choice(&entries, "linux/arm", "c");
    check_choice(&entries, "linux/arm/v6", "b");
    check_choice(&entries[..2], "linux/arm/v7", "b");
    check_choice(
        &entries,
        "linux/s390x",
        "NotFound: app: there is none for linux/s390x; there is linux/amd64, linux/arm/v6, \
         linux/arm/v7, linux/arm64",
    );
    let here = default_platform().to_string();
    check_choice(&[image_entry('a', "plan9/mips"), image_entry('b', &here)], "", "b");
}

#[test]
fn takes_the_only_image_when_nobody_asks_for_a_platform() {
    let only = [image_entry('a', "plan9/mips")];
    check_choice(&only, "", "a");
    check_choice(
        &only,
        "linux/amd64",
        "NotFound: app: there is none for linux/amd64; there is plan9/mips",
    );
    let unmarked = json!({"digest": digest('e')});
    check_choice(std::slice::from_ref(&unmarked), "", "e");
    check_choice(&[only[0].clone(), unmarked.clone()], "linux/amd64", "e");
    check_choice(
        &[unmarked.clone(), unmarked],
        "linux/amd64",
        "Invalid: app: it holds several images and does not say for what",
    );
    check_choice(&[], "", "NotFound: app: its index holds no image");
}

#[test]
fn what_stands_beside_images_is_not_chosen() {
    let attestation = json!({
        "digest": digest('e'), "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": digest('a'),
        },
    });
    let artifact = json!({"digest": digest('f'), "artifactType": ATTESTATION});
    let other = json!({
        "digest": digest('9'), "annotations": {"vnd.docker.reference.type": "something-else"},
    });
    let entries = [attestation, artifact, other, image_entry('a', "plan9/mips")];
    check_choice(&entries, "", "a");
    let (about, unknown) = index_of(&entries).attestations_of(&digest('a').parse().unwrap());
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].manifest.to_string(), digest('e'));
    assert_eq!(unknown, [digest('f').parse::<Digest>().unwrap()]);
    let (about, _) = index_of(&entries).attestations_of(&digest('b').parse().unwrap());
    assert_eq!(about, []);
}

#[test]
fn nested_indexes_are_flattened_within_bounds() {
    let nested = |letter| json!({"mediaType": "application/vnd.oci.image.index.v1+json", "digest": digest(letter)});
    let mut index = index_of(&[nested('1'), image_entry('a', "linux/amd64")]);
    let taken = index.take_nested("app").unwrap().unwrap();
    index.graft(&taken, index_of(&[image_entry('b', "linux/s390x")]));
    assert!(index.take_nested("app").unwrap().is_none());
    let wanted = "linux/s390x".parse().unwrap();
    assert_eq!(index.choose("app", Some(&wanted)).unwrap().digest, digest('b'));

    let endless = |width: usize| {
        let mut index = index_of(&[nested('1')]);
        loop {
            match index.take_nested("app") {
                Ok(Some(taken)) => index.graft(&taken, index_of(&vec![nested('1'); width])),
                Ok(None) => return "flat".to_owned(),
                Err(error) => return error.to_string(),
            }
        }
    };
    assert_eq!(endless(0), "flat");
    assert_eq!(endless(1), "app: its indexes are nested too deep");
    assert_eq!(endless(9), "app: it holds over 16 indexes");
    assert_eq!(
        outcome(index_of(&vec![nested('1'); 17]).take_all(), |()| "flat".to_owned()),
        "Limit: app: it holds over 16 indexes"
    );
}

impl Index {
    fn take_all(&mut self) -> Result<(), Error> {
        while self.take_nested("app")?.is_some() {}
        Ok(())
    }
}

#[test]
fn describes_an_image() {
    let config = json!({
        "os": "linux", "architecture": "arm", "variant": "v7", "created": "2026-01-02T03:04:05Z",
        "rootfs": {"type": "layers", "diff_ids": [digest('1'), digest('2')]},
        "history": [
            {"created_by": "ADD rootfs"}, {"created_by": "ENV A=b", "empty_layer": true},
            {"created_by": "RUN make"},
        ],
    });
    check_image(
        &manifest_of(&[('a', LAYER), ('b', LAYER)]),
        config.to_string(),
        "linux/arm/v7, 20 bytes\na = 1 by ADD rootfs\nb = 2 by RUN make",
    );
    check_image(
        &manifest_of(&[('a', LAYER)]),
        config.to_string(),
        "linux/arm/v7, 10 bytes\na\n\
         gap: configuration: it names the content of 2 of 1 layers\n\
         gap: configuration: its history tells of 2 layers, it has 1",
    );
    check_image(
        &manifest_of(&[]),
        r#"{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":null},"history":"none"}"#,
        "linux/amd64, 0 bytes",
    );
}

#[test]
fn foreign_layers_are_absent() {
    let config = json!({"os": "windows", "architecture": "amd64", "rootfs": {
        "diff_ids": [digest('1'), digest('2'), digest('3')],
    }});
    let why = "it is a foreign layer, which its publisher keeps and registries do not";
    check_image(
        &manifest_of(&[
            ('a', "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
            ('b', "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"),
            ('d', LAYER),
        ]),
        config.to_string(),
        &format!(
            "windows/amd64, 30 bytes\na = 1 absent\nb = 2 absent\nd = 3\n\
             gap: layer aaaaaaaaaaaa: {why}\ngap: layer bbbbbbbbbbbb: {why}"
        ),
    );
}

#[test]
fn refuses_what_is_no_image() {
    let mut helm = manifest_of(&[('a', "application/vnd.cncf.helm.chart.content.v1.tar+gzip")]);
    helm["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json".into();
    let no_image = "Unsupported: app: it is not a container image: it holds";
    check_image(
        &helm,
        r#"{"name":"x"}"#,
        &format!("{no_image} application/vnd.cncf.helm.config.v1+json"),
    );
    check_image(&helm, "name: x", &format!("{no_image} application/vnd.cncf.helm.config.v1+json"));

    let mut wasm = manifest_of(&[('a', "application/wasm")]);
    wasm["artifactType"] = "application/vnd.wasm.thing".into();
    wasm["config"]["mediaType"] = "application/vnd.oci.empty.v1+json".into();
    check_image(&wasm, "{}", &format!("{no_image} application/vnd.wasm.thing"));

    let signature = manifest_of(&[('a', "application/vnd.dev.cosign.simplesigning.v1+json")]);
    check_image(
        &signature,
        r#"{"rootfs":{}}"#,
        &format!("{no_image} application/vnd.dev.cosign.simplesigning.v1+json"),
    );
    check_image(
        &manifest_of(&[('a', IN_TOTO)]),
        "{}",
        "Unsupported: app: it is an attestation about an image, not an image",
    );
    check_image(&manifest_of(&[]), "<html>", "Corrupt: app: its configuration is HTML");
    check_image(
        &manifest_of(&[]),
        vec![b' '; CONFIG_LIMIT + 1],
        "Limit: app: its configuration is over 8388608 bytes",
    );
    let mut nowhere = manifest_of(&[('a', LAYER)]);
    nowhere["layers"][0]["digest"] = "../../etc/passwd".into();
    check_image(
        &nowhere,
        "{}",
        "Corrupt: app: in its manifest, `../../etc/passwd` is not a digest such as sha256:… with 64 \
         hexadecimal digits",
    );
}

#[test]
fn attestations_of_either_form() {
    let check = |manifest: &Value, expect: &str| {
        let Ok(Document::Manifest(manifest)) = read("app", manifest.to_string().as_bytes()) else {
            panic!("no manifest");
        };
        let shown = manifest.attests().map_or("none".to_owned(), |(about, types)| {
            let about = about.map_or("?".to_owned(), |it| it.hex()[..1].to_owned());
            format!("about {about}: {}", types.join(", "))
        });
        assert_eq!(shown, expect);
    };
    let mut legacy = manifest_of(&[('a', IN_TOTO), ('b', IN_TOTO)]);
    legacy["layers"][0]["annotations"] =
        json!({"in-toto.io/predicate-type": "https://spdx.dev/Document"});
    legacy["layers"][1]["annotations"] =
        json!({"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"});
    check(&legacy, "about ?: https://spdx.dev/Document, https://slsa.dev/provenance/v1");
    let mut artifact = legacy.clone();
    artifact["artifactType"] = ATTESTATION.into();
    artifact["subject"] = json!({"digest": digest('7'), "size": 1});
    check(&artifact, "about 7: https://spdx.dev/Document, https://slsa.dev/provenance/v1");
    check(&manifest_of(&[('a', LAYER)]), "none");
}

#[test]
fn an_image_must_fit_what_was_asked_for() {
    let check = |wanted: &str, has: &str, expect: &str| {
        let wanted: Option<Platform> = wanted.parse().ok();
        let has = has.parse().unwrap_or_default();
        assert_eq!(outcome(fits("app", wanted.as_ref(), &has), |()| "fits".into()), expect);
    };
    check("linux/amd64", "linux/amd64", "fits");
    check("", "linux/arm64", "fits");
    check("linux/amd64", "", "fits");
    let why = "NotFound: app: there is none for linux/amd64; it is for linux/arm64";
    check("linux/amd64", "linux/arm64", why);
}
