//! Two lists become pairs of what has the same key, and what is left.

use std::cmp::Ordering;

/// Takes out of both lists what has the same key, as many as both have; of several the first ones in
/// `order`.
pub(super) fn join<T, K: Ord>(
    left: &mut Vec<T>,
    right: &mut Vec<T>,
    found: &mut Vec<(T, T)>,
    key: impl Fn(&T) -> K,
    order: impl Fn(&T, &T) -> Ordering,
) {
    if left.is_empty() || right.is_empty() {
        return;
    }
    let by_key = |one: &T, other: &T| key(one).cmp(&key(other)).then_with(|| order(one, other));
    left.sort_by(by_key);
    right.sort_by(by_key);
    let mut ones = std::mem::take(left).into_iter().peekable();
    let mut others = std::mem::take(right).into_iter().peekable();
    while let (Some(one), Some(other)) = (ones.peek(), others.peek()) {
        match key(one).cmp(&key(other)) {
            Ordering::Less => left.extend(ones.next()),
            Ordering::Greater => right.extend(others.next()),
            Ordering::Equal => found.extend(ones.next().zip(others.next())),
        }
    }
    left.extend(ones);
    right.extend(others);
}
