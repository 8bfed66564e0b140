//! Everything that is said: reports on stdout, the rest on stderr. Nothing else writes to either.

use std::borrow::Cow;
use std::io::{self, BufRead as _, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::environment::Environment;
use crate::failure::{self, Failure};
use crate::guard::Guard;
use crate::table::{Format, plain};

/// How much is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Steps, warnings, errors.
    #[default]
    Usual,
    /// `--debug`: also what is done, and when.
    More,
    /// `--verbose-debug`: also with which settings, and the causes of errors.
    Most,
}

/// The one voice of the program.
pub(crate) struct Messages {
    detail: Detail,
    /// What people type to get here, and so what they are told to type.
    title: &'static str,
    colour: bool,
    colour_on_stdout: bool,
    unicode: bool,
    /// Whoever reads obeys lines of a certain form: a runner of GitHub's.
    guarded: bool,
    /// Where reports go that somebody takes on from there.
    between: Option<PathBuf>,
    start: Instant,
    bar: OnceLock<ProgressBar>,
    read: AtomicU64,
    /// Lines come from several threads.
    turn: Mutex<()>,
}

const GOOD: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const QUIET: Style = Style::new().dimmed();

impl Messages {
    /// A voice as this environment can show it.
    pub(crate) fn new(environment: &Environment, detail: Detail) -> Self {
        let colour = environment.colour();
        Self {
            detail,
            title: "foretop",
            colour: colour && io::stderr().is_terminal(),
            colour_on_stdout: colour && io::stdout().is_terminal(),
            unicode: environment.unicode(),
            guarded: false,
            between: None,
            start: Instant::now(),
            bar: OnceLock::new(),
            read: AtomicU64::new(0),
            turn: Mutex::default(),
        }
    }

    /// The same, for those who type this to get here.
    pub(crate) fn called(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    /// The same, for a runner of GitHub's: all goes to one stream, so that it keeps its order, and
    /// nothing that is told from elsewhere is taken for a command. Reports that are written to `between`
    /// are no news.
    pub(crate) fn for_runner(self, between: &Path) -> Self {
        Self { guarded: true, between: Some(between.to_owned()), ..self }
    }

    /// A report is written.
    pub(crate) fn written(&self, file: &Path) {
        if !self.between.as_ref().is_some_and(|it| file.starts_with(it)) {
            self.done(&format!("Report written to {}", file.display()));
        }
    }

    /// A command to the runner, which is meant as one.
    pub(crate) fn command(&self, line: &str) {
        let _turn = self.turn.lock();
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdout.flush());
    }

    /// The report itself. A reader that has read enough (`| head`) is no error.
    pub(crate) fn report(&self, text: &str) -> anyhow::Result<()> {
        self.tell(|out| out.write_all(text.as_bytes())).map(|_| ())
    }

    /// A report for people or for programs. Whoever is told of in it does not speak to the terminal.
    pub(crate) fn tell_as(
        &self,
        format: Format,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<()> {
        match format {
            Format::Text => self.report(&plain(&text())),
            Format::Json => self.report(&format!("{}\n", serde_json::to_string_pretty(value)?)),
        }
    }

    /// A report, piece by piece. Says whether there is somebody who still reads.
    pub(crate) fn tell(
        &self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> anyhow::Result<bool> {
        self.finish_bar();
        let mut stdout = io::stdout().lock();
        let written = if self.guarded {
            let mut guard = Guard::of(&mut stdout);
            write(&mut guard).and_then(|()| guard.finish())
        } else {
            write(&mut stdout)
        };
        match written.and_then(|()| stdout.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error).context("cannot write to standard output"),
        }
    }

    /// The same, of one that is too long to be held.
    pub(crate) fn long_report(&self, mut report: impl io::Read) -> anyhow::Result<()> {
        self.tell(|out| io::copy(&mut report, out).map(|_| ())).map(|_| ())
    }

    /// May a report on stdout have colours?
    pub(crate) fn colour_on_stdout(&self) -> bool {
        self.colour_on_stdout
    }

    /// How much is said.
    pub(crate) fn detail(&self) -> Detail {
        self.detail
    }

    /// May what is told beside reports be coloured?
    pub(crate) fn colour(&self) -> bool {
        self.colour
    }

    /// A step begins: `...Pulling`.
    pub(crate) fn begin(&self, what: &str) {
        self.line(&format!("    ...{}", tame(what)));
    }

    /// A step is done: `✓ Pulled`.
    pub(crate) fn done(&self, what: &str) {
        let sign = self.painted(GOOD, if self.unicode { "✓" } else { "v" });
        self.line(&format!("    {sign} {}", tame(what)));
    }

    /// A step failed: `✗ …`.
    pub(crate) fn failed(&self, what: &str) {
        let sign = self.painted(BAD, if self.unicode { "✗" } else { "x" });
        self.line(&format!("    {sign} {}", tame(what)));
    }

    /// What to do about what was said last.
    pub(crate) fn advise(&self, hint: &str) {
        self.line(&format!("      hint: {}", tame(hint)));
    }

    /// Something the user should know: `! …`.
    pub(crate) fn warn(&self, what: &str) {
        self.line(&format!("    {} {}", self.painted(WARNING, "!"), tame(what)));
    }

    /// Something worth knowing that asks for nothing: `i …`.
    pub(crate) fn inform(&self, what: &str) {
        self.line(&format!("    i {}", tame(what)));
    }

    /// A line of `--debug`.
    pub(crate) fn debug(&self, what: &str) {
        if self.detail >= Detail::More {
            let moment = format!("{:9.1} ms", self.start.elapsed().as_secs_f64() * 1000.0);
            let moment = self.painted(QUIET, &format!("debug {moment}"));
            self.line(&format!("{moment} {}", tame(what)));
        }
    }

    /// A line of `--verbose-debug`.
    pub(crate) fn verbose(&self, what: impl FnOnce() -> String) {
        if self.detail >= Detail::Most {
            self.debug(&what());
        }
    }

    /// Why it did not work, as the last thing said.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.finish_bar();
        let why = format!("{error:#}");
        self.line(&format!("{} {}", self.painted(BAD, "error:"), tame(&why)));
        if let Some(hint) = failure::hint(error) {
            self.line(&format!("{} {}", self.painted(GOOD, "hint:"), tame(&hint)));
        }
        for cause in error.chain().skip(1) {
            self.verbose(|| format!("caused by {cause:?}"));
        }
    }

    /// Asks a question to which only `y` and `yes` mean yes.
    pub(crate) fn ask(&self, question: &str) -> anyhow::Result<bool> {
        self.finish_bar();
        let mut stderr = io::stderr().lock();
        let _ = write!(stderr, "{} [y/N] ", tame(question)).and_then(|()| stderr.flush());
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer).context("cannot read the answer")?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Is `what` to be done? Where nobody can be asked that is an error, and `hint` says what to do.
    pub(crate) fn confirmed(
        &self,
        what: &str,
        question: impl FnOnce() -> String,
        hint: &str,
    ) -> anyhow::Result<bool> {
        if !io::stdin().is_terminal() {
            return Err(Failure::error(format!("{what}: nobody is there to confirm it"), hint));
        }
        self.ask(&question())
    }

    /// What is wrong with how a command was typed, as it is.
    pub(crate) fn misuse(&self, text: &str) {
        self.line(text.trim_end_matches('\n'));
    }

    /// Bytes that have gone by so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Commands as this user types them.
    pub(crate) fn as_typed<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.title == "foretop" { text.into() } else { as_called(text, self.title) }
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// Nobody can be told that nothing can be said, so failures to write are let go.
    fn line(&self, line: &str) {
        let _turn = self.turn.lock();
        let line = self.as_typed(line);
        if self.guarded {
            let _ = self.tell(|out| out.write_all(format!("{line}\n").as_bytes()));
            return;
        }
        let write = || {
            let _ = io::stderr().lock().write_all(format!("{line}\n").as_bytes());
        };
        match self.bar.get() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn finish_bar(&self) {
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }

    /// So many bytes more are to come.
    pub(crate) fn expect(&self, bytes: u64) {
        let bar = self.bar.get_or_init(|| {
            // indicatif hides itself where stderr is no terminal.
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let form = "    {bar:32} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec}";
            bar.with_style(ProgressStyle::with_template(form).expect("the template is fixed"))
        });
        bar.inc_length(bytes);
    }

    /// So many have come.
    pub(crate) fn advance(&self, bytes: u64) {
        self.read.fetch_add(bytes, Ordering::Relaxed);
        if let Some(bar) = self.bar.get() {
            bar.inc(bytes);
        }
    }
}

/// The columns of the terminal that stdout is, if it is one.
pub(crate) fn width_of_stdout() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Commands as this user types them: whoever came by `docker scout` may have no `foretop`.
fn as_called<'a>(line: &'a str, title: &str) -> Cow<'a, str> {
    const OURS: &str = "foretop ";
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(OURS) {
        text.push_str(before);
        let word = after.split(|it: char| !it.is_ascii_lowercase()).next().unwrap_or_default();
        let begins = !before.ends_with(|it: char| it.is_alphanumeric() || "-_./:".contains(it))
            && !before.ends_with("docker ");
        let command = word == "env" || crate::commands::called(word).is_some();
        text.push_str(if begins && command { title } else { "foretop" });
        text.push(' ');
        rest = after;
    }
    if text.is_empty() {
        return line.into();
    }
    text.push_str(rest);
    text.into()
}

/// Text without anything that a terminal would obey: names come from images and registries.
fn tame(text: &str) -> String {
    let told = |it: char| {
        let bidi = matches!(it, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if it.is_control() || bidi { it.escape_default().to_string() } else { it.to_string() }
    };
    text.chars().map(told).collect()
}

/// `1 package`, `2 packages`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_speak_to_the_terminal() {
        assert_eq!(tame("évil\u{1b}[2J\nname"), "évil\\u{1b}[2J\\nname");
    }

    #[test]
    fn commands_are_told_as_they_are_typed() {
        let check = |line: &str, expect: &str| {
            assert_eq!(as_called(line, "docker scout"), expect);
        };
        check("hint: foretop push IMAGE", "hint: docker scout push IMAGE");
        check(
            "`foretop env -- remove` and foretop serve",
            "`docker scout env -- remove` and docker scout serve",
        );
        check("see myforetop push, docker foretop push", "see myforetop push, docker foretop push");
        check("is it a foretop of ours, or foretop ", "is it a foretop of ours, or foretop ");
        check("no more", "no more");
    }

    #[test]
    fn one_and_many() {
        assert_eq!(count(1, "entry", "entries"), "1 entry");
        assert_eq!(count(0, "entry", "entries"), "0 entries");
    }
}
