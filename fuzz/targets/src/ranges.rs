//! A range on the first line and a version on the second, as every family writes them: spans can be
//! compared, and what one end excludes is not in them.

use ecosystem::{order, range};

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let mut lines = input.lines();
    let [Some(text), version] = [lines.next(), lines.next()] else { return };
    for order in order::ALL {
        let Ok(spans) = range::parse(order.id(), text) else { continue };
        let _ = range::contains(*order, &spans, version.unwrap_or("1.0"));
        for span in &spans {
            let Some(end) = span.fix() else { continue };
            let alone = std::slice::from_ref(span);
            assert_ne!(range::contains(*order, alone, end), Ok(true), "{}: {end}", order.id());
        }
    }
}
