//! Tells which shape kept values have: a number made of `model`'s sources. Values written by a
//! program with other types would else be read as nonsense, for their form does not name its fields.

use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

fn main() {
    let sources = Path::new("../model/src");
    println!("cargo::rerun-if-changed={}", sources.display());
    let mut files: Vec<_> = sources
        .read_dir()
        .expect("model lies beside this crate")
        .map(|it| it.expect("its files can be listed").path())
        .collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "rs")) {
        #[expect(clippy::disallowed_methods, reason = "a build script takes no dependency for it")]
        hasher.write(&std::fs::read(file).expect("its files can be read"));
    }
    println!("cargo::rustc-env=MODEL_SHAPE={:016x}", hasher.finish());
}
