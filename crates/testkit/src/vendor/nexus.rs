//! What Nexus puts around a registry: `/service/rest`, with tokens to continue with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Backend, State, asked, is_basic, json};
use crate::registry::http::{Reply, Request};
use crate::registry::lock;

const KEY: &str = "docker-hosted";
/// Components of a page: few, so that there are pages.
const PER_PAGE: usize = 10;

pub(super) fn answer(state: &State, request: &Request) -> Reply {
    if !is_basic(request) {
        return Reply::error(
            401,
            "UNAUTHORIZED",
            "access to the requested resource is not authorized",
        )
        .header("WWW-Authenticate", "Basic realm=\"Sonatype Nexus Repository Manager\"");
    }
    let path = request.path.split('?').next().unwrap_or_default();
    match path {
        "/service/rest/v1/repositories" => {
            let url = format!("http://{}/repository/", state.address);
            let one = |name: &str, format: &str| json!({"name": name, "format": format, "type": "hosted", "url": format!("{url}{name}")});
            let mut all = vec![one(KEY, "docker"), one("npm-hosted", "npm")];
            all.extend(lock(&state.others).iter().map(|it| one(&it.0, "docker")));
            json(&all.into())
        }
        "/service/rest/v1/components" | "/service/rest/v1/search" => components(state, request),
        path if path.starts_with("/service/") => Reply::new(404, "", b""),
        _ => state.any(request, &request.path),
    }
}

fn components(state: &State, request: &Request) -> Reply {
    let key = asked(&request.path, "repository").unwrap_or_default();
    let Some(backend) = state.behind(KEY, &key) else { return Reply::new(404, "", b"") };
    let wanted = asked(&request.path, "name");
    let mut all = Vec::new();
    for name in backend.repositories() {
        // A search is for words, so it may find more.
        if wanted.as_ref().is_some_and(|it| !name.contains(it.as_str())) {
            continue;
        }
        for tag in backend.tags(&name) {
            all.push(component(state, &backend, &name, &tag));
        }
    }
    let from = match asked(&request.path, "continuationToken") {
        None => 0,
        Some(token) => {
            let decoded = STANDARD.decode(token).ok().and_then(|it| String::from_utf8(it).ok());
            match decoded.and_then(|it| it.strip_prefix("after+")?.parse::<usize>().ok()) {
                Some(from) => from,
                None => return Reply::new(406, "", b""),
            }
        }
    };
    let next = from + PER_PAGE;
    let token = (next < all.len()).then(|| STANDARD.encode(format!("after+{next}")));
    let items: Vec<Value> = all.into_iter().skip(from).take(PER_PAGE).collect();
    json(&json!({"items": items, "continuationToken": token}))
}

fn component(state: &State, backend: &Backend, name: &str, tag: &str) -> Value {
    let digest = backend.digest(name, tag).unwrap_or_default();
    let path = format!("v2/{name}/manifests/{tag}");
    json!({
        "id": "ZG9ja2Vy", "repository": KEY, "format": "docker", "group": null,
        "name": name, "version": tag,
        "assets": [{
            "downloadUrl": format!("http://{}/repository/{KEY}/{path}", state.address),
            "path": path, "id": "ZG9ja2Vy", "repository": KEY, "format": "docker",
            "checksum": {"sha256": digest.trim_start_matches("sha256:")},
            "contentType": "application/vnd.docker.distribution.manifest.v2+json",
            "lastModified": state.when(name, tag).replace('Z', "+00:00"),
        }],
    })
}
