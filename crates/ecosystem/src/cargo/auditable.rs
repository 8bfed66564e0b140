//! The `.dep-v0` section: zlib-compressed JSON, written by `cargo auditable`.
//! <https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md>

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use model::{Found, Package, Purl};
use serde::Deserialize;

use crate::executable::Executable;
use crate::{Beside, File};

/// Neither the section nor what it inflates to may be larger.
const LARGEST: u64 = 8 << 20;

#[derive(Deserialize)]
struct Document {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    kind: Kind,
}

/// What a crate was needed for: crates for the build leave nothing in the program.
#[derive(Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Runtime,
    #[serde(other)]
    Build,
}

pub(super) fn read(file: &File<'_>, _: &dyn Beside) -> Found {
    let Some(executable) = Executable::read(file) else { return Found::default() };
    let Some(section) = executable.section(".dep-v0") else { return Found::default() };
    let gap = |why: &str| Found::gap(file.path(), format!("its list of crates {why}"));
    if section.size > LARGEST || section.size > file.size() {
        return gap("is too large");
    }
    let mut packed = vec![0; usize::try_from(section.size).unwrap_or_default()];
    if file.read_exact_at(section.offset, &mut packed).is_err() {
        return gap("lies outside the file");
    }
    let mut text = Vec::new();
    match ZlibDecoder::new(packed.as_slice()).take(LARGEST + 1).read_to_end(&mut text) {
        Ok(_) if text.len() as u64 <= LARGEST => {}
        Ok(_) => return gap("is too large"),
        Err(_) => return gap("cannot be inflated"),
    }
    let document: Document = match serde_json::from_slice(&text) {
        Ok(document) => document,
        Err(error) => return gap(&format!("cannot be read: {error}")),
    };
    let runtime =
        document.packages.iter().filter(|it| it.kind == Kind::Runtime && !it.name.is_empty());
    Found::packages(
        runtime
            .map(|it| Package::new(Purl::new("cargo", &it.name).with_version(&it.version)))
            .collect(),
    )
}
