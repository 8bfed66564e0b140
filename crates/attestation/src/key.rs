//! Public keys, as PEM files have them, and what they can say about a signature.
//! <https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7>

use std::fmt::Write as _;

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use rustls_pki_types::alg_id;
use rustls_pki_types::pem::{PemObject as _, SectionKind};

use crate::verdict::{Proof, Refused, Unreadable};

/// Bytes of a file with a key.
const LARGEST: usize = 64 << 10;
/// DER tags.
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;
/// How long the modulus of an RSA key may be, in bits: what is shorter is broken by those who care.
const MODULUS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    algorithm: Algorithm,
    /// The point, the 32 bytes, or the two numbers.
    bytes: Vec<u8>,
    id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    P256,
    P384,
    Ed25519,
    Rsa,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::P256 => "ECDSA P-256",
            Self::P384 => "ECDSA P-384",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        }
    }

    /// The ways in which such a key signs. For P-384 old versions of cosign hash by SHA-256.
    fn ways(self) -> &'static [&'static dyn VerificationAlgorithm] {
        const P256: &[&dyn VerificationAlgorithm] = &[&ECDSA_P256_SHA256_ASN1];
        const P384: &[&dyn VerificationAlgorithm] =
            &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1];
        const EDWARDS: &[&dyn VerificationAlgorithm] = &[&ED25519];
        const RSA: &[&dyn VerificationAlgorithm] = &[
            &RSA_PKCS1_2048_8192_SHA256,
            &RSA_PSS_2048_8192_SHA256,
            &RSA_PKCS1_2048_8192_SHA384,
            &RSA_PKCS1_2048_8192_SHA512,
            &RSA_PSS_2048_8192_SHA384,
            &RSA_PSS_2048_8192_SHA512,
        ];
        match self {
            Self::P256 => P256,
            Self::P384 => P384,
            Self::Ed25519 => EDWARDS,
            Self::Rsa => RSA,
        }
    }
}

impl Key {
    /// Reads the one key of a PEM file.
    pub fn read(pem: &[u8]) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable(format!("it is no public key: {why}"));
        if pem.len() > LARGEST {
            return Err(unreadable(format!("it is longer than {LARGEST} bytes")));
        }
        // Labels that nobody knows are skipped, such as cosign's own for its private keys.
        let text = String::from_utf8_lossy(pem);
        if text.contains("PRIVATE KEY-----") {
            return Err(unreadable("it is a private one; keep it to yourself".to_owned()));
        }
        let mut keys = Vec::new();
        for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
            match section {
                Ok((SectionKind::PublicKey, der)) => keys.push(der),
                Ok((SectionKind::Certificate, _)) => {
                    return Err(unreadable("it is a certificate".to_owned()));
                }
                Ok(_) => {}
                Err(why) => return Err(unreadable(format!("{why:?}").to_lowercase())),
            }
        }
        match &keys[..] {
            [der] => Self::of(der).map_err(unreadable),
            [] => Err(unreadable("no `-----BEGIN PUBLIC KEY-----` is in it".to_owned())),
            several => Err(unreadable(format!("there are {} in it; name one", several.len()))),
        }
    }

    /// The key that a `SubjectPublicKeyInfo` describes.
    fn of(der: &[u8]) -> Result<Self, String> {
        let broken = || "its DER is broken".to_owned();
        let (info, rest) = value(der, SEQUENCE).ok_or_else(broken)?;
        let (algorithm, key) = value(info, SEQUENCE).ok_or_else(broken)?;
        let (key, after) = value(key, BIT_STRING).ok_or_else(broken)?;
        // All bits count.
        let Some((0, bytes)) = key.split_first() else { return Err(broken()) };
        if !rest.is_empty() || !after.is_empty() {
            return Err(broken());
        }
        let known = [
            (alg_id::ECDSA_P256, Algorithm::P256, Some(65)),
            (alg_id::ECDSA_P384, Algorithm::P384, Some(97)),
            (alg_id::ED25519, Algorithm::Ed25519, Some(32)),
            (alg_id::RSA_ENCRYPTION, Algorithm::Rsa, None),
        ];
        let known = known.into_iter().find(|(id, ..)| id.as_ref() == algorithm);
        let Some((_, algorithm, length)) = known else {
            let why = "ECDSA of P-256 and P-384, Ed25519 and RSA are understood, and it is none of \
                       these";
            return Err(why.to_owned());
        };
        match length {
            Some(length) if bytes.len() != length => return Err(broken()),
            Some(_) => {}
            None => {
                let bits = modulus(bytes).ok_or_else(broken)?;
                if !MODULUS.contains(&bits) {
                    return Err(format!("its RSA modulus has {bits} bits, not 2048 to 8192"));
                }
            }
        }
        Ok(Self { algorithm, bytes: bytes.to_vec(), id: sha256(der) })
    }

    /// SHA-256 of the key, in hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// `ECDSA P-256`, `Ed25519`.
    pub fn algorithm(&self) -> &'static str {
        self.algorithm.name()
    }

    /// The proof that `signature` is one of `message` by this key, if it is.
    pub fn proof(&self, message: &[u8], signature: &[u8]) -> Option<Proof> {
        let signed = |way: &&'static dyn VerificationAlgorithm| {
            UnparsedPublicKey::new(*way, &self.bytes).verify(message, signature).is_ok()
        };
        self.algorithm
            .ways()
            .iter()
            .any(signed)
            .then(|| Proof { key: self.id.clone(), algorithm: self.algorithm() })
    }

    /// That it is not.
    pub(crate) fn refused(&self) -> Refused {
        Refused::Another { key: self.id.clone(), algorithm: self.algorithm() }
    }
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// Hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// How many bits the modulus of an RSA key has.
fn modulus(der: &[u8]) -> Option<usize> {
    let (numbers, _) = value(der, SEQUENCE)?;
    let (modulus, _) = value(numbers, INTEGER)?;
    let zeros = modulus.iter().take_while(|it| **it == 0).count();
    let modulus = &modulus[zeros..];
    Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
}

/// The value of what comes first, which must have that tag, and what follows it.
fn value(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[first, length], rest) = der.split_first_chunk::<2>()?;
    if first != tag {
        return None;
    }
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
