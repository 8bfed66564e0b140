//! Quality as a number: labelled cases go through feeds, almanac and matching, and are counted.
//!
//! `--write` puts the table into `docs/quality.md`; without it, it must stand there already. `--cases`
//! leaves real advisories out, of which `--kit DIR` names the folder.

mod case;
mod judge;
mod kit;
mod score;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use judge::Outcome;
use score::{Floor, Score};

#[expect(clippy::print_stderr, reason = "a chore speaks to the person who runs it")]
fn main() -> ExitCode {
    match run() {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            for complaint in complaints {
                eprintln!("error: {complaint}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints, and returns what is not as it must be.
#[expect(clippy::print_stdout, reason = "what it finds is what it is for")]
fn run() -> anyhow::Result<Vec<String>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut scores = BTreeMap::new();
    let mut complaints = Vec::new();
    let mut misses = String::new();
    for path in files(&root.join("quality/cases"))? {
        let space = path.file_stem().and_then(|it| it.to_str()).context("its name is odd")?;
        let cases = case::read(space, &fs_err::read_to_string(&path)?)?;
        let outcomes = judge::judge(&cases)?;
        for outcome in &outcomes {
            match (&outcome.miss, outcome.is_told_right) {
                (None, true) => {}
                (None, false) => complaints.push(told(outcome)),
                (Some(why), false) => {
                    let _ = writeln!(misses, "* {}: {why}", told(outcome));
                }
                (Some(_), true) => {
                    complaints.push(format!("{}: it is no miss any more", outcome.at));
                }
            }
        }
        scores.insert(cases.space.clone(), Score::of(&outcomes));
    }
    let table = score::table(&scores);
    println!("{table}");
    if misses.is_empty() {
        misses.push_str("None.\n");
    }
    println!("Known misses:\n{misses}");
    complaints.extend(fallen(&root, &scores)?);
    complaints.extend(document(
        &root,
        &table,
        &misses,
        arguments.iter().any(|it| it == "--write"),
    )?);

    if arguments.iter().any(|it| it == "--cases") {
        return Ok(complaints);
    }
    let named = arguments.iter().position(|it| it == "--kit").and_then(|it| arguments.get(it + 1));
    let kit = named.map_or_else(|| root.join("../shared/data"), PathBuf::from);
    if kit.is_dir() {
        kit::print(&kit)?;
    } else {
        println!("left out: real advisories, for there is no folder ../shared/data");
    }
    Ok(complaints)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|it| it.extension().is_some_and(|it| it == "txt"));
    files.sort();
    Ok(files)
}

fn told(outcome: &Outcome) -> String {
    let got = &outcome.got;
    let is = format!("{} {} {}", got.class.as_str(), got.words, got.facts.join(" "));
    let Outcome { at, purl, .. } = outcome;
    match &outcome.label {
        Some(label) => {
            let facts = label.facts.join(" ");
            format!(
                "{at}: {} of {purl} is to be `{}`, and is `{}`",
                label.flaw,
                format!("{} {} {facts}", label.class.as_str(), label.words).trim_end(),
                is.trim_end(),
            )
        }
        None => format!("{at}: nobody labelled {} of {purl}: `{is}`", got.flaw),
    }
}

/// What is below the floor.
fn fallen(root: &Path, scores: &BTreeMap<String, Score>) -> anyhow::Result<Vec<String>> {
    let path = root.join("quality/floor.toml");
    let floors: BTreeMap<String, Floor> = toml::from_str(&fs_err::read_to_string(path)?)?;
    let mut fallen = Vec::new();
    for (space, floor) in &floors {
        match scores.get(space) {
            Some(score) => {
                fallen.extend(score.below(floor).into_iter().map(|it| format!("{space}: {it}")));
            }
            None => fallen.push(format!("{space}: it has a floor and no cases")),
        }
    }
    let bare = scores.keys().filter(|it| !floors.contains_key(*it));
    fallen.extend(bare.map(|it| format!("{it}: it has no floor in quality/floor.toml")));
    Ok(fallen)
}

/// The table and the misses stand in `docs/quality.md`, between marks.
fn document(root: &Path, table: &str, misses: &str, write: bool) -> anyhow::Result<Option<String>> {
    let path = root.join("docs/quality.md");
    let is = fs_err::read_to_string(&path)?;
    let must = between(&between(&is, "table", table)?, "misses", misses)?;
    if is == must {
        return Ok(None);
    }
    if write {
        fs_err::write(&path, must)?;
        return Ok(None);
    }
    Ok(Some("docs/quality.md is stale: run `cargo xtask quality --write`".to_owned()))
}

fn between(text: &str, mark: &str, body: &str) -> anyhow::Result<String> {
    let (open, close) = (format!("<!-- {mark} -->\n"), format!("<!-- end of {mark} -->"));
    let (before, rest) = text.split_once(&open).with_context(|| format!("no {open}"))?;
    let (_, after) = rest.split_once(&close).with_context(|| format!("no {close}"))?;
    Ok(format!("{before}{open}{body}{close}{after}"))
}
