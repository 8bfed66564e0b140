//! What several targets need: advisories compiled and asked everything, and small worlds read from text.

use std::collections::BTreeMap;

use almanac::{Almanac, Book as _, Builder, Handle, Sheet, SheetBytes};
use model::{
    Advisory, Affected, Distro, Inventory, Level, Package, PackageKind, Product, Rating,
    SourcePackage, Space, Span, Statement, StatementStatus, Status, Subject,
};

/// What a feed says, compiled. Everything compiles, and every sheet is sound.
pub fn compile(feed: &str, part: &str, parsed: feed::Parsed) -> Vec<SheetBytes> {
    let mut builder = Builder::new(feed, part);
    parsed.advisories.into_iter().for_each(|it| builder.add(it));
    parsed.exploited.into_iter().for_each(|it| builder.add_exploited(it));
    parsed.forecasts.into_iter().for_each(|it| builder.add_forecast(it));
    let sheets = builder.finish().expect("less than four gigabytes").sheets;
    for sheet in &sheets {
        ask(sheet.bytes.clone(), true);
    }
    let almanac = Almanac::in_memory(sheets.clone());
    assert!(almanac.verify(&[]).is_empty(), "{:?}", almanac.verify(&[]));
    sheets
}

/// Asks a sheet whatever it can be asked. One of our own must answer.
pub fn ask(bytes: Vec<u8>, is_own: bool) {
    const SOME: usize = 64;
    let sheet = match Sheet::of_bytes(bytes) {
        Ok(sheet) => sheet,
        Err(why) => return assert!(!is_own, "{why}"),
    };
    let sound = sheet.walk();
    assert!(!is_own || sound.is_ok(), "{sound:?}");
    let mut rows = Vec::new();
    for name in sheet.names("").take(SOME).chain(["openssl"]) {
        rows.clear();
        sheet.look_up(0, name, &mut rows);
        assert!(sound.is_err() || rows.iter().all(|it| it.torn.is_none()), "{name}");
    }
    for name in sheet.flaws("").take(SOME).chain(["CVE-2024-0001"]) {
        sheet.flaw(name);
    }
    for advisory in (0..sheet.advisories()).take(SOME).chain([u32::MAX]) {
        sheet.known(advisory);
        sheet.text(advisory);
        sheet.packages(advisory);
    }
}

/// Writes single bytes over a copy of `base`, as `edits` say: two bytes for where, one for what.
pub fn edited(base: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut bytes = base.to_vec();
    for edit in edits.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]]));
        if let Some(it) = bytes.get_mut(at) {
            *it = edit[2];
        }
    }
    bytes
}

/// An inventory, an almanac and statements.
pub struct World {
    /// What is looked at.
    pub inventory: Inventory,
    /// What is known.
    pub almanac: Almanac,
    /// The sheets of which it consists.
    pub sheets: Vec<SheetBytes>,
    /// What is said.
    pub statements: Vec<Statement>,
}

/// A world from lines of text, so that an input can be read and mended by hand:
///
/// ```text
/// d ID VERSION
/// p PURL [SOURCE [OWNER]]
/// r FEED SPACE NAME ID,ALIAS STATUS FROM TO [MODULE [CHANNEL]]
/// s FLAW STATUS PRODUCT [PART [RANGE]]
/// ```
pub fn world(text: &str) -> World {
    let mut inventory = Inventory {
        subject: Subject::Document { name: "docker.io/library/app:1".to_owned() },
        distro: None,
        packages: Vec::new(),
        statements: Vec::new(),
        gaps: Vec::new(),
    };
    let mut builders: BTreeMap<&str, Builder> = BTreeMap::new();
    let mut statements = Vec::new();
    for line in text.lines().take(500) {
        let words: Vec<&str> = line.split(' ').filter(|it| !it.is_empty()).collect();
        let owned = |at: usize| words.get(at).map(|it| (*it).to_owned());
        match &words[..] {
            ["d", id, version, ..] => {
                let (id, version) = ((*id).to_owned(), Some((*version).to_owned()));
                inventory.distro = Some(Distro { id, version, ..Distro::default() });
            }
            ["p", purl, ..] => {
                let Ok(purl) = purl.parse() else { continue };
                let mut package = Package::new(purl);
                package.source = owned(2).map(|name| SourcePackage { name, version: None });
                package.owner = owned(3).and_then(|it| it.parse().ok());
                package.kind = PackageKind::ALL[line.len() % 4];
                inventory.packages.push(package);
            }
            ["r", feed, space, name, ids, status, from, to, ..] => {
                let mut ids = ids.split(',').map(str::to_owned);
                let status = match *status {
                    "not" => Status::NotAffected,
                    "open" => Status::UnderInvestigation,
                    _ => Status::Affected,
                };
                let affected = Affected {
                    status,
                    spans: vec![Span::before(*to).since(*from)],
                    module: owned(8),
                    channel: owned(9),
                    ..Affected::new(Space::from(*space), *name)
                };
                let advisory = Advisory {
                    id: ids.next().unwrap_or_default(),
                    aliases: ids.collect(),
                    affected: vec![affected],
                    ..Advisory::default()
                };
                builders.entry(feed).or_insert_with(|| Builder::new(feed, "all")).add(advisory);
            }
            ["s", flaw, status, product, ..] => statements.push(Statement {
                origin: "a.vex.json".to_owned(),
                document: None,
                author: None,
                said: None,
                flaws: vec![(*flaw).to_owned()],
                products: vec![Product {
                    names: vec![(*product).to_owned()],
                    parts: owned(4).into_iter().map(|it| vec![it]).collect(),
                    versions: owned(5),
                }],
                status: match *status {
                    "accepted" => StatementStatus::Accepted,
                    "affected" => StatementStatus::Affected,
                    "fixed" => StatementStatus::Fixed,
                    _ => StatementStatus::NotAffected,
                },
                justification: None,
                note: None,
                expires: None,
            }),
            _ => {}
        }
    }
    let sheets: Vec<SheetBytes> =
        builders.into_values().flat_map(|it| it.finish().expect("it is small").sheets).collect();
    World {
        inventory: inventory.in_order(),
        almanac: Almanac::in_memory(sheets.clone()),
        sheets,
        statements,
    }
}

/// The same question, answered in both ways: they must agree.
pub fn agree(world: &World) -> Vec<model::Finding> {
    let question = matching::Question {
        inventory: &world.inventory,
        book: &world.almanac,
        statements: &world.statements,
        options: matching::Options {
            texts: Some(&|_| true),
            today: Some("2025-06-01"),
            ..Default::default()
        },
    };
    let (findings, _) = matching::analyze(&question);
    let mut found: Vec<(usize, &str, bool)> = findings
        .iter()
        .flat_map(|it| it.packages.iter().map(|number| (*number, &*it.id, it.suppressed())))
        .collect();
    found.sort_unstable();
    let judgements = matching::judge(&question, matching::Asked::All);
    let mut judged: Vec<(usize, &str, bool)> = judgements
        .iter()
        .filter_map(|it| {
            let is_suppressed = match it.verdict {
                model::Verdict::Affected => false,
                model::Verdict::Suppressed => true,
                _ => return None,
            };
            Some((it.package, it.flaw.first()?.as_str(), is_suppressed))
        })
        .collect();
    judged.sort_unstable();
    assert_eq!(found, judged);
    world.almanac.texts(&[Handle::default()]);
    findings
}

/// A rating whose every word is that text.
pub fn rating(text: &str) -> Rating {
    Rating {
        source: text.to_owned(),
        level: Level::High,
        word: Some(text.to_owned()),
        score: Some(f32::from(text.len() as u8) / 10.0),
        vector: Some(text.to_owned()),
    }
}
