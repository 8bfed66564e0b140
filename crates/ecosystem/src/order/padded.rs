//! Sequences that are compared as if they went on for ever with a filler, as bytes that compare like them.
//!
//! `1` and `1.0` are one version where the filler is zero, `1.a` comes before them and `1.0.1` after.
//! So an element says how many fillers stand before it: the more, the nearer it is to the end.

/// Few fillers are part of the mark before an element, more are counted behind it.
const FEW: u8 = 5;
const BELOW: u8 = 0x01;
const END: u8 = 0x07;
const ABOVE: u8 = 0x0E;
/// The lowest byte that may begin an element above the filler which no filler precedes.
pub(super) const LOWEST: u8 = 0x0F;

/// What stands before an element below the filler, after so many fillers.
pub(super) fn below(fillers: usize, key: &mut Vec<u8>) {
    match u8::try_from(fillers) {
        Ok(few) if few < FEW => key.push(BELOW + few),
        _ => {
            key.push(BELOW + FEW);
            key.extend_from_slice(&counted(fillers).to_be_bytes());
        }
    }
}

/// What stands before an element above the filler, after so many fillers: nothing after none.
pub(super) fn above(fillers: usize, key: &mut Vec<u8>) {
    match u8::try_from(fillers) {
        Ok(0) => {}
        Ok(few) if few <= FEW => key.push(ABOVE + 1 - few),
        _ => {
            key.push(ABOVE - FEW);
            key.extend_from_slice(&(!counted(fillers)).to_be_bytes());
        }
    }
}

/// What stands after the last element that is no filler.
pub(super) fn end(key: &mut Vec<u8>) {
    key.push(END);
}

fn counted(fillers: usize) -> u32 {
    u32::try_from(fillers).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;

    /// Elements from -2 to 2, where 0 is the filler.
    fn key(elements: &[i8]) -> Vec<u8> {
        let mut key = Vec::new();
        let mut fillers = 0;
        for element in elements {
            match element.signum() {
                0 => {
                    fillers += 1;
                    continue;
                }
                1 => above(fillers, &mut key),
                _ => below(fillers, &mut key),
            }
            key.push((0x20 + element).cast_unsigned());
            fillers = 0;
        }
        end(&mut key);
        key
    }

    fn compare(left: &[i8], right: &[i8]) -> Ordering {
        let at = |it: &[i8], index: usize| it.get(index).copied().unwrap_or_default();
        (0..left.len().max(right.len()))
            .map(|index| at(left, index).cmp(&at(right, index)))
            .find(|it| it.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    fn elements() -> impl Strategy<Value = Vec<i8>> {
        let some = prop::collection::vec(-2_i8..=2, 0..4);
        (some.clone(), 0_usize..9, some).prop_map(|(mut first, fillers, last)| {
            first.extend(std::iter::repeat_n(0, fillers));
            first.extend(last);
            first
        })
    }

    proptest! {
        #[test]
        fn bytes_compare_like_the_sequences(left in elements(), right in elements()) {
            prop_assert_eq!(key(&left).cmp(&key(&right)), compare(&left, &right));
        }
    }
}
