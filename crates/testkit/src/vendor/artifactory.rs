//! What Artifactory puts around a registry: `/artifactory`, and names with a repository's key.

use std::collections::BTreeSet;

use serde_json::json;

use super::{PASSWORD, State, asked, is_basic, json, scope_of};
use crate::registry::http::{Reply, Request};
use crate::registry::lock;

const KEY: &str = "docker-local";
/// The virtual repository that has what all of them have.
const VIRTUAL: &str = "docker";

pub(super) fn answer(state: &State, request: &Request) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    let query = request.path.split_once('?').map(|it| format!("?{}", it.1)).unwrap_or_default();
    if path.ends_with("/v2/token") {
        if !is_known(request) {
            return refusal();
        }
        let scope = asked(&request.path, "scope").unwrap_or_default();
        return json(&json!({"token": state.give_token(&scope), "expires_in": 3600}));
    }
    if let Some(rest) = path.strip_prefix("/artifactory/") {
        if !is_known(request) {
            return refusal();
        }
        return interface(state, request, rest, &query);
    }
    // Names may have the key in the path, or in the host.
    let Some(rest) = path.strip_prefix("/v2/") else {
        return Reply::error(404, "UNSUPPORTED", "no such page");
    };
    let in_host = request.header("host").is_some_and(|it| it.starts_with(KEY));
    let rest = if in_host {
        rest
    } else {
        rest.strip_prefix(KEY).map_or(rest, |it| it.trim_start_matches('/'))
    };
    let is_let_in = is_known(request) || state.token(request).is_some();
    if !is_let_in {
        let token = format!("/artifactory/api/docker/{KEY}/v2/token");
        return state.challenge(&token, &state.address.to_string(), &scope_of(path));
    }
    state.backend.pass(request, &format!("/v2/{rest}{query}"))
}

/// Password, access token, or API key.
fn is_known(request: &Request) -> bool {
    is_basic(request)
        || request.header("authorization") == Some(&format!("Bearer {PASSWORD}"))
        || request.header("x-jfrog-art-api") == Some(PASSWORD)
}

fn refusal() -> Reply {
    let body = json!({"errors": [{"status": 401, "message": "Bad credentials"}]}).to_string();
    Reply::new(401, "application/json", body.as_bytes())
        .header("WWW-Authenticate", "Basic realm=\"Artifactory Realm\"")
}

fn interface(state: &State, request: &Request, rest: &str, query: &str) -> Reply {
    let url = format!("http://{}/artifactory", state.address);
    if rest == "api/system/ping" {
        return Reply::ok("text/plain", b"OK");
    }
    if rest == "api/repositories" {
        let wanted = asked(&request.path, "packageType").unwrap_or("docker".to_owned());
        let others = lock(&state.others);
        let through = Some((VIRTUAL, "Docker")).filter(|_| !others.is_empty());
        let others = others.iter().map(|it| (it.0.as_str(), "Docker"));
        let all: Vec<_> = [(KEY, "Docker"), ("libs-release", "Maven")]
            .into_iter()
            .chain(others)
            .chain(through)
            .filter(|it| it.1.eq_ignore_ascii_case(&wanted))
            .map(|(key, kind)| json!({"key": key, "description": "", "type": "LOCAL", "url": format!("{url}/{key}"), "packageType": kind}))
            .collect();
        return json(&all.into());
    }
    if let Some((key, path)) = rest.strip_prefix("api/docker/").and_then(|it| it.split_once("/v2/"))
    {
        let path = format!("/v2/{path}{query}");
        if key == VIRTUAL {
            return state.any(request, &path);
        }
        if let Some(backend) = state.behind(KEY, key) {
            return backend.pass(request, &path);
        }
    }
    if rest == "api/search/aql" && request.method == "POST" {
        return search(state, &request.body);
    }
    if rest == "event/api/v1/subscriptions" {
        let mut kept = lock(&state.subscriptions);
        if request.method == "POST" {
            kept.push(serde_json::from_slice(&request.bytes).unwrap_or_default());
            return Reply::new(201, "application/json", b"");
        }
        return json(&serde_json::Value::Array(kept.clone()));
    }
    Reply::error(404, "NOT_FOUND", "File not found.")
}

/// The little of its query language that asks for what changed.
fn search(state: &State, query: &str) -> Reply {
    let word = |start: &str, end: &str| {
        let (_, rest) = query.split_once(start)?;
        rest.split_once(end).map(|it| it.0.to_owned())
    };
    if word("items.find(", ")").is_none() || word("\"repo\":\"", "\"").as_deref() != Some(KEY) {
        return Reply::new(400, "text/plain", b"Failed to parse query");
    }
    let since = word("{\"$gt\":\"", "\"").unwrap_or_default();
    let since = since.trim_end_matches('Z');
    let number = |name: &str| word(name, ")").and_then(|it| it.parse::<usize>().ok());
    let (offset, limit) =
        (number(".offset(").unwrap_or(0), number(".limit(").unwrap_or(usize::MAX));
    let mut rows = BTreeSet::new();
    for repository in state.backend.repositories() {
        for tag in state.backend.tags(&repository) {
            let at = state.when(&repository, &tag);
            if at.trim_end_matches('Z') > since {
                rows.insert((at, repository.clone(), tag));
            }
        }
    }
    let total = rows.len();
    let page: Vec<_> = rows
        .into_iter()
        .skip(offset)
        .take(limit)
        .map(|(at, repository, tag)| {
            let digest = state.backend.digest(&repository, &tag).unwrap_or_default();
            json!({
                "repo": KEY, "path": format!("{repository}/{tag}"), "name": "manifest.json",
                "sha256": digest.trim_start_matches("sha256:"), "modified": at,
            })
        })
        .collect();
    let range = json!({"start_pos": offset, "end_pos": offset + page.len(), "total": total});
    json(&json!({"results": page, "range": range}))
}
