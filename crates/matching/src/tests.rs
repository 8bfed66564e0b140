//! Cases: an inventory, rows and statements in, findings and gaps out.

mod book;
mod chains;
mod channels;
mod decisions;
mod grounds;
mod laws;
mod said;

use std::fmt::Write as _;

use model::{
    Distro, ImageDescription, Inventory, Package, PackageKind, Place, Product, SourcePackage,
    Statement, StatementStatus, Subject,
};

use crate::{Asked, Options, Question, analyze, judge};
use book::Shelf;

/// The date of all cases.
const TODAY: &str = "2025-06-01";

/// Findings and gaps, a line each.
#[track_caller]
fn check(inventory: &str, rows: &str, expect: &str) {
    check_with(inventory, rows, "", Options::default(), expect);
}

#[track_caller]
fn check_with(inventory: &str, rows: &str, said: &str, options: Options<'_>, expect: &str) {
    let inventory = read_inventory(inventory);
    let shelf = Shelf::read(rows);
    let statements = read_statements(said);
    let options = Options { today: options.today.or(Some(TODAY)), ..options };
    let question =
        Question { inventory: &inventory, book: &shelf, statements: &statements, options };
    assert_eq!(shown(&question), trimmed(expect));
}

/// Judgements, a line each, with their chains below.
#[track_caller]
fn check_chain(inventory: &str, rows: &str, said: &str, asked: Asked<'_>, expect: &str) {
    let inventory = read_inventory(inventory);
    let shelf = Shelf::read(rows);
    let statements = read_statements(said);
    let options = Options { today: Some(TODAY), ..Options::default() };
    let question =
        Question { inventory: &inventory, book: &shelf, statements: &statements, options };
    let mut told = String::new();
    for it in judge(&question, asked) {
        let name = inventory.packages[it.package].purl.name();
        let flaw = it.flaw.join(" ");
        writeln!(told, "{name} {flaw}: {}", it.verdict.as_str()).unwrap();
        for step in it.chain {
            writeln!(told, "- {}: {}", step.about, step.says).unwrap();
        }
    }
    assert_eq!(told.trim_end(), trimmed(expect));
}

/// Verdicts alone: `package flaw: verdict`.
#[track_caller]
fn check_verdicts(inventory: &str, rows: &str, said: &str, expect: &str) {
    let inventory = read_inventory(inventory);
    let shelf = Shelf::read(rows);
    let statements = read_statements(said);
    let options = Options { today: Some(TODAY), ..Options::default() };
    let question =
        Question { inventory: &inventory, book: &shelf, statements: &statements, options };
    let told: Vec<String> = judge(&question, Asked::All)
        .iter()
        .map(|it| {
            let name = inventory.packages[it.package].purl.name();
            let flaw = it.flaw.first().map_or("-", String::as_str);
            format!("{name} {flaw}: {:?}", it.verdict)
        })
        .collect();
    assert_eq!(told.join("\n"), trimmed(expect));
}

fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|it| !it.is_empty()).collect();
    lines.join("\n")
}

fn shown(question: &Question<'_>) -> String {
    let (findings, gaps) = analyze(question);
    let mut lines = Vec::new();
    for it in findings {
        let packages: Vec<&str> = it
            .packages
            .iter()
            .map(|number| question.inventory.packages[*number].purl.name())
            .collect();
        let fix = match &it.fix {
            model::Fix::Version { version, channel: None } => format!("fix {version}"),
            model::Fix::Version { version, channel: Some(channel) } => {
                format!("fix {version} in {channel}")
            }
            model::Fix::None(outlook) => format!("no fix, {outlook:?}"),
        };
        let mut line = format!(
            "{} {} {}@{} [{}] by {} {}: {fix}",
            it.id,
            it.level,
            it.name,
            it.version,
            packages.join(" "),
            it.feed,
            it.advisory
        );
        if !it.aliases.is_empty() {
            write!(line, ", also {}", it.aliases.join(" ")).unwrap();
        }
        if let Some(score) = it.score() {
            write!(line, ", score {score}").unwrap();
        }
        if it.exploited.is_some() {
            line += ", exploited";
        }
        if let Some(statement) = &it.statement {
            let word = if it.suppressed() { "suppressed" } else { "statement" };
            write!(line, ", {word} by {}", statement.origin).unwrap();
        }
        lines.push(line);
    }
    lines.extend(gaps.iter().map(|it| format!("gap: {it}")));
    lines.join("\n")
}

/// Lines of `distro ID VERSION CODENAME NAME CPE LIKE`, `image NAME DIGEST TAG`, `directory PATH`, and purls with words behind them:
/// `source:NAME@VERSION`, `owner:PURL`, `kind:declared`, `by:VENDOR`, `cpe:…`.
fn read_inventory(text: &str) -> Inventory {
    let mut inventory = Inventory {
        subject: Subject::Document { name: "-".to_owned() },
        distro: None,
        packages: Vec::new(),
        statements: Vec::new(),
        gaps: Vec::new(),
    };
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        match first {
            "distro" => {
                let id = words.next().unwrap().to_owned();
                let mut word = || words.next().filter(|it| *it != "-").map(str::to_owned);
                let (version, codename, name) = (word(), word(), word());
                let cpe = word();
                let like = word().into_iter().collect();
                inventory.distro =
                    Some(Distro { id, version, codename, name, cpe, like, variant: None });
            }
            "image" => {
                let name = words.next().unwrap().to_owned();
                let digest = words.next().map(|it| it.parse().unwrap());
                let tags = words.map(str::to_owned).collect();
                let image = ImageDescription { name, digest, tags, ..ImageDescription::default() };
                inventory.subject = Subject::Image(Box::new(image));
            }
            "directory" => {
                inventory.subject = Subject::Directory { path: words.next().unwrap().to_owned() };
            }
            _ => inventory.packages.push(read_package(first, words)),
        }
    }
    inventory
}

fn read_package<'t>(purl: &str, words: impl Iterator<Item = &'t str>) -> Package {
    let mut package = Package::new(purl.parse().unwrap());
    for word in words {
        let (key, value) = word.split_once(':').unwrap();
        match key {
            "source" => {
                let (name, version) = value.split_once('@').unwrap_or((value, ""));
                let version = (!version.is_empty()).then(|| version.to_owned());
                package.source = Some(SourcePackage { name: name.to_owned(), version });
            }
            "owner" => package.owner = Some(value.parse().unwrap()),
            "kind" => package.kind = PackageKind::parse(value).unwrap(),
            "by" => package.author = Some(value.replace('_', " ")),
            "cpe" => package.cpes.push(word.to_owned()),
            "at" => {
                let path = value.to_owned();
                package.places.push(Place { path, layer: Some(1), ..Place::default() });
            }
            _ => panic!("what is {word}?"),
        }
    }
    package
}

/// Lines of `ORIGIN FLAW STATUS` with words behind them: `product:NAME`, `part:NAME` (of the last
/// product), `versions:RANGE`, `said:DATE`, `expires:DATE`, `because:WORD`.
fn read_statements(text: &str) -> Vec<Statement> {
    let lines = text.lines().map(str::trim).filter(|it| !it.is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let mut word = || words.next().unwrap().to_owned();
            let (origin, flaw, status) = (word(), word(), word());
            const ALL: [StatementStatus; 5] = [
                StatementStatus::NotAffected,
                StatementStatus::Affected,
                StatementStatus::Fixed,
                StatementStatus::UnderInvestigation,
                StatementStatus::Accepted,
            ];
            let mut statement = Statement {
                origin,
                document: None,
                author: None,
                said: None,
                flaws: vec![flaw],
                products: Vec::new(),
                status: ALL.into_iter().find(|it| it.as_str() == status).unwrap(),
                justification: None,
                note: None,
                expires: None,
            };
            for word in words {
                let (key, value) = word.split_once(':').unwrap();
                let value = value.to_owned();
                match key {
                    "product" => statement
                        .products
                        .push(Product { names: vec![value], ..Product::default() }),
                    "part" => statement.products.last_mut().unwrap().parts.push(vec![value]),
                    "versions" => statement.products.last_mut().unwrap().versions = Some(value),
                    "said" => statement.said = Some(value),
                    "expires" => statement.expires = Some(value),
                    "because" => statement.justification = Some(value),
                    _ => panic!("what is {word}?"),
                }
            }
            statement
        })
        .collect()
}
