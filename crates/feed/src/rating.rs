//! CVSS vectors of all versions, made into ratings.

use cvss::Cvss;

use model::{Level, Rating};

/// The rating that a vector means, scored by its own version's rules. `None`: it is no vector, or one
/// that lacks what a base score needs.
pub fn of_vector(source: &str, vector: &str) -> Option<Rating> {
    let score = score(vector)?;
    let rating = Rating {
        source: source.to_owned(),
        level: Level::of_score(score),
        word: None,
        score: Some(score),
        vector: Some(vector.trim().to_owned()),
    };
    Some(rating)
}

/// Base score of a vector: 2.0 (bare, in parentheses, or with a prefix), 3.0, 3.1, 4.0.
pub fn score(vector: &str) -> Option<f32> {
    let text = vector.trim();
    let parsed = match version(text)? {
        2 => Cvss::CvssV20(bare(text).parse().ok()?),
        _ => text.trim_end_matches('/').parse().ok()?,
    };
    if let Cvss::CvssV30(it) | Cvss::CvssV31(it) = &parsed {
        let base = [it.av.is_some(), it.ac.is_some(), it.pr.is_some(), it.ui.is_some()];
        let rest = [it.s.is_some(), it.c.is_some(), it.i.is_some(), it.a.is_some()];
        if base.contains(&false) || rest.contains(&false) {
            return None;
        }
    }
    checked(parsed.score())
}

/// A published score, if it is one.
pub fn checked(score: f64) -> Option<f32> {
    // Never a NaN, an infinity or a minus: whoever compares ratings relies on it.
    (0.0..=10.0).contains(&score).then(|| ((score * 10.0).round() / 10.0) as f32)
}

/// Which rules a vector is written by.
pub fn version(vector: &str) -> Option<u8> {
    let text = vector.trim();
    match text.strip_prefix("CVSS:") {
        Some(rest) if rest.starts_with("4.") => Some(4),
        Some(rest) if rest.starts_with("3.") => Some(3),
        Some(rest) if rest.starts_with("2.") => Some(2),
        Some(_) => None,
        None if text.contains("AV:") => Some(2),
        None => None,
    }
}

/// The ratings that a publisher gives in its own word and in vectors. The word decides the level of
/// the first, which carries the newest vector that agrees with it.
pub fn of_word_and_vectors(source: &str, word: Option<&str>, vectors: Vec<Rating>) -> Vec<Rating> {
    let mut vectors = vectors;
    vectors.sort_by_key(|it| std::cmp::Reverse(it.vector.as_deref().and_then(version)));
    let told = word.map(|word| Rating::word(source, word));
    let Some(mut told) = told.filter(|it| it.level != Level::Unspecified) else { return vectors };
    let agreeing = vectors.iter().position(|it| it.level == told.level && it.source == told.source);
    if let Some(at) = agreeing {
        let vector = vectors.remove(at);
        told.score = vector.score;
        told.vector = vector.vector;
    }
    vectors.insert(0, told);
    vectors
}

/// A vector of version 2 as the specification writes it.
fn bare(text: &str) -> &str {
    let text = text.strip_prefix("CVSS:2.0/").or(text.strip_prefix("CVSS2#")).unwrap_or(text);
    text.trim_start_matches('(').trim_end_matches(')').trim_end_matches('/')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(vector: &str, expect: &str) {
        let shown = of_vector("x", vector).map_or_else(
            || "nothing".to_owned(),
            |it| format!("{:.1} {}", it.score.unwrap_or(-1.0), it.level),
        );
        assert_eq!(shown, expect, "{vector}");
    }

    #[test]
    fn vectors_have_the_scores_that_their_specifications_publish() {
        // From the examples of FIRST for versions 2 (CVE-2002-0392, CVE-2003-0818, CVE-2003-0062).
        check("AV:N/AC:L/Au:N/C:N/I:N/A:C", "7.8 high");
        check("AV:N/AC:L/Au:N/C:C/I:C/A:C", "10.0 critical");
        check("AV:L/AC:H/Au:N/C:C/I:C/A:C", "6.2 medium");
        check("(AV:N/AC:L/Au:N/C:P/I:P/A:P)", "7.5 high");
        check("CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P", "7.5 high");
        // Of versions 3 (CVE-2014-0160, CVE-2014-6271, CVE-2013-1937, CVE-2021-44228).
        check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "7.5 high");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8 critical");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1 medium");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0 critical");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0 low");
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/", "9.8 critical");
        // Of version 4 (CVE-2022-41741, CVE-2020-3549, CVE-2021-44228).
        check("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.3 high");
        check("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "10.0 critical");
        check("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "9.3 critical");
    }

    #[test]
    fn what_is_no_vector_has_no_rating() {
        for vector in
            ["", "7.5", "CVSS:3.1", "CVSS:3.1/", "CVSS:3.1/AV:N", "CVSS:9.0/AV:N", "AV:N", "/AV:/"]
        {
            check(vector, "nothing");
        }
        for score in [f64::NAN, f64::INFINITY, -0.1, 10.1] {
            assert_eq!(checked(score), None, "{score}");
        }
        assert_eq!(checked(7.499_999), Some(7.5));
    }

    #[test]
    fn the_word_comes_first_with_the_vector_that_agrees() {
        let vectors = || {
            let three = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
            let four = "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
            [three, four].into_iter().filter_map(|it| of_vector("ghsa", it)).collect::<Vec<_>>()
        };
        let show = |word| {
            let ratings = of_word_and_vectors("ghsa", word, vectors());
            let shown = ratings.iter().map(|it| format!("{} {:?}", it.level, it.score));
            shown.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(show(Some("HIGH")), "high Some(7.3), critical Some(9.8)");
        assert_eq!(show(Some("CRITICAL")), "critical Some(9.8), high Some(7.3)");
        assert_eq!(show(Some("MODERATE")), "medium None, high Some(7.3), critical Some(9.8)");
        assert_eq!(show(None), "high Some(7.3), critical Some(9.8)");
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,80}", known in "(CVSS:[234].[01]/)?(AV:[NALP]/)?([A-Z]{1,3}:[A-Z]/){0,12}") {
            for vector in [text, known] {
                if let Some(score) = score(&vector) {
                    prop_assert!((0.0..=10.0).contains(&score));
                }
            }
        }
    }
}
