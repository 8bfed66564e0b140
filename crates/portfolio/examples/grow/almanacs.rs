//! Two almanacs, of one day and the next: as many advisories as all distributions and languages of the
//! catalogue would have, of which about three hundred change.

use std::path::Path;

use almanac::{Builder, Manifest, PartState, Trust, Writer};
use model::{Advisory, Affected, Exploited, Forecast, Level, Names, Rating, Span};

use super::catalogue::{
    LANGUAGES, SOURCES, SYSTEMS, VERSIONS, language_name, language_version, mixed, source_name,
};

/// Of so many advisories one changes in a day.
const CHANGE: u64 = 600;
/// Flaws that NVD rates, most of them in nothing we know.
const RATED: u64 = 250_000;

/// One of `share` flaws is told of.
pub(crate) fn write(dir: &Path, share: u64) {
    for (name, day) in [("old", 0), ("new", 1)] {
        let dir = dir.join(name);
        fs_err::create_dir_all(&dir).expect("there is room");
        let writer = Writer::lock(&dir).expect("nobody else is here");
        let mut manifest = Manifest::new("2026-01-01T00:00:00Z");
        for (feed, builder) in builders(day, share) {
            let compiled = builder.finish().expect("it is small");
            for it in &compiled.sheets {
                writer.put(it).expect("there is room");
            }
            let (feed, part) = (feed.to_owned(), "all".to_owned());
            manifest.replace(PartState { feed, part, ..PartState::default() }, &compiled);
        }
        writer.install(&manifest.to_bytes(), None, Trust::Local).expect("all is there");
    }
}

fn builders(day: u64, share: u64) -> Vec<(&'static str, Builder)> {
    let mut all: Vec<(&'static str, Builder)> = Vec::new();
    for system in &SYSTEMS {
        let builder = builder(&mut all, system.feed);
        for source in (0..SOURCES).filter(|it| it.is_multiple_of(2)) {
            // The kernel has thousands, most have a handful.
            for flaw in 0..6000 / (source + 4) + 4 {
                let told = [source, flaw, mixed(&[u64::from(system.space.as_bytes()[0])])];
                let Some(fix) = fix(&told, day, share) else { continue };
                let mut row = Affected::new(system.space(), source_name(source));
                row.names = Names::Source;
                row.spans = vec![span(fix.map(|it| system.written(it)))];
                row.rating = Some(rating(system.feed, mixed(&[source, flaw])));
                let id = flaw_name(source * 5000 + flaw);
                builder.add(Advisory { id, affected: vec![row], ..Advisory::default() });
            }
        }
    }
    for (number, (kind, names)) in (0..).zip(LANGUAGES) {
        let osv = builder(&mut all, "osv");
        for name in (0..names).filter(|it| mixed(&[*it, number, 5]).is_multiple_of(4)) {
            for flaw in 0..=mixed(&[name, number]) % 6 {
                let told = [number + 100, name, flaw];
                let Some(fix) = fix(&told, day, share) else { continue };
                let mut row = Affected::new(kind.into(), language_name(kind, name));
                row.spans = vec![span(fix.map(|it| language_version(kind, it)))];
                let hash = mixed(&told);
                osv.add(Advisory {
                    id: format!("GHSA-{:x}", hash % (1 << 40)),
                    aliases: vec![flaw_name(10_000_000 + hash % 1_000_000)],
                    ratings: vec![rating("ghsa", hash)],
                    affected: vec![row],
                    ..Advisory::default()
                });
            }
        }
    }
    let nvd = builder(&mut all, "nvd");
    for number in 0..RATED {
        let changes = day > 0 && mixed(&[number, 8]).is_multiple_of(RATED / 100);
        nvd.add(Advisory {
            id: flaw_name(number),
            ratings: vec![rating("nvd", mixed(&[number, u64::from(changes)]))],
            ..Advisory::default()
        });
    }
    let kev = builder(&mut all, "kev");
    for number in 0..1300 + day * 5 {
        kev.add_exploited(Exploited {
            id: flaw_name(mixed(&[number, 3]) % SOURCES * 5000),
            added: "2026-01-01".to_owned(),
            due: None,
            ransomware: false,
            title: String::new(),
            action: String::new(),
        });
    }
    let epss = builder(&mut all, "epss");
    for number in 0..RATED {
        // All of them, every day.
        let share = mixed(&[number, day]) % 1000;
        let score = f32::from(u16::try_from(share).unwrap_or_default()) / 1000.0;
        epss.add_forecast(Forecast { id: flaw_name(number), score, percentile: score });
    }
    all
}

fn builder<'b>(all: &'b mut Vec<(&'static str, Builder)>, feed: &'static str) -> &'b mut Builder {
    let at = all.iter().position(|it| it.0 == feed).unwrap_or_else(|| {
        all.push((feed, Builder::new(feed, "all")));
        all.len() - 1
    });
    &mut all[at].1
}

fn flaw_name(number: u64) -> String {
    format!("CVE-2024-{number:07}")
}

/// The version with the fix, which may not be there yet. `None`: nobody speaks of it.
#[expect(clippy::option_option, reason = "no advisory, and one without a fix")]
fn fix(told: &[u64; 3], day: u64, share: u64) -> Option<Option<u64>> {
    let hash = mixed(told);
    if !mixed(&[hash, 12]).is_multiple_of(share) {
        return None;
    }
    let fix = (!hash.is_multiple_of(5)).then_some(1 + hash / 7 % VERSIONS);
    if !mixed(&[hash, 9]).is_multiple_of(CHANGE) {
        return Some(fix);
    }
    // Half are new, the others have another fix, or one at last.
    match (mixed(&[hash, 10]).is_multiple_of(2), day) {
        (true, 0) => None,
        (_, 0) => Some(fix),
        (true, _) => Some(Some(VERSIONS)),
        _ => Some(fix.is_none().then_some(VERSIONS / 2)),
    }
}

fn span(fix: Option<String>) -> Span {
    fix.map_or_else(Span::all, Span::before)
}

fn rating(source: &str, hash: u64) -> Rating {
    let level = Level::ALL[usize::try_from(hash / 3 % 4).unwrap_or_default()];
    Rating { source: source.to_owned(), level, word: None, score: None, vector: None }
}
