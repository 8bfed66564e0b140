//! Any comparison at all, its numbers of packages among them right or wrong.

use model::{
    Aspect, Basis, Comparison, Counts, Fate, FindingChange, PackageChange, Platform, Seen, Side,
    SideKind, Space, Way,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use super::arbitrary::{digest, gaps, purl, text};
use super::arbitrary_analysis::{fix, id, level, score};

fn side() -> impl Strategy<Value = Side> {
    let kind = select(vec![SideKind::Image, SideKind::Directory, SideKind::Document]);
    let names = (text(), kind, of(digest()), vec(text(), 0..3), of(text()));
    (names, of(any::<u64>()), 0..9_usize, gaps(), vec(text(), 0..2)).prop_map(
        |((name, kind, digest, tags, base), size, packages, gaps, warnings)| Side {
            name,
            kind,
            digest,
            tags,
            platform: Some(Platform::default()),
            distro: None,
            base,
            size,
            packages,
            counts: Counts { critical: packages, unspecified: packages / 2, ..Counts::default() },
            gaps,
            basis: Basis { warnings, ..Basis::default() },
        },
    )
}

fn package() -> impl Strategy<Value = PackageChange> {
    let way = select(vec![
        Way::Added,
        Way::Removed,
        Way::Upgraded,
        Way::Downgraded,
        Way::Changed,
        Way::Unclear,
        Way::Unchanged,
    ]);
    (way, of(purl()), of(purl()), of(text()), gaps()).prop_map(
        |(way, before, after, unordered, mut gaps)| PackageChange {
            way,
            before,
            after,
            unordered,
            doubt: gaps.pop(),
        },
    )
}

fn seen() -> impl Strategy<Value = Seen> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (text(), text(), level(), fix(), flags, of(score())).prop_map(
        |(version, space, level, fix, (exploited, malicious, suppressed), forecast)| Seen {
            version,
            space: Space::from(&*space),
            level,
            fix,
            exploited,
            malicious,
            forecast,
            suppressed,
        },
    )
}

fn finding() -> impl Strategy<Value = FindingChange> {
    let fate =
        select(vec![Fate::Introduced, Fate::Unclear, Fate::Fixed, Fate::Changed, Fate::Unchanged]);
    let aspect = select(vec![
        Aspect::Level,
        Aspect::Fix,
        Aspect::Exploited,
        Aspect::Forecast,
        Aspect::Suppressed,
    ]);
    let names = (id(), vec(id(), 0..2), text(), text());
    let sides = (of(seen()), of(seen()), vec(aspect, 0..3), gaps());
    (fate, names, vec(0..12_usize, 0..4), sides).prop_map(
        |(fate, (id, aliases, name, title), packages, (before, after, aspects, mut gaps))| {
            FindingChange {
                fate,
                id,
                aliases,
                name,
                title,
                packages,
                before,
                after,
                aspects,
                doubt: gaps.pop(),
            }
        },
    )
}

/// One of them.
pub(super) fn comparison() -> impl Strategy<Value = Comparison> {
    (side(), side(), vec(package(), 0..8), any::<u16>(), vec(finding(), 0..8)).prop_map(
        |(before, after, packages, unchanged, findings)| Comparison {
            before,
            after,
            packages,
            unchanged_packages: usize::from(unchanged),
            findings,
        },
    )
}
