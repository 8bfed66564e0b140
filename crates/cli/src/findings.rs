//! What findings rest on: the almanac, and what is said about flaws; shared by the verbs that judge.

use std::path::{Path, PathBuf};

use almanac::Almanac;
use api::Judging;
use clap::ValueHint;
use engine::{Hearing, Lookout};
use model::Statement;
use regex::Regex;

use crate::Context;
use crate::failure::Failure;
use crate::heap;
use crate::messages::{Messages, count};
use crate::subject::{Seen, Subject};

/// Whose word counts.
#[derive(clap::Args)]
#[command(next_help_heading = "What findings rest on")]
pub(crate) struct Advice {
    /// VEX documents: files, or folders with them, parted by commas
    #[arg(long, value_name = "PATH", value_delimiter = ',', value_hint = ValueHint::AnyPath)]
    vex_location: Vec<PathBuf>,
    /// Whose statements count, as regular expressions, parted by commas. Without one: everybody's in
    /// --vex-location, and nobody's in documents that come with the image
    #[arg(long, value_name = "REGEX", value_delimiter = ',')]
    vex_author: Vec<Regex>,
    /// The team's own decisions [default: foretop-ignore.toml, where there is one]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    ignore_file: Option<PathBuf>,
    /// Judge packages too that lock files ask for and nobody saw installed
    #[arg(long)]
    declared: bool,
    /// The almanac's directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath, alias = "local-vulndb")]
    almanac: Option<PathBuf>,
    /// VEX documents are always read, and matching is always local
    #[arg(long, hide = true)]
    vex: bool,
    #[arg(long, hide = true)]
    local: bool,
}

impl Advice {
    /// Opens the almanac, reads the statements, and looks into `subject`: all that an answer needs.
    pub(crate) fn about(
        &self,
        subject: &Subject,
        hearing: Hearing,
        context: &Context,
    ) -> anyhow::Result<(Lookout, Seen)> {
        self.beside(context, &[subject], || subject.seen(context, hearing))
    }

    /// The same for two that are held against each other.
    pub(crate) fn about_both(
        &self,
        one: &Subject,
        other: &Subject,
        context: &Context,
    ) -> anyhow::Result<(Lookout, (Seen, Seen))> {
        self.beside(context, &[one, other], || Subject::both(one, other, context))
    }

    /// Opens the almanac and reads the statements beside looking into those subjects, for a process that
    /// answers, and then goes.
    fn beside<T>(
        &self,
        context: &Context,
        subjects: &[&Subject],
        look: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(Lookout, T)> {
        let open = || self.almanac(context);
        let read = || anyhow::Ok((self.statements(&context.messages)?, look()?));
        let documents: Option<Vec<&str>> = subjects.iter().map(|it| it.document()).collect();
        let (almanac, (statements, found)) = if let Some(files) = documents {
            // A document becomes an inventory and an answer, and is soon read.
            let size = |file: &&str| fs_err::metadata(file).map_or(0, |it| it.len());
            heap::for_an_answer(files.iter().map(size).fold(0, u64::saturating_add));
            let (almanac, rest) = crew::both(open, read);
            (almanac?, rest?)
        } else {
            // No image is pulled for an almanac that cannot be opened; and most of an image goes by.
            let all = (open()?, read()?);
            heap::for_an_answer(0);
            all
        };
        Ok((self.lookout(almanac, statements), found))
    }

    /// The same for what is remembered, which others than us have their hands on.
    pub(crate) fn about_remembered<T>(
        &self,
        context: &Context,
        look: impl FnOnce() -> anyhow::Result<T>,
    ) -> anyhow::Result<(Lookout, T)> {
        let (almanac, statements) = (self.almanac(context)?, self.statements(&context.messages)?);
        Ok((self.lookout(almanac, statements), look()?))
    }

    fn lookout(&self, almanac: Option<Almanac>, statements: Vec<Statement>) -> Lookout {
        let now = jiff::Timestamp::now().to_string();
        let lookout = match almanac {
            Some(almanac) => Lookout::new(almanac, now),
            None => Lookout::with_starter(now),
        };
        lookout
            .with_statements(statements)
            .with_authors(self.vex_author.clone())
            .with_declared(self.declared)
    }

    /// How whoever remembers what runs is to judge it.
    pub(crate) fn judging(&self, context: &Context, brief: bool) -> anyhow::Result<Judging> {
        Ok(Judging {
            statements: self.statements(&context.messages)?,
            authors: self.vex_author.iter().map(|it| it.as_str().to_owned()).collect(),
            declared: self.declared,
            brief,
            environment: None,
        })
    }

    /// The almanac that the user names.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.almanac.as_deref()
    }

    /// Is the almanac whole, so that an answer rests on all of it?
    pub(crate) fn sound(&self, context: &Context) -> anyhow::Result<()> {
        self.almanac(context).map(|_| ())
    }

    /// The installed almanac. Where the user names none and none is there, what is built in will do.
    fn almanac(&self, context: &Context) -> anyhow::Result<Option<Almanac>> {
        if let Some(directory) = &self.almanac {
            return Ok(Some(whole(directory, Almanac::open(directory)?)?));
        }
        let directory = context.environment.almanac_directory()?;
        match Almanac::open(&directory) {
            Ok(almanac) => Ok(Some(whole(&directory, almanac)?)),
            Err(almanac::Error::Absent(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn statements(&self, messages: &Messages) -> anyhow::Result<Vec<Statement>> {
        let mut statements = Vec::new();
        let mut documents = 0;
        for path in &self.vex_location {
            for file in documents_in(path)? {
                statements.extend(read(&file, messages)?);
                documents += 1;
            }
        }
        if documents > 0 {
            messages.done(&format!("Loaded {}", count(documents, "VEX document", "VEX documents")));
        }
        let usual = Path::new(statement::IGNORE_FILE);
        let ignore = self.ignore_file.as_deref().or_else(|| usual.is_file().then_some(usual));
        if let Some(path) = ignore {
            let decisions = read(path, messages)?;
            let decided = count(decisions.len() as u64, "decision", "decisions");
            messages.done(&format!("Loaded {decided} of {}", path.display()));
            statements.extend(decisions);
        }
        Ok(statements)
    }
}

/// The almanac, if all its sheets are there: an answer without some of them would look like good news.
pub(crate) fn whole(directory: &Path, almanac: Almanac) -> anyhow::Result<Almanac> {
    let missing = almanac::missing(directory, almanac.manifest()).len() as u64;
    if missing == 0 {
        return Ok(almanac);
    }
    let sheets = count(missing, "sheet is", "sheets are");
    let what = format!("almanac {}: {sheets} missing or cut short", directory.display());
    Err(Failure::error(what, MEND))
}

/// Nothing, if every sheet that was asked could answer.
pub(crate) fn answered(lookout: &Lookout) -> anyhow::Result<()> {
    lookout.almanac().torn().map_or(Ok(()), |it| Err(Failure::error(it.to_string(), MEND)))
}

const MEND: &str = "`foretop almanac build --anew`, `update`, `pull` or `import` makes a good one";

/// A file, or every JSON file of a folder and the folders in it, sorted.
fn documents_in(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut waiting = vec![path.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            let path = entry.path();
            if kind.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|it| it == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::error(
            format!("{}: there is no VEX document in it", path.display()),
            "documents are files that end in .json",
        ));
    }
    Ok(files)
}

/// A sentence that makes no sense is told; a document that makes none is an error: somebody relies
/// on it.
fn read(path: &Path, messages: &Messages) -> anyhow::Result<Vec<Statement>> {
    let refuse = |why: String| {
        Failure::error(
            format!("cannot read {}: {why}", path.display()),
            "it should be OpenVEX, CSAF VEX or CycloneDX in JSON, or an ignore file in TOML",
        )
    };
    let why = |error: std::io::Error| {
        refuse(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
            _ => error.to_string(),
        })
    };
    let size = fs_err::metadata(path).map_err(why)?.len();
    if size > statement::LARGEST {
        return Err(refuse(format!("it is larger than {} MiB", statement::LARGEST >> 20)));
    }
    let bytes = fs_err::read(path)?;
    let read = statement::read(&path.display().to_string(), &bytes)
        .map_err(|why| refuse(why.to_string()))?;
    for gap in &read.gaps {
        messages.warn(&gap.to_string());
    }
    Ok(read.statements)
}

/// The formats of `cves`, for its help.
pub(crate) fn reports_help() -> String {
    use std::fmt::Write as _;
    let mut text = "\nFormats:\n".to_owned();
    for report in format::report::ALL {
        let _ = writeln!(text, "  {:<14} {}", report.id(), report.title());
    }
    text
}
