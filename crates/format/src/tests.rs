//! The laws that every format keeps, and what other tools' documents are read as.

mod arbitrary;
mod arbitrary_analysis;
mod arbitrary_comparison;
mod comparisons;
mod exports;
mod foreign;
mod reports;

use model::{Inventory, Subject};
use proptest::prelude::*;

use crate::{ALL, Format, Glance, Options, find, read};

fn options() -> Options {
    Options { created: None, tool_version: "0.1.0".to_owned(), terminal: false }
}

/// Those whose documents they themselves recognise.
fn both_ways() -> impl Iterator<Item = &'static dyn Format> {
    ALL.iter().copied().filter(|format| format.writes() && format.id() != "list")
}

#[test]
fn ids_are_unique_and_kebab() {
    let mut ids: Vec<&str> = ALL.iter().map(|format| format.id()).collect();
    assert!(ids.iter().all(|id| id.bytes().all(|it| it.is_ascii_lowercase() || it == b'-')));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), ALL.len());
    assert!(ids.iter().all(|id| find(id).is_some()));
    assert!(find("yaml").is_none());
}

#[test]
fn each_format_is_the_file_of_its_name() {
    for format in ALL {
        let file =
            format!("{}/src/{}.rs", env!("CARGO_MANIFEST_DIR"), format.id().replace('-', "_"));
        assert!(std::path::Path::new(&file).exists(), "{file}");
    }
}

#[test]
fn an_empty_inventory_reads_back() {
    let subject = Subject::Directory { path: "/".to_owned() };
    let inventory =
        Inventory { subject, distro: None, packages: vec![], statements: vec![], gaps: vec![] };
    for format in both_ways() {
        assert_eq!(read(format.write(&inventory, &options()).as_bytes()).unwrap(), inventory);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn formats_read_back_what_they_write(inventory in arbitrary::inventory()) {
        for format in both_ways() {
            let text = format.write(&inventory, &options());
            let claimed: Vec<&str> =
                ALL.iter().filter(|it| it.claims(&Glance::at(text.as_bytes()))).map(|it| it.id()).collect();
            prop_assert_eq!(claimed, vec![format.id()]);
            prop_assert_eq!(&format.read(text.as_bytes()).unwrap(), &inventory, "{}", format.id());
            prop_assert_eq!(&read(text.as_bytes()).unwrap(), &inventory);
        }
    }

    #[test]
    fn same_inventory_same_bytes(inventory in arbitrary::inventory()) {
        for format in ALL.iter().filter(|format| format.writes()) {
            let text = format.write(&inventory, &options());
            prop_assert_eq!(format.write(&inventory.clone(), &options()), text);
        }
    }

    #[test]
    fn no_reader_panics_on_what_was_damaged(
        inventory in arbitrary::inventory(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        for format in both_ways() {
            let mut bytes = format.write(&inventory, &options()).into_bytes();
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if cut {
                bytes.truncate(end.index(bytes.len()));
            }
            for reader in ALL {
                let _ = reader.claims(&Glance::at(&bytes));
                let _ = reader.read(&bytes);
            }
            let _ = read(&bytes);
        }
    }

    /// A document whose every value may be of another type is read, or refused, but never breaks.
    #[test]
    fn no_reader_panics_on_wrong_types(
        inventory in arbitrary::inventory(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..6_usize), 1..8),
    ) {
        for format in both_ways() {
            let text = format.write(&inventory, &options());
            let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for (at, kind) in &changes {
                let mut paths = Vec::new();
                pointers(&value, String::new(), &mut paths);
                let path = at.get(&paths).clone();
                if let Some(place) = value.pointer_mut(&path) {
                    *place = [
                        serde_json::json!(null), serde_json::json!(-1), serde_json::json!("x"),
                        serde_json::json!([{}]), serde_json::json!({"x": []}), serde_json::json!(1e300),
                    ][*kind].clone();
                }
            }
            let bytes = serde_json::to_vec(&value).unwrap();
            for reader in ALL {
                let _ = reader.read(&bytes);
            }
        }
    }

    #[test]
    fn junk_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }
}

fn pointers(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        serde_json::Value::Array(list) => {
            for (number, inner) in list.iter().enumerate() {
                pointers(inner, format!("{path}/{number}"), paths);
            }
        }
        serde_json::Value::Object(map) => {
            for (key, inner) in map {
                pointers(inner, format!("{path}/{}", escaped(key)), paths);
            }
        }
        _ => {}
    }
    paths.push(path);
}

#[test]
fn a_refusal_says_why() {
    let check = |bytes: &[u8], expect: &str| {
        let error = read(bytes).unwrap_err().to_string();
        assert_eq!(error, expect);
    };
    check(b"", "it is empty");
    check(b"\xef\xbb\xbf  \n", "it is empty");
    check(b"\xff\xfe{\0}\0", "it is UTF-16; convert it to UTF-8");
    check(
        b"SPDXVersion: SPDX-2.3\n",
        "it looks like SPDX tag-value, which is not read; convert it to SPDX JSON",
    );
    check(
        b"<?xml version=\"1.0\"?><bom/>",
        "it is XML; convert it to JSON (CycloneDX: `cyclonedx convert --output-format json`)",
    );
    check(
        br#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#,
        "it is SPDX 3, which is not read; export it as SPDX 2.3 JSON",
    );
    check(
        br#"{"spdxVersion":"SPDX-2.3""#,
        "it is not JSON: EOF while parsing an object at line 1 column 25",
    );
    check(b"[]", "its format is not known");
    check(br#"{"artifacts":[]}"#, "its format is not known");
}

#[test]
fn a_document_too_deep_is_refused() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    for head in [r#""bomFormat":"CycloneDX","specVersion":"1.6""#, r#""spdxVersion":"SPDX-2.3""#] {
        let text = format!("{{{head},\"x\":{deep}}}");
        assert!(read(text.as_bytes()).unwrap_err().to_string().contains("recursion limit"));
    }
}
