//! What a cataloger found, as lines of text that a test can expect.

use std::fmt::Write as _;

use model::{Found, PackageKind};

use crate::{Beside, Cataloger, File, Nothing};

/// Lets `cataloger` read `bytes` at `path` and compares what it found with `expect`, line by line.
#[track_caller]
pub(crate) fn check(cataloger: &Cataloger, path: &str, bytes: impl AsRef<[u8]>, expect: &str) {
    check_beside(cataloger, path, bytes, &Nothing, expect);
}

/// The same, with something beside the file.
#[track_caller]
pub(crate) fn check_beside(
    cataloger: &Cataloger,
    path: &str,
    bytes: impl AsRef<[u8]>,
    beside: &dyn Beside,
    expect: &str,
) {
    let file = File::in_memory(path, 0o644, bytes.as_ref());
    let found = (cataloger.read)(&file, beside);
    let lines = |text: &str| -> Vec<String> {
        text.lines().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty()).collect()
    };
    assert_eq!(lines(&shown(&found)), lines(expect));
}

/// One line for each package, then one for each gap.
pub(crate) fn shown(found: &Found) -> String {
    let mut text = String::new();
    for package in &found.packages {
        let _ = write!(text, "{}", package.purl);
        if package.kind != PackageKind::Installed {
            let _ = write!(text, " ({})", package.kind.as_str());
        }
        for place in &package.places {
            let _ = write!(text, " in {}", place.path);
        }
        if !package.licenses.is_empty() {
            let _ = write!(text, " under {}", package.licenses.join(", "));
        }
        if !package.proof.is_empty() {
            let _ = write!(text, " if {}", package.proof.join(" or "));
        }
        text.push('\n');
    }
    for gap in &found.gaps {
        let _ = writeln!(text, "gap: {gap}");
    }
    text
}
