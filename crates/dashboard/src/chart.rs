//! Charts: findings over time, as SVG that is drawn here, with a table of the same numbers behind it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use api::Counted;
use model::{Level, Moment};

use crate::columns::scale;
use crate::html::Html;
use crate::severity::Severities;
use crate::when::when;

const WIDTH: i64 = 1_000;
const HEIGHT: i64 = 220;
/// Room above the highest point, for marks.
const ROOM: i64 = 24;
const MARK: (i64, i64) = (6, 18);
/// What is told of those that lie on each other.
const TOLD: usize = 5;
/// Most points that are drawn.
pub(crate) const POINTS: usize = 200;

/// Something that happened, which is marked above the findings.
pub(crate) struct Mark {
    pub(crate) at: Moment,
    pub(crate) told: String,
}

/// How many findings there were, as that changed; each count held until the next. What happened is marked
/// where it did.
pub(crate) fn trend(counts: &[Counted], marks: &[Mark], from: Moment, now: Moment) -> Html {
    let points: Vec<(Moment, Severities)> = thinned(counts)
        .filter_map(|it| Some((Moment::nearest(&it.at).ok()?.max(from), Severities::from(it))))
        .collect();
    let Some((_, last)) = points.last() else { return Html::default() };
    let most = points.iter().map(|(_, it)| it.total()).max().unwrap_or(0).max(1);
    let span = now.micros().saturating_sub(from.micros()).max(1);
    let x = |at: Moment| scaled(at.micros().saturating_sub(from.micros()), span, WIDTH);
    let y = |count: u64| HEIGHT - scaled(as_i64(count), as_i64(most), HEIGHT - ROOM);
    // From the worst at the ground to all of them: each area is in front of the next.
    let areas = (0..Level::ALL.len()).rev().filter_map(|level| {
        let sum =
            |it: &Severities| it.0.iter().take(level + 1).fold(0_u64, |a, b| a.saturating_add(*b));
        if points.iter().all(|(_, it)| it.0[level] == 0) {
            return None;
        }
        let mut path = format!("M{} {HEIGHT}", x(points.first()?.0));
        for (at, it) in &points {
            let _ = write!(path, "H{}V{}", x(*at), y(sum(it)));
        }
        let _ = write!(path, "H{WIDTH}V{HEIGHT}Z");
        let class = format!("fill {}", Level::ALL[level].as_str());
        Some(Html::tag("path", &[("class", &class), ("d", &path)], Html::default()))
    });
    let areas = Html::all(areas);
    // What is pointed at: from each count to the next.
    let ends = points.iter().skip(1).map(|(at, _)| x(*at)).chain([WIDTH]);
    let bands = points.iter().zip(ends).map(|((at, it), end)| {
        let at = *at;
        let begin = x(at);
        let (left, width) = (begin.to_string(), (end - begin).max(2).to_string());
        let height = HEIGHT.to_string();
        let attributes =
            [("class", "point"), ("x", &*left), ("y", "0"), ("width", &width), ("height", &height)];
        let title = Html::text(&format!("Since {at}: {}", it.told()));
        (at, true, Html::tag("rect", &attributes, Html::tag("title", &[], title)))
    });
    // What happened at once, or nearly so, is one mark.
    let mut happened: BTreeMap<i64, Vec<&Mark>> = BTreeMap::new();
    for it in marks.iter().filter(|it| it.at >= from && it.at <= now) {
        happened.entry(x(it.at)).or_default().push(it);
    }
    // Each lies before what it led to, and so is not covered by that.
    let marked = happened.iter().filter_map(|(x, all)| {
        let at = all.iter().map(|it| it.at).min()?;
        let (left, [width, height]) =
            ((x - MARK.0).max(0).to_string(), [MARK.0, MARK.1].map(|it| it.to_string()));
        let attributes = [
            ("class", "point happened"),
            ("x", &*left),
            ("y", "0"),
            ("width", &width),
            ("height", &height),
        ];
        let told: Vec<&str> = all.iter().take(TOLD).map(|it| &*it.told).collect();
        let more = match all.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let title = Html::text(&format!("{at}: {}{more}", told.join("; ")));
        Some((at, false, Html::tag("rect", &attributes, Html::tag("title", &[], title))))
    });
    // In the order of time, for whoever goes from one to the next.
    let mut pointed: Vec<(Moment, bool, Html)> = bands.chain(marked).collect();
    pointed.sort_by_key(|(at, is_band, _)| (*at, *is_band));
    let happened = match happened.values().map(Vec::len).sum::<usize>() {
        0 => String::new(),
        count => format!(" Marked: {count}."),
    };
    let bands = Html::all(pointed.into_iter().map(|(_, _, it)| it));
    let label =
        format!("Findings over time. Most at once: {most}. Now: {}.{happened}", last.told());
    let attributes = [
        ("class", "chart"),
        ("viewBox", "0 0 1000 220"),
        ("preserveAspectRatio", "none"),
        ("role", "img"),
        ("aria-label", &*label),
    ];
    let drawing = Html::tag("svg", &attributes, areas.and(&bands));
    let there = Level::ALL.iter().enumerate();
    let there = there.filter(|(at, _)| points.iter().any(|(_, it)| it.0[*at] > 0));
    let there: Vec<_> = there.map(|(_, it)| (it.as_str(), it.as_str())).collect();
    let day = |it: Moment| it.to_string().chars().take("2026-11-21".len()).collect::<String>();
    let scale = scale(&there, &day(from), &day(now), most);
    let figure = Html::all([drawing, scale, numbers(counts, now)]);
    Html::tag("figure", &[("class", "trend")], figure)
}

/// The same as a table.
fn numbers(counts: &[Counted], now: Moment) -> Html {
    let head =
        ["Since", "Critical", "High", "Medium", "Low", "Unspecified", "Not analysed", "Gaps"];
    let head = head.map(|it| Html::tag("th", &[("scope", "col")], Html::text(it)));
    let row = |it: &Counted| {
        let numbers = Severities::from(it).0.into_iter().chain([it.pending, it.gaps]);
        let numbers =
            numbers.map(|it| Html::tag("td", &[("class", "number")], Html::text(&it.to_string())));
        let since = Html::tag("td", &[], when(&it.at, now));
        Html::tag("tr", &[], since.and(&Html::all(numbers)))
    };
    let rows = Html::tag("tbody", &[], Html::all(counts.iter().rev().map(row)));
    let head = Html::tag("thead", &[], Html::tag("tr", &[], Html::all(head)));
    let table = Html::tag("table", &[], head.and(&rows));
    let summary = Html::tag("summary", &[], Html::text("The same in numbers"));
    let around = [
        ("class", "table"),
        ("tabindex", "0"),
        ("role", "region"),
        ("aria-label", "Findings over time"),
    ];
    Html::tag("details", &[], summary.and(&Html::tag("div", &around, table)))
}

/// Not more of them than can be told apart; the last is always there.
fn thinned(counts: &[Counted]) -> impl Iterator<Item = &Counted> {
    let step = counts.len().div_ceil(POINTS).max(1);
    let last = counts.len().saturating_sub(1);
    counts.iter().enumerate().filter(move |(at, _)| at % step == 0 || *at == last).map(|(_, it)| it)
}

fn scaled(part: i64, whole: i64, size: i64) -> i64 {
    let scaled = i128::from(part) * i128::from(size) / i128::from(whole.max(1));
    i64::try_from(scaled).unwrap_or(size).clamp(0, size)
}

fn as_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(at: &str, critical: u64, high: u64) -> Counted {
        Counted {
            at: at.to_owned(),
            almanac: "sha256:0".to_owned(),
            critical,
            high,
            medium: 0,
            low: 0,
            unspecified: 0,
            images: 1,
            pending: 0,
            gaps: 0,
        }
    }

    #[test]
    fn a_chart_can_be_heard_and_pointed_at() {
        let (from, now) = ("2026-11-01T00:00:00Z", "2026-11-21T00:00:00Z");
        let (from, now) = (from.parse().unwrap(), now.parse().unwrap());
        let counts = [counted("2026-10-01T00:00:00Z", 1, 1), counted("2026-11-11T00:00:00Z", 4, 0)];
        let html = trend(&counts, &[], from, now).to_string();
        assert!(html.contains("Most at once: 4. Now: 4 critical."), "{html}");
        // The second begins in the middle, and reaches the top.
        assert!(html.contains("d=\"M0 220H0V171H500V24H1000V220Z\""), "{html}");
        assert_eq!(html.matches("class=\"point\"").count(), 2);
        assert!(html.contains("Since 2026-11-11T00:00:00Z: 4 critical"), "{html}");
        assert!(html.contains("<summary>The same in numbers</summary>"));
        assert!(html.contains("2026-11-01 to 2026-11-21, at most 4"), "{html}");
        let mark = |at: &str| Mark { at: at.parse().unwrap(), told: "web <b>".to_owned() };
        let all =
            ["2026-11-11T00:00:00Z", "2026-10-01T00:00:00Z", "2026-11-16T00:00:00Z"].map(mark);
        let many = (0..7).map(|_| mark("2026-11-11T00:00:00Z"));
        let html = trend(&counts, &many.collect::<Vec<_>>(), from, now).to_string();
        assert!(html.contains("Marked: 7.") && html.contains("web &lt;b&gt; and 2 more"), "{html}");
        assert_eq!(html.matches("happened").count(), 1);
        let html = trend(&counts, &all, from, now).to_string();
        assert!(html.contains("Now: 4 critical. Marked: 2."), "{html}");
        assert!(html.contains("x=\"494\" y=\"0\"") && html.contains("web &lt;b&gt;"), "{html}");
        let order: Vec<&str> = html.split("<title>").skip(1).map(|it| &it[..16]).collect();
        let expect =
            ["Since 2026-11-01", "2026-11-11T00:00", "Since 2026-11-11", "2026-11-16T00:00"];
        assert_eq!(order, expect);
        assert!(trend(&[], &[], from, now).is_empty());
        let odd = [counted("<b>", 1, 1)];
        assert!(trend(&odd, &[], from, now).is_empty());
        let huge = [counted("2026-11-11T00:00:00Z", u64::MAX, u64::MAX)];
        assert!(trend(&huge, &[], from, now).to_string().contains("V24"));
        assert!(trend(&counts, &[], now, from).to_string().contains("<svg"));
    }
}
