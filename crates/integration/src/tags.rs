//! The tags of one repository, for whoever looks at them once: read within a budget of questions.

use image::{Desk, Failure, Question, Verb};
use model::Gap;

use crate::contract::Listed;
use crate::shared::{links, names};

/// Questions that a list may take,
const QUESTIONS: usize = 100;
/// and tags that are looked at.
const TAGS: usize = 200_000;
/// Bytes of one page.
const PAGE: usize = 32 << 20;

/// The tags of a repository, as far as the budget goes: what is beyond it is a gap.
pub async fn tags(desk: &Desk, repository: &str) -> Result<Listed<String>, Failure> {
    let desk = desk.about(repository);
    let what = format!("the tags of {repository}");
    let mut listed = Listed::default();
    let mut path = format!("/v2/{repository}/tags/list?n=1000");
    for asked in 1..=QUESTIONS {
        let question = Question { path: &path, verb: Verb::Get, accept: None, limit: PAGE };
        let reply = match desk.ask(&question).await {
            Ok(reply) => reply,
            Err(failure) if asked == 1 => return Err(failure),
            Err(failure) => {
                let why = format!("page {asked}: {}", failure.error.why());
                listed.lose(&what, why, &failure);
                return Ok(listed);
            }
        };
        let value: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(page) = value.get("tags").filter(|it| it.is_array() || it.is_null()) else {
            let error = image::Error::unavailable(desk.host(), format!("{what}: it is no list"));
            return Err(error.into());
        };
        // What is no tag is named by nobody, so it is nothing to stand on.
        let page = page.as_array().into_iter().flatten().filter_map(|it| names::tag(it.as_str()?));
        let room = TAGS - listed.all.len();
        listed.all.extend(page.take(room));
        if listed.all.len() >= TAGS {
            break;
        }
        let Some(link) = links::next(reply.headers("link")) else { return Ok(listed) };
        let Some(next) = desk.follow(&path, &link).filter(|it| *it != path) else {
            listed.gaps.push(Gap::new(&what, "its next page is elsewhere"));
            return Ok(listed);
        };
        path = next;
    }
    listed.gaps.push(Gap::new(&what, "there are more than are looked at"));
    Ok(listed)
}
