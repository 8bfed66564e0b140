//! How much is known where all is known: fewer advisories are a part of what is published, and a
//! package without findings among them may just not have been looked at.

use almanac::Book;
use model::Space;

use crate::spaces::Meeting;

/// At least so many advisories has whoever carries the space whole. Taken from what publishers had in
/// 2026, and about half of it or less: a piece is mostly a few hundredths. A release that is not named
/// here is young or unknown, and nothing is said of it.
const LEAST: &[(&str, &[&str], u64)] = &[
    // Databases that know all flaws of a release from its first day on.
    ("alpine", ANY, 400),
    ("azurelinux", &["3.0"], 1000),
    ("chainguard", ANY, 1500),
    ("debian", &["8", "9", "10"], 1000),
    ("debian", &["11", "12", "13", "14", "sid"], 5000),
    ("mariner", &["1.0", "2.0"], 1000),
    ("rhel", &["6", "7", "8", "9"], 2000),
    ("rhel", &["10"], 500),
    ("ubuntu", &["14.04", "16.04", "18.04", "20.04", "22.04", "24.04"], 1000),
    ("wolfi", ANY, 1500),
    // Those that only know updates.
    ("almalinux", &["8", "9"], 1500),
    ("almalinux", &["10"], 500),
    ("amzn", &["1", "2"], 1000),
    ("amzn", &["2023"], 500),
    ("rocky", &["8", "9"], 500),
    ("rocky", &["10"], 100),
    // Languages, and the like.
    ("bitnami", ANY, 3000),
    ("cargo", ANY, 600),
    ("composer", ANY, 3000),
    ("cran", ANY, 8),
    ("gem", ANY, 600),
    ("github", ANY, 15),
    ("golang", ANY, 1500),
    ("hackage", ANY, 15),
    ("hex", ANY, 20),
    ("julia", ANY, 300),
    ("maven", ANY, 3000),
    ("npm", ANY, 2500),
    ("nuget", ANY, 400),
    ("pub", ANY, 8),
    ("pypi", ANY, 2500),
    ("swift", ANY, 20),
];

const ANY: &[&str] = &[];

/// So many advisories has whoever carries that space whole, or more. `None`: that is not known.
pub fn least(space: &Space) -> Option<u64> {
    let release = space.release_name().unwrap_or_default();
    let fits = |it: &&(&str, &[&str], u64)| {
        it.0 == space.family() && (it.1.is_empty() || it.1.contains(&release))
    };
    LEAST.iter().find(fits).map(|it| it.2)
}

/// What the reader must know where the book has only a part of what is published there.
pub(crate) fn caution(book: &dyn Book, meeting: &Meeting) -> Option<String> {
    // The starter sheet says of itself that it is one.
    if meeting.feeds.iter().any(|it| it == "starter") {
        return None;
    }
    let space = &meeting.space;
    let (count, least) = (book.advisories(space)?, least(space)?);
    let noun = if count == 1 { "advisory" } else { "advisories" };
    (count < least).then(|| {
        format!(
            "only {count} {noun} about {space} in the almanac, and the whole has at least {least}: \
             most of what is known is missing"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_apart() {
        for (space, expect) in [
            (Space::release("rhel", "9"), Some(2000)),
            (Space::release("rhel", "10"), Some(500)),
            (Space::release("rhel", "11"), None),
            (Space::release("alpine", "edge"), Some(400)),
            (Space::of("npm"), Some(2500)),
            (Space::of("wolfi"), Some(1500)),
            (Space::of("rhel"), None),
            (Space::of("tea"), None),
        ] {
            assert_eq!(least(&space), expect, "{space}");
        }
    }

    #[test]
    fn no_release_has_two_numbers() {
        for (number, (family, releases, _)) in LEAST.iter().enumerate() {
            for (other, those, _) in &LEAST[..number] {
                let is_shared = releases.is_empty()
                    || those.is_empty()
                    || releases.iter().any(|it| those.contains(it));
                assert!(other != family || !is_shared, "{family}");
            }
        }
    }
}
