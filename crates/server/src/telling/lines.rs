//! What is said of an event on a line, where it is about no flaw.

use model::EventKind;
use serde_json::Value as Json;

use super::heard::Heard;

/// Letters in a reason that others gave.
const LONGEST: usize = 300;

/// In a line: what happened, and who did it.
pub(super) fn line(heard: &Heard) -> String {
    let detail = &heard.detail;
    let by = if heard.origin.is_empty() {
        format!("by {}", heard.who)
    } else {
        format!("by {} ({})", heard.who, heard.origin)
    };
    let about = &heard.about;
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
        _ => why(detail).unwrap_or_default(),
    }
}

/// The reason that an event gives.
pub(super) fn why(detail: &Json) -> Option<String> {
    let why = detail["why"].as_str().filter(|it| !it.is_empty())?;
    let short: String = why.chars().take(LONGEST).collect();
    Some(if short.len() < why.len() { format!("{short}…") } else { short })
}

/// `docker.io/acme/web:v1`, and what it is called there, if that is something else.
fn running(application: &str, detail: &Json) -> String {
    let repository = detail["repository"].as_str().unwrap_or_default();
    let name = match short(detail) {
        tag if tag.starts_with("sha256:") => format!("{repository}@{tag}"),
        tag => format!("{repository}:{tag}"),
    };
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
