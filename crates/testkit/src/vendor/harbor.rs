//! What Harbor puts around a registry: projects, and `/api/v2.0`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{State, asked, is_basic, json, scope_of, unescaped};
use crate::registry::http::{Reply, Request};

pub(super) fn answer(state: &State, request: &Request) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    if path == "/service/token" {
        if !is_basic(request) {
            return unauthorized();
        }
        let scope = asked(&request.path, "scope").unwrap_or_default();
        return json(&json!({"token": state.give_token(&scope), "expires_in": 1800}));
    }
    if let Some(rest) = path.strip_prefix("/api/v2.0/") {
        return interface(state, request, rest);
    }
    let scope = scope_of(path);
    if !is_basic(request) && state.token(request).is_none_or(|it| it != scope) {
        return state.challenge("/service/token", "harbor-registry", &scope);
    }
    state.backend.pass(request, &request.path)
}

fn unauthorized() -> Reply {
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": "unauthorized"}]}).to_string();
    Reply::new(401, "application/json", body.as_bytes())
}

fn interface(state: &State, request: &Request, rest: &str) -> Reply {
    if rest == "systeminfo" {
        return json(&json!({"auth_mode": "db_auth", "harbor_version": "v2.11.0"}));
    }
    let all = state.backend.repositories();
    let parted = all.iter().filter_map(|it| it.split_once('/'));
    let parts: Vec<&str> = rest.split('/').collect();
    if request.header("authorization").is_some() && !is_basic(request) {
        return unauthorized();
    }
    match parts[..] {
        ["projects"] => {
            // Strangers see public projects, of which there are none here.
            let projects: BTreeSet<&str> = parted.map(|it| it.0).collect();
            let known = is_basic(request);
            if known && !state.lists.load(Ordering::SeqCst) {
                let body = json!({"errors": [{"code": "FORBIDDEN", "message": "forbidden"}]});
                return Reply::new(403, "application/json", body.to_string().as_bytes());
            }
            let projects = projects.into_iter().filter(|_| known);
            page(
                request,
                projects.map(|it| json!({"name": it, "project_id": 1, "repo_count": 1})).collect(),
            )
        }
        ["projects", project, "repositories"] if is_basic(request) => {
            let project = unescaped(project);
            let found = parted.filter(|it| it.0 == project);
            page(
                request,
                found.map(|(project, name)| json!({"name": format!("{project}/{name}"), "artifact_count": 1})).collect(),
            )
        }
        ["projects", project, "repositories", name, "artifacts"] if is_basic(request) => {
            // A slash in a name comes escaped twice; escaped once it would part the path.
            let name = format!("{}/{}", unescaped(project), unescaped(&unescaped(name)));
            page(request, artifacts(state, &name))
        }
        _ => unauthorized(),
    }
}

/// Every artifact of a repository, with its tags.
fn artifacts(state: &State, repository: &str) -> Vec<Value> {
    let mut all: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for tag in state.backend.tags(repository) {
        let Some(digest) = state.backend.digest(repository, &tag) else { continue };
        let at = state.when(repository, &tag);
        all.entry(digest)
            .or_default()
            .push(json!({"name": tag, "push_time": at, "immutable": false}));
    }
    let mut artifacts: Vec<Value> = all
        .into_iter()
        .map(|(digest, tags)| json!({"digest": digest, "type": "IMAGE", "tags": tags, "repository_name": repository}))
        .collect();
    let other = format!("sha256:{}", "c".repeat(64));
    artifacts.push(json!({"digest": other, "type": "CHART", "tags": [{"name": "chart"}]}));
    artifacts.push(json!({"digest": other, "type": "IMAGE", "tags": null}));
    artifacts
}

/// The page that is asked for, and where the next one is.
fn page(request: &Request, all: Vec<Value>) -> Reply {
    let number = |name: &str| asked(&request.path, name).and_then(|it| it.parse::<usize>().ok());
    let (size, page) =
        (number("page_size").unwrap_or(10).clamp(1, 100), number("page").unwrap_or(1));
    let total = all.len();
    let entries: Vec<Value> =
        all.into_iter().skip(page.saturating_sub(1) * size).take(size).collect();
    let path = request.path.split('?').next().unwrap_or_default();
    let reply = json(&Value::Array(entries)).header("X-Total-Count", &total.to_string());
    if page * size < total {
        let next = format!("<{path}?page={}&page_size={size}>; rel=\"next\"", page + 1);
        return reply.header("Link", &next);
    }
    reply
}
