//! What a request is answered with.

use std::io;

use serde_json::{Value, json};

use super::{Shared, Upset, described, discovery, table};
use crate::registry::http::{Reply, Request, Stream, write_reply};
use crate::registry::lock;
use crate::vendor::asked;

/// What a request is about.
pub(super) struct Asked {
    pub(super) resource: String,
    pub(super) namespace: Option<String>,
    name: Option<String>,
    pub(super) query: String,
    pub(super) as_table: bool,
}

impl Asked {
    /// `/api/v1/namespaces/shop/pods/web?…`
    fn of(request: &Request) -> Option<Self> {
        let path = request.path.split('?').next().unwrap_or_default();
        let rest = path.strip_prefix("/api/v1/").or_else(|| path.strip_prefix("/apis/apps/v1/"))?;
        let parts: Vec<&str> = rest.split('/').collect();
        let (namespace, resource, name) = match parts.as_slice() {
            ["namespaces"] => (None, "namespaces", None),
            ["namespaces", name] => (None, "namespaces", Some(*name)),
            ["namespaces", namespace, resource] => (Some(*namespace), *resource, None),
            ["namespaces", namespace, resource, name] => (Some(*namespace), *resource, Some(*name)),
            [resource] => (None, *resource, None),
            [resource, name] => (None, *resource, Some(*name)),
            _ => return None,
        };
        let accept = request.header("accept").unwrap_or_default();
        Some(Self {
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.map(str::to_owned),
            query: request.path.clone(),
            as_table: accept.split(',').next().is_some_and(|it| it.contains("as=Table")),
        })
    }

    pub(super) fn value(&self, name: &str) -> Option<String> {
        asked(&self.query, name)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.value(name)?.parse().ok()
    }
}

impl Shared {
    /// True when the connection may go on.
    pub(super) fn answer(&self, request: &Request, stream: &mut dyn Stream) -> io::Result<bool> {
        if let Some(document) = discovery::document(&request.path) {
            return write_reply(stream, &found(&document), false);
        }
        let known = |it: &Asked| described(&it.resource).0 != "Unknown";
        let Some(about) = Asked::of(request).filter(known) else {
            let status =
                status(404, "NotFound", "the server could not find the requested resource");
            return write_reply(stream, &refusal(404, &status), false);
        };
        let is_watch = matches!(about.value("watch").as_deref(), Some("1" | "true"));
        let verb = match (&about.name, is_watch) {
            (Some(_), _) => "get",
            (None, true) => "watch",
            (None, false) => "list",
        };
        let right = (verb.to_owned(), about.resource.clone());
        let (upset, refused) = {
            let mut state = lock(&self.state);
            state.asked.insert(right.clone());
            state.lists += u64::from(verb == "list" && about.value("continue").is_none());
            let shown = request.header("authorization").and_then(|it| it.strip_prefix("Bearer "));
            let refused = if state.token.as_deref().is_some_and(|it| shown != Some(it)) {
                Some((401, status(401, "Unauthorized", "Unauthorized")))
            } else if state.allowed.as_ref().is_some_and(|it| !it.contains(&right)) {
                let why = format!(
                    "{} is forbidden: User \"tester\" cannot {verb} resource \"{}\" in API group \
                     \"\" at the cluster scope",
                    about.resource, about.resource
                );
                Some((403, status(403, "Forbidden", &why)))
            } else {
                None
            };
            (state.upsets.get_mut(&right).and_then(std::collections::VecDeque::pop_front), refused)
        };
        if let Some((code, status)) = refused {
            return write_reply(stream, &refusal(code, &status), false);
        }
        match upset {
            Some(Upset::Refuse(code)) => {
                let status = status(code, "InternalError", "it was told to");
                return write_reply(stream, &refusal(code, &status), false);
            }
            Some(Upset::Hang) => {
                // Until the client gives up.
                let _ = stream.read(&mut [0]);
                return Ok(false);
            }
            _ => {}
        }
        match verb {
            "watch" => self.watch(&about, upset, stream),
            "list" => {
                let mut reply = self.list(&about);
                match upset {
                    Some(Upset::Cut) => reply.break_after = Some(reply.body.len() / 2),
                    Some(Upset::Junk) => reply.body = b"<html>a proxy</html>".to_vec(),
                    _ => {}
                }
                write_reply(stream, &reply, false)
            }
            _ => write_reply(stream, &self.one(&about), false),
        }
    }

    fn one(&self, about: &Asked) -> Reply {
        let state = lock(&self.state);
        let (namespace, name) = (about.namespace.clone(), about.name.clone());
        let key = (about.resource.clone(), namespace.unwrap_or_default(), name.unwrap_or_default());
        match state.objects.get(&key) {
            Some(object) if about.as_table => found(&table::of(&about.resource, &[object], "")),
            Some(object) => found(object),
            None => {
                let why = format!("{} \"{}\" not found", about.resource, key.2);
                refusal(404, &status(404, "NotFound", &why))
            }
        }
    }

    fn list(&self, about: &Asked) -> Reply {
        let mut state = lock(&self.state);
        let limit = about.number("limit").filter(|it| *it > 0).unwrap_or(u64::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let token = about.value("continue").filter(|it| !it.is_empty());
        let (version, mut items) = if let Some(token) = token {
            // Goes on with what was there when it began.
            let Some(rest) = state.rests.remove(&token) else {
                let why = "The provided continue parameter is too old";
                return refusal(410, &status(410, "Expired", why));
            };
            rest
        } else {
            let matching = state.objects.iter().filter(|((resource, namespace, _), _)| {
                *resource == about.resource
                    && about.namespace.as_ref().is_none_or(|it| it == namespace)
            });
            let items = matching.map(|(_, it)| it.clone()).collect();
            (state.version, items)
        };
        let rest = if items.len() > limit { items.split_off(limit) } else { Vec::new() };
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if !rest.is_empty() {
            state.parts += 1;
            let token = format!("rest-{}", state.parts);
            metadata["continue"] = token.clone().into();
            metadata["remainingItemCount"] = rest.len().into();
            state.rests.insert(token, (version, rest));
        }
        if about.as_table {
            let items: Vec<&Value> = items.iter().collect();
            let mut table = table::of(&about.resource, &items, &version.to_string());
            table["metadata"] = metadata;
            return found(&table);
        }
        let (kind, group) = described(&about.resource);
        found(&json!({
            "kind": format!("{kind}List"), "apiVersion": group, "metadata": metadata, "items": items,
        }))
    }
}

fn found(document: &Value) -> Reply {
    Reply::ok("application/json", document.to_string().as_bytes())
}

fn refusal(code: u16, status: &Value) -> Reply {
    Reply::new(code, "application/json", status.to_string().as_bytes())
}

pub(super) fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    })
}
