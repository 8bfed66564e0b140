//! Charts of days: a column for each, as SVG that is drawn here, with a table of the same numbers.

use crate::html::Html;

const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 120;
/// Room above the highest column, and between columns.
const ROOM: u64 = 6;
/// Days that are drawn at most.
const MOST: usize = 400;

/// A day that something is known of.
pub(crate) struct Day {
    /// `2026-11-22`.
    pub(crate) name: String,
    /// One of each series, from the ground up.
    pub(crate) values: Vec<u64>,
    /// What stands beside them in the table.
    pub(crate) more: Vec<u64>,
}

/// A chart of these days, as evenly as they come. `series` are colours and words; `more` are heads of what
/// is in the table alone.
pub(crate) fn columns(
    label: &str,
    series: &[(&'static str, &'static str)],
    more: &[&'static str],
    days: &[Day],
) -> Html {
    let days = days.get(days.len().saturating_sub(MOST)..).unwrap_or_default();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Html::default() };
    let total = |it: &Day| it.values.iter().fold(0_u64, |sum, it| sum.saturating_add(*it));
    let most = days.iter().map(total).max().unwrap_or(0).max(1);
    let slot = |at: usize| WIDTH * at as u64 / days.len() as u64;
    let mut drawn = Vec::new();
    for (at, day) in days.iter().enumerate() {
        let (left, right) = (slot(at), slot(at + 1));
        let gap = if right - left > 8 { 2 } else { 0 };
        let mut below = 0_u64;
        for ((class, _), value) in series.iter().zip(&day.values).filter(|(_, it)| **it > 0) {
            // Heights are differences, so that they add up to the whole.
            let bottom = scaled(below, most);
            below = below.saturating_add(*value);
            let top = scaled(below, most);
            let class = format!("fill {class}");
            let (x, y) = (left.to_string(), (HEIGHT - top).to_string());
            let (w, h) =
                ((right - left - gap).max(1).to_string(), (top - bottom).max(1).to_string());
            let attributes =
                [("class", &*class), ("x", &x), ("y", &y), ("width", &w), ("height", &h)];
            drawn.push(Html::tag("rect", &attributes, Html::default()));
        }
        let (x, w, h) = (left.to_string(), (right - left).to_string(), HEIGHT.to_string());
        let attributes =
            [("class", "point"), ("x", &*x), ("y", "0"), ("width", &w), ("height", &h)];
        let title = Html::text(&format!("{}: {}", day.name, told(series, day)));
        drawn.push(Html::tag("rect", &attributes, Html::tag("title", &[], title)));
    }
    let title = label;
    let label = format!(
        "{label}, {} to {}. Most on a day: {most}. On the last: {}.",
        first.name,
        last.name,
        told(series, last)
    );
    let attributes = [
        ("class", "chart days"),
        ("viewBox", "0 0 1000 120"),
        ("preserveAspectRatio", "none"),
        ("role", "img"),
        ("aria-label", &*label),
    ];
    let drawing = Html::tag("svg", &attributes, Html::all(drawn));
    let there = (0..series.len()).filter(|at| days.iter().any(|it| it.values.get(*at) > Some(&0)));
    let there: Vec<_> = there.filter_map(|at| series.get(at).copied()).collect();
    let scale = scale(&there, &first.name, &last.name, most);
    let title = Html::tag("figcaption", &[("class", "scale")], Html::text(title));
    let figure = Html::all([title, drawing, scale, numbers(&label, series, more, days)]);
    Html::tag("figure", &[("class", "trend")], figure)
}

/// What stands below a drawing: which colour is what, from when to when it is, and how high.
pub(crate) fn scale(series: &[(&str, &str)], first: &str, last: &str, most: u64) -> Html {
    let keys = series.iter().map(|(class, word)| {
        let class = format!("key {class}");
        let sign =
            Html::tag("span", &[("class", &class), ("aria-hidden", "true")], Html::default());
        sign.and(&Html::text(&format!(" {word}")))
    });
    let keys = Html::joined(keys, " · ");
    let dates = if series.is_empty() { "" } else { " — " };
    let dates = Html::text(&format!("{dates}{first} to {last}, at most {most}"));
    Html::tag("p", &[("class", "scale")], keys.and(&dates))
}

fn told(series: &[(&'static str, &'static str)], day: &Day) -> String {
    let some = series.iter().zip(&day.values).filter(|(_, it)| **it > 0);
    let some: Vec<String> = some.map(|((_, word), it)| format!("{it} {word}")).collect();
    if some.is_empty() { "none that is known".to_owned() } else { some.join(", ") }
}

fn scaled(part: u64, most: u64) -> u64 {
    let scaled = u128::from(part) * u128::from(HEIGHT - ROOM) / u128::from(most.max(1));
    u64::try_from(scaled).unwrap_or(HEIGHT).min(HEIGHT)
}

/// The same as a table, the last day first.
fn numbers(
    label: &str,
    series: &[(&'static str, &'static str)],
    more: &[&'static str],
    days: &[Day],
) -> Html {
    let head = ["Day"].into_iter().chain(series.iter().map(|it| it.1)).chain(more.iter().copied());
    let head = head.map(|it| Html::tag("th", &[("scope", "col")], Html::text(it)));
    let head = Html::tag("thead", &[], Html::tag("tr", &[], Html::all(head)));
    let row = |it: &Day| {
        let numbers = it.values.iter().chain(&it.more);
        let numbers =
            numbers.map(|it| Html::tag("td", &[("class", "number")], Html::text(&it.to_string())));
        let day = Html::tag("td", &[], Html::text(&it.name));
        Html::tag("tr", &[], day.and(&Html::all(numbers)))
    };
    let rows = Html::tag("tbody", &[], Html::all(days.iter().rev().map(row)));
    let around = [("class", "table"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)];
    let table = Html::tag("div", &around, Html::tag("table", &[], head.and(&rows)));
    let summary = Html::tag("summary", &[], Html::text("The same in numbers"));
    Html::tag("details", &[], summary.and(&table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_is_a_column_that_can_be_heard() {
        let series = [("against", "not met"), ("met", "met")];
        let day = |day: &str, values: [u64; 2]| Day {
            name: day.to_owned(),
            values: values.to_vec(),
            more: vec![1],
        };
        let days = [day("2026-11-20", [1, 3]), day("2026-11-21", [0, 0])];
        let html = columns("Policies", &series, &["Images"], &days).to_string();
        assert!(html.contains("Most on a day: 4. On the last: none that is known."), "{html}");
        assert!(html.contains("2026-11-20: 1 not met, 3 met"), "{html}");
        // The two parts of a day stand on each other, up to the top.
        assert!(
            html.contains("class=\"fill against\" x=\"0\" y=\"92\" width=\"498\" height=\"28\"")
        );
        assert!(html.contains("class=\"fill met\" x=\"0\" y=\"6\" width=\"498\" height=\"86\""));
        assert!(columns("x", &series, &[], &[]).is_empty());
        let huge = columns("x", &series, &[], &[day("<b>", [u64::MAX, u64::MAX])]).to_string();
        assert!(!huge.contains("<b>") && huge.contains("<svg"), "{huge}");
    }
}
