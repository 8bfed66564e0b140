//! A file of junk, walked as a published container within tight limits, which hold.

use std::io::Write as _;

use feed::walk::{Limits, walk};

/// Runs it once.
pub fn run(input: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(input).expect("a temporary file");
    let limits = Limits {
        total: 4 << 20,
        document: 1 << 20,
        depth: 3,
        entries: 100,
        ratio: 100,
        ratio_floor: 64 << 10,
    };
    let (mut documents, mut bytes) = (0, 0);
    walk(file.path(), &limits, &mut |_, document| {
        documents += 1;
        bytes += document.len() as u64;
        assert!(document.len() as u64 <= limits.document);
    });
    assert!(documents <= limits.entries + 1, "{documents} documents");
    assert!(bytes <= limits.total + limits.document, "{bytes} bytes");
}
