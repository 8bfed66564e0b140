//! What is said of an event on a line, where it is about no flaw.

use model::{EventKind, Level};
use serde_json::Value as Json;

use super::heard::Heard;

/// Letters in a reason that others gave.
const LONGEST: usize = 300;
/// Findings that are told by name.
pub(crate) const WORST: usize = 5;

/// In a line: what happened, and who did it.
pub(super) fn line(heard: &Heard) -> String {
    let detail = &heard.detail;
    let by = if heard.origin.is_empty() {
        format!("by {}", heard.who)
    } else {
        format!("by {} ({})", heard.who, heard.origin)
    };
    let about = &heard.about;
    if heard.brings {
        let former = detail["former"].as_str().map(|it| match &detail["is_former_known"] {
            Json::Bool(true) => format!("; {it} ran before it, and had none of them"),
            _ => format!("; {it} ran before it, of which nothing is known"),
        });
        return format!("{}{}", found(detail), former.unwrap_or_default());
    }
    match heard.kind {
        EventKind::DeploymentStarted => format!("{} runs, {by}", running(about, detail)),
        EventKind::DeploymentReplaced => {
            let former = short(&detail["replaced"]);
            format!("{} runs instead of {former}, {by}", running(about, detail))
        }
        EventKind::DeploymentEnded => {
            let why = why(detail).map(|it| format!(": {it}")).unwrap_or_default();
            format!("{} runs no more, {by}{why}", running(about, detail))
        }
        EventKind::EnvironmentCreated => format!("{about} was made, {by}"),
        EventKind::EnvironmentDeleted => format!("{about} was deleted, {by}"),
        EventKind::EnvironmentRenamed => {
            let former = detail["from"].as_str().unwrap_or_default();
            format!("{former} is called {about} from now on, {by}")
        }
        EventKind::TagMoved => {
            let platform = detail["platform"].as_str().unwrap_or_default();
            let to = hex(detail["to"].as_str().unwrap_or_default());
            let from = hex(detail["from"].as_str().unwrap_or_default());
            format!("leads to {to}, and led to {from} ({platform})")
        }
        EventKind::CheckFailed if detail["verdict"] == "failed" => found(detail),
        EventKind::CheckFailed => {
            format!("nobody can tell: {}", why(detail).unwrap_or_default())
        }
        EventKind::CheckPassed => {
            let images = detail["images"].as_u64().unwrap_or_default();
            let what = if images == 1 { "image" } else { "images" };
            format!("nothing of what it looks for is in {images} {what}")
        }
        EventKind::ExceptionExpired => {
            let said = &detail["definition"];
            let flaws = said["flaws"].as_array().into_iter().flatten().filter_map(Json::as_str);
            let flaws: Vec<&str> = flaws.take(WORST).collect();
            let by = detail["by"].as_str().unwrap_or_default();
            format!("{} counts again; {by} had decided about it", flaws.join(", "))
        }
        EventKind::PolicyFlipped => flipped(detail),
        EventKind::AlmanacStale | EventKind::AlmanacFresh => {
            let age = detail["days"].as_i64().map(|it| match it {
                0 => "it is of today".to_owned(),
                1 => "it is of yesterday".to_owned(),
                days => format!("it is {days} days old"),
            });
            let parts: Vec<String> = age.into_iter().chain(why(detail)).collect();
            parts.join("; ")
        }
        _ => why(detail).unwrap_or_default(),
    }
}

/// What was found: how much of each severity, and the worst.
fn found(detail: &Json) -> String {
    let count = |level: &Level| detail["found"][level.as_str()].as_u64().filter(|it| *it > 0);
    let counts = Level::ALL.iter().filter_map(|it| Some(format!("{} {it}", count(it)?)));
    let worst = detail["worst"].as_array().into_iter().flatten().take(WORST).map(|it| {
        let text = |key: &str| it[key].as_str().unwrap_or_default();
        let fix = it["fix"].as_str().map(|it| format!(", mended in {it}")).unwrap_or_default();
        format!("{} in {} {}{fix}", text("id"), text("package"), text("version"))
    });
    let (counts, worst): (Vec<String>, Vec<String>) = (counts.collect(), worst.collect());
    let worst = if worst.is_empty() { String::new() } else { format!(": {}", worst.join("; ")) };
    format!("{}{worst}", counts.join(", "))
}

/// Which policy, how it is now, and since what changed: `No copyleft licenses: not met, because …`.
fn flipped(detail: &Json) -> String {
    let text = |key: &str| detail[key].as_str().unwrap_or_default();
    let reason = match text("reason") {
        "image" => "another image runs",
        "policies" => "other policies are in force",
        "exceptions" => "other exceptions hold",
        _ => "more is known",
    };
    let state = |key: &str| text(key).replace('-', " ");
    let why = why(detail).map(|it| format!(": {it}")).unwrap_or_default();
    format!("{} is {}, and was {}; {reason}{why}", text("title"), state("to"), state("from"))
}

/// The reason that an event gives.
pub(super) fn why(detail: &Json) -> Option<String> {
    let why = detail["why"].as_str().filter(|it| !it.is_empty())?;
    let short: String = why.chars().take(LONGEST).collect();
    Some(if short.len() < why.len() { format!("{short}…") } else { short })
}

/// The name that an image runs by: `docker.io/acme/web:v1`.
pub(crate) fn image(repository: &str, tag: Option<&str>, digest: &str) -> String {
    match tag {
        Some(tag) => format!("{repository}:{tag}"),
        None => format!("{repository}@{}", hex(digest)),
    }
}

/// `docker.io/acme/web:v1`, and what it is called there, if that is something else.
fn running(application: &str, detail: &Json) -> String {
    let repository = detail["repository"].as_str().unwrap_or_default();
    let name =
        image(repository, detail["tag"].as_str(), detail["digest"].as_str().unwrap_or_default());
    if application == repository { name } else { format!("{name} ({application})") }
}

/// The tag, or else the digest.
fn short(detail: &Json) -> String {
    let tag = detail["tag"].as_str().map(str::to_owned);
    tag.unwrap_or_else(|| hex(detail["digest"].as_str().unwrap_or_default()))
}

/// `sha256:0123456789ab`.
pub(super) fn hex(digest: &str) -> String {
    digest.chars().take(19).collect()
}
