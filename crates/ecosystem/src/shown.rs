//! What a cataloger found, as lines of text that a test can expect.

use std::fmt::Write as _;

use model::{Found, PackageKind};

use crate::{ALL, Beside, Cataloger, File, Nothing};

/// What a cataloger's `read` is.
pub(crate) type Read = fn(&File<'_>, &dyn Beside) -> Found;

/// Lets `read` have `bytes` at `path` and compares what it found with `expect`, line by line.
#[track_caller]
pub(crate) fn check(read: Read, path: &str, bytes: impl AsRef<[u8]>, expect: &str) {
    let found = read(&File::in_memory(path, 0o644, bytes.as_ref()), &Nothing);
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
    };
    assert_eq!(lines(&shown(&found)), lines(expect));
}

/// One line for each package, then one for each gap.
pub(crate) fn shown(found: &Found) -> String {
    let mut text = String::new();
    let mut add = |it: std::fmt::Arguments<'_>| text.write_fmt(it).expect("a string takes all");
    for package in &found.packages {
        add(format_args!("{}", package.purl));
        if package.kind != PackageKind::Installed {
            add(format_args!(" ({})", package.kind.as_str()));
        }
        for place in &package.places {
            add(format_args!(" in {}", place.path));
        }
        for (name, values) in [
            ("license", package.licenses.clone()),
            ("author", package.author.iter().cloned().collect()),
            ("url", package.url.iter().cloned().collect()),
            ("about", package.description.iter().cloned().collect()),
            ("proof", package.proof.clone()),
        ] {
            if !values.is_empty() {
                add(format_args!(" | {name}: {}", values.join(", ")));
            }
        }
        add(format_args!("\n"));
    }
    for gap in &found.gaps {
        add(format_args!("gap: {gap}\n"));
    }
    text
}

/// What the cataloger of that id reads from `bytes` at `path`.
pub(crate) fn read(id: &str, path: &str, bytes: &[u8], beside: &dyn Beside) -> Found {
    (cataloger(id).read)(&File::in_memory(path, 0o644, bytes), beside)
}

/// The same as text, with nothing beside it.
pub(crate) fn facts_of(id: &str, path: &str, bytes: impl AsRef<[u8]>) -> String {
    facts(&read(id, path, bytes.as_ref(), &Nothing))
}

/// The cataloger of that id.
pub(crate) fn cataloger(id: &str) -> &'static Cataloger {
    ALL.iter().flat_map(|it| it.catalogers()).find(|it| it.id == id).expect("there is such a one")
}

/// Everything that was found: a line for each thing, its facts below.
pub(crate) fn facts(found: &Found) -> String {
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
