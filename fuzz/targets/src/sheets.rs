//! A sheet with some of its bytes changed, or junk: whatever is asked, it answers or says that it is torn.

use std::sync::LazyLock;

use feed::Document;

/// Of an operating system, with bulletins; of a language, with lists of versions; of attacks.
static SHEETS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let documents: [(&str, &[u8]); 5] = [
        ("osv", include_bytes!("../../../crates/feed/fixtures/osv/debian.json")),
        ("osv", include_bytes!("../../../crates/feed/fixtures/osv/github.json")),
        ("redhat-vex", include_bytes!("../../../crates/feed/fixtures/redhat-vex/modules.json")),
        (
            "kev",
            include_bytes!(
                "../../../crates/feed/fixtures/kev/known_exploited_vulnerabilities.json"
            ),
        ),
        ("nvd", include_bytes!("../../../crates/feed/fixtures/nvd/page.json")),
    ];
    let sheets = documents.into_iter().flat_map(|(id, bytes)| {
        let feed = feed::find(id).expect("it is one of ours");
        let path = "all.zip/x.json";
        let part = feed.recognises(path, bytes).unwrap_or_default();
        crate::world::compile(id, &part, feed.parse(&part, &Document { path, bytes }))
    });
    sheets.map(|it| it.bytes).collect()
});

/// Runs it once.
pub fn run(input: &[u8]) {
    match input {
        [b'f', b'o', b'r', ..] | [] => crate::world::ask(input.to_vec(), false),
        [which, edits @ ..] => {
            let base = &SHEETS[usize::from(*which) % SHEETS.len()];
            crate::world::ask(crate::world::edited(base, edits), false);
        }
    }
}
