//! Lists of documents and when each changed last.

use std::collections::BTreeMap;

/// The moment by name. What is no row is passed over: whoever needs a document finds it missing.
pub(super) type List = BTreeMap<String, String>;

/// Larger than any that is published.
pub(super) const LARGEST: u64 = 256 << 20;

/// Rows of a name and a moment, in the column that is told.
pub(super) fn read(text: &str, name: usize, moment: usize) -> List {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows = reader.records().filter_map(Result::ok);
    rows.filter_map(|row| {
        Some((row.get(name)?.trim().to_owned(), row.get(moment)?.trim().to_owned()))
    })
    .filter(|(name, moment)| !name.is_empty() && moment.starts_with(|it: char| it.is_ascii_digit()))
    .collect()
}

/// Names in `list` that `known` does not have, or has with another moment.
pub(super) fn changed(known: &List, list: &List) -> Vec<String> {
    let is_new = |(name, moment): &(&String, &String)| known.get(*name) != Some(*moment);
    list.iter().filter(is_new).map(|(name, _)| name.clone()).collect()
}

/// Names whose moment is not before `since`; one without a readable moment is among them.
pub(super) fn since(list: &List, since: jiff::Timestamp) -> Vec<String> {
    let is_late = |moment: &str| moment.parse::<jiff::Timestamp>().map_or(true, |it| it >= since);
    list.iter().filter(|(_, moment)| is_late(moment)).map(|(name, _)| name.clone()).collect()
}
