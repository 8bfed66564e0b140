//! What a cataloger found, as text for tests: one line for each thing, facts behind it.

use std::fmt::Write;

use model::Found;

use crate::contract::{Beside, Cataloger, File};
use crate::{ALL, Nothing};

/// What the cataloger of that id reads from `bytes` at `path`.
pub(crate) fn read(id: &str, path: &str, bytes: &[u8], beside: &dyn Beside) -> Found {
    (cataloger(id).read)(&File::in_memory(path, 0o644, bytes), beside)
}

/// The same as text, with nothing beside it.
pub(crate) fn shown(id: &str, path: &str, bytes: impl AsRef<[u8]>) -> String {
    show(&read(id, path, bytes.as_ref(), &Nothing))
}

pub(crate) fn cataloger(id: &str) -> &'static Cataloger {
    ALL.iter().flat_map(|it| it.catalogers()).find(|it| it.id == id).expect("there is such a one")
}

pub(crate) fn show(found: &Found) -> String {
    let mut text = String::new();
    let mut line = |it: String| writeln!(text, "{it}").expect("a string takes everything");
    for package in &found.packages {
        line(package.purl.to_string());
        let mut fact = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                line(format!("  {key}: {value}"));
            }
        };
        let joined = |list: &[String]| (!list.is_empty()).then(|| list.join(", "));
        fact("kind", (package.kind.as_str() != "installed").then(|| package.kind.as_str().into()));
        fact(
            "source",
            package.source.as_ref().map(|it| match &it.version {
                Some(version) => format!("{} {version}", it.name),
                None => it.name.clone(),
            }),
        );
        fact("licenses", joined(&package.licenses));
        fact("author", package.author.clone());
        fact("description", package.description.clone());
        fact("url", package.url.clone());
        fact("size", package.size.map(|it| it.to_string()));
        fact("installed size", package.installed_size.map(|it| it.to_string()));
        fact("cpes", joined(&package.cpes));
    }
    for owned in &found.owned {
        line(format!("{} owns {}", owned.package, owned.paths.len()));
    }
    for remark in &found.remarks {
        let licenses = remark.licenses.join(", ");
        line(format!("{} {}: {licenses}", remark.ecosystem, remark.package));
    }
    for gap in &found.gaps {
        line(format!("gap: {gap}"));
    }
    text
}

/// A file under `fixtures`, inflated if it is kept compressed.
pub(crate) fn fixture(path: &str) -> Vec<u8> {
    use std::io::Read;
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    let bytes = fs_err::read(&path).expect("the fixture is there");
    if path.strip_suffix(".gz").is_none() {
        return bytes;
    }
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_end(&mut inflated).expect("it is gzip");
    inflated
}
