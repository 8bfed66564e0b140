//! Keys that secrets are sealed with: they come from outside and are never written down.

use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

/// The key that secrets are sealed with, and former ones that some may still be sealed with.
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<Vec<Key>>,
}

struct Key {
    id: String,
    key: LessSafeKey,
}

impl Keyring {
    /// Of a key, and of those that were used before it.
    pub fn new(key: &[u8; 32], former: &[[u8; 32]]) -> Self {
        let keys = std::iter::once(key).chain(former).map(Key::new).collect();
        Self { keys: Arc::new(keys) }
    }

    /// How the present key is told from others; it says nothing about the key.
    pub fn id(&self) -> &str {
        self.keys.first().map_or("", |it| &it.id)
    }

    /// The ids of all keys, the present one first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|it| it.id.as_str())
    }

    /// Seals a text that is `whose` and nobody else's.
    pub(crate) fn seal(&self, whose: &str, text: &str) -> Option<Vec<u8>> {
        let key = &self.keys.first()?.key;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = text.as_bytes().to_vec();
        let aad = Aad::from(whose.as_bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// Opens what was sealed with the key of that id; nothing, if it was tampered with, or is
    /// somebody else's.
    pub(crate) fn open(&self, id: &str, whose: &str, sealed: &[u8]) -> Option<String> {
        let key = &self.keys.iter().find(|it| it.id == id)?.key;
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = key.open_in_place(nonce, Aad::from(whose.as_bytes()), &mut sealed).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

impl Key {
    fn new(bytes: &[u8; 32]) -> Self {
        let sum = Sha256::new().chain_update("foretop key id\0").chain_update(bytes).finalize();
        let id = crate::hash_key(&sum.into()).chars().take(16).collect();
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("it has 32 bytes, as AES-256 has");
        Self { id, key: LessSafeKey::new(key) }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_by_its_key_for_whom_it_is() {
        let ring = Keyring::new(&[1; 32], &[]);
        let sealed = ring.seal("acme", "s3cret").unwrap();
        assert_ne!(ring.seal("acme", "s3cret").unwrap(), sealed, "never the same twice");
        assert_eq!(ring.open(ring.id(), "acme", &sealed).as_deref(), Some("s3cret"));
        assert_eq!(ring.open(ring.id(), "other", &sealed), None);
        let newer = Keyring::new(&[2; 32], &[[1; 32]]);
        assert_eq!(newer.open(ring.id(), "acme", &sealed).as_deref(), Some("s3cret"));
        assert_eq!(newer.open(newer.id(), "acme", &sealed), None);
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert_eq!(ring.open(ring.id(), "acme", &bad), None);
            assert_eq!(ring.open(ring.id(), "acme", &sealed[..at]), None);
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let ring = Keyring::new(&[1; 32], &[[2; 32]]);
        let shown = format!("{ring:?}");
        assert_eq!(shown.len(), 2 + 2 * 18 + 2, "two ids: {shown}");
    }
}
