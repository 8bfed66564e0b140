//! Headers that somebody wants to be sent along.

use http::{HeaderMap, HeaderName, HeaderValue};
use image::Error;
use model::Secret;

/// Those that are ours to set, or that say where something goes.
const OURS: &[&str] = &[
    "connection",
    "content-length",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "webhook-id",
    "webhook-signature",
    "webhook-timestamp",
];
const MOST: usize = 50;

/// One a line. Their values are never quoted.
pub(super) fn read(told: Option<&Secret>) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let lines = told.map(Secret::expose).unwrap_or_default().lines().enumerate();
    for (at, line) in lines.filter(|it| !it.1.trim().is_empty()) {
        let bad = |why: &str| {
            Error::invalid("headers", format!("line {}: {why}", at + 1))
                .with_hint("write them like this: X-Key: 0123456789abcdef")
        };
        let (name, value) = line.split_once(':').ok_or_else(|| bad("it has no colon"))?;
        let name: HeaderName = name.trim().parse().map_err(|_| bad("its name is none"))?;
        if OURS.contains(&name.as_str()) || name.as_str().starts_with("proxy-") {
            return Err(bad(&format!("{name} is set by us")));
        }
        let mut value: HeaderValue =
            value.trim().parse().map_err(|_| bad("its value cannot stand in a header"))?;
        value.set_sensitive(true);
        if headers.len() >= MOST {
            return Err(bad("there are too many"));
        }
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let check = |text: &str, expect: &str| {
            let shown = match read(Some(&Secret::new(text))) {
                Ok(headers) => headers
                    .iter()
                    .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
                    .collect::<Vec<_>>()
                    .join(" "),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expect, "{text}");
        };
        check("", "");
        check("X-Key: a:b\n\nauthorization:Bearer x", "x-key=a:b authorization=Bearer x");
        check("s3cret", "headers: line 1: it has no colon");
        check("a: b\nx y: s3cret", "headers: line 2: its name is none");
        check("Host: evil.example", "headers: line 1: host is set by us");
        check("Webhook-Signature: s3cret", "headers: line 1: webhook-signature is set by us");
        check("x: s3cret\u{7f}", "headers: line 1: its value cannot stand in a header");
        check(&"a: b\n".repeat(51), "headers: line 51: there are too many");
    }
}
