//! Events of an OSV range, made into spans.

use ecosystem::order::Order;
use model::{Bound, Span};

use super::record::{Event, Range};
use crate::brief::brief;
use crate::json::Text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Introduced,
    Fixed,
    LastAffected,
    /// Nothing behind the last of these is spoken of.
    Limit,
}

/// The spans of all ranges that are told in versions; those told in commits are left aside. Ranges
/// that end before they begin are `odd`.
pub(super) fn spans(
    order: Option<&dyn Order>,
    ranges: &[Range<'_>],
    odd: &mut Vec<String>,
) -> Vec<Span> {
    let mut spans = Vec::new();
    for range in ranges.iter().filter(|it| !is_of_commits(it)) {
        of_events(order, turns(&range.events), &mut spans, odd);
    }
    spans
}

/// Commits mean nothing to a package manager.
pub(super) fn is_of_commits(range: &Range<'_>) -> bool {
    range.kind.eq_ignore_ascii_case("GIT")
}

fn turns<'a>(events: &'a [Event<'_>]) -> Vec<(Turn, &'a str)> {
    let mut turns = Vec::with_capacity(events.len());
    // A star is a limit that is none, and takes all others with it.
    let is_limited = events.iter().all(|it| !it.limit.contains('*'));
    for event in events {
        let fields = [
            (Turn::Introduced, &event.introduced),
            (Turn::Fixed, &event.fixed),
            (Turn::LastAffected, &event.last_affected),
            (Turn::Limit, &event.limit),
        ];
        let told = fields.into_iter().map(|(turn, it)| (turn, &**it));
        turns.extend(
            told.filter(|(turn, it)| !it.is_empty() && (is_limited || *turn != Turn::Limit)),
        );
    }
    turns
}

/// As <https://ossf.github.io/osv-schema/#evaluation> says, but for several `last_affected` in a row.
fn of_events(
    order: Option<&dyn Order>,
    mut turns: Vec<(Turn, &str)>,
    spans: &mut Vec<Span>,
    odd: &mut Vec<String>,
) {
    if !turns.is_empty() && turns.iter().all(|(turn, _)| *turn != Turn::Introduced) {
        turns.insert(0, (Turn::Introduced, "0"));
    }
    let (mut turns, is_sorted) = match sorted(order, &turns) {
        Sorted::Yes(turns) => (turns, true),
        Sorted::No => {
            turns.sort_by_key(|it| !is_zero(it));
            (turns, false)
        }
        Sorted::Backwards { end, begin } => {
            let (end, begin) = (brief(end), brief(begin));
            odd.push(format!("a range ends with {end} before it begins with {begin}"));
            if let [_, _] = &turns[..] {
                turns.sort_by_key(|it| it.0 != Turn::Introduced);
            }
            (turns, false)
        }
    };
    if let Some(limit) = turns.iter().rposition(|(turn, _)| *turn == Turn::Limit) {
        let is_behind = |at: usize| is_sorted && at > limit;
        let numbered = turns.into_iter().enumerate();
        let within = numbered
            .filter(|(at, (turn, _))| *at == limit || (*turn != Turn::Limit && !is_behind(*at)));
        let ended =
            within.map(|(_, it)| if it.0 == Turn::Limit { (Turn::Fixed, it.1) } else { it });
        turns = ended.collect();
    }
    // Outside: where the span that we are in began.
    let mut open: Option<Option<Bound>> = None;
    // Outside: where the span began that ended with a version that is affected.
    let mut former: Option<Option<Bound>> = None;
    let mut rest = &turns[..];
    while let Some((_, version)) = rest.first() {
        // Turns at the same version are one: whether a fix ends the span before it or is void
        // depends on where we are, not on which is written first.
        let count = rest.iter().take_while(|(_, it)| it == version).count();
        let (here, later) = rest.split_at(count);
        rest = later;
        let has = |turn| here.iter().any(|(it, _)| *it == turn);
        let was_open = open.is_some();
        if has(Turn::Fixed) || has(Turn::Introduced) {
            former = None;
        }
        if has(Turn::Fixed)
            && let Some(from) = open.take()
        {
            spans.push(Span { from, to: Some(bound(version, false)) });
        }
        if has(Turn::Introduced) && open.is_none() && (was_open || !has(Turn::Fixed)) {
            open = Some((*version != "0").then(|| bound(version, true)));
        }
        if has(Turn::LastAffected) {
            // Each says that its version is affected, so that the span reaches to the last of them.
            // Where nobody knows which is the last, there is a span to each.
            if is_sorted && former.is_some() {
                spans.pop();
            }
            if let Some(from) = open.take().or(former.take()) {
                spans.push(Span { from: from.clone(), to: Some(bound(version, true)) });
                former = Some(from);
            }
        }
    }
    if let Some(from) = open {
        spans.push(Span { from, to: None });
    }
}

fn bound(version: &str, included: bool) -> Bound {
    Bound { version: version.to_owned(), included }
}

fn is_zero(it: &(Turn, &str)) -> bool {
    it.0 == Turn::Introduced && it.1 == "0"
}

/// What comes of sorting events.
enum Sorted<'a> {
    Yes(Vec<(Turn, &'a str)>),
    /// Nobody can say which version is first: they stay as they are.
    No,
    /// The first of them is an end: whoever wrote it had another order in mind.
    Backwards {
        end: &'a str,
        begin: &'a str,
    },
}

/// Events may come in any order.
fn sorted<'a>(order: Option<&dyn Order>, turns: &[(Turn, &'a str)]) -> Sorted<'a> {
    // As most of them are.
    if let [first, _] = turns
        && is_zero(first)
    {
        return Sorted::Yes(turns.to_vec());
    }
    let keyed: Option<Vec<_>> = turns
        .iter()
        .map(|turn| {
            if is_zero(turn) {
                return Some((Vec::new(), *turn));
            }
            let mut key = vec![1];
            order?.key(turn.1, &mut key).ok()?;
            Some((key, *turn))
        })
        .collect();
    let Some(mut keyed) = keyed else { return Sorted::No };
    keyed.sort_by(|left, right| left.0.cmp(&right.0));
    let begin = keyed.iter().find(|(_, (turn, _))| *turn == Turn::Introduced);
    if let (Some((first, (_, end))), Some((key, (_, begin)))) = (keyed.first(), begin)
        && first != key
    {
        return Sorted::Backwards { end, begin };
    }
    // Equal versions, however they are written, are one place.
    let mut same = None::<(Vec<u8>, &str)>;
    let turns = keyed.into_iter().map(|(key, (turn, version))| match &same {
        Some((known, first)) if *known == key => (turn, *first),
        _ => {
            same = Some((key, version));
            (turn, version)
        }
    });
    Sorted::Yes(turns.collect())
}

/// GitHub tells how far a flaw is known to reach where there is no fix: `<= 7.11.0`, `< 2.0`.
pub(super) fn end_at_last_known(spans: &mut [Span], told: &str) {
    let last = told.rsplit(',').next().unwrap_or_default().trim();
    let (version, included) = match (last.strip_prefix("<="), last.strip_prefix('<')) {
        (Some(version), _) => (version.trim(), true),
        (None, Some(version)) => (version.trim(), false),
        (None, None) => return,
    };
    if let [span] = spans
        && span.to.is_none()
        && !version.is_empty()
    {
        span.to = Some(bound(version, included));
    }
}

/// Where a span begins, and whether just after it; `None`: with the first version.
type Begin = Option<(Vec<u8>, bool)>;
/// Whether a span goes on for ever; else where it ends, and whether with that version.
type End = (bool, Option<(Vec<u8>, bool)>);

/// The listed versions that no span covers. Where nobody can say, they are all kept.
pub(super) fn uncovered(
    order: Option<&dyn Order>,
    spans: &[Span],
    versions: &[Text<'_>],
) -> Vec<String> {
    if versions.is_empty() || spans.iter().any(|it| *it == Span::all()) {
        return Vec::new();
    }
    let told = versions.iter().filter(|it| !it.is_empty());
    let Some(order) = order.filter(|_| !spans.is_empty()) else {
        return told.map(|it| it.to_string()).collect();
    };
    let key = |version: &str| {
        let mut key = Vec::new();
        order.key(version, &mut key).ok().map(|()| key)
    };
    // A bound that cannot be read covers nothing.
    let end = |bound: &Option<Bound>| match bound {
        None => Some(None),
        Some(bound) => key(&bound.version).map(|it| Some((it, bound.included))),
    };
    // By where they begin, each with the farthest end of all up to it: some have thousands.
    let mut reach: Vec<(Begin, End)> = spans
        .iter()
        .filter_map(|it| {
            let from = end(&it.from)?.map(|(key, included)| (key, !included));
            let to = end(&it.to)?;
            Some((from, (to.is_none(), to)))
        })
        .collect();
    reach.sort_unstable();
    let mut farthest: End = (false, None);
    for (_, end) in &mut reach {
        if *end > farthest {
            farthest.clone_from(end);
        } else {
            end.clone_from(&farthest);
        }
    }
    let covers = |version: &str| {
        let Some(key) = key(version) else { return false };
        let begun = reach.partition_point(|(from, _)| {
            from.as_ref()
                .is_none_or(|(it, excluded)| if *excluded { *it < key } else { *it <= key })
        });
        let last = begun.checked_sub(1).and_then(|it| reach.get(it));
        last.is_some_and(|(_, (for_ever, to))| {
            let before = |(it, included): &(Vec<u8>, bool)| {
                if *included { key <= *it } else { key < *it }
            };
            *for_ever || to.as_ref().is_some_and(before)
        })
    };
    told.filter(|it| !covers(it)).map(|it| it.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use ecosystem::order::BadVersion;

    use super::*;

    /// Whole numbers: enough to tell whether events are sorted.
    struct Numbers;

    impl Order for Numbers {
        fn id(&self) -> &'static str {
            "numbers"
        }

        fn title(&self) -> &'static str {
            "as numbers are"
        }

        fn compare(&self, left: &str, right: &str) -> Result<Ordering, BadVersion> {
            let read = |it: &str| {
                it.parse::<u32>().map_err(|_| BadVersion::new(self.id(), it, "it is no number"))
            };
            Ok(read(left)?.cmp(&read(right)?))
        }

        fn key(&self, version: &str, key: &mut Vec<u8>) -> Result<(), BadVersion> {
            self.compare(version, "0")?;
            key.extend(version.parse::<u32>().unwrap_or_default().to_be_bytes());
            Ok(())
        }

        fn examples(&self) -> &'static [&'static str] {
            &[]
        }
    }

    fn show(spans: &[Span]) -> String {
        let shown = spans.iter().map(|it| {
            let from = it.from.as_ref().map_or("(".to_owned(), |it| format!("[{}", it.version));
            let to = it.to.as_ref().map_or(")".to_owned(), |it| {
                format!("{}{}", it.version, if it.included { "]" } else { ")" })
            });
            format!("{from}..{to}")
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    fn check(order: Option<&dyn Order>, events: &str, expect: &str) {
        let turns = events.split_whitespace().map(|it| match it.split_at(1) {
            ("+", version) => (Turn::Introduced, version),
            ("-", version) => (Turn::Fixed, version),
            ("=", version) => (Turn::LastAffected, version),
            (_, version) => (Turn::Limit, version),
        });
        let (mut spans, mut odd) = (Vec::new(), Vec::new());
        of_events(order, turns.collect(), &mut spans, &mut odd);
        let odd: Vec<String> = odd.into_iter().map(|it| format!("; {it}")).collect();
        assert_eq!(show(&spans) + &odd.concat(), expect, "{events}");
    }

    #[test]
    fn events_make_spans() {
        for order in [None, Some(&Numbers as &dyn Order)] {
            check(order, "+0 -5", "(..5)");
            check(order, "+0", "(..)");
            check(order, "+1 -5 +7 -9", "[1..5) [7..9)");
            check(order, "+1 =5 +7", "[1..5] [7..)");
            check(order, "-5", "(..5)");
            check(order, "=5", "(..5]");
            check(order, "-5 +0", "(..5)");
            check(order, "+0 -5 -9", "(..5)");
            check(order, "+1 -1", "");
            check(order, "+0 -5 +5 -9", "(..5) [5..9)");
            check(order, "+0 +3 -5", "(..5)");
            check(order, "", "");
        }
        check(Some(&Numbers), "-9 +7 -5 +1", "[1..5) [7..9)");
        check(Some(&Numbers), "+7 =10 +0 -5", "(..5) [7..10]");
        check(Some(&Numbers), "+07 -9 +0 -7", "(..07) [07..9)");
        check(Some(&Numbers), "+0 =4 =3 =5", "(..5]");
        check(Some(&Numbers), "+0 =4 -5 =6", "(..4]");
        check(Some(&Numbers), "+0 =4 =5 +7 =8 =9", "(..5] [7..9]");
        check(Some(&Numbers), "+0 =x =5", "(..x] (..5]");
        check(None, "+0 =4 =3", "(..4] (..3]");
        check(Some(&Numbers), "+0 <5 <9", "(..9)");
        check(Some(&Numbers), "+0 -3 +5 <9 +11", "(..3) [5..9)");
        check(Some(&Numbers), "+0 -3 <5 +7", "(..3)");
        check(Some(&Numbers), "+5 -3", "[5..3); a range ends with 3 before it begins with 5");
        check(Some(&Numbers), "+5 =3", "[5..3]; a range ends with 3 before it begins with 5");
        check(Some(&Numbers), "+5 <3", "[5..3); a range ends with 3 before it begins with 5");
        check(Some(&Numbers), "-3 +5", "[5..3); a range ends with 3 before it begins with 5");
        check(
            Some(&Numbers),
            "+5 -3 +7 -9",
            "[5..3) [7..9); a range ends with 3 before it begins with 5",
        );
        check(Some(&Numbers), "+5 -5", "");
        // One that cannot be read leaves them as they are written.
        check(None, "+5 -3", "[5..3)");
        check(Some(&Numbers), "+x -5 +7 -9", "[x..5) [7..9)");
    }

    #[test]
    fn a_known_end_ends_a_span_without_a_fix() {
        let check = |events: Vec<Span>, told: &str, expect: &str| {
            let mut spans = events;
            end_at_last_known(&mut spans, told);
            assert_eq!(show(&spans), expect, "{told}");
        };
        check(vec![Span::all()], "<= 7.11.0", "(..7.11.0]");
        check(vec![Span::all()], "< 2.0", "(..2.0)");
        check(vec![Span::all()], ">= 1.0, <= 2.0", "(..2.0]");
        check(vec![Span::all()], "", "(..)");
        check(vec![Span::all()], "<", "(..)");
        check(vec![Span::before("3")], "<= 2", "(..3)");
        check(vec![Span::before("3"), Span::all().since("4")], "<= 2", "(..3) [4..)");
    }

    #[test]
    fn covered_versions_are_not_listed() {
        let check = |order: Option<&dyn Order>, spans: &[Span], expect: &str| {
            let versions = ["1", "5", "7", "x", ""].map(|it| Text(it.into()));
            assert_eq!(uncovered(order, spans, &versions).join(" "), expect);
        };
        check(Some(&Numbers), &[Span::before("5")], "5 7 x");
        check(Some(&Numbers), &[Span::before("5"), Span::all().since("7")], "5 x");
        check(Some(&Numbers), &[Span::before("y")], "1 5 7 x");
        check(Some(&Numbers), &[Span::all()], "");
        check(Some(&Numbers), &[], "1 5 7 x");
        check(None, &[Span::before("5")], "1 5 7 x");
    }

    proptest::proptest! {
        #[test]
        fn what_no_span_covers_is_kept(
            ends in proptest::collection::vec(
                (0_u32..12, 0_u32..12, proptest::bool::ANY, proptest::bool::ANY), 1..6,
            ),
        ) {
            // An end at 0 is none.
            let end = |it: u32, included| (it > 0).then(|| bound(&it.to_string(), included));
            let spans: Vec<Span> = ends
                .iter()
                .map(|(from, to, first, last)| Span { from: end(*from, *first), to: end(*to, *last) })
                .collect();
            let is_in = |it: u32| ends.iter().any(|(from, to, first, last)| {
                (*from == 0 || it > *from || (*first && it == *from))
                    && (*to == 0 || it < *to || (*last && it == *to))
            });
            let all: Vec<String> = (0..13).map(|it| it.to_string()).collect();
            let texts: Vec<Text<'_>> = all.iter().map(|it| Text(it.as_str().into())).collect();
            let expect: Vec<String> =
                (0..13).filter(|it| !is_in(*it)).map(|it| it.to_string()).collect();
            proptest::prop_assert_eq!(uncovered(Some(&Numbers), &spans, &texts), expect);
        }
    }
}
