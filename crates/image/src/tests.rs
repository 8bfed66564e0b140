//! Laws that every source keeps, those that are not written yet too.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_file_is_registered() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeSet::new();
    for entry in fs_err::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file()
            && fs_err::read_to_string(&path).unwrap().contains("\nimpl ImageSource for")
        {
            files.insert(path.file_stem().unwrap().to_str().unwrap().replace('_', "-"));
        }
    }
    let schemes: BTreeSet<String> = ALL.iter().map(|it| it.scheme().to_owned()).collect();
    assert_eq!(files, schemes);
}

#[test]
fn schemes_are_unique_and_kebab() {
    let schemes: BTreeSet<&str> = ALL.iter().map(|it| it.scheme()).collect();
    assert_eq!(schemes.len(), ALL.len());
    for scheme in schemes {
        assert!(scheme.bytes().all(|it| it.is_ascii_lowercase() || it == b'-'), "{scheme}");
    }
}

#[test]
fn each_says_what_it_takes() {
    for source in ALL {
        let takes = source.takes();
        assert!(!takes.is_empty() && !takes.ends_with('.') && takes.len() < 90, "{takes}");
    }
}
