//! Times as people say them, with the exact one behind.

use model::Moment;

use crate::html::Html;

/// `3 hours ago`; pointing at it shows when exactly.
pub(crate) fn when(text: &str, now: Moment) -> Html {
    let Ok(at) = Moment::nearest(text) else { return Html::text(text) };
    let exact = exact(at);
    let attributes = [("datetime", text), ("title", &*exact)];
    Html::tag("time", &attributes, Html::text(&ago(at, now)))
}

/// The same, where there may be none.
pub(crate) fn when_if(text: Option<&str>, now: Moment) -> Html {
    text.map_or_else(|| Html::text("–"), |it| when(it, now))
}

/// `2026-11-21 10:00:00 UTC`
fn exact(at: Moment) -> String {
    let text = at.to_string();
    let text = text.split(['.', 'Z']).next().unwrap_or_default().replace('T', " ");
    format!("{text} UTC")
}

/// How long ago, or in how long, in the largest unit that says something.
pub(crate) fn ago(at: Moment, now: Moment) -> String {
    let seconds = now.micros().saturating_sub(at.micros()) / 1_000_000;
    let (size, past) = (seconds.unsigned_abs(), seconds >= 0);
    let (count, unit) = match size {
        0..60 => return if past { "just now".to_owned() } else { "in a moment".to_owned() },
        60..3_600 => (size / 60, "minute"),
        3_600..172_800 => (size / 3_600, "hour"),
        172_800..5_184_000 => (size / 86_400, "day"),
        5_184_000..63_072_000 => (size / 2_592_000, "month"),
        _ => (size / 31_536_000, "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if past { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_people_say_them() {
        let now: Moment = "2026-11-21T10:00:00Z".parse().unwrap();
        let check = |text: &str, expect: &str| {
            assert_eq!(ago(text.parse().unwrap(), now), expect, "{text}");
        };
        check("2026-11-21T10:00:00Z", "just now");
        check("2026-11-21T10:00:30Z", "in a moment");
        check("2026-11-21T09:59:00Z", "1 minute ago");
        check("2026-11-21T08:59:00Z", "1 hour ago");
        check("2026-11-20T10:00:00Z", "24 hours ago");
        check("2026-11-18T10:00:00Z", "3 days ago");
        check("2026-12-01T10:00:00Z", "in 10 days");
        check("2026-01-21T10:00:00Z", "10 months ago");
        check("2020-01-21T10:00:00Z", "6 years ago");
        let html = when("2026-11-21T09:00:00Z", now).to_string();
        let expect = "<time datetime=\"2026-11-21T09:00:00Z\" title=\"2026-11-21 09:00:00 UTC\">1 hour \
                      ago</time>";
        assert_eq!(html, expect);
        assert_eq!(when("<b>", now).to_string(), "&lt;b&gt;");
    }
}
