//! time: moments in nanoseconds. The present is when the image is judged, the same for every policy.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit, Zoned};
use regorus::Value;

use super::{Builtin, builtin, made, text, whole, wrong};
use crate::pass::{Answered, Pass, Stop};

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("time.add_date", 4, add_date),
    builtin("time.clock", 1, clock),
    builtin("time.date", 1, date),
    builtin("time.diff", 2, diff),
    builtin("time.format", 1, format),
    builtin("time.now_ns", 0, now_ns),
    builtin("time.parse_duration_ns", 1, parse_duration_ns),
    builtin("time.parse_ns", 2, parse_ns),
    builtin("time.parse_rfc3339_ns", 1, parse_rfc3339_ns),
    builtin("time.weekday", 1, weekday),
];

#[expect(clippy::unnecessary_wraps, reason = "it is what every function gives back")]
fn now_ns(pass: &Pass, _: &[Value]) -> Answered {
    Ok(Value::from(pass.known.now))
}

fn parse_rfc3339_ns(_: &Pass, arguments: &[Value]) -> Answered {
    let text = text(arguments, 0)?;
    // Only what RFC 3339 allows: a day alone is not a moment.
    let has_time = text.len() > 10 && matches!(text.as_bytes()[10], b'T' | b't' | b' ');
    let moment = text.parse::<Timestamp>().ok().filter(|_| has_time);
    moment.map_or_else(|| Err(Stop::Wrong(format!("cannot read {text:.60?}"))), nanoseconds)
}

fn parse_ns(_: &Pass, arguments: &[Value]) -> Answered {
    let (layout, text) = (text(arguments, 0)?, text(arguments, 1)?);
    let pattern = pattern(layout);
    let broken = jiff::fmt::strtime::parse(&pattern, text);
    let moment = broken.and_then(|it| {
        // Without a zone it is meant in UTC.
        it.to_timestamp().or_else(|_| {
            it.to_datetime()
                .or_else(|_| it.to_date().map(|it| it.at(0, 0, 0, 0)))
                .and_then(|it| it.to_zoned(TimeZone::UTC))
                .map(|it| it.timestamp())
        })
    });
    moment.map_or_else(|_| Err(Stop::Wrong(format!("cannot read {text:.60?}"))), nanoseconds)
}

fn parse_duration_ns(_: &Pass, arguments: &[Value]) -> Answered {
    let text = text(arguments, 0)?;
    let bad = || Stop::Wrong(format!("cannot read {text:.60?}"));
    let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return Err(bad());
    }
    let mut sum = 0_f64;
    while !rest.is_empty() && rest != "0" {
        let end = rest.find(|it: char| !it.is_ascii_digit() && it != '.').ok_or_else(bad)?;
        let number: f64 = rest[..end].parse().map_err(|_| bad())?;
        let unit = &rest[end..];
        let unit =
            &unit[..unit.find(|it: char| it.is_ascii_digit() || it == '.').unwrap_or(unit.len())];
        let each = match unit {
            "ns" => 1.0,
            "us" | "µs" | "μs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return Err(bad()),
        };
        sum += number * each;
        rest = &rest[end + unit.len()..];
    }
    let sum = if negative { -sum } else { sum };
    #[expect(clippy::cast_precision_loss, reason = "a bound, not a value")]
    if sum.abs() >= i64::MAX as f64 {
        return Err(bad());
    }
    Ok(Value::from(sum as i64))
}

fn date(_: &Pass, arguments: &[Value]) -> Answered {
    let moment = moment(arguments)?.0;
    numbers([moment.year().into(), moment.month().into(), moment.day().into()])
}

fn clock(_: &Pass, arguments: &[Value]) -> Answered {
    let moment = moment(arguments)?.0;
    numbers([moment.hour().into(), moment.minute().into(), moment.second().into()])
}

fn weekday(_: &Pass, arguments: &[Value]) -> Answered {
    Ok(Value::from(moment(arguments)?.0.strftime("%A").to_string()))
}

fn format(pass: &Pass, arguments: &[Value]) -> Answered {
    let (moment, layout) = moment(arguments)?;
    let layout = layout.unwrap_or_else(|| "2006-01-02T15:04:05.999999999Z07:00".to_owned());
    let mut out = Vec::new();
    let shown = jiff::fmt::strtime::format(pattern(&layout), &moment)
        .map_err(|error| Stop::Wrong(error.to_string()))?;
    out.extend(shown.bytes());
    let shown = String::from_utf8(out).unwrap_or_default();
    // What RFC 3339 calls `Z`.
    let zulu = layout.contains("Z07:00") && moment.offset().is_zero();
    made(pass, if zulu { shown.replace("+00:00", "Z") } else { shown })
}

/// Years, months and days later, by the calendar; what is past a month's end runs over into the next.
fn add_date(_: &Pass, arguments: &[Value]) -> Answered {
    let moment = moment(&arguments[..1])?.0;
    let bad = || Stop::Wrong("leaves the calendar".to_owned());
    let (years, months, days) = (whole(arguments, 1)?, whole(arguments, 2)?, whole(arguments, 3)?);
    let months = years.checked_mul(12).and_then(|it| it.checked_add(months)).ok_or_else(bad)?;
    let first = moment.date().first_of_month();
    let over = i64::from(moment.day()) - 1;
    let days = days.checked_add(over).ok_or_else(bad)?;
    let day = Span::new()
        .try_months(months)
        .and_then(|it| first.checked_add(it))
        .and_then(|it| Span::new().try_days(days).and_then(|days| it.checked_add(days)))
        .map_err(|_| bad())?;
    let later = day.to_datetime(moment.time()).to_zoned(moment.time_zone().clone());
    nanoseconds(later.map_err(|_| bad())?.timestamp())
}

/// `[years, months, days, hours, minutes, seconds]` between two moments, whichever is first.
fn diff(_: &Pass, arguments: &[Value]) -> Answered {
    let (one, other) = (moment(&arguments[..1])?.0, moment(&arguments[1..])?.0);
    let (early, late) = if one <= other { (one, other) } else { (other, one) };
    let late = late.with_time_zone(early.time_zone().clone());
    let span = early.until((Unit::Year, &late)).map_err(|error| Stop::Wrong(error.to_string()))?;
    numbers([
        span.get_years().into(),
        span.get_months().into(),
        span.get_days().into(),
        span.get_hours().into(),
        span.get_minutes(),
        span.get_seconds(),
    ])
}

/// Nanoseconds, or `[nanoseconds, zone]`, or `[nanoseconds, zone, layout]`.
fn moment(arguments: &[Value]) -> Result<(Zoned, Option<String>), Stop> {
    let parts = match arguments.first() {
        Some(Value::Array(parts)) => parts.to_vec(),
        Some(other) => vec![other.clone()],
        None => return Err(wrong("a moment", None)),
    };
    let at = Timestamp::from_nanosecond(i128::from(whole(&parts, 0)?))
        .map_err(|_| Stop::Wrong("leaves the calendar".to_owned()))?;
    let zone = match parts.get(1) {
        None => TimeZone::UTC,
        Some(_) => match text(&parts, 1)? {
            "" | "UTC" | "Local" => TimeZone::UTC,
            name => TimeZone::get(name)
                .map_err(|_| Stop::Wrong(format!("knows no time zone {name:.60?}")))?,
        },
    };
    let layout = parts.get(2).map(|_| text(&parts, 2).map(str::to_owned)).transpose()?;
    Ok((at.to_zoned(zone), layout))
}

fn nanoseconds(moment: Timestamp) -> Answered {
    i64::try_from(moment.as_nanosecond())
        .map(Value::from)
        .map_err(|_| Stop::Wrong("leaves the calendar".to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "it is what every function gives back")]
fn numbers<const N: usize>(numbers: [i64; N]) -> Answered {
    Ok(Value::from(numbers.map(Value::from).to_vec()))
}

/// Go's layouts are the parts of one certain moment; ours are letters behind `%`.
const LAYOUTS: &[(&str, &str)] = &[
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("2006", "%Y"),
    (".999999999", "%.f"),
    (".000000000", "%.9f"),
    (".000000", "%.6f"),
    (".000", "%.3f"),
    ("Z07:00", "%:z"),
    ("-07:00", "%:z"),
    ("Z0700", "%z"),
    ("-0700", "%z"),
    ("MST", "%Z"),
    ("01", "%m"),
    ("02", "%d"),
    ("_2", "%e"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
];

/// Layouts that have a name.
const NAMED: &[(&str, &str)] = &[
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", "2006-01-02T15:04:05Z07:00"),
    ("RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"),
];

fn pattern(layout: &str) -> String {
    let layout = NAMED.iter().find(|(name, _)| *name == layout).map_or(layout, |(_, it)| it);
    let mut out = String::new();
    let mut rest = layout;
    while let Some(letter) = rest.chars().next() {
        if let Some((part, ours)) = LAYOUTS.iter().find(|(part, _)| rest.starts_with(part)) {
            out.push_str(ours);
            rest = &rest[part.len()..];
        } else {
            out.push_str(if letter == '%' { "%" } else { "" });
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::called;

    fn check(name: &str, arguments: &str, expect: &str) {
        assert_eq!(called(name, arguments), expect, "{name} {arguments}");
    }

    #[test]
    fn moments() {
        check("time.now_ns", "[]", "1700000000000000000");
        check("time.parse_rfc3339_ns", r#"["1970-01-01T00:00:01Z"]"#, "1000000000");
        check("time.parse_rfc3339_ns", r#"["1970-01-01T01:00:00.5+01:00"]"#, "500000000");
        check("time.parse_rfc3339_ns", r#"["1970-01-01"]"#, r#"wrong: cannot read "1970-01-01""#);
        check("time.parse_rfc3339_ns", r#"["9999-01-01T00:00:00Z"]"#, "wrong: leaves the calendar");
        check("time.parse_rfc3339_ns", "[null]", "wrong: wants a text, and was given `null`");
        check("time.parse_ns", r#"["2006-01-02", "1970-01-02"]"#, "86400000000000");
        check("time.parse_ns", r#"["RFC1123Z", "Thu, 01 Jan 1970 00:00:01 +0000"]"#, "1000000000");
        check("time.parse_duration_ns", r#"["1h1m1.5s"]"#, "3661500000000");
        check("time.parse_duration_ns", r#"["-2ms"]"#, "-2000000");
        check("time.parse_duration_ns", r#"["2 days"]"#, r#"wrong: cannot read "2 days""#);
        check("time.date", "[0]", "[1970,1,1]");
        check("time.date", r#"[[0, "America/New_York"]]"#, "[1969,12,31]");
        check("time.date", r#"[[0, "Nowhere"]]"#, r#"wrong: knows no time zone "Nowhere""#);
        check("time.clock", "[3661000000000]", "[1,1,1]");
        check("time.weekday", "[0]", r#""Thursday""#);
        check("time.format", "[0]", r#""1970-01-01T00:00:00Z""#);
        check(
            "time.format",
            r#"[[0, "UTC", "2006/01/02 15.04 100%"]]"#,
            r#""1970/01/01 00.00 100%""#,
        );
        check("time.add_date", "[0, 1, 1, 1]", "34300800000000000");
        check("time.add_date", "[0, 9223372036854775807, 1, 1]", "wrong: leaves the calendar");
        check("time.diff", "[0, 34300800000000000]", "[1,1,1,0,0,0]");
        check("time.diff", "[34300800000000000, 0]", "[1,1,1,0,0,0]");
    }
}
