//! What is told of a run: the summary of the job, and the comment on the pull request.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::cut;
use super::github::{Github, Refused};
use super::inputs::Inputs;
use super::plan;
use super::runner::{Annotation, Runner};
use super::sarif::repository;
use crate::Context;

/// Letters of a comment, as GitHub counts them.
const LONGEST_COMMENT: usize = 65_536;
/// Bytes of what a command leaves that are looked at: no more than that is told anywhere.
const MOST: u64 = 4 << 20;
/// Bytes of the longest list of which a table is made.
const LONGEST_LIST: u64 = 64 << 20;
/// Deployments that a table holds.
const MOST_DEPLOYMENTS: usize = 200;

/// What one command has to say.
pub(super) struct Section {
    command: &'static str,
    text: String,
}

impl Section {
    pub(super) fn of(command: &'static str, text: String) -> Self {
        Self { command, text }
    }

    /// It could not do what it was asked to: whoever reads must not take the last word for the newest.
    pub(super) fn failed(command: &'static str, why: &str) -> Self {
        let why = format::in_html(why);
        let text = format!("<p>:x: <code>foretop {command}</code> failed: {why}</p>\n");
        Self { command, text }
    }

    pub(super) fn remark(command: &'static str, said: &str) -> Self {
        let said = format::in_html(said);
        Self { command, text: format!("<p>:warning: {said}</p>\n") }
    }
}

/// The sections of a run.
pub(super) struct Telling<'a> {
    pub(super) sections: &'a [Section],
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) runner: &'a Runner<'a>,
}

impl Telling<'_> {
    /// The summary of the job, as long as one may be.
    pub(super) fn summary(&self) -> anyhow::Result<()> {
        if !self.inputs.flag("summary")? || self.sections.is_empty() {
            return Ok(());
        }
        let Some(room) = self.runner.room_for_summary() else { return Ok(()) };
        let all: Vec<&Section> = self.sections.iter().collect();
        // A letter has three bytes at most for each unit that it is counted as.
        let whole: usize = all.iter().map(|it| it.text.len() + 1).sum();
        let most = if whole <= room { whole } else { room / 3 };
        self.runner.summary(&self.joined(&all, most))
    }

    /// The comment on the pull request, if the run is about one. That it cannot be written is told, and
    /// fails nothing: a run for a fork may not write.
    pub(super) fn comment(&self, context: &Context) -> anyhow::Result<()> {
        let wanted: Vec<&Section> =
            self.sections.iter().filter(|it| plan::is_for_comments(it.command)).collect();
        if wanted.is_empty() || !self.inputs.flag("write-comment")? {
            return Ok(());
        }
        let written = self.runner.pull_request().and_then(|number| match number {
            Some(number) => self.written(number, &wanted, context),
            None => Ok(()),
        });
        if let Err(error) = written {
            let rights = error.downcast_ref::<Refused>().is_some_and(Refused::is_of_rights);
            let rights = if rights {
                "; the job needs pull-requests: write, which runs for forks do not get"
            } else {
                ""
            };
            let said = format!("No comment on the pull request: {error:#}{rights}");
            self.runner.annotate(Annotation::Warning, &said);
        }
        Ok(())
    }

    fn written(&self, number: u64, wanted: &[&Section], context: &Context) -> anyhow::Result<()> {
        let token = self.inputs.secret("github-token").context("github-token is not set")?;
        let keep = self.inputs.flag("keep-previous-comments")?;
        let mark = self.mark();
        let room = LONGEST_COMMENT - cut::length(&mark) - 1;
        let body = format!("{mark}\n{}", self.joined(wanted, room));
        let github = Github::of(context, self.runner, &token)?;
        let messages = &context.messages;
        crate::runtime()?.block_on(async {
            let former = match github.me().await {
                Ok(me) => github.comments(number, &me, &mark).await?,
                Err(error) => {
                    // Nobody's comment is touched that may be somebody else's.
                    messages.warn(&format!(
                        "Not known who writes, so the comment is a new one: {error:#}"
                    ));
                    Vec::new()
                }
            };
            if !keep && let Some(last) = former.last() {
                match github.change(last, &body).await {
                    Ok(()) => {
                        messages.done(&format!("Updated the comment on pull request {number}"));
                        return Ok(());
                    }
                    Err(error) => {
                        messages.warn(&format!(
                            "The comment cannot be updated, so there is a new one: {error:#}"
                        ));
                    }
                }
            }
            let page = github.comment(number, &body).await?;
            let page = page.map(|it| format!(": {it}")).unwrap_or_default();
            messages.done(&format!("Wrote a comment on pull request {number}{page}"));
            if keep {
                for it in &former {
                    if let Err(error) = github.hide(it).await {
                        messages.warn(&format!("A former comment cannot be hidden: {error:#}"));
                    }
                }
            }
            Ok(())
        })
    }

    /// By what the comment is found again: the same step of the same job about the same thing, asked in the
    /// same way, whatever its tag is by now.
    fn mark(&self) -> String {
        let told = |name: &str| plain(&self.runner.told(name).unwrap_or_default());
        let said = |name: &str| self.inputs.text(name).unwrap_or_default();
        let about: Vec<String> = [said("command")]
            .into_iter()
            .chain(["image", "to"].map(|it| repository(&said(it)).to_owned()))
            .chain(["platform", "env", "to-env", "app"].map(said))
            .map(|it| plain(&it))
            .collect();
        let [workflow, job, step] = ["GITHUB_WORKFLOW", "GITHUB_JOB", "GITHUB_ACTION"].map(told);
        // Jobs of a matrix have one name, and so have all steps that are within one of our action.
        let matrix = self.runner.told("FORETOP_MATRIX").unwrap_or_default();
        let way: [u8; 32] = Sha256::digest(format!("{}\n{matrix}", self.inputs.way())).into();
        let [one, two, three, four, ..] = way;
        let way = u32::from_be_bytes([one, two, three, four]);
        let mark = format!("foretop:{workflow}/{job}/{step} {} {way:08x}", about.join(" "));
        match self.runner.times(&mark) {
            0 => format!("<!-- {mark} -->"),
            times => format!("<!-- {mark} {} -->", times + 1),
        }
    }

    /// All sections, in no more letters than that; what is cut says so.
    fn joined(&self, sections: &[&Section], most: usize) -> String {
        let whole = sections.iter().fold(String::new(), |text, it| text + &it.text + "\n");
        if cut::length(&whole) <= most {
            return whole;
        }
        let note = scissors(self.runner);
        let each = cut::length(&note) + 1;
        let room = most.saturating_sub(each * sections.len());
        let lengths: Vec<usize> = sections.iter().map(|it| cut::length(&it.text)).collect();
        let shares = cut::shares(&lengths, room);
        sections.iter().zip(shares).fold(String::new(), |mut text, (section, share)| {
            let _ = match cut::cut(&section.text, share) {
                Some(cut) => writeln!(text, "{cut}{note}"),
                None => writeln!(text, "{}", section.text),
            };
            text
        })
    }
}

/// What stands where something is cut.
pub(super) fn scissors(runner: &Runner<'_>) -> String {
    let page = runner.page().filter(|it| it.starts_with("http://") || it.starts_with("https://"));
    let place = page.map_or("in the log of this run".to_owned(), |it| {
        format!("on <a href=\"{}\">the page of this run</a>", format::in_html_attribute(&it))
    });
    format!("\n<p>:scissors: Cut here, since GitHub takes no more: there is more {place}.</p>\n")
}

/// Letters of which an HTML comment cannot end, in no more than a line.
fn plain(text: &str) -> String {
    let letter = |it: char| {
        if it.is_ascii_alphanumeric() || "_.,:@ /".contains(it) {
            it.to_string()
        } else {
            it.to_string().bytes().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "%{byte:02X}");
                text
            })
        }
    };
    text.chars().take(200).map(letter).collect()
}

/// A report that was written there, as much of it as is told anywhere.
pub(super) fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    fs_err::File::open(file)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What runs, or was recorded, as a table.
pub(super) fn deployments(file: &Path) -> anyhow::Result<String> {
    if fs_err::metadata(file)?.len() > LONGEST_LIST {
        return Ok("<p>There is more than can be listed here.</p>\n".to_owned());
    }
    let told: Value = serde_json::from_slice(&fs_err::read(file)?)
        .context("the list of what runs makes no sense")?;
    let told = told.as_array().map_or(&[][..], Vec::as_slice);
    let mut text = "<table>\n<tr><th>Environment</th><th>Application</th><th>Platform</th>\
                    <th>Image</th></tr>\n"
        .to_owned();
    let code = |value: Option<&Value>| {
        let value = value.and_then(Value::as_str).unwrap_or_default();
        format!("<td><code>{}</code></td>", format::in_html_attribute(value))
    };
    for it in told.iter().take(MOST_DEPLOYMENTS) {
        // Where only environments are listed, they have names alone.
        let name = it.get("environment").or_else(|| it.get("name"));
        let columns = [name, it.get("application"), it.get("platform"), it.get("image")];
        let columns: String = columns.into_iter().map(code).collect();
        let _ = writeln!(text, "<tr>{columns}</tr>");
    }
    if let Some(more @ 1..) = told.len().checked_sub(MOST_DEPLOYMENTS) {
        let _ = writeln!(text, "<tr><td>and {more} more</td></tr>");
    }
    text.push_str("</table>\n");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_mark() {
        assert_eq!(plain("CI --> <b>@all</b>\n"), "CI %2D%2D%3E %3Cb%3E@all%3C/b%3E%0A");
        assert_eq!(plain("é").as_str(), "%C3%A9");
        assert!(plain(&"x".repeat(1000)).len() <= 200);
    }
}
