//! Pages that are not a registry's: with editions, and in parts.

use super::http::{Reply, Request};

/// What is at one address.
pub(super) struct Page {
    pub(super) etag: String,
    pub(super) bytes: Vec<u8>,
}

impl Page {
    pub(super) fn answer(&self, request: &Request) -> Reply {
        let etag = format!("\"{}\"", self.etag);
        if request.header("if-none-match") == Some(&etag) {
            return Reply::new(304, "", b"").header("ETag", &etag);
        }
        let same = request.header("if-range").is_none_or(|it| it == etag);
        Reply::blob(&self.bytes, request.header("range").filter(|_| same)).header("ETag", &etag)
    }
}
