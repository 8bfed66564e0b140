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
