//! What is about what: a list of referrers, in pages of two.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::http::{Reply, Request};
use super::{State, lock};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const PAGE: usize = 2;

impl State {
    /// The answer to whoever wants a list of referrers, from a registry that knows them.
    pub(super) fn list_referrers(
        &self,
        request: &Request,
        repository: &str,
        kind: &str,
        wanted: &str,
    ) -> Option<Reply> {
        if kind != "referrers" || !self.referrers.load(Ordering::SeqCst) {
            return None;
        }
        let from = request.path.split_once("from=").and_then(|it| it.1.parse().ok()).unwrap_or(0);
        let mut all: Vec<Value> = lock(&self.blobs)
            .iter()
            .filter(|((place, _), _)| place == repository)
            .filter_map(|((_, digest), (media_type, bytes))| {
                let json: Value = serde_json::from_slice(bytes).ok()?;
                (json["subject"]["digest"] == wanted).then(|| {
                    json!({
                        "mediaType": media_type, "digest": digest, "size": bytes.len(),
                        "artifactType": json["artifactType"], "annotations": json["annotations"],
                    })
                })
            })
            .collect();
        all.sort_by_key(|it| it["digest"].to_string());
        let page: Vec<&Value> = all.iter().skip(from).take(PAGE).collect();
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": page});
        let reply = Reply::ok(INDEX, index.to_string().as_bytes());
        if from + PAGE >= all.len() {
            return Some(reply);
        }
        let next = format!("/v2/{repository}/referrers/{wanted}?from={}", from + PAGE);
        Some(reply.header("Link", &format!("<{next}>; rel=\"next\"")))
    }
}
