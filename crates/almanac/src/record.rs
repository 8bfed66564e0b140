//! Small records that sheets are made of: ratings, attacks, and what a row's words mean.

use model::{Exploited, Forecast, Level, Names, Outlook, Rating, Status};

use crate::bytes::{Bytes, put_blob, put_number};

pub(crate) const NAMES: [Names; 3] = [Names::Source, Names::Binary, Names::Either];
pub(crate) const STATUSES: [Status; 3] =
    [Status::Affected, Status::NotAffected, Status::UnderInvestigation];
pub(crate) const OUTLOOKS: [Outlook; 5] =
    [Outlook::Open, Outlook::Minor, Outlook::Deferred, Outlook::WillNotFix, Outlook::EndOfLife];

/// The number of a word in its table.
pub(crate) fn number_of<T: PartialEq>(table: &[T], word: &T) -> u8 {
    table.iter().position(|it| it == word).map_or(u8::MAX, |it| it as u8)
}

/// A list that many share has no more bytes than this, so that nobody can make a small sheet tell much.
pub(crate) const LONGEST_LIST: usize = 256;

/// What a row has beside its advisory and its versions, as bits of the first number of its kind.
pub(crate) mod has {
    pub(crate) const SPANS: u32 = 1 << 4;
    pub(crate) const REASON: u32 = 1 << 5;
    pub(crate) const BULLETINS: u32 = 1 << 6;
    pub(crate) const OUTLOOK: u32 = 1 << 7;
    pub(crate) const RATING: u32 = 1 << 8;
    pub(crate) const VERSIONS: u32 = 1 << 9;
    pub(crate) const ARCH: u32 = 1 << 10;
    pub(crate) const MODULE: u32 = 1 << 11;
    pub(crate) const CHANNEL: u32 = 1 << 12;
    pub(crate) const PRODUCTS: u32 = 1 << 13;
    /// The bulletins are those of the advisory's head.
    pub(crate) const USUAL: u32 = 1 << 14;
    pub(crate) const ALL: u32 = (1 << 15) - 1;
}

/// What the head of an advisory has, as bits of its first number. The lower ones are the frequent ones.
pub(crate) mod told {
    pub(crate) const PUBLISHED: u32 = 1;
    pub(crate) const MODIFIED: u32 = 1 << 1;
    pub(crate) const RATINGS: u32 = 1 << 2;
    pub(crate) const WEAKNESSES: u32 = 1 << 3;
    pub(crate) const NAMES: u32 = 1 << 4;
    pub(crate) const ALIASES: u32 = 1 << 5;
    pub(crate) const TEXT: u32 = 1 << 6;
    pub(crate) const RELATED: u32 = 1 << 7;
    pub(crate) const WITHDRAWN: u32 = 1 << 8;
    pub(crate) const MALICIOUS: u32 = 1 << 9;
    /// Those of most of its rows.
    pub(crate) const BULLETINS: u32 = 1 << 10;
    /// More than this advisory goes by its name.
    pub(crate) const ABOUT: u32 = 1 << 11;
    pub(crate) const ALL: u32 = (1 << 12) - 1;
}

/// What an end of a span has.
pub(crate) mod end {
    pub(crate) const FROM: u8 = 1;
    pub(crate) const FROM_INCLUDED: u8 = 2;
    pub(crate) const TO: u8 = 4;
    pub(crate) const TO_INCLUDED: u8 = 8;
}

pub(crate) fn put_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            put_number(out, text.len() as u64 + 1);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

#[expect(clippy::option_option, reason = "the outer one: it cannot be read")]
pub(crate) fn option(bytes: &mut Bytes<'_>) -> Option<Option<String>> {
    match bytes.number()? {
        0 => Some(None),
        length => {
            let text = bytes.take(usize::try_from(length - 1).ok()?)?;
            Some(Some(std::str::from_utf8(text).ok()?.to_owned()))
        }
    }
}

pub(crate) fn rating_bytes(rating: &Rating) -> Vec<u8> {
    let mut out = vec![number_of(&Level::ALL, &rating.level), u8::from(rating.score.is_some())];
    put_blob(&mut out, rating.source.as_bytes());
    put_option(&mut out, rating.word.as_deref());
    put_option(&mut out, rating.vector.as_deref());
    if let Some(score) = rating.score {
        out.extend_from_slice(&score.to_le_bytes());
    }
    out
}

pub(crate) fn rating(bytes: &[u8]) -> Option<Rating> {
    let mut bytes = Bytes::new(bytes);
    let level = *Level::ALL.get(usize::from(bytes.byte()?))?;
    let scored = bytes.byte()?;
    let source = bytes.text()?.to_owned();
    let word = option(&mut bytes)?;
    let vector = option(&mut bytes)?;
    let score = match scored {
        0 => None,
        _ => Some(f32::from_bits(bytes.fixed()?)).filter(|it| it.is_finite()),
    };
    Some(Rating { source, level, word, score, vector })
}

pub(crate) fn put_exploited(out: &mut Vec<u8>, exploited: &Exploited) {
    put_blob(out, exploited.added.as_bytes());
    put_option(out, exploited.due.as_deref());
    out.push(u8::from(exploited.ransomware));
    put_blob(out, exploited.title.as_bytes());
    put_blob(out, exploited.action.as_bytes());
}

pub(crate) fn exploited(bytes: &mut Bytes<'_>, id: &str) -> Option<Exploited> {
    Some(Exploited {
        id: id.to_owned(),
        added: bytes.text()?.to_owned(),
        due: option(bytes)?,
        ransomware: bytes.byte()? != 0,
        title: bytes.text()?.to_owned(),
        action: bytes.text()?.to_owned(),
    })
}

pub(crate) fn put_forecast(out: &mut Vec<u8>, forecast: &Forecast) {
    put_share(out, forecast.score);
    put_share(out, forecast.percentile);
}

pub(crate) fn forecast(bytes: &mut Bytes<'_>, id: &str) -> Option<Forecast> {
    Some(Forecast { id: id.to_owned(), score: share(bytes)?, percentile: share(bytes)? })
}

/// Shares are published with five decimals.
fn put_share(out: &mut Vec<u8>, share: f32) {
    let parts = (f64::from(share) * 1e5).round();
    #[expect(clippy::cast_sign_loss, reason = "within the bounds just asked for")]
    let whole = if (0.0..=1e5).contains(&parts) { parts as u32 } else { 0 };
    if share_of(whole).to_bits() == share.to_bits() {
        put_number(out, u64::from(whole) << 1);
    } else {
        put_number(out, u64::from(share.to_bits()) << 1 | 1);
    }
}

fn share(bytes: &mut Bytes<'_>) -> Option<f32> {
    let number = bytes.number()?;
    let value = u32::try_from(number >> 1).ok()?;
    let share = if number & 1 == 0 { share_of(value) } else { f32::from_bits(value) };
    share.is_finite().then_some(share)
}

fn share_of(parts: u32) -> f32 {
    (f64::from(parts) / 1e5) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_kept_to_the_last_bit() {
        for value in [0.0, 0.00042, 0.97558, 1.0, 0.123_456_79, -1.0] {
            let mut out = Vec::new();
            put_share(&mut out, value);
            let back = share(&mut Bytes::new(&out)).unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{value}");
        }
    }
}
