//! The reference pages, made from what the program itself knows. `cargo xtask codegen` writes them.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use crate::environment;

/// Every page of `docs/reference`: its file name and its text.
pub fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("cli.md", commands()),
        ("environment.md", variables()),
        ("sources.md", sources()),
        ("ecosystems.md", ecosystems()),
        ("formats.md", formats()),
        ("feeds.md", feeds()),
        ("orders.md", orders()),
    ]
}

const NOTE: &str = "<!-- Written by `cargo xtask codegen`. Do not edit. -->\n\n";

fn commands() -> String {
    let mut page = format!("{NOTE}# Commands\n\n");
    page.push_str(
        "`docker scout COMMAND` and `docker foretop COMMAND` are the same, \
         once `foretop plugin install` has run.\n\
         Every command has `-h` and `--help`.\n\
         `--debug` tells on stderr what is done, and when; \
         `--verbose-debug` adds settings and the causes of errors.\n\n\
         Reports go to stdout, everything else to stderr.\n\
         The exit code is 0, 1 after any error, or 2 where a gate is shut: `cves --exit-code`, `compare --exit-on`, `where --exit-code`, and `admin doctor` where something is not as it should be.\n\
         What goes on until it is interrupted, `events --follow`, ends with 130.\n",
    );
    let mut tree = crate::tree("foretop");
    tree.build();
    for command in tree.get_subcommands() {
        describe(command, &mut page);
    }
    page
}

fn describe(command: &Command, page: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let mut command = command.clone();
    let title = command.get_bin_name().unwrap_or_default().to_owned();
    let _ = writeln!(page, "\n## `{title}`\n");
    if let Some(about) = command.get_about() {
        let _ = writeln!(page, "{about}.\n");
    }
    let _ = writeln!(page, "```\n{}\n```", command.render_usage().to_string().trim());
    let shown = |it: &&Arg| !it.is_hide_set() && it.get_id() != "help";
    let rows: Vec<String> = command.get_arguments().filter(shown).map(row).collect();
    if !rows.is_empty() {
        let _ = writeln!(page, "\n| argument | meaning | default |\n|---|---|---|");
        for row in rows {
            let _ = writeln!(page, "{row}");
        }
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        let _ = writeln!(page, "\n```\n{}\n```", after.to_string().trim());
    }
    for below in command.get_subcommands() {
        describe(below, page);
    }
}

fn row(argument: &Arg) -> String {
    let mut names: Vec<String> = Vec::new();
    names.extend(argument.get_short().map(|it| format!("-{it}")));
    names.extend(argument.get_long().map(|it| format!("--{it}")));
    let mut name = names.join(", ");
    if matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) {
        let values = argument.get_value_names().unwrap_or_default();
        let value = values.first().map_or("VALUE", |it| it.as_str());
        name = if name.is_empty() { value.to_owned() } else { format!("{name} {value}") };
    }
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values = argument.get_possible_values();
    // A flag without a value has `true` and `false` for values.
    if matches!(argument.get_action(), ArgAction::Set | ArgAction::Append) && !values.is_empty() {
        let values: Vec<String> = values.iter().map(|it| format!("`{}`", it.get_name())).collect();
        let _ = write!(meaning, ": {}", values.join(", "));
    }
    let default = argument.get_default_values().first().map(|it| it.to_string_lossy());
    let default = default.filter(|_| argument.get_action().takes_values());
    let default = default.map(|it| format!("`{it}`")).unwrap_or_default();
    format!("| `{}` | {} | {default} |", cell(&name), cell(&meaning))
}

fn variables() -> String {
    let mut page = format!(
        "{NOTE}# Environment variables\n\n\
         Where a row has several names, the first one that is set counts.\n\
         An empty variable is not set.\n\
         Yes is `1`, `true`, `yes` or `on`; no is `0`, `false`, `no` or `off`.\n\n\
         | variable | value | meaning |\n|---|---|---|\n"
    );
    for variable in environment::ALL {
        let names: Vec<String> = variable.names.iter().map(|it| format!("`{it}`")).collect();
        let meaning = variable.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            names.join("<br>"),
            cell(variable.value),
            cell(&meaning)
        );
    }
    page
}

fn sources() -> String {
    let mut page = format!(
        "{NOTE}# Where images come from\n\n\
         A subject is written `SCHEME://NAME`; without a scheme it is an `image`.\n\n\
         | scheme | what follows it |\n|---|---|\n"
    );
    for source in image::ALL {
        let _ = writeln!(page, "| `{}://` | {} |", source.scheme(), cell(source.takes()));
    }
    page
}

fn ecosystems() -> String {
    let mut page = format!(
        "{NOTE}# Ecosystems\n\n\
         The id of an ecosystem is the purl type of its packages.\n\
         A cataloger is one way of seeing them in a file system.\n"
    );
    for ecosystem in ecosystem::ALL {
        let _ = writeln!(page, "\n## `{}`: {}\n", ecosystem.id(), ecosystem.title());
        let _ = writeln!(page, "| cataloger | reads | claims |\n|---|---|---|");
        for cataloger in ecosystem.catalogers() {
            let claims: Vec<String> = cataloger.claims.iter().map(claim).collect();
            let _ = writeln!(
                page,
                "| `{}` | {} | {} |",
                cataloger.id,
                cell(cataloger.reads),
                claims.join("<br>")
            );
        }
    }
    page
}

fn claim(claim: &ecosystem::Claim) -> String {
    match claim {
        ecosystem::Claim::Path(glob) => format!("`{}`", cell(glob)),
        ecosystem::Claim::Magic(bytes) => {
            format!("files that begin with `{}`", cell(&bytes.escape_ascii().to_string()))
        }
    }
}

fn formats() -> String {
    let mut page = format!(
        "{NOTE}# Formats\n\n## Of inventories\n\n\
         `sbom --format` takes those that are written; `sbom://` reads all that can be read.\n\n\
         | format | what it is | written |\n|---|---|---|\n"
    );
    for format in format::ALL {
        let written = if format.writes() { "yes" } else { "no" };
        let _ = writeln!(page, "| `{}` | {} | {written} |", format.id(), cell(format.title()));
    }
    page.push_str(
        "\n## Of findings\n\n\
         `cves --format` takes these, several in one run: `--format sarif=FILE --format json=FILE`.\n\n\
         | format | what it is |\n|---|---|\n",
    );
    for report in format::report::ALL {
        let _ = writeln!(page, "| `{}` | {} |", report.id(), cell(report.title()));
    }
    page.push_str(
        "\n## Of comparisons\n\n\
         `compare --format` takes these.\n\n\
         | format | what it is |\n|---|---|\n",
    );
    for report in format::comparison::ALL {
        let _ = writeln!(page, "| `{}` | {} |", report.id(), cell(report.title()));
    }
    page
}

fn feeds() -> String {
    let mut page = format!(
        "{NOTE}# Feeds\n\n\
         A feed is a publisher of advisories, in the format that it publishes.\n\
         Its parts are fetched and compiled apart.\n\
         Days without news make it stale.\n\n\
         | feed | whose it is | terms, and where to read more | parts | a server asks every | stale after |\n|---|---|---|---|---|---|\n"
    );
    for feed in feed::ALL {
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            feed.id(),
            cell(feed.title()),
            cell(feed.about()),
            match feed.parts().len() {
                0 => "none to fetch".to_owned(),
                count => count.to_string(),
            },
            match (feed.parts().len(), feed.every_hours()) {
                (0, _) => "-".to_owned(),
                (_, 1) => "hour".to_owned(),
                (_, hours) => format!("{hours} hours"),
            },
            match feed.stale_after_days() {
                u32::MAX => "never".to_owned(),
                days => format!("{days} days"),
            }
        );
    }
    page
}

fn orders() -> String {
    let mut page = format!(
        "{NOTE}# Orders of versions\n\n\
         Which version comes first is decided as the package manager itself decides it.\n\n\
         | order | whose decision it is |\n|---|---|\n"
    );
    for order in ecosystem::order::ALL {
        let _ = writeln!(page, "| `{}` | {} |", order.id(), cell(order.title()));
    }
    page
}

/// Text that cannot end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Terminals are told lines of a hundred letters: a longer one that goes on in the next would break twice.
    #[test]
    fn what_is_told_after_options_is_not_broken_twice() {
        fn check(command: &Command) {
            let after = command.get_after_long_help().or(command.get_after_help());
            let after = after.map(ToString::to_string).unwrap_or_default();
            let mut lines = after.lines().peekable();
            while let Some(line) = lines.next() {
                let goes_on = lines.peek().is_some_and(|it| !it.is_empty());
                let is_row = line.starts_with("  ");
                let is_short = line.chars().count() <= 100;
                assert!(is_short || is_row || !goes_on, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&crate::tree("foretop"));
    }

    #[test]
    fn nothing_is_forgotten() {
        let pages = pages().into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        for variable in environment::ALL {
            for name in variable.names {
                assert!(pages[1].contains(&format!("`{name}`")), "{name}");
            }
        }
        for command in crate::tree("foretop").get_subcommands() {
            let title = format!("\n## `foretop {}`\n", command.get_name());
            assert!(pages[0].contains(&title), "{title}");
        }
        let row = "| `--only-package-type TYPE` | Only packages of these purl types";
        assert!(pages[0].contains(row), "{}", pages[0]);
        assert!(!pages[0].contains("verbose-debug `"), "hidden flags have no row");
    }
}
