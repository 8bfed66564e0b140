//! The proof that a message is ours.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use image::Error;
use model::Secret;
use ring::hmac;

/// A secret of fewer bytes can be guessed.
const SHORT: usize = 24;

/// Knows the secret.
pub(super) struct Signer {
    key: hmac::Key,
    length: usize,
}

impl Signer {
    /// With a secret as it is written: `whsec_` and Base64, or Base64 alone.
    pub(super) fn new(secret: &Secret) -> Result<Self, Error> {
        let text = secret.expose().trim();
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let bytes = STANDARD.decode(text).ok().filter(|it| !it.is_empty()).ok_or_else(|| {
            Error::invalid("secret", "it is no Base64 after whsec_")
                .with_hint("make one like this: echo whsec_$(head -c 32 /dev/urandom | base64)")
        })?;
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &bytes), length: bytes.len() })
    }

    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn is_short(&self) -> bool {
        self.length < SHORT
    }

    /// `v1,` and the signature.
    pub(super) fn sign(&self, id: &str, timestamp: u64, body: &str) -> String {
        let signed = format!("{id}.{timestamp}.{body}");
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("v1,{}", STANDARD.encode(signature.as_ref()))
    }
}

/// The id under which a receiver knows what is said: the key, where it can be one.
fn id(key: &str) -> String {
    // A dot would end it where it is signed.
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || b"-_:".contains(&it);
    if !key.is_empty() && key.len() <= 128 && key.bytes().all(is_plain) {
        return key.to_owned();
    }
    crate::sender::fingerprint(&[key])
}

/// The headers that tell what is said, and when, and that it is ours.
pub(super) fn head(
    headers: &mut HeaderMap,
    signer: Option<&Signer>,
    key: &str,
    timestamp: u64,
    body: &str,
) {
    let id = id(key);
    let mut header = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    header("webhook-id", &id);
    header("webhook-timestamp", &timestamp.to_string());
    if let Some(signer) = signer {
        header("webhook-signature", &signer.sign(&id, timestamp, body));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What another language's library says: see the fixture's origin beside it.
    #[test]
    fn signs_as_others_do() {
        let text = include_str!("../../fixtures/webhook/signatures.json");
        let all: Vec<serde_json::Value> = serde_json::from_str(text).unwrap();
        assert_eq!(all.len(), 20);
        for it in all {
            let text = |key: &str| it[key].as_str().unwrap();
            let signer = Signer::new(&Secret::new(text("secret"))).unwrap();
            let time = it["timestamp"].as_u64().unwrap();
            assert_eq!(signer.sign(text("id"), time, text("body")), text("signature"));
            assert_ne!(signer.sign(text("id"), time + 1, text("body")), text("signature"));
            let mut headers = HeaderMap::new();
            head(&mut headers, Some(&signer), text("id"), time, text("body"));
            assert_eq!(headers["webhook-id"], text("id"));
            assert_eq!(headers["webhook-signature"], text("signature"));
        }
    }

    #[test]
    fn secrets() {
        for text in ["whsec_", "", "whsec_!", "whsec_abc", "plain words"] {
            let error = Signer::new(&Secret::new(text)).err().unwrap();
            assert_eq!(error.to_string(), "secret: it is no Base64 after whsec_");
        }
        let short = Signer::new(&Secret::new("whsec_MDEyMzQ1Njc4OWFiY2RlZg==")).unwrap();
        assert!(short.is_short() && short.length() == 16);
    }

    #[test]
    fn ids_have_no_dots() {
        assert_eq!(id("0193-a_b:c"), "0193-a_b:c");
        for key in ["", "a.b", "a b", "é", &"x".repeat(129)] {
            assert_eq!(id(key).len(), 40, "{key}");
        }
        assert_ne!(id("a.b"), id("a.c"));
    }
}
