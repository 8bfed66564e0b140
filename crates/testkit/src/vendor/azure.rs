//! What Azure puts around a registry: tokens for scopes, and `/acr/v1`.

use std::sync::atomic::Ordering;

use serde_json::json;

use super::{PASSWORD, State, USER, asked, is_basic, json, scope_of, unescaped};
use crate::registry::http::{Reply, Request};
use crate::registry::lock;

pub(super) fn answer(state: &State, request: &Request) -> Reply {
    let path = request.path.split('?').next().unwrap_or_default();
    match (request.method.as_str(), path) {
        ("GET", "/oauth2/token") if is_basic(request) => {
            return give(state, &asked(&request.path, "scope").unwrap_or_default());
        }
        ("POST", "/oauth2/token") => return posted(state, &request.body),
        ("POST", "/oauth2/exchange") => {
            return json(&json!({"refresh_token": format!("refresh-{PASSWORD}")}));
        }
        (_, "/oauth2/token") => return denied("", ""),
        _ => {}
    }
    let own = path.strip_prefix("/acr/v1/").map(unescaped);
    let own = own.as_deref();
    let scope = match own {
        Some("_catalog") => "registry:catalog:*".to_owned(),
        Some(rest) => {
            let name = rest.split("/_").next().unwrap_or_default();
            format!("repository:{name}:metadata_read")
        }
        None => scope_of(path),
    };
    // Basic is taken, too; a token only for what it was given for.
    let is_let_in =
        is_basic(request) || state.token(request).is_some_and(|it| it == scope || scope.is_empty());
    if !is_let_in {
        return state.challenge("/oauth2/token", &state.address.to_string(), &scope);
    }
    match own {
        None => state.backend.pass(request, &request.path),
        Some(rest) => interface(state, request, rest),
    }
}

/// A token for a scope, as far as the scope map goes.
fn give(state: &State, scope: &str) -> Reply {
    if scope.starts_with("registry:catalog") && !state.lists.load(Ordering::SeqCst) {
        return denied("registry", "catalog");
    }
    // It is called by its other name here.
    json(&json!({"access_token": state.give_token(scope)}))
}

fn posted(state: &State, body: &str) -> Reply {
    let given = |name: &str| {
        let pairs = body.split('&').filter_map(|it| it.split_once('='));
        pairs.filter(|(it, _)| *it == name).map(|(_, value)| unescaped(value)).next()
    };
    let is_known = match given("grant_type").as_deref() {
        Some("refresh_token") => given("refresh_token") == Some(format!("refresh-{PASSWORD}")),
        Some("password") => {
            given("username").as_deref() == Some(USER)
                && given("password").as_deref() == Some(PASSWORD)
        }
        _ => false,
    };
    if is_known { give(state, &given("scope").unwrap_or_default()) } else { denied("", "") }
}

fn denied(kind: &str, name: &str) -> Reply {
    let detail = json!([{"Type": kind, "Name": name, "Action": "*"}]);
    let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": "authentication required, visit https://aka.ms/acr/authorization for more information.", "detail": detail}]});
    Reply::new(401, "application/json", body.to_string().as_bytes())
}

fn interface(state: &State, request: &Request, rest: &str) -> Reply {
    let registry = state.address.to_string();
    let attributes = json!({"deleteEnabled": true, "writeEnabled": true, "listEnabled": true, "readEnabled": true});
    if rest == "_catalog" {
        return json(&json!({"repositories": state.backend.repositories()}));
    }
    if let Some(name) = rest.strip_suffix("/_tags") {
        let count = asked(&request.path, "n").and_then(|it| it.parse().ok()).unwrap_or(100_usize);
        let mut tags = state.backend.tags(name);
        tags.sort_by_key(|tag| (state.when(name, tag), tag.clone()));
        if asked(&request.path, "orderby").as_deref() == Some("timedesc") {
            tags.reverse();
        }
        let after = asked(&request.path, "last");
        let from =
            after.and_then(|last| Some(tags.iter().position(|it| *it == last)? + 1)).unwrap_or(0);
        let page: Vec<_> = tags
            .iter()
            .skip(from)
            .take(count)
            .map(|tag| {
                let at = state.when(name, tag);
                json!({"name": tag, "digest": state.backend.digest(name, tag), "createdTime": at, "lastUpdateTime": at, "signed": false, "changeableAttributes": attributes})
            })
            .collect();
        return json(&json!({"registry": registry, "imageName": name, "tags": page}));
    }
    let known = lock(&state.changed).keys().any(|it| it.0 == rest);
    if !known && !state.backend.repositories().iter().any(|it| it == rest) {
        return Reply::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    }
    let count = state.backend.tags(rest).len();
    json(
        &json!({"registry": registry, "imageName": rest, "tagCount": count, "manifestCount": count, "changeableAttributes": attributes}),
    )
}
