//! Which versions lack a fix that was published more than once, a time for each minor release.

use std::cmp::Ordering;

use ecosystem::order::Order;
use model::Span;

use super::platform::dist_tag;

/// The spans without a fix, of fixes of one package in one stream of Enterprise Linux.
///
/// curl was mended for 9.2 in `7.76.1-23.el9_2.4` and for 9.3 in `7.76.1-26.el9_3.2`. So `26.el9_3` lacks
/// the fix although it comes after the first of these, and `23.el9_2.5` has it although it comes
/// before the last. Behind each fix comes a stretch of versions that descend from it, and then
/// those that belong to the next minor release. The minor release `waiting` still waits for a fix.
pub(super) fn without_fix(
    order: Option<&dyn Order>,
    fixes: &[String],
    waiting: Option<u32>,
) -> Vec<Span> {
    let Some((order, fixes)) = order.and_then(|it| Some((it, sorted(it, fixes)?))) else {
        // Nobody can compare them: whoever looks it up must say so.
        return fixes.iter().map(Span::before).collect();
    };
    let mut fixes = fixes.into_iter();
    let Some(mut last) = fixes.next() else {
        return Vec::new();
    };
    let mut spans = vec![Span::before(last)];
    for fix in fixes {
        let Some(end) = end_of_descent(last) else {
            break;
        };
        if order.compare(fix, &end) != Ok(Ordering::Greater) {
            continue;
        }
        if !(numbered_early(last) && first_of_its_minor(fix)) {
            spans.push(Span::before(fix).since(end));
        }
        last = fix;
    }
    let minor = dist_tag(last).and_then(|it| it.minor);
    if minor.is_some_and(|it| waiting > Some(it)) {
        spans.extend(end_of_descent(last).map(|it| Span::all().since(it)));
    }
    spans
}

/// From the first to the last, each once; `None` where one of them cannot be read.
fn sorted<'a>(order: &dyn Order, fixes: &'a [String]) -> Option<Vec<&'a str>> {
    let mut keyed = Vec::with_capacity(fixes.len());
    for fix in fixes {
        let mut key = Vec::new();
        order.key(fix, &mut key).ok()?;
        keyed.push((key, fix.as_str()));
    }
    keyed.sort();
    keyed.dedup_by(|left, right| left.0 == right.0);
    Some(keyed.into_iter().map(|(_, fix)| fix).collect())
}

/// The first version behind a fix that need not descend from it; `None`: all do.
fn end_of_descent(fix: &str) -> Option<String> {
    let tag = dist_tag(fix)?;
    let (version, release) = tag.before.rsplit_once('-')?;
    let release = release.strip_suffix(".module").unwrap_or(release);
    let (stem, early) = match release.split_once('.') {
        Some((stem, _)) => (stem, true),
        None => (release, false),
    };
    // `23.el9_2.4`: what follows keeps the 23, until the next minor release.
    if !early && !tag.after.is_empty() && !tag.before.ends_with(".module") {
        let minor = tag.minor?.checked_add(1)?;
        return Some(format!("{version}-{stem}.el{}_{minor}", tag.release));
    }
    // `284.11.1.el9_2`: what follows keeps the 284. `16.el9_2`: nobody can tell what follows, but it
    // was built for that minor release; `24.el9` was not, and all that follows descends from it.
    if !early {
        tag.minor?;
    }
    let next = stem.parse::<u64>().ok()?.checked_add(1)?;
    Some(format!("{version}-{next}"))
}

/// `16.el9_2`: updates of that minor release count on before the tag, as its successor does.
fn numbered_early(fix: &str) -> bool {
    dist_tag(fix).is_some_and(|tag| {
        let release = tag.before.rsplit_once('-').map_or(tag.before, |(_, release)| release);
        tag.after.is_empty() && !release.contains('.')
    })
}

/// `24.el9`: the minor release began with it, and so has no version without the fix.
fn first_of_its_minor(fix: &str) -> bool {
    dist_tag(fix).is_some_and(|tag| tag.minor.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fixes: &[&str], expect: &str) {
        check_waiting(fixes, None, expect);
    }

    fn check_waiting(fixes: &[&str], waiting: Option<u32>, expect: &str) {
        let order = ecosystem::order::find("rpm");
        let fixes: Vec<String> = fixes.iter().map(|&it| it.to_owned()).collect();
        let spans = without_fix(order, &fixes, waiting);
        let text: Vec<String> = spans
            .iter()
            .map(|it| {
                let from = it.from.as_ref().map_or("", |it| &it.version);
                format!("{from}..{}", it.fix().unwrap_or_default())
            })
            .collect();
        assert_eq!(text.join(" "), expect, "{fixes:?}");
    }

    #[test]
    fn one_fix_is_one_span() {
        check(&["7.76.1-23.el9_2.4"], "..7.76.1-23.el9_2.4");
        check(&["1-1.el9", "1-1.el9"], "..1-1.el9");
        check(&[], "");
    }

    #[test]
    fn every_minor_release_has_its_own() {
        check(
            &["7.76.1-26.el9_3.2", "7.76.1-23.el9_2.4"],
            "..7.76.1-23.el9_2.4 7.76.1-23.el9_3..7.76.1-26.el9_3.2",
        );
        check(
            &["5.14.0-284.11.1.el9_2", "5.14.0-362.8.1.el9_3"],
            "..5.14.0-284.11.1.el9_2 5.14.0-285..5.14.0-362.8.1.el9_3",
        );
        check(
            &["1:3.0.7-16.el9_2", "1:3.0.7-25.el9_3"],
            "..1:3.0.7-16.el9_2 1:3.0.7-17..1:3.0.7-25.el9_3",
        );
        check(
            &["2.5.9-107.module+el8.4.0+1+ab", "2.5.9-110.module+el8.6.0+2+cd"],
            "..2.5.9-107.module+el8.4.0+1+ab 2.5.9-108..2.5.9-110.module+el8.6.0+2+cd",
        );
    }

    #[test]
    fn a_later_minor_release_may_wait() {
        check_waiting(&["1-23.el9_6.4"], Some(7), "..1-23.el9_6.4 1-23.el9_7..");
        check_waiting(&["1-23.el9_6.4"], Some(6), "..1-23.el9_6.4");
        check_waiting(&["1-23.el9_6.4"], Some(2), "..1-23.el9_6.4");
        check_waiting(&["1-23.el9"], Some(7), "..1-23.el9");
    }

    #[test]
    fn the_first_of_the_same_stream_counts() {
        check(&["7.76.1-23.el9_2.4", "7.76.1-23.el9_2.7"], "..7.76.1-23.el9_2.4");
        check(&["5.14.0-284.11.1.el9_2", "5.14.0-284.30.1.el9_2"], "..5.14.0-284.11.1.el9_2");
        check(&["1.0-2.el9", "1.0-3.el9_4", "1.1-1.el9"], "..1.0-2.el9");
        check(&["1:3.0.7-16.el9_2", "1:3.0.7-24.el9"], "..1:3.0.7-16.el9_2");
        check(&["1.33.0-1.el7eap", "1.33.0-2.el7eap"], "..1.33.0-1.el7eap");
    }
}
