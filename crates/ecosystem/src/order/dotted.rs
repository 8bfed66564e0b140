//! Versions that are numbers in a row and nothing else.

use std::cmp::Ordering;

use super::encode;

/// The numbers of a version, parted by one of the marks. `None`: something else is there.
pub(super) fn read<'a>(version: &'a str, marks: &[char]) -> Option<Vec<&'a str>> {
    version
        .split(marks)
        .map(|it| (!it.is_empty() && it.bytes().all(|it| it.is_ascii_digit())).then_some(it))
        .collect()
}

/// Number by number; the row that ends first is the lower one.
pub(super) fn compare(left: &[&str], right: &[&str]) -> Ordering {
    left.iter()
        .zip(right)
        .map(|(left, right)| encode::compare_numbers(left, right))
        .find(|it| it.is_ne())
        .unwrap_or_else(|| left.len().cmp(&right.len()))
}

/// The numbers one after the other: that one ends first is told by the end of the key.
pub(super) fn key(numbers: &[&str], key: &mut Vec<u8>) {
    for number in numbers {
        encode::number(number, key);
    }
}
