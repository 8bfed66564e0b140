//! Ubuntu's own words: the code names of its releases, its channels, its dates.

use jiff::civil::Date;
use model::Space;

/// Of each release, its name and number.
const RELEASES: [(&str, &str); 44] = [
    ("artful", "17.10"),
    ("bionic", "18.04"),
    ("breezy", "5.10"),
    ("cosmic", "18.10"),
    ("dapper", "6.06"),
    ("disco", "19.04"),
    ("edgy", "6.10"),
    ("eoan", "19.10"),
    ("feisty", "7.04"),
    ("focal", "20.04"),
    ("groovy", "20.10"),
    ("gutsy", "7.10"),
    ("hardy", "8.04"),
    ("hirsute", "21.04"),
    ("hoary", "5.04"),
    ("impish", "21.10"),
    ("intrepid", "8.10"),
    ("jammy", "22.04"),
    ("jaunty", "9.04"),
    ("karmic", "9.10"),
    ("kinetic", "22.10"),
    ("lucid", "10.04"),
    ("lunar", "23.04"),
    ("mantic", "23.10"),
    ("maverick", "10.10"),
    ("natty", "11.04"),
    ("noble", "24.04"),
    ("oneiric", "11.10"),
    ("oracular", "24.10"),
    ("plucky", "25.04"),
    ("precise", "12.04"),
    ("quantal", "12.10"),
    ("questing", "25.10"),
    ("raring", "13.04"),
    ("resolute", "26.04"),
    ("saucy", "13.10"),
    ("trusty", "14.04"),
    ("utopic", "14.10"),
    ("vivid", "15.04"),
    ("warty", "4.10"),
    ("wily", "15.10"),
    ("xenial", "16.04"),
    ("yakkety", "16.10"),
    ("zesty", "17.04"),
];

/// Where a word such as `jammy`, `esm-infra/xenial` or `trusty/esm` leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A release, and the channel beside its main one.
    Release(Space, Option<String>),
    /// No release of the distribution: the software's authors, the one in the making, another product.
    Elsewhere,
    /// Nobody told us.
    Unknown,
}

/// What the word that names a release, with its channel before or after it, means.
pub(crate) fn target(word: &str) -> Target {
    let mut found = None;
    let mut channel: Vec<&str> = Vec::new();
    for part in word.split('/') {
        let number = RELEASES.binary_search_by_key(&part, |(name, _)| name).ok();
        match number.and_then(|it| RELEASES.get(it)) {
            Some((_, number)) if found.is_none() => found = Some(*number),
            _ => channel.push(part),
        }
    }
    match found {
        // The older files call the same thing by the name of the distribution.
        Some(number) => {
            channel.retain(|it| !it.is_empty() && *it != "ubuntu");
            let channel = (!channel.is_empty()).then(|| channel.join("/"));
            Target::Release(Space::release("ubuntu", number), channel)
        }
        None if matches!(word, "upstream" | "devel" | "product" | "snap") => Target::Elsewhere,
        None if word.ends_with("/devel") || word.contains("ubuntu-touch") => Target::Elsewhere,
        None if word.starts_with("ubuntu-core") || word.contains("stable-phone-overlay") => {
            Target::Elsewhere
        }
        None => Target::Unknown,
    }
}

/// In RFC 3339: `2010-09-28 18:00:00 UTC`, `2010-09-28`, `2024-12-18T16:54:46.792568`.
/// A time in another zone is told as its day. `None`: `unknown`.
pub(crate) fn date(text: &str) -> Option<String> {
    let text = text.trim();
    let day = text.get(..10)?;
    day.parse::<Date>().ok()?;
    let rest = text.get(10..)?.trim_start_matches(['T', ' ']);
    let (time, zone) = rest.split_at(rest.find([' ', 'Z', '+', '-']).unwrap_or(rest.len()));
    let is_time = time.parse::<jiff::civil::Time>().is_ok();
    let is_utc = matches!(zone.trim(), "" | "Z" | "UTC" | "UCT" | "+0000" | "+00:00");
    let time = if is_time && is_utc { time } else { "00:00:00" };
    Some(format!("{day}T{time}Z"))
}

/// Does the description say that there is no such flaw? Nobody tells since when; the day on which it
/// became known has to do.
pub(crate) fn is_rejected(description: &str) -> bool {
    description.starts_with("** REJECT **") || description.starts_with("Rejected reason:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order() {
        assert!(RELEASES.is_sorted());
    }

    #[test]
    fn tells_releases_and_channels() {
        fn check(word: &str, expect: &str) {
            let told = match target(word) {
                Target::Release(space, None) => space.to_string(),
                Target::Release(space, Some(channel)) => format!("{space} {channel}"),
                other => format!("{other:?}"),
            };
            assert_eq!(told, expect, "{word}");
        }
        check("jammy", "ubuntu:22.04");
        check("ubuntu/trusty", "ubuntu:14.04");
        check("trusty/esm", "ubuntu:14.04 esm");
        check("esm-infra-legacy/trusty", "ubuntu:14.04 esm-infra-legacy");
        check("fips-updates/focal", "ubuntu:20.04 fips-updates");
        check("ros-esm/focal/noetic", "ubuntu:20.04 ros-esm/noetic");
        check("vivid/ubuntu-core", "ubuntu:15.04 ubuntu-core");
        check("devel", "Elsewhere");
        check("upstream", "Elsewhere");
        check("zany", "Unknown");
        check("", "Unknown");
    }

    #[test]
    fn tells_dates() {
        fn check(text: &str, expect: Option<&str>) {
            assert_eq!(date(text).as_deref(), expect, "{text}");
        }
        check("2010-09-28 18:00:00 UTC", Some("2010-09-28T18:00:00Z"));
        check("2010-09-28", Some("2010-09-28T00:00:00Z"));
        check("2024-12-18T16:54:46.792568", Some("2024-12-18T16:54:46.792568Z"));
        check("2026-05-20T14:49:37.715155Z", Some("2026-05-20T14:49:37.715155Z"));
        check("2009-03-01 10:00:00 CEST", Some("2009-03-01T00:00:00Z"));
        check("2009-13-41", None);
        check("unknown", None);
        check("", None);
    }
}
