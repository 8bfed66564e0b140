//! A timetable: when something is due again and again, as cron writes it, by the clocks of some place.

use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::Moment;

/// Bytes of the longest text.
const LONGEST: usize = 200;
/// Hours later from which is looked as well, where nothing is found.
const SEARCHED: i64 = 50;
/// Words for whole lines.
const WORDS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
/// Whoever says no place means this one.
const USUAL: &str = "UTC";

/// When something is due. Where clocks are put forward and leave out a time of the day, it is due when
/// they go on; where they are put back and a time comes twice, it is due the first time. What is due
/// every hour is due every hour that there is.
#[derive(Clone, Debug)]
pub struct Timetable {
    cron: Cron,
    zone: TimeZone,
}

/// Why a text is no timetable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct BadTimetable {
    what: &'static str,
    why: String,
}

impl BadTimetable {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.what {
            "zone" => "name one as Europe/Berlin, or leave it out for UTC",
            _ => "write minute, hour, day, month and weekday: '0 8 * * 1-5', or a word as @daily",
        }
    }
}

impl Timetable {
    /// What the five fields of cron say (minute, hour, day of the month, month, day of the week; or
    /// `@daily` and its like), by the clocks of that place.
    pub fn new(cron: &str, zone: Option<&str>) -> Result<Self, BadTimetable> {
        Ok(Self { cron: expression(cron)?, zone: place(zone.unwrap_or(USUAL))? })
    }

    /// The place whose clocks count: `Europe/Berlin`.
    pub fn zone(&self) -> &str {
        self.zone.iana_name().unwrap_or(USUAL)
    }

    /// When it is due next after that moment, if ever.
    pub fn after(&self, moment: Moment) -> Option<Moment> {
        let start = Timestamp::from_microsecond(moment.micros()).ok()?;
        let found = |hours: i64| {
            let from = start.checked_add(SignedDuration::from_hours(hours)).ok()?;
            let from = from.to_zoned(self.zone.clone());
            let next = self.cron.find_next_occurrence(&from, hours > 0).ok()?;
            let next = Moment::from_micros(next.timestamp().as_microsecond());
            (next > moment).then_some(next)
        };
        if let Some(next) = found(0) {
            return Some(next);
        }
        // Where a whole day is left out, as in Samoa in 2011, nothing is found from the day before.
        let turn = self.zone.following(start).next()?;
        let is_soon = turn.timestamp().duration_since(start) < SignedDuration::from_hours(SEARCHED);
        if is_soon { (1..=SEARCHED).find_map(found) } else { None }
    }
}

fn expression(text: &str) -> Result<Cron, BadTimetable> {
    let bad = |why: String| BadTimetable { what: "cron", why };
    let text = text.trim();
    if text.len() > LONGEST || !text.is_ascii() {
        return Err(bad(format!("it is not of {LONGEST} plain letters at most")));
    }
    let is_word = WORDS.iter().any(|it| it.eq_ignore_ascii_case(text));
    if text.contains('@') && !is_word {
        return Err(bad(format!("there is no such word; there are {}", WORDS.join(", "))));
    }
    let fields = text.split_ascii_whitespace().count();
    if !is_word && fields != 5 {
        let many = if fields == 1 { "field" } else { "fields" };
        return Err(bad(format!("it has {fields} {many}, and not five")));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| {
        bad(format!("`{}` makes no sense: {}", text.escape_debug(), cause(&error)))
    })
}

/// What the library says, as the other half of a sentence of ours.
fn cause(error: &CronError) -> String {
    let said = match error {
        CronError::InvalidPattern(said)
        | CronError::IllegalCharacters(said)
        | CronError::ComponentError(said) => said.clone(),
        other => other.to_string(),
    };
    let said = said.trim_end_matches('.');
    let mut letters = said.chars();
    letters.next().map_or_else(String::new, |it| it.to_lowercase().chain(letters).collect())
}

fn place(name: &str) -> Result<TimeZone, BadTimetable> {
    let bad = |why: String| BadTimetable { what: "zone", why };
    let fits = |it: u8| it.is_ascii_alphanumeric() || b"_+-/".contains(&it);
    if name.is_empty() || name.len() > LONGEST || !name.bytes().all(fits) {
        return Err(bad("it is no name of a time zone".to_owned()));
    }
    let found = TimeZone::get(name);
    let known = found.ok().filter(|it| it.iana_name().is_some());
    known.ok_or_else(|| bad(format!("`{name}` is no time zone that is known here")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The next so many times, in UTC, after a moment.
    fn times(cron: &str, zone: &str, after: &str, count: usize) -> String {
        let timetable = Timetable::new(cron, Some(zone)).unwrap();
        let mut at: Moment = after.parse().unwrap();
        let mut all = Vec::new();
        for _ in 0..count {
            let Some(next) = timetable.after(at) else {
                all.push("never".to_owned());
                break;
            };
            at = next;
            all.push(at.to_string().trim_end_matches(":00Z").replacen("2026-", "", 1));
        }
        all.join(" ")
    }

    #[track_caller]
    fn check(cron: &str, zone: &str, after: &str, expect: &str) {
        let count = expect.split(' ').count();
        assert_eq!(times(cron, zone, after, count), expect, "{cron} {zone}");
    }

    #[test]
    fn plain_days() {
        check("0 8 * * *", "UTC", "2026-11-21T08:00:00Z", "11-22T08:00 11-23T08:00");
        check("0 8 * * *", "UTC", "2026-11-21T07:59:59.999999Z", "11-21T08:00");
        check("0 8 * * *", "Europe/Berlin", "2026-11-21T08:00:00Z", "11-22T07:00");
        check("*/20 * * * *", "UTC", "2026-11-21T08:05:10Z", "11-21T08:20 11-21T08:40 11-21T09:00");
        check("0 8 * * MON-FRI", "UTC", "2026-11-20T09:00:00Z", "11-23T08:00");
        check("@daily", "UTC", "2026-11-21T08:00:00Z", "11-22T00:00");
        check("@Weekly", "UTC", "2026-11-21T08:00:00Z", "11-22T00:00");
        check("0 0 13 * FRI", "UTC", "2026-11-11T08:00:00Z", "11-13T00:00 11-20T00:00");
        check("0 0 L * *", "UTC", "2026-11-11T08:00:00Z", "11-30T00:00");
        check("30 4 * * *", "Asia/Kathmandu", "2026-11-11T08:00:00Z", "11-11T22:45");
    }

    #[test]
    fn clocks_that_are_put_forward_and_back() {
        // On the 29th of March two is followed by three: half past two is when they go on.
        check(
            "30 2 * * *",
            "Europe/Berlin",
            "2026-03-27T12:00:00Z",
            "03-28T01:30 03-29T01:00 03-30T00:30",
        );
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-03-29T00:00:00Z",
            "03-29T00:30 03-29T01:30 03-29T02:30",
        );
        // On the 25th of October three is followed by two: half past two comes once.
        check("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "10-25T00:30 10-26T01:30");
        check(
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T00:00:00Z",
            "10-25T00:30 10-25T01:30 10-25T02:30",
        );
        // By half an hour, and a day that is not there at all.
        check(
            "15 2 * * *",
            "Australia/Lord_Howe",
            "2026-10-02T20:00:00Z",
            "10-03T15:30 10-04T15:15",
        );
        let samoa = times("0 8 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3);
        assert_eq!(samoa, "2011-12-29T18:00 2011-12-30T18:00 2011-12-31T18:00");
    }

    #[test]
    fn why_not_is_said_in_our_words() {
        let check = |cron: &str, expect: &str| {
            assert_eq!(Timetable::new(cron, None).unwrap_err().to_string(), expect);
        };
        check("", "cron: it has 0 fields, and not five");
        check("* * *", "cron: it has 3 fields, and not five");
        check("0 0 8 * * *", "cron: it has 6 fields, and not five");
        check("99 * * * *", "cron: `99 * * * *` makes no sense: number out of bounds");
    }

    #[test]
    fn days_that_are_seldom_or_never() {
        let leap = times("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2);
        assert_eq!(leap, "2028-02-29T00:00 2032-02-29T00:00");
        let leap = times("0 0 29 2 *", "UTC", "2096-02-29T00:00:00Z", 1);
        assert_eq!(leap, "2104-02-29T00:00");
        // It comes to an end, and not only after all years.
        let begun = std::time::Instant::now();
        for never in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *"] {
            assert_eq!(times(never, "Europe/Berlin", "2026-01-01T00:00:00Z", 1), "never");
        }
        assert!(begun.elapsed().as_secs() < 300, "{:?}", begun.elapsed());
        assert_eq!(times("* * * * *", "UTC", "9999-12-31T23:59:00Z", 1), "never");
    }

    #[test]
    fn what_is_none() {
        let check = |cron: &str, zone: &str, expect: &str| {
            let told = Timetable::new(cron, Some(zone)).unwrap_err().to_string();
            assert!(told.starts_with(expect), "{cron} {zone}: {told}");
        };
        for bad in [
            "",
            "*",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "a b c d e",
            "*/0 * * * *",
            "5-1-3 * * * *",
            "-1 * * * *",
            "@reboot",
            "@daily @daily",
            "99999999999999999999 * * * *",
            "ä * * * *",
        ] {
            check(bad, "UTC", "cron: ");
        }
        check(&"*,".repeat(200), "UTC", "cron: it is not of 200 plain letters");
        for bad in ["", "Mars/Olympus", "../../etc/passwd", "CET-1CEST,M3.5.0,M10.5.0/3", "\0"] {
            check("@daily", bad, "zone: ");
        }
        assert_eq!(Timetable::new("@daily", None).unwrap().zone(), "UTC");
    }

    proptest! {
        #[test]
        fn junk_is_refused_or_leads_onwards(
            cron in "[-0-9*/,LW#?@a-zA-Z +]{0,24}",
            zone in "[A-Za-z/_]{0,20}",
            at in 0..253_402_300_799_000_000_i64,
        ) {
            let _ = Timetable::new(&cron, Some(&zone));
            if let Ok(it) = Timetable::new(&cron, Some("America/New_York")) {
                let at = Moment::from_micros(at);
                prop_assert!(it.after(at).is_none_or(|next| next > at));
            }
        }

        #[test]
        fn what_is_due_comes_on_and_on(
            minute in 0..60_u8,
            hour in 0..24_u8,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York",
                "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns"]),
            at in 946_684_800..4_102_444_800_i64,
        ) {
            // A time of the day comes once each day, whatever is done to the clocks.
            let timetable = Timetable::new(&format!("{minute} {hour} * * *"), Some(zone)).unwrap();
            let first = timetable.after(Moment::from_micros(at * 1_000_000)).unwrap();
            let second = timetable.after(first).unwrap();
            let hours = (second.micros() - first.micros()) / 3_600_000_000;
            prop_assert!((22..=26).contains(&hours), "{first} {second}");
        }
    }
}
