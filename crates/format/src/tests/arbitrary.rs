//! Any inventory at all: names of every alphabet, every field there or not.

use model::{
    Attestation, Digest, Distro, Gap, ImageDescription, Inventory, LayerDescription, LayerKey,
    Package, PackageKind, Place, Platform, Purl, SourcePackage, Subject,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// A text, not empty (no format parts an empty text from none): words, and whatever there is.
pub(super) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-zA-Z0-9][a-zA-Z0-9.+_~-]{0,10}",
        1 => "[a-z<>()@/:;,=|#?%&\"'\\\\ -]{1,12}",
        1 => any::<String>().prop_filter("empty", |it| !it.is_empty()),
    ]
}

pub(super) fn digest() -> impl Strategy<Value = Digest> {
    (any::<[u8; 32]>(), any::<bool>()).prop_map(|(bytes, long)| {
        let digest = Digest::from_sha256(&bytes);
        let hex = digest.hex();
        if long { format!("sha512:{hex}{hex}").parse().expect("128 digits") } else { digest }
    })
}

pub(super) fn purl() -> impl Strategy<Value = Purl> {
    let kind = prop::sample::select(vec![
        "deb", "apk", "rpm", "npm", "pypi", "golang", "maven", "generic", "oci", "github", "swid",
    ]);
    (kind, of(text()), text(), of(text()), vec(("[a-z_]{1,8}", text()), 0..3), of(text()))
        .prop_filter_map("no purl", |(kind, namespace, name, version, qualifiers, subpath)| {
            let mut purl = Purl::new(kind, &name)
                .with_namespace(&namespace.unwrap_or_default())
                .with_version(&version.unwrap_or_default())
                .with_subpath(&subpath.unwrap_or_default());
            for (key, value) in qualifiers {
                purl = purl.with_qualifier(&key, &value);
            }
            // That purls print and parse alike is the model's own law.
            purl.to_string().parse().ok().filter(|again| *again == purl)
        })
}

pub(super) fn gaps() -> impl Strategy<Value = Vec<Gap>> {
    vec((text(), text()).prop_map(|(at, why)| Gap { at, why }), 0..3)
}

fn place() -> impl Strategy<Value = Place> {
    (text(), of(any::<u32>()), of(digest()), of(digest()), of(any::<u32>())).prop_map(
        |(path, layer, digest, diff_id, first_layer)| Place {
            path: format!("/{path}"),
            layer,
            digest,
            diff_id,
            first_layer,
        },
    )
}

fn license() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "MIT",
            "GPL-2.0-or-later",
            "GPL-2.0",
            "MIT OR Apache-2.0",
            "NOASSERTION",
            "NONE",
            "LicenseRef-Foo",
            "BSD-style",
            "Apache-2.0 AND (MIT OR ISC)",
            "LicenseRef-",
            "A",
            "-A-",
        ])
        .prop_map(str::to_owned),
        text(),
    ]
}

fn cpe() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("cpe:2.3:a:gnu:bash:5.2:*:*:*:*:*:*:*".to_owned()),
        Just("cpe:/o:redhat:enterprise_linux:9".to_owned()),
        text(),
    ]
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![Just("https://example.org/a?b=c#d".to_owned()), text()]
}

fn author() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("Jane Doe <jane@example.org>".to_owned()),
        Just("The (old) crew <a@b> <c>".to_owned()),
        text()
    ]
}

fn source() -> impl Strategy<Value = SourcePackage> {
    (text(), of(text())).prop_map(|(name, version)| SourcePackage { name, version })
}

fn package() -> impl Strategy<Value = Package> {
    let facts = (vec(license(), 0..3), of(author()), of(text()), of(url()), vec(cpe(), 0..3));
    let sizes = (of(any::<u64>()), of(any::<u64>()));
    let kind = prop::sample::select(PackageKind::ALL.to_vec());
    let places = vec(place(), 0..3);
    (purl(), kind, of(source()), facts, sizes, places, of(purl())).prop_map(
        |(purl, kind, source, facts, (size, installed_size), places, owner)| {
            let (licenses, author, description, url, cpes) = facts;
            Package {
                kind,
                source,
                licenses,
                author,
                description,
                url,
                size,
                installed_size,
                cpes,
                places,
                owner,
                ..Package::new(purl)
            }
        },
    )
}

fn distro() -> impl Strategy<Value = Distro> {
    (text(), of(text()), of(text()), of(text()), vec(text(), 0..3), of(text()), of(cpe())).prop_map(
        |(id, version, codename, name, like, variant, cpe)| Distro {
            id,
            version,
            codename,
            name,
            like,
            variant,
            cpe,
        },
    )
}

fn layer() -> impl Strategy<Value = LayerDescription> {
    (of(digest()), of(digest()), text(), of(any::<u64>()), of(text()), text(), of(text())).prop_map(
        |(digest, diff_id, media_type, size, created_by, key, absent)| LayerDescription {
            digest,
            diff_id,
            media_type,
            size,
            created_by,
            key: LayerKey(key),
            absent,
        },
    )
}

fn platform() -> impl Strategy<Value = Platform> {
    (text(), text(), of(text()), of(text())).prop_map(|(os, architecture, variant, os_version)| {
        Platform { os, architecture, variant, os_version }
    })
}

/// JSON as registries have it, and what is none.
fn raw() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"{"schemaVersion":2,"schemaVersion":2,"layers":[]}"#.to_owned()),
        Just("[".repeat(90) + &"]".repeat(90)),
        Just(r#"{"n":1e999}"#.to_owned()),
        text(),
    ]
}

fn image() -> impl Strategy<Value = ImageDescription> {
    let name = prop_oneof![Just("debian:12".to_owned()), Just("ghcr.io/a/b".to_owned()), text()];
    let names = (name, of(digest()), of(digest()), of(digest()), vec(text(), 0..3));
    let created = prop_oneof![Just("2026-01-02T03:04:05.6Z".to_owned()), text()];
    let attestation = (digest(), vec(text(), 0..2))
        .prop_map(|(manifest, predicate_types)| Attestation { manifest, predicate_types });
    let parts = (vec(layer(), 0..3), vec(attestation, 0..2), of(raw()), of(raw()));
    (names, platform(), of(created), parts, any::<u64>(), gaps()).prop_map(
        |(names, platform, created, parts, size, gaps)| {
            let (name, digest, index, config, tags) = names;
            let (layers, attestations, raw_manifest, raw_config) = parts;
            ImageDescription {
                name,
                digest,
                index,
                config,
                tags,
                platform,
                created,
                layers,
                attestations,
                raw_manifest,
                raw_config,
                size,
                gaps,
                built_on: None,
            }
        },
    )
}

/// Any inventory, in order, each package once by purl and kind.
pub(super) fn inventory() -> impl Strategy<Value = Inventory> {
    let subject = prop_oneof![
        2 => image().prop_map(|it| Subject::Image(Box::new(it))),
        1 => text().prop_map(|path| Subject::Directory { path }),
        1 => text().prop_map(|name| Subject::Document { name }),
    ];
    (subject, of(distro()), vec(package(), 0..6), gaps()).prop_map(
        |(subject, distro, packages, gaps)| {
            let mut inventory =
                Inventory { subject, distro, packages, statements: vec![], gaps }.in_order();
            inventory
                .packages
                .dedup_by(|left, right| (&left.purl, left.kind) == (&right.purl, right.kind));
            inventory
        },
    )
}
