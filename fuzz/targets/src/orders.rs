//! Three versions, one a line, in every order of versions: the laws of an order hold, and keys agree.

use std::cmp::Ordering;

use ecosystem::order::{ALL, Order};

fn compared(order: &dyn Order, left: &str, right: &str) -> Option<Ordering> {
    let key = |version| {
        let mut key = Vec::new();
        order.key(version, &mut key).is_ok().then_some(key)
    };
    let id = order.id();
    let (by_key, told) = (key(left).zip(key(right)), order.compare(left, right).ok());
    let by_key = by_key.map(|(left, right)| left.cmp(&right));
    assert_eq!(told, by_key, "{id}: `{left}` and `{right}`");
    let back = order.compare(right, left).ok();
    assert_eq!(told.map(Ordering::reverse), back, "{id}: `{right}` and `{left}`");
    told
}

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut texts = input.lines();
    let [Some(a), Some(b), c] = [texts.next(), texts.next(), texts.next()] else { return };
    let c = c.unwrap_or(a);
    for order in ALL {
        let [ab, bc, ac] = [(a, b), (b, c), (a, c)].map(|(x, y)| compared(*order, x, y));
        if let (Some(ab), Some(bc), Some(ac)) = (ab, bc, ac)
            && (ab == bc || bc.is_eq())
        {
            assert_eq!(ab, ac, "{}: `{a}`, `{b}`, `{c}`", order.id());
        }
    }
}
