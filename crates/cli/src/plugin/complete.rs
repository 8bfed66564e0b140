//! Completion while `docker` is typed: cobra's protocol, answered from our own command tree.
//!
//! One candidate a line, a tab and its description behind it, then a line `:N` that says what the
//! shell shall do: 4 is "no file names beside these", 0 is "file names if there is nothing here",
//! 2 is "no space behind it".

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

const FILES: u8 = 0;
const NO_SPACE: u8 = 2;
const NO_FILES: u8 = 4;

/// Completes the last of `words`, which may be empty.
pub(crate) fn complete(tree: &Command, words: &[OsString], described: bool) -> String {
    let mut tree = tree.clone();
    tree.build();
    let words: Vec<String> = words.iter().map(|it| it.to_string_lossy().into_owned()).collect();
    let (last, before) = words.split_last().map_or(("", &[][..]), |(it, rest)| (it, rest));
    let (candidates, directive) = candidates(&tree, before, last);
    let mut answer = String::new();
    for (candidate, about) in candidates.iter().filter(|(it, _)| it.starts_with(last)) {
        let _ = match about {
            Some(about) if described => writeln!(answer, "{candidate}\t{about}"),
            _ => writeln!(answer, "{candidate}"),
        };
    }
    let _ = writeln!(answer, ":{directive}");
    answer
}

type Candidates = Vec<(String, Option<String>)>;

fn candidates(tree: &Command, before: &[String], last: &str) -> (Candidates, u8) {
    let mut command = tree;
    let mut wanting: Option<&Arg> = None;
    let mut positionals = 0;
    for word in before {
        if wanting.take().is_some() {
            continue;
        }
        if let Some(flag) = word.strip_prefix('-') {
            wanting = argument(command, flag).filter(|it| takes_value(it));
        } else if let Some(below) = command.find_subcommand(word) {
            command = below;
            positionals = 0;
        } else {
            positionals += 1;
        }
    }
    if let Some(argument) = wanting {
        return values(argument, "");
    }
    if let Some((flag, _)) = last.strip_prefix('-').and_then(|it| it.split_once('='))
        && let Some(argument) = argument(command, flag)
    {
        return values(argument, &format!("-{flag}="));
    }
    if last.starts_with('-') {
        let flags = command.get_arguments().filter(|it| !it.is_hide_set());
        let flags = flags.filter_map(|it| Some((format!("--{}", it.get_long()?), help(it))));
        return (flags.collect(), NO_FILES);
    }
    let below = command.get_subcommands().filter(|it| !it.is_hide_set());
    let below: Candidates = below
        .map(|it| (it.get_name().to_owned(), it.get_about().map(ToString::to_string)))
        .collect();
    if !below.is_empty() {
        // Behind a word that is no command there is nothing to say.
        return (if positionals == 0 { below } else { Vec::new() }, NO_FILES);
    }
    match command.get_positionals().nth(positionals) {
        Some(argument) => values(argument, ""),
        None => (Vec::new(), NO_FILES),
    }
}

fn argument<'a>(command: &'a Command, flag: &str) -> Option<&'a Arg> {
    let mut arguments = command.get_arguments();
    match flag.strip_prefix('-') {
        Some(long) => arguments.find(|it| it.get_long() == Some(long)),
        None => arguments.find(|it| it.get_short().is_some_and(|it| it.to_string() == flag)),
    }
}

fn takes_value(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append)
}

/// What may stand for a value: its words; schemes for a subject; file names for a path.
fn values(argument: &Arg, prefix: &str) -> (Candidates, u8) {
    let words = argument.get_possible_values();
    if !words.is_empty() {
        let words = words.iter().filter(|it| !it.is_hide_set());
        let words = words.map(|it| {
            (format!("{prefix}{}", it.get_name()), it.get_help().map(ToString::to_string))
        });
        return (words.collect(), NO_FILES);
    }
    if argument.get_id() == "subject" {
        let schemes = image::ALL.iter();
        let schemes =
            schemes.map(|it| (format!("{}://", it.scheme()), Some(it.takes().to_owned())));
        return (schemes.collect(), NO_SPACE | NO_FILES);
    }
    let path = matches!(
        argument.get_value_hint(),
        clap::ValueHint::AnyPath | clap::ValueHint::FilePath | clap::ValueHint::DirPath
    );
    (Vec::new(), if path { FILES } else { NO_FILES })
}

fn help(argument: &Arg) -> Option<String> {
    argument.get_help().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: &str) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert_eq!(complete(&crate::tree("docker scout"), &words, false), expect);
    }

    #[test]
    fn commands_flags_and_values() {
        check("ca", "cache\n:4\n");
        check("cache ", "df\nprune\nhelp\n:4\n");
        check("cache prune --", "--sboms\n--force\n--help\n:4\n");
        check("cache df --format ", "text\njson\n:4\n");
        check("cache df --format=j", "--format=json\n:4\n");
        check("completion z", "zsh\n:4\n");
        check("sbom --format l", "list\n:4\n");
        check("sbom --format list arch", "archive://\n:6\n");
        check("sbom --output ", ":0\n");
        check("sbom -o ", ":0\n");
        check("sbom --platform ", ":4\n");
        check("man ", ":0\n");
        check("plugin install --directory ", ":0\n");
        check("nonsense ", ":4\n");
        check("version ", ":4\n");
    }
}
