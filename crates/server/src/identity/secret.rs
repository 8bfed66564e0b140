//! Secrets that we make: tokens, sessions, invitations.
//!
//! `ftp_` (a person's token), `fto_` (an organisation's), `fts_` (a session), `fti_` (an invitation),
//! `ftr_` (another password) or `fth_` (where webhooks come in), then 43 letters and digits by chance,
//! which are 256 bits, then six that check what is before them. Whoever looks for lost secrets finds
//! `ft[posirh]_[0-9A-Za-z]{49}`, and the check tells a secret from what only looks like one.

use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// Letters by chance: 62 to the power of 43 is a little more than 2 to the power of 256.
const RANDOM: usize = 43;
/// Letters that check the others: 62 to the power of six is more than 2 to the power of 32.
const CHECK: usize = 6;
/// Letters that say what it is.
const HEAD: usize = 4;
/// Letters that are shown of a secret, to tell it from others.
const TOLD: usize = 10;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person's token.
    Personal,
    /// An organisation's token.
    Organisation,
    /// That somebody is logged in.
    Session,
    /// That somebody may join.
    Invitation,
    /// That somebody may choose another password.
    Reset,
    /// Where the webhooks of an integration come in.
    Hook,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Personal,
        Self::Organisation,
        Self::Session,
        Self::Invitation,
        Self::Reset,
        Self::Hook,
    ];

    fn head(self) -> &'static str {
        match self {
            Self::Personal => "ftp_",
            Self::Organisation => "fto_",
            Self::Session => "fts_",
            Self::Invitation => "fti_",
            Self::Reset => "ftr_",
            Self::Hook => "fth_",
        }
    }

    /// What that secret is for, if it is one that we could have made.
    pub(crate) fn of(secret: &str) -> Option<Self> {
        if secret.len() != HEAD + RANDOM + CHECK || !secret.is_ascii() {
            return None;
        }
        let (text, said) = secret.split_at_checked(HEAD + RANDOM)?;
        if check(text) != said {
            return None;
        }
        Self::ALL.into_iter().find(|it| text.starts_with(it.head()))
    }
}

/// The same without what may be a secret of ours: `/join/fti_…`.
pub(crate) fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    let head = |rest: &str| Kind::ALL.iter().filter_map(|it| rest.find(it.head())).min();
    while let Some((before, secret)) = head(rest).and_then(|it| rest.split_at_checked(it + HEAD)) {
        masked.push_str(before);
        rest = secret.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '_');
        if rest.len() < secret.len() {
            masked.push('…');
        }
    }
    masked.push_str(rest);
    masked
}

/// A new secret.
pub(crate) struct Minted {
    /// The secret itself, to be shown once.
    pub(crate) text: String,
    /// What is kept of it.
    pub(crate) hash: [u8; 32],
}

impl Minted {
    /// How it begins, to tell it from others.
    pub(crate) fn prefix(&self) -> String {
        self.text.chars().take(TOLD).collect()
    }
}

/// A new secret of that kind.
pub(crate) fn minted(kind: Kind) -> Result<Minted, Refusal> {
    let mut text = kind.head().to_owned();
    let mut bytes = [0; 64];
    while text.len() < HEAD + RANDOM {
        SystemRandom::new().fill(&mut bytes).map_err(|_| {
            Refusal::from(api::Sort::Failed.because("the system has no random numbers"))
        })?;
        // Bytes past the last whole multiple of 62 would favour the first letters.
        let even = bytes.iter().filter(|it| **it < 248);
        let letters = even.filter_map(|it| LETTERS.get(usize::from(it % 62)));
        text.extend(letters.take(HEAD + RANDOM - text.len()).map(|it| char::from(*it)));
    }
    text.push_str(&check(&text));
    let hash = hash(&text);
    Ok(Minted { text, hash })
}

/// What is kept of a secret. It has no less than 256 bits, so no salt and no slow hash help it.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn check(text: &str) -> String {
    let [a, b, c, d, ..] = hash(text);
    let mut number = u32::from_be_bytes([a, b, c, d]);
    let letters = (0..CHECK).map(|_| {
        let letter = LETTERS.get(number as usize % 62).copied().unwrap_or(b'0');
        number /= 62;
        char::from(letter)
    });
    letters.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_known_again() {
        for kind in Kind::ALL {
            let one = minted(kind).unwrap();
            let other = minted(kind).unwrap();
            assert_ne!(one.text, other.text);
            assert_eq!(one.text.len(), 53);
            assert_eq!(Kind::of(&one.text), Some(kind));
            assert_eq!(one.hash, hash(&one.text));
            assert!(one.text.starts_with(&one.prefix()) && one.prefix().len() == TOLD);
            assert!(one.text[4..].bytes().all(|it| LETTERS.contains(&it)));
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        let good = minted(Kind::Personal).unwrap().text;
        assert_eq!(Kind::of(&good.replacen("ftp_", "fto_", 1)), None);
        assert_eq!(Kind::of(&good[..52]), None);
        assert_eq!(Kind::of(&format!("{good}0")), None);
        assert_eq!(Kind::of(&format!(" {}", &good[..52])), None);
        for junk in ["", "ftp_", "ftp_é", &"é".repeat(27), &"ü".repeat(26), &"x".repeat(53)] {
            assert_eq!(Kind::of(junk), None, "{junk}");
        }
    }
}
