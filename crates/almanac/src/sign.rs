//! Signatures and keys as minisign has them: Ed25519 over the BLAKE2b-512 hash of a file.
//!
//! <https://jedisct1.github.io/minisign/#signature-format>

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest as _};
use ring::rand::SecureRandom as _;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::error::Error;

/// The only algorithm of keys.
const KEY: [u8; 2] = *b"Ed";
/// Of signatures: over a hash of the file, not the file itself.
const HASHED: [u8; 2] = *b"ED";
const CHECKSUM: [u8; 2] = *b"B2";
const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";
const FOREIGN_KEY: &str = "it is no key of minisign's";

/// Whose signature is believed.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    id: [u8; 8],
    key: [u8; 32],
}

/// Signs. Its `Debug` keeps it secret.
pub struct SecretKey {
    id: [u8; 8],
    seed: [u8; 32],
    pair: Ed25519KeyPair,
}

impl PublicKey {
    /// What the key is called: sixteen hexadecimal digits.
    pub fn id(&self) -> String {
        name_of(self.id)
    }

    /// The file `minisign.pub`.
    pub fn to_file(&self) -> String {
        format!("{UNTRUSTED}minisign public key {}\n{self}\n", self.id())
    }

    /// Did its owner sign these bytes? Yields the trusted comment.
    pub fn verify(&self, bytes: &[u8], signature: &str) -> Result<String, Error> {
        let bad = |why: &str| Error::Untrusted(format!("the signature does not hold: {why}"));
        let parsed = Signature::parse(signature).ok_or_else(|| bad("it is none of minisign's"))?;
        if parsed.id != self.id {
            let why = format!("it is by key {}, not {}", name_of(parsed.id), self.id());
            return Err(bad(&why));
        }
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        key.verify(&Blake2b512::digest(bytes), &parsed.bytes)
            .map_err(|_| bad("the bytes are not those that were signed"))?;
        key.verify(&commented(&parsed.bytes, parsed.comment), &parsed.whole)
            .map_err(|_| bad("its comment is not the one that was signed"))?;
        Ok(parsed.comment.to_owned())
    }
}

/// Which of `keys` signed these bytes?
pub fn verify<'a>(
    bytes: &[u8],
    signature: &str,
    keys: &'a [PublicKey],
) -> Result<&'a PublicKey, Error> {
    let parsed = Signature::parse(signature)
        .ok_or_else(|| Error::Untrusted("the signature is none of minisign's".to_owned()))?;
    let unknown = || {
        let id = name_of(parsed.id);
        Error::Untrusted(format!("it is signed by key {id}, which is not among those trusted"))
    };
    let mut last = unknown();
    // Two keys may share an id by accident, or by intent.
    for key in keys.iter().filter(|it| it.id == parsed.id) {
        match key.verify(bytes, signature) {
            Ok(_) => return Ok(key),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// A line of base64, or a whole file with its comment.
impl FromStr for PublicKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = key_line(text)?;
        let (algorithm, id, key) = split_key(&bytes).ok_or_else(foreign_key)?;
        if algorithm != KEY {
            return Err(foreign_key());
        }
        Ok(Self { id, key })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode([&KEY[..], &self.id, &self.key].concat()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl SecretKey {
    /// A new one.
    pub fn generate() -> Result<Self, Error> {
        let random = ring::rand::SystemRandom::new();
        let mut id = [0; 8];
        let mut seed = [0; 32];
        random
            .fill(&mut id)
            .and_then(|()| random.fill(&mut seed))
            .map_err(|_| Error::Key("the system has no random numbers".to_owned()))?;
        Self::of(id, seed)
    }

    /// The key in a file without a password, as `minisign -G -W` writes it.
    pub fn parse(file: &str) -> Result<Self, Error> {
        let bytes = key_line(file)?;
        let mut rest = &*bytes;
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length)?;
            rest = left;
            Some(taken)
        };
        let mut parts = || {
            let head = (take(2)?, take(2)?, take(2)?);
            let _salt_and_limits = take(32 + 8 + 8)?;
            Some((head, take(8)?, take(32)?, take(32)?, take(32)?))
        };
        let ((algorithm, derivation, sum), id, seed, public, checksum) =
            parts().ok_or_else(foreign_key)?;
        if algorithm != KEY || sum != CHECKSUM {
            return Err(foreign_key());
        }
        if derivation != [0, 0] {
            return Err(Error::Key("it is locked by a password, which cannot be asked for".into()));
        }
        let both = [seed, public].concat();
        let id: [u8; 8] = id.try_into().map_err(|_| foreign_key())?;
        // Minisign itself leaves the checksum of a key without a password empty.
        if checksum != [0; 32] && checksum_of(id, &both) != checksum {
            return Err(Error::Key("its checksum is wrong".to_owned()));
        }
        let key = Self::of(id, seed.try_into().map_err(|_| foreign_key())?)?;
        if key.public().key != public {
            return Err(Error::Key("its two halves do not belong together".to_owned()));
        }
        Ok(key)
    }

    fn of(id: [u8; 8], seed: [u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| foreign_key())?;
        Ok(Self { id, seed, pair })
    }

    /// Its other half.
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey { id: self.id, key }
    }

    /// The file `minisign.key`, without a password: whoever can read it can sign.
    pub fn to_file(&self) -> String {
        let both = [&self.seed[..], &self.public().key].concat();
        let mut bytes = [KEY, [0, 0], CHECKSUM].concat();
        bytes.extend_from_slice(&[0; 32 + 8 + 8]);
        bytes.extend_from_slice(&self.id);
        bytes.extend_from_slice(&both);
        bytes.extend_from_slice(&checksum_of(self.id, &both));
        let name = name_of(self.id);
        format!("{UNTRUSTED}minisign secret key {name}\n{}\n", STANDARD.encode(bytes))
    }

    /// The file `….minisig` for these bytes. The comment is signed as well, and has one line.
    pub fn sign(&self, bytes: &[u8], comment: &str) -> String {
        let comment = comment.replace(['\n', '\r'], " ");
        let signature = self.pair.sign(&Blake2b512::digest(bytes));
        let whole = self.pair.sign(&commented(signature.as_ref(), &comment));
        let first = STANDARD.encode([&HASHED[..], &self.id, signature.as_ref()].concat());
        let second = STANDARD.encode(whole.as_ref());
        let name = name_of(self.id);
        format!("{UNTRUSTED}signature by key {name}\n{first}\n{TRUSTED}{comment}\n{second}\n")
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({} ***)", name_of(self.id))
    }
}

struct Signature<'a> {
    id: [u8; 8],
    bytes: Vec<u8>,
    comment: &'a str,
    whole: Vec<u8>,
}

impl<'a> Signature<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.lines();
        lines.next()?.strip_prefix(UNTRUSTED.trim_end())?;
        let first = STANDARD.decode(lines.next()?.trim()).ok()?;
        let comment = lines.next()?.strip_prefix(TRUSTED)?;
        let whole = STANDARD.decode(lines.next()?.trim()).ok()?;
        let (algorithm, rest) = first.split_at_checked(2)?;
        let (id, signature) = rest.split_at_checked(8)?;
        if algorithm != HASHED || signature.len() != 64 || whole.len() != 64 {
            return None;
        }
        Some(Self { id: id.try_into().ok()?, bytes: signature.to_vec(), comment, whole })
    }
}

/// The first line that is no comment.
fn key_line(text: &str) -> Result<Vec<u8>, Error> {
    let line = text.lines().map(str::trim).find(|it| !it.is_empty() && !it.contains(':'));
    STANDARD.decode(line.ok_or_else(foreign_key)?).map_err(|_| foreign_key())
}

fn split_key(bytes: &[u8]) -> Option<([u8; 2], [u8; 8], [u8; 32])> {
    let (algorithm, rest) = bytes.split_first_chunk()?;
    let (id, key) = rest.split_first_chunk()?;
    Some((*algorithm, *id, key.try_into().ok()?))
}

fn commented(signature: &[u8], comment: &str) -> Vec<u8> {
    [signature, comment.as_bytes()].concat()
}

fn checksum_of(id: [u8; 8], both: &[u8]) -> [u8; 32] {
    Blake2b::<U32>::digest([&KEY[..], &id, both].concat()).into()
}

/// As minisign shows it: the number, its highest byte first.
fn name_of(id: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

fn foreign_key() -> Error {
    Error::Key(FOREIGN_KEY.to_owned())
}

#[cfg(test)]
mod tests;
