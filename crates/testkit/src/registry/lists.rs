//! Lists: the catalog and the tags of a repository, in pages.

use serde_json::json;

use super::http::{Reply, Request};
use super::{State, lock};

impl State {
    /// The answer to whoever wants a list; `None` to whoever wants something else.
    pub(super) fn list(&self, request: &Request) -> Option<Reply> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let tags = lock(&self.tags);
        if path == "/v2/" {
            return Some(Reply::ok("application/json", b"{}"));
        }
        let (mut all, name): (Vec<String>, _) = if path == "/v2/_catalog" {
            (tags.keys().map(|(repository, _)| repository.clone()).collect(), None)
        } else {
            let name = path.strip_prefix("/v2/")?.strip_suffix("/tags/list")?;
            (tags.keys().filter(|it| it.0 == name).map(|it| it.1.clone()).collect(), Some(name))
        };
        if name.is_some() && all.is_empty() {
            return Some(Reply::error(
                404,
                "NAME_UNKNOWN",
                "repository name not known to registry",
            ));
        }
        all.sort();
        all.dedup();
        Some(page(path, query, all, |page| match name {
            None => json!({"repositories": page}),
            Some(name) => json!({"name": name, "tags": page}),
        }))
    }
}

/// The part of `all` that `query` asks for by `n` and `last`, and where the next one is.
pub(crate) fn page(
    path: &str,
    query: &str,
    all: Vec<String>,
    body: impl Fn(&[String]) -> serde_json::Value,
) -> Reply {
    let given = |name: &str| {
        let pairs = query.split('&').filter_map(|it| it.split_once('='));
        pairs.filter(|(it, _)| *it == name).map(|(_, value)| value.replace("%2F", "/")).next()
    };
    let count = given("n").and_then(|it| it.parse::<usize>().ok()).unwrap_or(100).max(1);
    let last = given("last").unwrap_or_default();
    let rest: Vec<String> = all.into_iter().filter(|it| *it > last).collect();
    let page = rest.get(..count).unwrap_or(&rest);
    let reply = Reply::ok("application/json", body(page).to_string().as_bytes());
    match page.last() {
        Some(last) if page.len() < rest.len() => {
            let last = last.replace('/', "%2F");
            reply.header("Link", &format!("<{path}?last={last}&n={count}>; rel=\"next\""))
        }
        _ => reply,
    }
}
