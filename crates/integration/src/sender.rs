//! Proofs: who says something, found out in a time that tells nothing.

use std::fmt::Write as _;

use model::Secret;
use ring::{digest, hmac};

use crate::contract::{Age, How, Refusal, Secrets, Sender};

/// Does `shown` prove that whoever sends it knows one of the secrets? `proves` says so for one.
pub(crate) fn judge(
    secrets: &Secrets,
    shown: Option<&[u8]>,
    how: How,
    proves: impl Fn(&Secret, &[u8]) -> bool,
) -> Sender {
    if secrets.is_empty() {
        return Sender::Unsigned;
    }
    let Some(shown) = shown else { return Sender::Refused(Refusal::Missing) };
    // Both are tried always: how long it takes tells nothing of which one it was.
    let new = secrets.new.as_ref().is_some_and(|it| proves(it, shown));
    let old = secrets.old.as_ref().is_some_and(|it| proves(it, shown));
    match (new, old) {
        (true, _) => Sender::Verified { how, age: Age::New },
        (false, true) => Sender::Verified { how, age: Age::Old },
        (false, false) => Sender::Refused(Refusal::Wrong),
    }
}

/// Is it the secret itself?
pub(crate) fn is_secret(secret: &Secret, shown: &[u8]) -> bool {
    same(secret.expose().as_bytes(), shown)
}

/// Is it the HMAC-SHA-256 of `body`, in lower-case hex?
pub(crate) fn is_sha256(secret: &Secret, body: &[u8], shown: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    same(hex(hmac::sign(&key, body).as_ref()).as_bytes(), shown)
}

/// Is it the HMAC-SHA-1 of `body`, in lower-case hex?
pub(crate) fn is_sha1(secret: &Secret, body: &[u8], shown: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose().as_bytes());
    same(hex(hmac::sign(&key, body).as_ref()).as_bytes(), shown)
}

/// Equal, told in a time that depends on neither.
fn same(left: &[u8], right: &[u8]) -> bool {
    // Over digests, so that lengths are not told either.
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    hmac::verify(&key, right, hmac::sign(&key, left).as_ref()).is_ok()
}

/// A name for what `parts` say together; other parts, other name.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    let mut name = hex(context.finish().as_ref());
    name.truncate(40);
    name
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vectors of RFC 4231 and RFC 2202 that have a text for a key.
    #[test]
    fn signs_as_the_specifications_say() {
        let key = Secret::new("Jefe");
        let body = b"what do ya want for nothing?";
        let sha256 = b"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert!(is_sha256(&key, body, sha256));
        assert!(is_sha1(&key, body, b"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
        assert!(!is_sha1(&key, body, b"EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79"));
        assert!(!is_sha256(&key, b"what do ya want for nothing", sha256));
    }

    #[test]
    fn names_tell_parts_apart() {
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["a", "b"]));
        assert_ne!(fingerprint(&["ab", ""]), fingerprint(&["a", "b"]));
        assert_eq!(fingerprint(&[]).len(), 40);
    }
}
