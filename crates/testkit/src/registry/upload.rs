//! Uploads: blobs whole or in pieces, and manifests.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::http::{Reply, Request};
use super::{State, lock};
use crate::image::digest;

impl State {
    /// The answer to whoever brings something; `None` to whoever wants something.
    pub(super) fn take(&self, request: &Request) -> Option<Reply> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let rest = path.strip_prefix("/v2/")?;
        let (repository, id) = match rest.split_once("/blobs/uploads/") {
            Some(found) => found,
            None if request.method == "PUT" => {
                let (repository, wanted) = rest.rsplit_once("/manifests/")?;
                return Some(self.take_manifest(repository, wanted, request));
            }
            None => return None,
        };
        let mut uploads = lock(&self.uploads);
        if request.method == "POST" {
            let id = format!("upload-{}", uploads.len());
            uploads.insert(id.clone(), Vec::new());
            return Some(self.go_on(repository, &id, 0));
        }
        let Some(upload) = uploads.get_mut(id) else {
            return Some(Reply::error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload"));
        };
        if request.method == "PATCH" {
            let start = request.header("content-range").and_then(|it| it.split('-').next());
            if start.is_some_and(|it| it != upload.len().to_string()) {
                return Some(Reply::error(416, "BLOB_UPLOAD_INVALID", "not in order"));
            }
        }
        // What was learnt at the last step must be shown at the next.
        if !query.contains(&format!("at={}", upload.len())) {
            return Some(Reply::error(400, "BLOB_UPLOAD_INVALID", "an old location"));
        }
        upload.extend_from_slice(&request.bytes);
        if request.method == "PATCH" {
            return Some(self.go_on(repository, id, upload.len()));
        }
        let query: HashMap<&str, &str> =
            query.split('&').filter_map(|it| it.split_once('=')).collect();
        let bytes = std::mem::take(upload);
        let real = digest(&bytes);
        if query.get("digest").map(|it| it.replace("%3A", ":")).as_ref() != Some(&real) {
            return Some(Reply::error(400, "DIGEST_INVALID", "provided digest did not match"));
        }
        let key = (repository.to_owned(), real.clone());
        lock(&self.blobs).insert(key, ("application/octet-stream".to_owned(), bytes));
        Some(Reply::new(201, "", b"").header("Docker-Content-Digest", &real))
    }

    fn go_on(&self, repository: &str, id: &str, at: usize) -> Reply {
        let path = format!("/v2/{repository}/blobs/uploads/{id}?at={at}");
        let address = lock(&self.address).map(|it| it.to_string()).unwrap_or_default();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let location = if self.relative.load(Ordering::SeqCst) {
            path
        } else {
            format!("{scheme}://{address}{path}")
        };
        Reply::new(202, "", b"").header("Location", &location)
    }

    fn take_manifest(&self, repository: &str, wanted: &str, request: &Request) -> Reply {
        let json: serde_json::Value = serde_json::from_slice(&request.bytes).unwrap_or_default();
        let layers = json["layers"].as_array().cloned().unwrap_or_default();
        let blobs = layers.iter().chain([&json["config"]]);
        let mut kept = lock(&self.blobs);
        for blob in blobs.filter_map(|it| it["digest"].as_str()) {
            if !kept.contains_key(&(repository.to_owned(), blob.to_owned())) {
                return Reply::error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
            }
        }
        let kind = request.header("content-type").unwrap_or_default().to_owned();
        let digest = digest(&request.bytes);
        kept.insert((repository.to_owned(), digest.clone()), (kind, request.bytes.clone()));
        if !wanted.starts_with("sha256:") {
            let tag = (repository.to_owned(), wanted.to_owned());
            lock(&self.tags).insert(tag, digest.clone());
        }
        let reply = Reply::new(201, "", b"").header("Docker-Content-Digest", &digest);
        match json["subject"]["digest"].as_str() {
            Some(subject) if self.referrers.load(Ordering::SeqCst) => {
                reply.header("OCI-Subject", subject)
            }
            _ => reply,
        }
    }
}
