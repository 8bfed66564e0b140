//! The registry behind a stand-in, asked in its words.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use crate::registry::http::{Reply, Request};

pub(super) struct Backend {
    pub(super) host: String,
}

impl Backend {
    /// What it answers to the request, were it made to `path`.
    pub(super) fn pass(&self, request: &Request, path: &str) -> Reply {
        let accept = request.header("accept").unwrap_or("*/*");
        self.ask(&request.method, path, accept)
            .unwrap_or_else(|| Reply::error(502, "UNKNOWN", "the registry behind does not answer"))
    }

    /// Every repository.
    pub(super) fn repositories(&self) -> Vec<String> {
        self.list("/v2/_catalog", "repositories")
    }

    /// Every tag of one.
    pub(super) fn tags(&self, repository: &str) -> Vec<String> {
        self.list(&format!("/v2/{repository}/tags/list"), "tags")
    }

    /// What a tag leads to.
    pub(super) fn digest(&self, repository: &str, tag: &str) -> Option<String> {
        let path = format!("/v2/{repository}/manifests/{tag}");
        let accept = "application/vnd.oci.image.index.v1+json, \
                      application/vnd.docker.distribution.manifest.list.v2+json, \
                      application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.docker.distribution.manifest.v2+json";
        let reply = self.ask("HEAD", &path, accept).filter(|it| it.status == 200)?;
        let found = reply.headers.into_iter();
        found
            .filter(|(name, _)| name.eq_ignore_ascii_case("docker-content-digest"))
            .map(|it| it.1)
            .next()
    }

    /// Every name of a list, page by page; some give all at once, whatever they are asked.
    fn list(&self, path: &str, key: &str) -> Vec<String> {
        let mut all: BTreeSet<String> = BTreeSet::new();
        loop {
            let last = all.last().map_or("", String::as_str).replace('/', "%2F");
            let reply = self.ask("GET", &format!("{path}?n=100&last={last}"), "*/*");
            let value: Value =
                reply.and_then(|it| serde_json::from_slice(&it.body).ok()).unwrap_or_default();
            let entries = value[key].as_array().cloned().unwrap_or_default();
            let before = all.len();
            all.extend(entries.iter().filter_map(|it| it.as_str().map(str::to_owned)));
            if all.len() == before {
                return all.into_iter().collect();
            }
        }
    }

    /// One question over a connection of its own. HTTP/1.0, so that nothing comes in chunks.
    fn ask(&self, method: &str, path: &str, accept: &str) -> Option<Reply> {
        let mut stream = TcpStream::connect(&self.host).ok()?;
        let host = &self.host;
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\nConnection: close\r\n\r\n").ok()?;
        let (status, headers, body) = read_answer(&mut stream, method == "HEAD")?;
        let mut reply = Reply::new(status, "application/json", &body);
        for (name, value) in headers {
            match name.as_str() {
                "content-type" => reply = reply.header("Content-Type", &value),
                "docker-content-digest" | "link" => reply = reply.header(&name, &value),
                _ => {}
            }
        }
        Some(reply)
    }
}

/// Status, headers and body.
pub(super) type Answer = (u16, Vec<(String, String)>, Vec<u8>);

/// One answer, which says how long it is or ends with the connection.
pub(super) fn read_answer(stream: &mut TcpStream, bare: bool) -> Option<Answer> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let lines = head.lines().skip(1).filter_map(|it| it.split_once(':'));
    let headers: Vec<(String, String)> =
        lines.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let length = headers.iter().find(|it| it.0 == "content-length");
    let length = length.and_then(|it| it.1.parse::<u64>().ok()).unwrap_or(u64::MAX);
    let mut body = Vec::new();
    if !bare {
        stream.take(length).read_to_end(&mut body).ok()?;
    }
    Some((status, headers, body))
}
