//! Files that carry an almanac: a bundle is imported, a manifest read, keys and signatures are tried.

use std::sync::LazyLock;

use almanac::{Manifest, PublicKey, SecretKey, Trust, Writer, export, import, verify};

/// A small bundle, unpacked: what was signed, too.
static BUNDLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let writer = Writer::lock(directory.path()).expect("nobody else is there");
    let parsed = feed::find("kev").expect("it is one of ours").parse(
        "all",
        &feed::Document {
            path: "kev.json",
            bytes: include_bytes!(
                "../../../crates/feed/fixtures/kev/known_exploited_vulnerabilities.json"
            ),
        },
    );
    let mut manifest = Manifest::new("2025-01-01T00:00:00Z");
    for sheet in crate::world::compile("kev", "all", parsed) {
        writer.put(&sheet).expect("there is room");
        manifest.sheets.push(sheet.entry);
    }
    writer.install(&manifest.to_bytes(), None, Trust::Local).expect("it is sound");
    let file = directory.path().join("bundle");
    export(directory.path(), &file).expect("it is sound");
    let bundle = fs_err::read(file).expect("it was just written");
    zstd::decode_all(&*bundle).expect("it was just packed")
});

fn imported(bytes: &[u8]) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("bundle");
    fs_err::write(&file, bytes).expect("a temporary file");
    let _ = import(&file, &directory.path().join("almanac"), Trust::Anyone);
}

/// Runs it once.
pub fn run(input: &[u8]) {
    match input {
        [0, edits @ ..] => {
            let tar = crate::world::edited(&BUNDLE, edits);
            imported(&zstd::encode_all(&*tar, 1).expect("memory is packed into memory"));
        }
        [1, tar @ ..] => imported(&zstd::encode_all(tar, 1).expect("memory is packed into memory")),
        [2, bytes @ ..] => imported(bytes),
        _ => {}
    }
    if let Ok(manifest) = Manifest::parse(input) {
        Manifest::parse(&manifest.to_bytes()).expect("it was written by us");
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let _ = SecretKey::parse(text);
    if let Ok(key) = text.parse::<PublicKey>() {
        assert_eq!(key.to_file().parse::<PublicKey>().ok(), Some(key.clone()));
        let _ = verify(input, text, &[key]);
    }
    static KEY: LazyLock<PublicKey> =
        LazyLock::new(|| SecretKey::generate().expect("there is chance").public());
    assert!(verify(input, text, std::slice::from_ref(&KEY)).is_err());
}
