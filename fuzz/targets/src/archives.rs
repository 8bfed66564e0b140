//! A file of junk, read as an image archive from end to end.

use std::io::Write as _;
use std::sync::Arc;

use engine::{Engine, Request};

/// Runs it once.
pub fn run(input: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(input).expect("a temporary file");
    let mut settings = image::Settings::default();
    settings.limits = tarball::Limits { total: 64 << 20, entries: 10_000, ..settings.limits };
    let request = Request {
        subject: format!("archive://{}", file.path().display()),
        platform: None,
        reference: None,
        manifest: None,
        hearing: engine::Hearing::Flaws,
        settings: Arc::new(settings),
        progress: Arc::new(image::Silent),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let _ = runtime.block_on(Engine::default().inventory(&request));
}
