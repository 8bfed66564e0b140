//! Laws that every feed keeps.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use crate::walk::{Limits, files, walk};
use crate::{ALL, Document, Feed};

const HEAD: usize = 4096;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Every document of every feed's fixtures, with the feed's id.
fn documents() -> Vec<(&'static str, String, Vec<u8>)> {
    let mut all = Vec::new();
    for feed in ALL {
        let folder = fixtures().join(feed.id());
        let gaps = walk(&folder, &Limits::default(), &mut |path, bytes| {
            if !path.ends_with("README.md") {
                all.push((feed.id(), path.to_owned(), bytes.to_vec()));
            }
        });
        assert!(gaps.is_empty(), "{}: {gaps:?}", feed.id());
    }
    all
}

fn head(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len().min(HEAD)]
}

#[test]
fn ids_are_unique_and_kebab_case() {
    let ids: HashSet<&str> = ALL.iter().map(|it| it.id()).collect();
    assert_eq!(ids.len(), ALL.len());
    for feed in ALL {
        let id = feed.id();
        let is_kebab = id.split('-').all(|part| {
            !part.is_empty()
                && part.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit())
        });
        assert!(is_kebab, "{id}");
        assert!(!feed.title().is_empty() && feed.about().starts_with("https://"), "{id}");
        assert!(feed.version() > 0 && feed.stale_after_days() > 0, "{id}");
        // It can fail a few times before it is called stale.
        let hours = feed.every_hours();
        assert!((1..=24).contains(&hours) && hours * 3 <= feed.stale_after_days().min(30) * 24);
    }
}

#[test]
fn every_feed_has_its_file_and_its_fixtures() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for feed in ALL {
        let file = source.join(format!("{}.rs", feed.id().replace('-', "_")));
        assert!(file.is_file(), "{} is not in {}", feed.id(), file.display());
        let fixtures = fixtures().join(feed.id());
        assert!(fixtures.join("README.md").is_file(), "{} has no origin", fixtures.display());
        assert!(
            documents().iter().any(|(id, ..)| *id == feed.id()),
            "{} has no fixture",
            feed.id()
        );
    }
}

/// A file that implements a feed and is not in the list would be read by nobody.
#[test]
fn every_feed_is_in_the_list() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (files, _) = files(&source, &Limits::default());
    let mut found = 0;
    for file in files {
        let text = fs_err::read_to_string(&file.place).unwrap();
        found += text.lines().filter(|it| it.starts_with("impl Feed for ")).count();
    }
    assert_eq!(found, ALL.len());
}

#[test]
fn parts_are_unique_and_published_over_https() {
    for feed in ALL {
        let parts = feed.parts();
        let names: HashSet<&str> = parts.iter().map(|it| &*it.name).collect();
        assert_eq!(names.len(), parts.len(), "{}", feed.id());
        // What is built in is not fetched.
        assert_eq!(parts.is_empty(), feed.id() == "starter", "{}", feed.id());
        for part in &parts {
            assert!(!part.name.is_empty(), "{}", feed.id());
            for url in &part.urls {
                let is_plain =
                    url.starts_with("https://") && url.bytes().all(|it| it.is_ascii_graphic());
                assert!(is_plain, "{}: {url}", feed.id());
            }
        }
    }
}

#[test]
fn each_document_is_recognised_by_its_feed_alone() {
    for (id, path, bytes) in documents() {
        for placed in [path.clone(), format!("{id}/{path}")] {
            let by: Vec<&str> = ALL
                .iter()
                .filter(|it| it.recognises(&placed, head(&bytes)).is_some())
                .map(|it| it.id())
                .collect();
            assert_eq!(by, [id], "{placed}");
        }
    }
}

#[test]
fn each_fixture_says_something() {
    for (id, path, bytes) in documents() {
        let feed = crate::find(id).unwrap();
        let part = feed.recognises(&path, head(&bytes)).unwrap();
        let parsed = feed.parse(&part, &Document { path: &path, bytes: &bytes });
        let said = parsed.advisories.len() + parsed.exploited.len() + parsed.forecasts.len();
        assert!(said + parsed.gaps.len() > 0, "{id}/{path}");
        for advisory in &parsed.advisories {
            assert!(!advisory.id.is_empty(), "{id}/{path}");
            let ratings = advisory
                .ratings
                .iter()
                .chain(advisory.affected.iter().filter_map(|it| it.rating.as_ref()));
            for score in ratings.filter_map(|it| it.score) {
                assert!((0.0..=10.0).contains(&score), "{id}/{path}: {score}");
            }
            for affected in &advisory.affected {
                assert!(!affected.package.is_empty(), "{id}/{path}");
            }
        }
        // The same bytes always say the same.
        assert_eq!(
            parsed,
            feed.parse(&part, &Document { path: &path, bytes: &bytes }),
            "{id}/{path}"
        );
    }
}

fn read_by_all(path: &str, bytes: &[u8]) {
    for feed in ALL {
        let part = feed.recognises(path, head(bytes));
        let part = part
            .unwrap_or_else(|| feed.parts().first().map_or(String::new(), |it| it.name.clone()));
        feed.parse(&part, &Document { path, bytes });
    }
}

#[test]
fn truncated_documents_never_panic() {
    for (id, path, bytes) in documents() {
        let feed: &dyn Feed = crate::find(id).unwrap();
        let step = (bytes.len() / 300).max(1);
        for length in (0..bytes.len()).step_by(step) {
            let cut = &bytes[..length];
            let part = feed.recognises(&path, head(cut)).unwrap_or_else(|| "loose".to_owned());
            feed.parse(&part, &Document { path: &path, bytes: cut });
        }
    }
}

/// A document has room for a hundred holes, in every feed.
#[test]
fn holes_do_not_fill_the_memory() {
    let rows = |head: &str, row: &str, tail: &str| {
        let rows = vec![row; 1000].join(if tail.is_empty() { "\n" } else { "," });
        format!("{head}{rows}{tail}")
    };
    let nameless = r#"{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"bogus":"1"}]}]}"#;
    let bulk = [
        rows("", "a\n  b", ""),
        rows("#model_version\ncve,epss,percentile\n", "x", ""),
        rows(r#"{"vulnerabilities":["#, "{}", "]}"),
        rows(r#"{"CVE_Items":["#, "[]", "]}"),
        rows(r#"{"id":"A-1","modified":"2024-01-01T00:00:00Z","affected":["#, nameless, "]}"),
        format!("<updates>{}</updates>", "<update type=\"security\"></update>".repeat(1000)),
    ];
    let bulk = bulk.into_iter().map(|it| ("bulk".to_owned(), it.into_bytes()));
    let mut most = 0;
    for (path, bytes) in documents().into_iter().map(|(_, path, it)| (path, it)).chain(bulk) {
        for feed in ALL {
            let listed = feed.parts().first().map(|it| it.name.clone());
            for part in [feed.recognises(&path, head(&bytes)), listed].into_iter().flatten() {
                let gaps = feed.parse(&part, &Document { path: &path, bytes: &bytes }).gaps;
                assert!(gaps.len() <= 101, "{} of {path}: {}", feed.id(), gaps.len());
                most = most.max(gaps.len());
            }
        }
        let parsed =
            crate::find("starter").unwrap().parse("", &Document { path: "", bytes: &bytes });
        assert!(parsed.gaps.len() <= 101, "starter of {path}");
    }
    assert_eq!(most, 101);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn junk_never_panics(path in ".{0,40}", bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_by_all(&path, &bytes);
    }

    #[test]
    fn damaged_documents_never_panic(which in any::<prop::sample::Index>(), damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        thread_local! {
            static DOCUMENTS: Vec<(&'static str, String, Vec<u8>)> = documents();
        }
        DOCUMENTS.with(|documents| {
            let (_, path, bytes) = &documents[which.index(documents.len())];
            let mut bytes = bytes.clone();
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            read_by_all(path, &bytes);
        });
    }

    /// Texts that are allowed anywhere take the place of those that are there.
    #[test]
    fn odd_texts_never_panic(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), odd in "[0-9:.~+_/<>=CVE-]{0,20}|[\\PC\"\\\\]{0,12}") {
        thread_local! {
            static DOCUMENTS: Vec<(&'static str, String, Vec<u8>)> = documents();
        }
        DOCUMENTS.with(|documents| {
            let (_, path, bytes) = &documents[which.index(documents.len())];
            let text = String::from_utf8_lossy(bytes);
            let mut pieces: Vec<&str> = text.split('"').collect();
            let at = at.index(pieces.len());
            pieces[at] = &odd;
            read_by_all(path, pieces.join("\"").as_bytes());
        });
    }
}
