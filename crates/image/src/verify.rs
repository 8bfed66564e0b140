//! Whether bytes are what their digest says, told while they go by.

use std::io::{self, Read};

use model::Digest;
use sha2::{Digest as _, Sha256, Sha512};

use crate::Error;

/// A digest in the making.
enum Hasher {
    /// `sha256`.
    Sha256(Sha256),
    /// `sha512`.
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// For bytes that should be `digest`: the same algorithm.
    fn like(digest: &Digest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(Box::default()),
            _ => Self::Sha256(Sha256::default()),
        }
    }

    /// The next bytes.
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// What the bytes are called.
    fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::from_sha256(&hash.finalize().into()),
            Self::Sha512(hash) => {
                use std::fmt::Write as _;
                let mut text = "sha512:".to_owned();
                for byte in &hash.finalize() {
                    let _ = write!(text, "{byte:02x}");
                }
                text.parse().expect("these are 128 lower-case hexadecimal digits")
            }
        }
    }
}

/// A reader that tells the SHA-256 of what went by.
pub(crate) struct Hashing<R> {
    inner: R,
    hash: Hasher,
}

impl<R: Read> Hashing<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Hasher::Sha256(Sha256::default()) }
    }

    /// What the bytes are called.
    pub(crate) fn finish(self) -> Digest {
        self.hash.finish()
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// The SHA-256 of `bytes`.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_sha256(&Sha256::digest(bytes).into())
}

/// Fails when `bytes` are not what `digest` says; `what` names them.
pub(crate) fn verify(what: &str, bytes: &[u8], digest: &Digest) -> Result<(), Error> {
    let mut hash = Hasher::like(digest);
    hash.update(bytes);
    differ(what, digest, &hash.finish()).map_or(Ok(()), Err)
}

fn differ(what: &str, wanted: &Digest, got: &Digest) -> Option<Error> {
    (wanted != got).then(|| {
        Error::corrupt(what, format!("its digest is {got}, not {wanted}"))
            .with_hint("it was damaged or replaced on its way or where it is kept; push it again")
    })
}

/// A reader that fails at the end when what went by is not what it should be.
/// The failure is an [`io::Error`] that carries an [`Error`].
pub(crate) struct Verified<R> {
    inner: R,
    what: String,
    digest: Digest,
    size: Option<u64>,
    hash: Option<Hasher>,
    seen: u64,
}

impl<R: Read> Verified<R> {
    /// Reads `inner`, which should be `digest` and, where known, `size` bytes.
    pub(crate) fn new(inner: R, what: String, digest: Digest, size: Option<u64>) -> Self {
        let hash = Some(Hasher::like(&digest));
        Self { inner, what, digest, size, hash, seen: 0 }
    }

    fn judge_size(&self, ended: bool) -> Result<(), Error> {
        match self.size {
            Some(size) if self.seen > size => Err(Error::corrupt(
                &self.what,
                format!("it is longer than the {size} bytes stated"),
            )),
            Some(size) if ended && self.seen < size => Err(Error::corrupt(
                &self.what,
                format!("it ends after {} of {size} bytes", self.seen),
            )),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        self.seen = self.seen.saturating_add(bytes.len() as u64);
        let ended = bytes.is_empty() && !buffer.is_empty();
        self.judge_size(ended).map_err(io::Error::other)?;
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        if ended
            && let Some(hash) = self.hash.take()
            && let Some(error) = differ(&self.what, &self.digest, &hash.finish())
        {
            // Whoever reads on after the failure fails again: it must not pass for an end.
            self.hash = Some(Hasher::like(&self.digest));
            return Err(io::Error::other(error));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &str, digest: &str, size: Option<u64>, expect: &str) {
        let digest: Digest = digest.parse().unwrap();
        let mut reader = Verified::new(bytes.as_bytes(), "blob".to_owned(), digest, size);
        let mut text = String::new();
        let shown = match reader.read_to_string(&mut text) {
            Ok(_) => text,
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect);
    }

    const ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const ABC_512: &str = "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
                           2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

    #[test]
    fn lets_the_right_bytes_through() {
        check("abc", ABC, None, "abc");
        check("abc", ABC, Some(3), "abc");
        check("abc", ABC_512, Some(3), "abc");
    }

    #[test]
    fn tells_of_the_wrong_ones() {
        let other = "sha256:88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        check("abcd", ABC, None, &format!("blob: its digest is {other}, not {ABC}"));
        check("abcd", ABC, Some(3), "blob: it is longer than the 3 bytes stated");
        check("abc", ABC, Some(4), "blob: it ends after 3 of 4 bytes");
    }

    #[test]
    fn the_failure_is_an_image_error() {
        let mut reader = Verified::new(&b"x"[..], "blob".to_owned(), ABC.parse().unwrap(), None);
        let error = io::copy(&mut reader, &mut io::sink()).unwrap_err();
        let inner = error.into_inner().unwrap().downcast::<Error>().unwrap();
        assert!(matches!(*inner, Error::Corrupt { .. }));
        assert!(reader.read(&mut [0; 8]).is_err(), "a failure lasts");
    }
}
