//! A document, by every feed that takes it for its own, and by the one that the last byte chooses: what
//! it says compiles, whatever it is.

use feed::{ALL, Document};

const PATHS: &[&str] =
    &["Debian/all.zip/x.json", "v3.20/main.json", "AL2/updateinfo.xml", "azurelinux-3.0-oval.xml"];

/// Runs it once.
pub fn run(input: &[u8]) {
    let head = &input[..input.len().min(4096)];
    let chosen = usize::from(*input.last().unwrap_or(&0));
    let path = PATHS[chosen % PATHS.len()];
    for (number, feed) in ALL.iter().enumerate() {
        let part = feed.recognises(path, head);
        if part.is_none() && number != chosen % ALL.len() {
            continue;
        }
        let parts = feed.parts();
        let listed = parts.get(chosen % parts.len().max(1)).map(|it| it.name.clone());
        for part in [part, listed, Some("?".to_owned())].into_iter().flatten() {
            let parsed = feed.parse(&part, &Document { path, bytes: input });
            assert!(parsed.gaps.len() <= 101, "{} gaps", parsed.gaps.len());
            crate::world::compile(feed.id(), &part, parsed);
        }
    }
}
