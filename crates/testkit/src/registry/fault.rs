//! How a registry may misbehave.

use super::http::Reply;

/// One kind of misbehaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status, these headers, this body.
    Status(u16, Vec<(String, String)>, String),
    /// A page for people.
    Html(u16),
    /// Sends the client to this URL.
    Redirect(String),
    /// Sends the body's first bytes, then nothing more, and keeps the connection.
    StallAfter(usize),
    /// Sends the body's first bytes, then ends the connection.
    BreakAfter(usize),
    /// Sends the body's first bytes as if they were all.
    Truncate(usize),
    /// Sends the body with its first byte changed.
    Spoil,
    /// Sends the body and something more.
    Lengthen(usize),
    /// Sends the whole body, whatever range was asked for.
    IgnoreRange,
    /// Answers another range than was asked for.
    WrongRange,
    /// Claims another digest in its header.
    WrongDigest,
    /// Ends the connection before any answer.
    HangUp,
    /// Sends the body a byte at a time.
    Drip,
}

impl Fault {
    /// A bare status.
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), String::new())
    }

    /// A registry's word that something is not there.
    pub fn unknown(code: &str) -> Self {
        let body = format!(r#"{{"errors":[{{"code":"{code}","message":"x"}}]}}"#);
        Self::Status(404, vec![("Content-Type".into(), "application/json".into())], body)
    }

    /// A status that says when to come back.
    pub fn retry_after(status: u16, when: &str) -> Self {
        Self::Status(status, vec![("Retry-After".into(), when.into())], String::new())
    }

    /// Turns what would have been answered into what is.
    pub(crate) fn apply(self, mut reply: Reply) -> Reply {
        match self {
            Self::Status(status, headers, body) => {
                let reply = Reply::new(status, "application/json", body.as_bytes());
                headers.iter().fold(reply, |reply, (name, value)| reply.header(name, value))
            }
            Self::Html(status) => Reply::new(
                status,
                "text/html; charset=utf-8",
                b"<!DOCTYPE html><title>Hello</title>",
            ),
            Self::Redirect(url) => Reply::new(307, "", b"").header("Location", &url),
            Self::StallAfter(count) => Reply { stall_after: Some(count), ..reply },
            Self::BreakAfter(count) => Reply { break_after: Some(count), ..reply },
            Self::Truncate(count) => {
                reply.body.truncate(count);
                reply
            }
            Self::Spoil => {
                if let Some(byte) = reply.body.first_mut() {
                    *byte ^= 0xff;
                }
                reply
            }
            Self::Lengthen(count) => {
                let length = reply.body.len() + count;
                reply.body.resize(length, b'\n');
                reply
            }
            // The request was shorn of its range before it was answered.
            Self::IgnoreRange => reply,
            Self::WrongRange => reply.header("Content-Range", "bytes 1-2/3"),
            Self::WrongDigest => {
                let digest = format!("sha256:{}", "0".repeat(64));
                reply.header("Docker-Content-Digest", &digest)
            }
            Self::HangUp => Reply { break_after: Some(0), headerless: true, ..reply },
            Self::Drip => Reply { drip: true, ..reply },
        }
    }
}
