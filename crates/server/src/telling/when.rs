//! When something is told: at once, at the next digest, or when the quiet hours are over.

use api::Every;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use model::{Level, Moment};

/// When a rule tells.
#[derive(Clone, Debug, Default)]
pub(crate) struct When {
    pub(crate) digest: Option<Digest>,
    pub(crate) quiet: Option<Quiet>,
}

/// What happens is told together.
#[derive(Clone, Debug)]
pub(crate) struct Digest {
    pub(crate) every: Every,
    pub(crate) at: Time,
    pub(crate) zone: TimeZone,
}

/// Nothing is told meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Quiet {
    pub(crate) from: Time,
    pub(crate) until: Time,
    pub(crate) zone: TimeZone,
    pub(crate) unless: Vec<Level>,
}

/// When it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// Each thing by itself, now.
    Now,
    /// Together with what else is told then.
    Quiet(Moment),
    /// The same, as a digest.
    Digest(Moment),
}

impl When {
    /// When something of that severity is told that is known of now.
    pub(crate) fn due(&self, now: Moment, level: Option<Level>) -> Due {
        if let Some(digest) = &self.digest {
            let due = digest.next(now);
            // Nobody is told of it in the night.
            let over = self.quiet.as_ref().and_then(|it| it.over(due));
            return Due::Digest(over.unwrap_or(due));
        }
        let Some(quiet) = &self.quiet else { return Due::Now };
        if level.is_some_and(|it| quiet.unless.contains(&it)) {
            return Due::Now;
        }
        quiet.over(now).map_or(Due::Now, Due::Quiet)
    }
}

impl Digest {
    /// The first time after now.
    fn next(&self, now: Moment) -> Moment {
        let here = zoned(now, &self.zone);
        let days = match self.every {
            Every::Hourly => {
                let hour = 3_600_000_000;
                let next = (now.micros() / hour).saturating_add(1).saturating_mul(hour);
                return Moment::from_micros(next);
            }
            Every::Daily => 1,
            Every::Weekly => 7,
        };
        // Days are counted by the calendar: some have an hour more, and some have not that time.
        let date = here.date();
        let past = match self.every {
            Every::Weekly => i64::from(date.weekday().since(Weekday::Monday)),
            _ => 0,
        };
        for step in 0..3 {
            let day = date.checked_add((step * days - past).days());
            let due =
                day.ok().and_then(|it| it.to_datetime(self.at).to_zoned(self.zone.clone()).ok());
            if let Some(due) = due.map(|it| moment(&it)).filter(|it| *it > now) {
                return due;
            }
        }
        now.plus_seconds(86_400)
    }
}

impl Quiet {
    /// When it is over, if it is quiet then.
    fn over(&self, now: Moment) -> Option<Moment> {
        let here = zoned(now, &self.zone);
        let time = here.time();
        let is_overnight = self.from > self.until;
        let is_quiet = if is_overnight {
            time >= self.from || time < self.until
        } else {
            self.from <= time && time < self.until
        };
        if !is_quiet {
            return None;
        }
        let ends_tomorrow = i64::from(is_overnight && time >= self.from);
        let day = here.date().checked_add(ends_tomorrow.days()).ok()?;
        let over = day.to_datetime(self.until).to_zoned(self.zone.clone()).ok()?;
        // In a night in which the clock is set, it ends at the latest when it would by itself.
        Some(moment(&over).max(now.next()))
    }
}

fn zoned(moment: Moment, zone: &TimeZone) -> Zoned {
    let instant = Timestamp::from_microsecond(moment.micros()).unwrap_or(Timestamp::UNIX_EPOCH);
    instant.to_zoned(zone.clone())
}

fn moment(zoned: &Zoned) -> Moment {
    Moment::from_micros(zoned.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telling::terms::Terms;

    fn check(rule: &str, now: &str, level: Option<Level>, expect: &str) {
        let mut definition: serde_json::Value = serde_json::from_str(rule).unwrap();
        definition["on"] = serde_json::json!(["all"]);
        let definition: api::Definition = serde_json::from_value(definition).unwrap();
        let terms = Terms::of(&definition).unwrap();
        let told = match terms.when.due(now.parse().unwrap(), level) {
            Due::Now => "now".to_owned(),
            Due::Quiet(at) => format!("then {at}"),
            Due::Digest(at) => format!("digest {at}"),
        };
        assert_eq!(told, expect, "{rule} {now}");
    }

    #[test]
    fn digests_are_told_at_their_time() {
        let now = "2026-11-21T10:30:00Z";
        check(r#"{"digest":{"every":"hourly"}}"#, now, None, "digest 2026-11-21T11:00:00Z");
        check(r#"{"digest":{"every":"daily"}}"#, now, None, "digest 2026-11-22T08:00:00Z");
        let later = r#"{"digest":{"every":"daily","at":"11:00"}}"#;
        check(later, now, None, "digest 2026-11-21T11:00:00Z");
        // At that very time it is the next one's.
        check(later, "2026-11-21T11:00:00Z", None, "digest 2026-11-22T11:00:00Z");
        // That was a Saturday.
        check(r#"{"digest":{"every":"weekly"}}"#, now, None, "digest 2026-11-23T08:00:00Z");
        let berlin = r#"{"digest":{"every":"daily","at":"08:00","zone":"Europe/Berlin"}}"#;
        check(berlin, now, None, "digest 2026-11-22T07:00:00Z");
        check(berlin, "2026-07-01T10:00:00Z", None, "digest 2026-07-02T06:00:00Z");
        // There is no half past two in the night in which the clock is set forward.
        let gap = r#"{"digest":{"every":"daily","at":"02:30","zone":"Europe/Berlin"}}"#;
        check(gap, "2026-03-28T10:00:00Z", None, "digest 2026-03-29T01:30:00Z");
    }

    #[test]
    fn quiet_hours_are_over_in_the_morning() {
        let night = r#"{"quiet":{"from":"22:00","until":"07:00","unless":["critical"]}}"#;
        check(night, "2026-11-21T21:59:59Z", None, "now");
        check(night, "2026-11-21T22:00:00Z", None, "then 2026-11-22T07:00:00Z");
        check(night, "2026-11-22T06:59:59Z", Some(Level::High), "then 2026-11-22T07:00:00Z");
        check(night, "2026-11-22T06:59:59Z", Some(Level::Critical), "now");
        check(night, "2026-11-22T07:00:00Z", None, "now");
        let noon = r#"{"quiet":{"from":"12:00","until":"13:00","zone":"America/New_York"}}"#;
        check(noon, "2026-11-21T17:30:00Z", Some(Level::Critical), "then 2026-11-21T18:00:00Z");
        check(noon, "2026-11-21T16:30:00Z", None, "now");
        // A digest that would come in the night comes in the morning.
        let both = r#"{"digest":{"every":"hourly"},"quiet":{"from":"22:00","until":"07:00"}}"#;
        check(both, "2026-11-21T22:10:00Z", None, "digest 2026-11-22T07:00:00Z");
        check(both, "2026-11-21T20:10:00Z", None, "digest 2026-11-21T21:00:00Z");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let check = |rule: &str, expect: &str| {
            let definition: api::Definition = serde_json::from_str(rule).unwrap();
            let bad = Terms::of(&definition).unwrap_err();
            assert_eq!(bad.why, expect);
        };
        check(r#"{"on":[]}"#, "on: it tells of nothing");
        check(r#"{"on":["new-findings"]}"#, "on: `new-findings` is nothing to be told of");
        check(r#"{"on":["all"],"severities":["bad"]}"#, "severities: `bad` is no severity");
        check(
            r#"{"on":["all"],"environments":["["]}"#,
            "environments: `[` is no glob: unclosed character class; missing ']'",
        );
        let quiet = |from: &str, until: &str, zone: &str| {
            format!(
                r#"{{"on":["all"],"quiet":{{"from":"{from}","until":"{until}","zone":"{zone}"}}}}"#
            )
        };
        check(&quiet("22:00", "22:00", "UTC"), "quiet: it ends when it begins");
        check(&quiet("24:00", "07:00", "UTC"), "quiet: `24:00` is no time of day");
        check(&quiet("22:00", "7:00", "UTC"), "quiet: `7:00` is no time of day");
        check(&quiet("22:00", "07:00", "../x"), "quiet: nobody knows the zone `../x`");
        let hourly = r#"{"on":["all"],"digest":{"every":"hourly","at":"08:00"}}"#;
        check(hourly, "digest: it is told at each full hour, and not at a time of day");
    }

    proptest::proptest! {
        /// It is later than now, and soon enough.
        #[test]
        fn is_never_now_and_never_far(micros in 0_i64..4_000_000_000_000_000, every in 0_usize..3, hour in 0..24) {
            let zone = TimeZone::get("America/Sao_Paulo").unwrap();
            let every = [Every::Hourly, Every::Daily, Every::Weekly][every];
            let digest = Digest { every, at: Time::constant(i8::try_from(hour).unwrap(), 0, 0, 0), zone };
            let now = Moment::from_micros(micros);
            let due = digest.next(now);
            proptest::prop_assert!(due > now && due <= now.plus_seconds(8 * 86_400));
        }
    }
}
