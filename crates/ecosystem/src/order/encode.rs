//! How the pieces of versions become bytes that compare like them.
//!
//! A number's first byte lies in `NUMBER_FIRST..=NUMBER_LAST`, so that an order has the bytes below it
//! for marks that sort before any number, and those above it for letters and marks that sort after.

use std::cmp::Ordering;

/// The first byte of the lowest number.
pub(super) const NUMBER_FIRST: u8 = 0x10;
/// The first byte of the highest number.
pub(super) const NUMBER_LAST: u8 = HUGE;

/// Numbers below this are one byte.
const SMALL: u64 = 0x80;
/// What stands before a number of so many bytes, less their count.
const LONG: u8 = 0x8F;
/// What stands before one of more digits than fit: their count, then they themselves.
const HUGE: u8 = 0x98;
/// So many digits fit into 64 bits, whichever they are.
const FIT: usize = 19;

/// A run of digits of any length, without the zeros in front.
pub(super) fn without_zeros(digits: &str) -> &str {
    digits.trim_start_matches('0')
}

/// Which of two runs of digits, of any length, is the lower number. The empty one is zero.
pub(super) fn compare_numbers(left: &str, right: &str) -> Ordering {
    let (left, right) = (without_zeros(left), without_zeros(right));
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Appends a run of digits of any length as a number: a byte where it is small, a few where not.
/// No number's bytes begin with those of another.
pub(super) fn number(digits: &str, key: &mut Vec<u8>) {
    let digits = without_zeros(digits);
    if digits.len() <= FIT {
        let value = digits.bytes().fold(0_u64, |sum, it| {
            sum.wrapping_mul(10).wrapping_add(u64::from(it.wrapping_sub(b'0')))
        });
        small_number(value, key);
    } else {
        key.push(HUGE);
        small_number(digits.len() as u64, key);
        key.extend_from_slice(digits.as_bytes());
    }
}

/// Appends a number as `number` does.
pub(super) fn small_number(value: u64, key: &mut Vec<u8>) {
    match u8::try_from(value) {
        Ok(byte) if value < SMALL => key.push(NUMBER_FIRST + byte),
        _ => {
            let bytes = value.to_be_bytes();
            let zeros = bytes.iter().take_while(|it| **it == 0).count();
            let rest = bytes.get(zeros..).unwrap_or_default();
            key.push(LONG.saturating_add(u8::try_from(rest.len()).unwrap_or(8)));
            key.extend_from_slice(rest);
        }
    }
}

/// Appends any text so that it sorts as its bytes do, and before every longer text it begins.
pub(super) fn text(text: &str, key: &mut Vec<u8>) {
    for byte in text.bytes() {
        if byte < 2 {
            key.push(1);
            key.push(byte + 1);
        } else {
            key.push(byte);
        }
    }
    key.push(0);
}

/// Cuts off the run of digits a text begins with; it may be empty.
pub(super) fn split_digits(text: &str) -> (&str, &str) {
    split_while(text, |it| it.is_ascii_digit())
}

/// Cuts off the ASCII bytes a text begins with that are as asked.
pub(super) fn split_while(text: &str, wanted: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|it| !it.is_ascii() || !wanted(it)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number_key(digits: &str) -> Vec<u8> {
        let mut key = Vec::new();
        number(digits, &mut key);
        key
    }

    fn text_key(it: &str) -> Vec<u8> {
        let mut key = Vec::new();
        text(it, &mut key);
        key
    }

    #[test]
    fn numbers_are_short_and_within_their_bytes() {
        for (digits, length) in [
            ("", 1),
            ("0", 1),
            ("0127", 1),
            ("128", 2),
            ("256", 3),
            ("9999999999999999999", 9),
            ("10000000000000000000", 22),
        ] {
            let key = number_key(digits);
            assert_eq!(key.len(), length, "{digits}");
            assert!((NUMBER_FIRST..=NUMBER_LAST).contains(&key[0]), "{digits}");
        }
    }

    proptest! {
        #[test]
        fn numbers_sort_as_they_count(left in "0{0,2}[0-9]{0,22}", right in "0{0,2}[0-9]{0,22}", below in any::<u64>(), above in any::<u64>()) {
            prop_assert_eq!(number_key(&left).cmp(&number_key(&right)), compare_numbers(&left, &right));
            let (low, high) = (below.to_string(), above.to_string());
            prop_assert_eq!(number_key(&low).cmp(&number_key(&high)), below.cmp(&above));
            prop_assert_eq!(compare_numbers(&low, &high), below.cmp(&above));
        }

        #[test]
        fn texts_sort_as_they_are(left in "[\\x00-\\x03a-c]{0,4}", right in "[\\x00-\\x03a-c]{0,4}", after in any::<u8>()) {
            let (mut one, mut two) = (text_key(&left), text_key(&right));
            one.push(after);
            two.push(0);
            if left != right {
                prop_assert_eq!(one.cmp(&two), left.cmp(&right));
            }
        }
    }
}
