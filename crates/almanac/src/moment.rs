//! Moments as their publishers wrote them, which most wrote in few forms.

use crate::bytes::{Bytes, put_number};
use crate::record::number_of;

/// A moment as its publisher wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So many units since 1970, of universal time.
    Units(Unit, u64),
    /// Seconds since 1970, and nanoseconds.
    Exact(u64, u32),
    Text(String),
}

/// In what a moment is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Minute,
    Second,
    Day,
    Millisecond,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Minute, Self::Second, Self::Day, Self::Millisecond];

    fn milliseconds(self) -> u64 {
        match self {
            Self::Millisecond => 1,
            Self::Second => 1000,
            Self::Minute => 60 * 1000,
            Self::Day => 24 * 60 * 60 * 1000,
        }
    }
}

impl Moment {
    const EXACT: u64 = 4;
    const TEXT: u64 = 5;

    pub(crate) fn of(text: &str) -> Self {
        let parsed = text.parse::<jiff::Timestamp>().ok();
        let moment = parsed.and_then(|time| {
            let second = u64::try_from(time.as_second()).ok()?;
            if format!("{time:.3}") == text {
                let millisecond = u64::try_from(time.as_millisecond()).ok()?;
                return Some(Self::Units(Unit::Millisecond, millisecond));
            }
            if time.to_string() != text {
                return None;
            }
            if let nanosecond @ 1.. = u32::try_from(time.subsec_nanosecond()).ok()? {
                return Some(Self::Exact(second, nanosecond));
            }
            let unit = [Unit::Day, Unit::Minute, Unit::Second].into_iter();
            let unit = unit.map(|unit| (unit, unit.milliseconds() / 1000));
            let mut unit = unit.filter(|(_, length)| second.is_multiple_of(*length));
            unit.next().map(|(unit, length)| Self::Units(unit, second / length))
        });
        moment.unwrap_or_else(|| Self::Text(text.to_owned()))
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        self.put_under(out, 0, 0);
    }

    /// One that is hardly before `former`.
    pub(crate) fn put_after(&self, out: &mut Vec<u8>, former: Option<&Self>) {
        match (self, former) {
            (Self::Units(unit, value), Some(Self::Units(same, before)))
                if unit == same && value >= before =>
            {
                put_number(out, (value - before) << 1);
            }
            _ => self.put_under(out, 1, 1),
        }
    }

    /// With so many bits below that are `low`.
    fn put_under(&self, out: &mut Vec<u8>, bits: u32, low: u64) {
        let mut put = |kind: u64, value: u64| put_number(out, (value << 3 | kind) << bits | low);
        match self {
            Self::Units(unit, value) => put(u64::from(number_of(&Unit::ALL, unit)), *value),
            Self::Exact(second, nanosecond) => {
                put(Self::EXACT, *second);
                if nanosecond.is_multiple_of(1000) {
                    put_number(out, u64::from(nanosecond / 1000) << 1);
                } else {
                    put_number(out, u64::from(*nanosecond) << 1 | 1);
                }
            }
            Self::Text(text) => {
                put(Self::TEXT, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
        }
    }

    pub(crate) fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        let number = bytes.number()?;
        Self::rest(number, bytes)
    }

    pub(crate) fn read_after(bytes: &mut Bytes<'_>, former: Option<&Self>) -> Option<Self> {
        let number = bytes.number()?;
        match former {
            _ if number & 1 == 1 => Self::rest(number >> 1, bytes),
            Some(Self::Units(unit, before)) => {
                Some(Self::Units(*unit, before.checked_add(number >> 1)?))
            }
            _ => None,
        }
    }

    fn rest(number: u64, bytes: &mut Bytes<'_>) -> Option<Self> {
        let (kind, value) = (number & 7, number >> 3);
        Some(match kind {
            Self::EXACT => {
                let fraction = bytes.small()?;
                let scale = if fraction & 1 == 0 { 1000 } else { 1 };
                Self::Exact(value, (fraction >> 1).checked_mul(scale)?)
            }
            Self::TEXT => {
                let text = bytes.take(usize::try_from(value).ok()?)?;
                Self::Text(std::str::from_utf8(text).ok()?.to_owned())
            }
            _ => Self::Units(*Unit::ALL.get(usize::try_from(kind).ok()?)?, value),
        })
    }

    /// As it was written.
    pub(crate) fn text(self) -> Option<String> {
        let time = match &self {
            Self::Units(unit, value) => {
                let millisecond = value.checked_mul(unit.milliseconds())?.try_into().ok()?;
                jiff::Timestamp::from_millisecond(millisecond).ok()?
            }
            Self::Exact(second, nanosecond) => {
                let nanosecond = i32::try_from(*nanosecond).ok()?;
                jiff::Timestamp::new(i64::try_from(*second).ok()?, nanosecond).ok()?
            }
            Self::Text(_) => jiff::Timestamp::UNIX_EPOCH,
        };
        Some(match self {
            Self::Text(text) => text,
            Self::Units(Unit::Millisecond, _) => format!("{time:.3}"),
            _ => time.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_kept_as_they_were_written() {
        let check = |text: &str, size: usize, former: Option<&str>, later: usize| {
            let moment = Moment::of(text);
            let mut out = Vec::new();
            moment.put(&mut out);
            let mut bytes = Bytes::new(&out);
            assert_eq!(Moment::read(&mut bytes).unwrap().text().as_deref(), Some(text));
            assert!(bytes.is_empty());
            assert_eq!(out.len(), size, "{text}");
            let former = former.map(Moment::of);
            let mut out = Vec::new();
            moment.put_after(&mut out, former.as_ref());
            let mut bytes = Bytes::new(&out);
            let read = Moment::read_after(&mut bytes, former.as_ref());
            assert_eq!(read.unwrap().text().as_deref(), Some(text));
            assert!(bytes.is_empty());
            assert_eq!(out.len(), later, "{text} after {former:?}");
        };
        check("2024-08-21T15:28:00Z", 4, Some("2024-08-21T15:28:00Z"), 1);
        check("2024-08-21T15:28:00Z", 4, Some("2024-08-20T15:28:00Z"), 2);
        check("2024-08-21T15:28:45Z", 5, Some("2024-08-21T15:26:45Z"), 2);
        check("2024-08-21T15:28:45Z", 5, Some("2024-08-21T15:28:40Z"), 1);
        check("2024-08-21T15:28:45Z", 5, Some("2024-08-21T15:28:46Z"), 5);
        check("2024-08-21T15:28:45Z", 5, Some("2024-08-21T15:28:00Z"), 5);
        check("2024-08-21T15:28:45Z", 5, None, 5);
        check("2024-08-21T00:00:00Z", 3, Some("2024-08-20T00:00:00Z"), 1);
        check("2024-08-21T15:28:45.120Z", 7, Some("2024-08-21T15:28:45.119Z"), 1);
        check("2024-08-21T15:28:45.000Z", 7, None, 7);
        check("2024-08-21T15:28:45.12Z", 5 + 3, None, 5 + 3);
        check("2024-08-21T15:28:45.123456Z", 5 + 3, Some("2024-08-21T15:28:45.123456Z"), 5 + 3);
        check("2024-08-21T15:28:45.123456789Z", 5 + 4, None, 5 + 4);
        check("1970-01-01T00:00:00Z", 1, None, 1);
        for text in ["2024-08-21T15:28:45+02:00", "1969-12-31T23:59:59Z"] {
            check(text, text.len() + 2, Some("2024-08-21T15:28:45Z"), text.len() + 2);
        }
        check("2024-08-21", 11, None, 12);
        for text in ["soon", ""] {
            check(text, text.len() + 1, None, text.len() + 1);
        }
    }

    #[test]
    fn a_moment_that_never_was_is_none() {
        let text = |number: u64, fraction: &[u8]| {
            let mut out = Vec::new();
            put_number(&mut out, number);
            out.extend_from_slice(fraction);
            Moment::read(&mut Bytes::new(&out)).and_then(Moment::text)
        };
        assert_eq!(text(u64::MAX << 3, &[]), None, "too many minutes");
        assert_eq!(text(1 << 60 | 1, &[]), None, "too many seconds");
        assert_eq!(text(4, &[0xff, 0xff, 0xff, 0xff, 0x0f]), None, "too many nanoseconds");
        assert_eq!(text(9 << 3 | 5, b"short"), None);
        assert_eq!(text(6, &[]), None);
        assert_eq!(Moment::read_after(&mut Bytes::new(&[2]), None), None, "after nothing");
    }
}
