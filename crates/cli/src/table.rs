//! Lists, for people and for programs: how they are written, in columns, and when things were.

use std::fmt::Write as _;

use clap::ValueEnum;

/// How something is written that programs may want to read, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Rows under their heads, as wide as they need to be. No cell speaks to the terminal.
pub(crate) fn columns(heads: &[&str], rows: Vec<Vec<String>>) -> String {
    let heads = heads.iter().map(|it| (*it).to_owned()).collect();
    let all = std::iter::once(heads).chain(rows);
    let safe = |row: Vec<String>| row.iter().map(|it| format::shown(it).into_owned()).collect();
    let all: Vec<Vec<String>> = all.map(safe).collect();
    let count = all.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|it| it.chars().count()).max()
    };
    let widths: Vec<usize> = (0..count).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in &all {
        let cells = row.iter().zip(&widths).map(|(it, width)| format!("{it:<width$}"));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    text
}

/// Lines without anything that a terminal would obey: names come from images, and from others.
pub(crate) fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |it| (it, "\n"));
        safe.push_str(&format::shown(line));
        safe.push_str(end);
    }
    safe
}

/// A moment without what is below its second.
pub(crate) fn second(moment: &str) -> String {
    match moment.split_once('.') {
        Some((before, _)) => format!("{before}Z"),
        None => moment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_speaks_to_the_terminal() {
        let rows = vec![
            vec!["a\u{1b}[31m".to_owned(), "1".to_owned()],
            vec!["b\nc".to_owned(), String::new()],
        ];
        let expect = "Name         Count\na\\u{1b}[31m  1\nb\\u{a}c\n";
        assert_eq!(columns(&["Name", "Count"], rows), expect);
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(plain("a\u{9b}b\n\nc\td"), "a\\u{9b}b\n\nc\\u{9}d");
        assert_eq!(plain(""), "");
    }

    #[test]
    fn seconds() {
        assert_eq!(second("2026-11-21T10:00:00.123456Z"), "2026-11-21T10:00:00Z");
        assert_eq!(second("2026-11-21T10:00:00Z"), "2026-11-21T10:00:00Z");
        assert_eq!(second("soon"), "soon");
    }
}
