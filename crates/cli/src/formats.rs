//! Several reports in one run: which, and where each of them goes.

use std::path::{Path, PathBuf};

use format::report;

use crate::Context;
use crate::failure::Failure;
use crate::messages::width_of_stdout;
use crate::output::Output;
use crate::version::VERSION;

/// How a report is drawn that goes there: to the terminal, unless it is to be in a file.
pub(crate) fn drawn(context: &Context, output: Option<&Output>) -> report::Options {
    let terminal = output.is_none();
    report::Options {
        tool_version: VERSION.to_owned(),
        colour: terminal && context.messages.colour_on_stdout(),
        unicode: context.environment.unicode(),
        width: if terminal { width_of_stdout() } else { None },
        ..report::Options::default()
    }
}

/// Each report that `asked` names as `FORMAT` or `FORMAT=FILE`, and the file it goes to; `known` are all
/// there are. Whatever was said wrongly is told before anything is read.
pub(crate) fn wanted<R: Copy>(
    asked: &[String],
    output: Option<&Path>,
    known: &[(&str, R)],
) -> anyhow::Result<Vec<(R, Option<Output>)>> {
    let mut reports = Vec::new();
    let mut files: Vec<Option<PathBuf>> = Vec::new();
    for it in asked {
        let (id, file) = match it.split_once('=') {
            Some((id, file)) => (id, Some(PathBuf::from(file))),
            None => (it.as_str(), None),
        };
        let Some((_, report)) = known.iter().find(|it| it.0 == id) else {
            let known: Vec<&str> = known.iter().map(|it| it.0).collect();
            return Err(Failure::error(
                format!("--format: there is no format `{id}`"),
                format!("there are {}", known.join(", ")),
            ));
        };
        if file.as_ref().is_some_and(|it| it.as_os_str().is_empty()) {
            return Err(Failure::error(
                format!("--format {it}: there is no file behind the `=`"),
                format!("name one: --format {id}=FILE"),
            ));
        }
        let file = file.or_else(|| output.map(Path::to_owned));
        if files.contains(&file) {
            let place = file.map_or("stdout".to_owned(), |it| it.display().to_string());
            return Err(Failure::error(
                format!("--format: several reports would go to {place}"),
                format!("name a file for each: --format {id}=FILE"),
            ));
        }
        reports.push((*report, file.as_deref().map(Output::to).transpose()?));
        files.push(file);
    }
    if let Some(output) = output
        && asked.iter().all(|it| it.contains('='))
    {
        return Err(Failure::error(
            format!("--output {}: every report has a file already", output.display()),
            "leave it out, or add a --format without a file",
        ));
    }
    Ok(reports)
}
