//! A moment: microseconds since 1970, in UTC, as databases keep it and as RFC 3339 writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time. It is handed in by whoever has a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// Why a text is no moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment such as 2026-11-21T10:00:00Z")]
pub struct BadMoment(String);

const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// The first microsecond of the year 10000, which RFC 3339 cannot write.
const END: i64 = 253_402_300_800 * MICROS;

impl Moment {
    /// So many microseconds after 1970 began; held within the years 1970 to 9999.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(0, END - 1))
    }

    /// The nearest there is to what a text says, of whichever year it is: before 1970 nothing is.
    pub fn nearest(text: &str) -> Result<Self, BadMoment> {
        match read(text) {
            Some(micros) => Ok(Self::from_micros(micros)),
            None => text.parse(),
        }
    }

    /// Microseconds since 1970 began.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// So many seconds later, or earlier.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(MICROS)))
    }

    /// The next moment there is.
    #[must_use]
    pub fn next(self) -> Self {
        Self::from_micros(self.0.saturating_add(1))
    }
}

/// Year, month and day of a day counted from 1970.
/// <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// The day, counted from 1970, with that year, month and day.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / MICROS, self.0 % MICROS);
        let (year, month, day) = civil(seconds / DAY);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if micros != 0 {
            write!(f, ".{micros:06}")?;
        }
        f.write_str("Z")
    }
}

impl FromStr for Moment {
    type Err = BadMoment;

    /// `2026-11-21`, `2026-11-21T10:00Z`, `2026-11-21T10:00:00.5+02:00`.
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let whole = read(text).filter(|it| (0..END).contains(it));
        whole.map(Self).ok_or_else(|| BadMoment(text.chars().take(80).collect()))
    }
}

/// Microseconds since 1970, of any year from 0 to 9999.
fn read(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', 't', ' ']) {
        Some((date, time)) => (date, time),
        None => (text, "00:00Z"),
    };
    let mut parts = date.split('-');
    let (year, month) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?);
    let day = number(parts.next()?, 2)?;
    if parts.next().is_some() || civil(days(year, month.clamp(1, 12), day)) != (year, month, day) {
        return None;
    }
    let at = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(at)?;
    let offset = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, zone) => {
            let (hours, minutes) = zone.split_once(':')?;
            let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = hours * 3600 + minutes * 60;
            if sign == "-" { -offset } else { offset }
        }
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let (second, fraction) = match parts.next().map(|it| it.split_once('.').unwrap_or((it, "0"))) {
        Some((second, fraction)) => (number(second, 2)?, fraction),
        None => (0, "0"),
    };
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    if fraction.is_empty() || !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    let seconds = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
    Some(seconds * MICROS + micros)
}

/// A number of exactly `digits` digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|it| it.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = text.parse::<Moment>().map_or_else(|it| it.to_string(), |it| it.to_string());
        assert_eq!(shown, expect);
    }

    #[test]
    fn reads_what_rfc_3339_writes() {
        check("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
        check("2026-11-21", "2026-11-21T00:00:00Z");
        check("2024-02-29T23:59:59.000001Z", "2024-02-29T23:59:59.000001Z");
        check("2026-11-21T10:00+02:00", "2026-11-21T08:00:00Z");
        check("2026-11-21 10:00:00.5-00:30", "2026-11-21T10:30:00.500000Z");
        check("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z");
        assert_eq!("2026-11-21".parse::<Moment>().unwrap().micros(), 1_795_219_200_000_000);
    }

    #[test]
    fn what_was_before_all_is_the_beginning() {
        let check = |text: &str, expect: &str| {
            let nearest = Moment::nearest(text);
            assert_eq!(nearest.map_or_else(|it| it.to_string(), |it| it.to_string()), expect);
        };
        check("0154-11-10T20:27:36.18231Z", "1970-01-01T00:00:00Z");
        check("0000-02-29T00:00:00Z", "1970-01-01T00:00:00Z");
        check("1970-01-01T00:00:00+01:00", "1970-01-01T00:00:00Z");
        check("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.999999Z");
        check("2026-11-21", "2026-11-21T00:00:00Z");
        check("0154-02-29", "`0154-02-29` is not a moment such as 2026-11-21T10:00:00Z");
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "now",
            "2026",
            "2025-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-21T24:00Z",
            "2026-11-21T10:00",
            "2026-11-21T10:00:00.Z",
            "2026-11-21T10:00+9:00",
            "1969-12-31",
            "1970-01-01T00:00+01:00",
            "20é6-11-21",
            "2026-11-21T10:00é",
        ] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_day_reads_back() {
        for day in (0..2_932_896).step_by(97) {
            let moment = Moment::from_micros(day * DAY * MICROS + day);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }
}
