//! Any analysis at all: any inventory, and findings that say anything about its packages.

use model::{
    Analysis, Basis, Bound, Exploited, Finding, Fix, Forecast, Level, Outlook, Rating, Space, Span,
    Statement, StatementStatus, Threat,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::arbitrary::{gaps, inventory, text};

pub(super) fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("CVE-2022-37434".to_owned()),
        Just("GHSA-jfh8-c2jp-5v3q".to_owned()),
        "(RUSTSEC|CVE|MAL)-20[0-9]{2}-[0-9]{4}",
        text(),
    ]
}

fn moment() -> impl Strategy<Value = String> {
    prop_oneof![Just("2026-01-02T03:04:05Z".to_owned()), text()]
}

fn link() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("https://example.org/a/commit/b".to_owned()),
        Just("javascript:alert(1)".to_owned()),
        text(),
    ]
}

/// Scores of CVSS, and what no source should publish.
pub(super) fn score() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => (0_u16..=100).prop_map(|it| f32::from(it) / 10.0),
        1 => prop::sample::select(vec![f32::NAN, f32::INFINITY, -1.0, 1e30]),
    ]
}

pub(super) fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

fn rating() -> impl Strategy<Value = Rating> {
    let vector = prop_oneof![
        Just("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".to_owned()),
        Just("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N".to_owned()),
        Just("AV:N/AC:L/Au:N/C:P/I:P/A:P".to_owned()),
        text(),
    ];
    (text(), level(), of(text()), of(score()), of(vector)).prop_map(
        |(source, level, word, score, vector)| Rating { source, level, word, score, vector },
    )
}

fn bound() -> impl Strategy<Value = Bound> {
    (text(), any::<bool>()).prop_map(|(version, included)| Bound { version, included })
}

fn span() -> impl Strategy<Value = Span> {
    (of(bound()), of(bound())).prop_map(|(from, to)| Span { from, to })
}

pub(super) fn fix() -> impl Strategy<Value = Fix> {
    let outlook = prop::sample::select(vec![
        Outlook::Open,
        Outlook::Minor,
        Outlook::Deferred,
        Outlook::WillNotFix,
        Outlook::EndOfLife,
    ]);
    let channel = prop_oneof![Just("esm-infra".to_owned()), text()];
    prop_oneof![
        (text(), of(channel)).prop_map(|(version, channel)| Fix::Version { version, channel }),
        outlook.prop_map(Fix::None),
    ]
}

fn statement() -> impl Strategy<Value = Statement> {
    let status = prop::sample::select(vec![
        StatementStatus::NotAffected,
        StatementStatus::Affected,
        StatementStatus::Fixed,
        StatementStatus::UnderInvestigation,
        StatementStatus::Accepted,
    ]);
    let justification = prop_oneof![Just("vulnerable_code_not_present".to_owned()), text()];
    (text(), of(text()), of(text()), status, of(justification), of(text()), of(text())).prop_map(
        |(origin, document, author, status, justification, note, expires)| Statement {
            origin,
            document,
            author,
            said: None,
            flaws: vec!["*".to_owned()],
            products: vec![],
            status,
            justification,
            note,
            expires,
        },
    )
}

fn exploited() -> impl Strategy<Value = Exploited> {
    (text(), text(), of(text()), any::<bool>()).prop_map(|(id, added, due, ransomware)| Exploited {
        id,
        added,
        due,
        ransomware,
        title: String::new(),
        action: String::new(),
    })
}

fn forecast() -> impl Strategy<Value = Forecast> {
    (text(), score(), score()).prop_map(|(id, score, percentile)| Forecast {
        id,
        score,
        percentile,
    })
}

/// A finding about any of `packages` packages, or of some that are not there.
fn finding(packages: usize) -> impl Strategy<Value = Finding> {
    let space = prop_oneof![Just("ubuntu:22.04".to_owned()), text()];
    let names = (id(), vec(id(), 0..3), text(), text(), space);
    let who = (text(), text(), vec(text(), 0..2), of(text()), of(moment()));
    let bad = (level(), vec(rating(), 0..3), vec(span(), 0..3), fix());
    let words =
        (prop_oneof![Just(String::new()), text()], prop_oneof![Just(String::new()), text()]);
    let more = (vec(link(), 0..3), vec(any::<u32>(), 0..3), of(exploited()), of(forecast()));
    let rest = (vec(0..packages + 1, 1..4), any::<bool>(), of(statement()), of(any::<bool>()));
    // On the heap: all of it together is more than a thread's stack holds.
    let (names, who, bad) = (names.boxed(), who.boxed(), bad.boxed());
    let (words, more, rest) = (words.boxed(), more.boxed(), rest.boxed());
    (names, who, bad, words, more, rest).prop_map(|(names, who, bad, words, more, rest)| {
        let (id, aliases, name, version, space) = names;
        let (feed, advisory, bulletins, reason, published) = who;
        let (level, ratings, spans, fix) = bad;
        let (references, weaknesses, exploited, forecast) = more;
        let (mut packages, malicious, statement, in_use) = rest;
        packages.sort_unstable();
        packages.dedup();
        Finding {
            id,
            aliases,
            packages,
            name,
            version,
            space: Space::from(&*space),
            feed,
            advisory,
            bulletins,
            level,
            ratings,
            spans,
            fix,
            reason,
            published,
            title: words.0,
            details: words.1,
            references,
            weaknesses,
            exploited,
            forecast,
            malicious,
            statement,
            in_use,
        }
    })
}

fn basis() -> impl Strategy<Value = Basis> {
    let almanac = prop_oneof![Just(String::new()), Just(format!("sha256:{:064}", 0)), text()];
    let in_use = (vec(text(), 0..3), moment(), any::<bool>())
        .prop_map(|(by, seen, is_old)| model::InUse { by, seen, is_old });
    let untold = subsequence(Threat::ALL.to_vec(), 0..=2);
    let said = (any::<bool>(), vec(text(), 0..3), untold);
    (almanac, of(moment()), said, of(in_use)).prop_map(
        |(almanac, current, (starter, warnings, untold), in_use)| Basis {
            almanac,
            current,
            starter,
            warnings,
            untold,
            in_use,
        },
    )
}

/// Any analysis.
pub(super) fn analysis() -> impl Strategy<Value = Analysis> {
    inventory().boxed().prop_flat_map(|inventory| {
        let packages = inventory.packages.len();
        let findings = vec(finding(packages).boxed(), 0..8);
        (Just(inventory), findings, gaps(), basis().boxed())
            .prop_map(|(inventory, findings, mut gaps, basis)| {
                gaps.sort();
                gaps.dedup();
                Analysis { inventory, findings, gaps, basis }
            })
            .boxed()
    })
}
