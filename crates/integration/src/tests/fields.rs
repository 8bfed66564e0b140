//! What each party documents of its webhooks, field by field, held against every body that the tests
//! send: the fixtures, and those that the stand-ins make.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::{Form, Hook, Told};

use super::{Request, requests};
use crate::ALL;

/// An event, and what stands in it: headers, and paths of fields, in parts with a blank between them.
/// `*` is each entry of a list.
const DOCUMENTED: &[(&str, &[&str])] = &[
    // <https://docs.jfrog.com/administration/docs/event-types>
    ("artifactory docker pushed", &[ARTIFACTORY, WRAPPED_IMAGE]),
    ("artifactory docker deleted", &[ARTIFACTORY, WRAPPED_IMAGE]),
    ("artifactory docker promoted", &[ARTIFACTORY, WRAPPED_IMAGE]),
    ("artifactory flat pushed", &["x-jfrog-event-auth: event_type", FLAT_IMAGE]),
    ("artifactory flat deleted", &["x-jfrog-event-auth: event_type", FLAT_IMAGE]),
    ("artifactory artifact deployed", &[ARTIFACTORY, FILE]),
    ("artifactory artifact deleted", &[ARTIFACTORY, FILE]),
    ("artifactory artifact cached", &[ARTIFACTORY, FILE]),
    ("artifactory artifact copied", &[ARTIFACTORY, FILE, FROM_TO]),
    ("artifactory artifact moved", &[ARTIFACTORY, FILE, FROM_TO]),
    // <https://learn.microsoft.com/azure/event-grid/event-schema-container-registry>
    ("azure grid ImagePushed", &[GRID, DATA, "data.target.tag", DATA_PUSHED, DATA_REQUEST]),
    ("azure grid ImageDeleted", &[GRID, DATA, DATA_REQUEST]),
    ("azure grid ChartPushed", &[GRID, DATA, CHART]),
    ("azure grid ChartDeleted", &[GRID, DATA, CHART]),
    ("azure grid SubscriptionValidationEvent", &[GRID, "data.validationCode data.validationUrl"]),
    ("azure grid SubscriptionDeletedEvent", &[GRID, "data.eventSubscriptionId"]),
    ("azure cloud ImagePushed", &[CLOUD, DATA, "data.target.tag", DATA_PUSHED, DATA_REQUEST]),
    ("azure cloud ImageDeleted", &[CLOUD, DATA, DATA_REQUEST]),
    ("azure OPTIONS", &["webhook-request-origin: webhook-request-callback: webhook-request-rate:"]),
    // <https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference>
    ("azure native push", &[NATIVE, TARGET, "target.size target.length target.tag", REQUEST]),
    ("azure native delete", &[NATIVE, TARGET, REQUEST]),
    ("azure native quarantine", &[NATIVE, TARGET, REQUEST]),
    ("azure native chart_push", &[NATIVE, TARGET, NATIVE_CHART]),
    ("azure native chart_delete", &[NATIVE, TARGET, NATIVE_CHART]),
    ("azure native ping", &[NATIVE]),
    // <https://distribution.github.io/distribution/about/notifications/>
    ("distribution push", &[NOTIFICATION, BLOB, "target.url"]),
    ("distribution pull", &[NOTIFICATION, BLOB, "target.url"]),
    ("distribution mount", &[NOTIFICATION, BLOB, "target.url target.fromRepository"]),
    ("distribution delete digest", &[NOTIFICATION, "target.digest"]),
    ("distribution delete tag", &[NOTIFICATION, "target.tag"]),
    // <https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/>
    ("harbor PUSH_ARTIFACT", &[HARBOR, HARBOR_EVENT]),
    ("harbor PULL_ARTIFACT", &[HARBOR, HARBOR_EVENT]),
    ("harbor DELETE_ARTIFACT", &[HARBOR, HARBOR_EVENT]),
    ("harbor SCANNING_COMPLETED", &[HARBOR, HARBOR_EVENT, "event_data.resources.*.scan_overview"]),
    ("harbor harbor.artifact.pushed", &[HARBOR_CLOUD, HARBOR_DATA]),
    ("harbor harbor.artifact.deleted", &[HARBOR_CLOUD, HARBOR_DATA]),
    // <https://help.sonatype.com/en/example-headers-and-payloads.html>
    ("nexus component CREATED", &[NEXUS, COMPONENT]),
    ("nexus component UPDATED", &[NEXUS, COMPONENT]),
    ("nexus component DELETED", &[NEXUS, COMPONENT]),
    ("nexus asset CREATED", &[NEXUS, ASSET]),
    ("nexus asset DELETED", &[NEXUS, ASSET]),
];

const ARTIFACTORY: &str =
    "x-jfrog-event-auth: domain event_type data subscription_key jpd_origin source";
const WRAPPED_IMAGE: &str = "data.repo_key data.event_type data.path data.name data.sha256 \
                             data.size data.image_name data.tag data.platforms";
const FLAT_IMAGE: &str = "repo_key path name sha256 size image_name tag platforms";
const FILE: &str = "data.repo_key data.path data.name data.sha256 data.size";
const FROM_TO: &str = "data.source_repo_path data.target_repo_path";
const GRID: &str = "aeg-event-type: aeg-subscription-name: aeg-delivery-count: aeg-data-version: \
                    aeg-metadata-version: id topic subject eventType eventTime data dataVersion \
                    metadataVersion";
const CLOUD: &str = "origin: id source subject type time data specversion";
const DATA: &str = "data.id data.timestamp data.action data.target.mediaType data.target.digest \
                    data.target.repository";
const DATA_PUSHED: &str = "data.target.size data.target.length";
const DATA_REQUEST: &str =
    "data.request.id data.request.host data.request.method data.request.useragent";
const CHART: &str = "data.target.size data.target.tag data.target.name data.target.version";
const NATIVE: &str = "user-agent: id timestamp action";
const TARGET: &str = "target.mediaType target.digest target.repository";
const REQUEST: &str = "request.id request.host request.method request.useragent";
const NATIVE_CHART: &str = "target.size target.tag target.name target.version";
const NOTIFICATION: &str = "id timestamp action target.repository request.id request.addr \
                            request.host request.method request.useragent actor source.addr \
                            source.instanceID";
const BLOB: &str = "target.mediaType target.size target.digest target.length";
const HARBOR: &str = "authorization: type occur_at operator";
const HARBOR_EVENT: &str = "event_data.resources.*.digest event_data.resources.*.tag \
                            event_data.resources.*.resource_url \
                            event_data.repository.date_created event_data.repository.name \
                            event_data.repository.namespace event_data.repository.repo_full_name \
                            event_data.repository.repo_type";
const HARBOR_CLOUD: &str = "authorization: specversion id source type datacontenttype time \
                            requestid operator";
const HARBOR_DATA: &str = "data.resources.*.digest data.resources.*.tag \
                           data.resources.*.resource_url data.repository.date_created \
                           data.repository.name data.repository.namespace \
                           data.repository.repo_full_name data.repository.repo_type";
const NEXUS: &str = "x-nexus-webhook-id: x-nexus-webhook-delivery: timestamp nodeId initiator \
                     repositoryName action";
const COMPONENT: &str = "component.id component.componentId component.format component.name \
                         component.group component.version";
const ASSET: &str = "asset.id asset.assetId asset.format asset.name";

#[test]
fn every_body_has_the_documented_fields() {
    let mut seen = BTreeSet::new();
    let mut sent: Vec<(&str, Request)> = Vec::new();
    for kind in ALL {
        sent.extend(requests(kind).into_iter().map(|it| (kind.id, it)));
    }
    for form in Form::ALL {
        sent.extend([true, false].map(|pushed| (form.vendor(), stood_in(form, pushed))));
    }
    sent.push(("azure", request("a handshake", Hook::validation("x"))));
    for (kind, request) in &sent {
        for (event, value) in events(kind, request) {
            let parts = DOCUMENTED.iter().find(|it| it.0 == event);
            let (event, parts) = parts.unwrap_or_else(|| panic!("{}: {event}", request.name));
            for word in parts.iter().flat_map(|it| it.split_whitespace()) {
                let is_there = match word.strip_suffix(':') {
                    Some(header) => request.headers.contains_key(header),
                    None => has(&value, &word.split('.').collect::<Vec<_>>()),
                };
                assert!(is_there, "{kind} {}: {event} has no {word}", request.name);
            }
            seen.insert(*event);
        }
    }
    let missing: Vec<&str> =
        DOCUMENTED.iter().map(|it| it.0).filter(|it| !seen.contains(it)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "nobody sends one of those");
}

fn stood_in(form: Form, pushed: bool) -> Request {
    let told = Told {
        pushed,
        registry: "acme.azurecr.io".to_owned(),
        repository: "team/app".to_owned(),
        tag: "1.0".to_owned(),
        digest: format!("sha256:{}", "1".repeat(64)),
        id: "1".to_owned(),
        at: "2026-11-21T10:00:00Z".to_owned(),
        seconds: 1_795_255_200,
    };
    request(&format!("{form:?}"), Hook::new(form, &told, super::SECRET))
}

fn request(name: &str, hook: Hook) -> Request {
    let headers = hook.headers.iter().map(|(name, value)| {
        (name.parse::<http::HeaderName>().unwrap(), value.parse::<http::HeaderValue>().unwrap())
    });
    Request {
        name: name.to_owned(),
        method: hook.method.parse().unwrap(),
        query: String::new(),
        headers: headers.collect(),
        body: hook.body,
    }
}

/// The events of a delivery, each with the name that it has above.
fn events(kind: &str, request: &Request) -> Vec<(String, Value)> {
    if request.method != http::Method::POST {
        return vec![(format!("{kind} {}", request.method), Value::Null)];
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let all = match &body {
        Value::Array(all) => all.clone(),
        body if kind == "distribution" => body["events"].as_array().unwrap().clone(),
        body => vec![body.clone()],
    };
    all.into_iter().map(|it| (format!("{kind} {}", named(kind, &it)), it)).collect()
}

fn named(kind: &str, event: &Value) -> String {
    let text = |key: &str| event[key].as_str().unwrap_or_default();
    let last = |key: &str| text(key).rsplit('.').next().unwrap_or_default().to_owned();
    match kind {
        "artifactory" if event.get("data").is_none() => format!("flat {}", text("event_type")),
        "artifactory" => format!("{} {}", text("domain"), text("event_type")),
        "azure" if event.get("eventType").is_some() => format!("grid {}", last("eventType")),
        "azure" if event.get("specversion").is_some() => format!("cloud {}", last("type")),
        "azure" => format!("native {}", text("action")),
        "distribution" if text("action") == "delete" => {
            let what = if event["target"].get("tag").is_some() { "tag" } else { "digest" };
            format!("delete {what}")
        }
        "distribution" => text("action").to_owned(),
        "harbor" => text("type").to_owned(),
        _ => {
            let about = if event.get("asset").is_some() { "asset" } else { "component" };
            format!("{about} {}", text("action"))
        }
    }
}

/// Is there such a field, and in each entry of a list?
fn has(value: &Value, path: &[&str]) -> bool {
    match (path, value) {
        ([], _) => true,
        (["*", rest @ ..], Value::Array(all)) => {
            !all.is_empty() && all.iter().all(|it| has(it, rest))
        }
        ([first, rest @ ..], value) => value.get(first).is_some_and(|it| has(it, rest)),
    }
}
