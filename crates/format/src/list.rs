//! list: a table for people: each package's name, version and type, then what is missing.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::{Gap, Inventory, Package, PackageKind, Purl};

use crate::contract::{Format, Glance, Options, Unreadable};

pub(crate) struct List;

impl Format for List {
    fn id(&self) -> &'static str {
        "list"
    }

    fn title(&self) -> &'static str {
        "a table of names, versions and types"
    }

    fn writes(&self) -> bool {
        true
    }

    fn write(&self, inventory: &Inventory, options: &Options) -> String {
        let mut text = String::new();
        table(&mut text, &inventory.packages, options.terminal);
        let count = inventory.packages.len();
        let _ = writeln!(text, "\n{count} package{}", if count == 1 { "" } else { "s" });
        let image = inventory.subject.image().map_or(&[][..], |image| &image.gaps);
        let holes: Vec<&Gap> = inventory.gaps.iter().chain(image).collect();
        if !holes.is_empty() {
            let heading = format!("{} gap{}", holes.len(), if holes.len() == 1 { "" } else { "s" });
            let _ = writeln!(text, "\n{}", bold(&heading, options.terminal));
            for gap in holes {
                let _ = writeln!(text, "  {}: {}", shown(&gap.at), shown(&gap.why));
            }
        }
        text
    }

    fn claims(&self, _: &Glance<'_>) -> bool {
        false
    }

    fn read(&self, _: &[u8]) -> Result<Inventory, Unreadable> {
        Err(Unreadable(
            "reading the list failed: it is for people and says too little; use --format json"
                .to_owned(),
        ))
    }
}

/// One name that is a page long does not make every line as long.
const WIDEST: usize = 120;

fn table(text: &mut String, packages: &[Package], terminal: bool) {
    // How a package is known is worth a column only when it is not always the same.
    let told = packages.iter().any(|package| package.kind != PackageKind::Installed);
    let mut rows = vec![["Name", "Version", "Type", if told { "Kind" } else { "" }].map(Cow::from)];
    rows.extend(packages.iter().map(|package| {
        [
            Cow::Owned(shown(&name(&package.purl)).into_owned()),
            shown(package.purl.version().unwrap_or_default()),
            shown(package.purl.kind()),
            if told { package.kind.as_str().into() } else { Cow::Borrowed("") },
        ]
    }));
    let mut widths = [0; 4];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count()).min(WIDEST);
        }
    }
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            // The formatter's own padding takes no more than 65 535.
            let padding = width.saturating_sub(cell.chars().count()) + 2;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', padding));
        }
        let line = line.trim_end();
        let _ = writeln!(text, "  {}", bold(line, terminal && number == 0));
    }
}

/// What people call a package: with its namespace, unless that only names the distribution.
pub(crate) fn name(purl: &Purl) -> Cow<'_, str> {
    match purl.kind() {
        "deb" | "apk" | "rpm" | "alpm" => purl.name().into(),
        _ => purl.full_name().into(),
    }
}

fn bold(text: &str, really: bool) -> Cow<'_, str> {
    if really { format!("\x1b[1m{text}\x1b[0m").into() } else { text.into() }
}

/// An image may name its packages as it likes: what would move the cursor, colour the terminal or
/// turn the line around is written out.
pub fn shown(text: &str) -> Cow<'_, str> {
    let hostile = |it: char| {
        it.is_control()
            || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    // Nearly every text is plain, and plain bytes are quickly looked through.
    let plain = text.bytes().fold(true, |plain, it| plain & matches!(it, b' '..=b'~'));
    if plain || !text.contains(hostile) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        if hostile(letter) {
            safe.extend(letter.escape_unicode());
        } else {
            safe.push(letter);
        }
    }
    safe.into()
}

#[cfg(test)]
mod tests {
    use model::Subject;

    use super::*;

    fn check(
        packages: &[(&str, PackageKind)],
        gaps: &[(&str, &str)],
        terminal: bool,
        expect: &str,
    ) {
        let package =
            |(purl, kind): &(&str, PackageKind)| Package::new(purl.parse().unwrap()).of_kind(*kind);
        let inventory = Inventory {
            subject: Subject::Directory { path: "/".to_owned() },
            distro: None,
            packages: packages.iter().map(package).collect(),
            statements: vec![],
            gaps: gaps.iter().map(|(at, why)| Gap::new(*at, *why)).collect(),
        };
        let options = Options { terminal, ..Options::default() };
        assert_eq!(List.write(&inventory, &options), expect);
    }

    #[test]
    fn columns_line_up() {
        let installed = PackageKind::Installed;
        check(
            &[("pkg:deb/debian/bash@5.2", installed), ("pkg:npm/%40babel/core@7.0.0", installed)],
            &[],
            false,
            "  Name         Version  Type\n  bash         5.2      deb\n  @babel/core  7.0.0    npm\n\n2 packages\n",
        );
        check(&[], &[], false, "  Name  Version  Type\n\n0 packages\n");
    }

    #[test]
    fn what_is_not_installed_is_marked_and_what_is_missing_is_told() {
        check(
            &[("pkg:npm/a@1", PackageKind::Declared)],
            &[("/x", "it is broken")],
            true,
            "  \u{1b}[1mName  Version  Type  Kind\u{1b}[0m\n  a     1        npm   declared\n\n1 package\n\n\u{1b}[1m1 gap\u{1b}[0m\n  /x: it is broken\n",
        );
    }

    #[test]
    fn one_endless_name_does_not_widen_the_table() {
        let endless = "n".repeat(100_000);
        let purl = format!("pkg:npm/{endless}@1");
        let installed = PackageKind::Installed;
        check(
            &[(&purl, installed), ("pkg:npm/b@1", installed)],
            &[],
            false,
            &format!(
                "  {:120}  Version  Type\n  {endless}  1        npm\n  {:120}  1        npm\n\n2 packages\n",
                "Name", "b"
            ),
        );
    }

    #[test]
    fn hostile_names_are_written_out() {
        check(
            &[("pkg:npm/a%1B%5B31m%0Ab@1%E2%80%AE2", PackageKind::Installed)],
            &[("\u{9b}x", "y\rz")],
            false,
            "  Name               Version     Type\n  a\\u{1b}[31m\\u{a}b  1\\u{202e}2  npm\n\n1 package\n\n1 gap\n  \\u{9b}x: y\\u{d}z\n",
        );
    }
}
