//! A range on the first line and a version on the second, as every family writes them: spans can be
//! compared, and what one end excludes is not in them.
#![no_main]

use ecosystem::{order, range};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut lines = input.lines();
    let [Some(text), version] = [lines.next(), lines.next()] else { return };
    for order in order::ALL {
        let Ok(spans) = range::parse(order.id(), text) else { continue };
        let _ = range::contains(*order, &spans, version.unwrap_or("1.0"));
        for end in spans.iter().filter_map(|it| it.fix()) {
            let alone =
                std::slice::from_ref(spans.iter().find(|it| it.fix() == Some(end)).unwrap());
            assert_ne!(range::contains(*order, alone, end), Ok(true), "{}: {end}", order.id());
        }
    }
});
