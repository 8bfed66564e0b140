//! Webhooks as each vendor sends them, in every form and with every proof that it knows.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;

use ring::hmac;
use serde_json::{Value, json};

use super::backend::read_answer;

/// What happened, to be told.
#[derive(Clone, Debug)]
pub struct Told {
    /// Was it pushed, or deleted?
    pub pushed: bool,
    /// Host that images are pulled from.
    pub registry: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it leads to.
    pub digest: String,
    /// The event's own number, which vendors that number events send along.
    pub id: String,
    /// When, in RFC 3339 with `Z`.
    pub at: String,
    /// The same in seconds since 1970.
    pub seconds: i64,
}

/// A way of telling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Artifactory, as it is now.
    ArtifactoryWrapped,
    /// Artifactory, as it was.
    ArtifactoryFlat,
    /// Artifactory, wrapped, and signed with the secret.
    ArtifactorySigned,
    /// Azure's Event Grid, in its own schema.
    EventGrid,
    /// Azure's Event Grid, as CloudEvents.
    AzureCloudEvents,
    /// The Azure registry's own webhooks.
    AzureNative,
    /// Harbor's own format.
    Harbor,
    /// Harbor, as CloudEvents.
    HarborCloudEvents,
    /// Nexus, of a component.
    NexusComponent,
    /// Nexus, of an asset.
    NexusAsset,
}

impl Form {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::ArtifactoryWrapped,
        Self::ArtifactoryFlat,
        Self::ArtifactorySigned,
        Self::EventGrid,
        Self::AzureCloudEvents,
        Self::AzureNative,
        Self::Harbor,
        Self::HarborCloudEvents,
        Self::NexusComponent,
        Self::NexusAsset,
    ];

    /// Whose it is: `artifactory`.
    pub fn vendor(self) -> &'static str {
        match self {
            Self::ArtifactoryWrapped | Self::ArtifactoryFlat | Self::ArtifactorySigned => {
                "artifactory"
            }
            Self::EventGrid | Self::AzureCloudEvents | Self::AzureNative => "azure",
            Self::Harbor | Self::HarborCloudEvents => "harbor",
            Self::NexusComponent | Self::NexusAsset => "nexus",
        }
    }
}

/// A request that tells of something.
#[derive(Clone, Debug)]
pub struct Hook {
    /// `POST`, or `OPTIONS`.
    pub method: String,
    /// Where it came to, with the query; empty until it is sent.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Hook {
    /// Tells of it in this form, with proof of knowing the secret; an empty one is none.
    pub fn new(form: Form, told: &Told, secret: &str) -> Self {
        let (kind, body) = body(form, told);
        let body = body.to_string().into_bytes();
        let mut headers = vec![("content-type".to_owned(), kind.to_owned())];
        let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
        match form {
            Form::NexusComponent | Form::NexusAsset => {
                let about = if form == Form::NexusAsset { "asset" } else { "component" };
                header("x-nexus-webhook-id", format!("rm:repository:{about}"));
                header("x-nexus-webhook-delivery", "617959ce-3f1f-45a8-9e52-71007814e8a2".into());
            }
            Form::EventGrid => grid("Notification").for_each(|(name, value)| header(name, value)),
            Form::AzureCloudEvents => header("origin", "eventgrid.azure.net".into()),
            Form::AzureNative => header("user-agent", "AzureContainerRegistry/1.0".into()),
            _ => {}
        }
        if !secret.is_empty() {
            match form {
                Form::ArtifactoryWrapped | Form::ArtifactoryFlat => {
                    header("x-jfrog-event-auth", secret.to_owned());
                }
                Form::ArtifactorySigned => {
                    header("x-jfrog-event-auth", signed(hmac::HMAC_SHA256, secret, &body));
                }
                Form::EventGrid | Form::AzureCloudEvents => {
                    header("authorization", format!("Bearer {secret}"));
                }
                Form::AzureNative => header("x-webhook-secret", secret.to_owned()),
                Form::Harbor | Form::HarborCloudEvents => {
                    header("authorization", secret.to_owned());
                }
                Form::NexusComponent | Form::NexusAsset => header(
                    "x-nexus-webhook-signature",
                    signed(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret, &body),
                ),
            }
        }
        Self::posted(headers, body)
    }

    fn posted(headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        Self { method: "POST".to_owned(), path: String::new(), headers, body }
    }

    /// Event Grid's question whether somebody is here.
    pub fn validation(code: &str) -> Self {
        let body = json!([{
            "id": "v", "topic": "/subscriptions/0/registries/acme", "subject": "",
            "data": {"validationCode": code, "validationUrl": "https://eventgrid.example/validate"},
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": "2026-11-21T10:00:00Z", "metadataVersion": "1", "dataVersion": "1",
        }]);
        let kind = "application/json; charset=utf-8".to_owned();
        let mut headers = vec![("content-type".to_owned(), kind)];
        let more = grid("SubscriptionValidation");
        headers.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Self::posted(headers, body.to_string().into_bytes())
    }

    /// The question that CloudEvents ask first, in this name.
    pub fn options(origin: &str) -> Self {
        let headers = vec![
            ("webhook-request-origin".to_owned(), origin.to_owned()),
            ("webhook-request-rate".to_owned(), "120".to_owned()),
        ];
        Self { method: "OPTIONS".to_owned(), ..Self::posted(headers, Vec::new()) }
    }

    /// Sends it to `http://host/path`; what is answered.
    pub fn send(&self, host: &str, path: &str) -> Option<Answered> {
        let mut stream = TcpStream::connect(host).ok()?;
        let (method, length) = (&self.method, self.body.len());
        let mut head =
            format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: {length}\r\n");
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        // At once: in two parts, the second would wait for word of the first.
        let whole = [head.as_bytes(), b"\r\n", &self.body].concat();
        stream.write_all(&whole).ok()?;
        let (status, headers, body) = read_answer(&mut stream, false)?;
        Some(Answered { status, headers, body })
    }
}

/// What somebody answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// 200.
    pub status: u16,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answered {
    /// Nothing but that.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
    }
}

/// What Event Grid says beside the body.
fn grid(kind: &str) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("aeg-event-type", kind),
        ("aeg-subscription-name", "IMAGE-CHANGE"),
        ("aeg-delivery-count", "0"),
        ("aeg-data-version", "1.0"),
        ("aeg-metadata-version", "1"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
}

fn signed(algorithm: hmac::Algorithm, secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), body);
    tag.as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The type of the body, and the body.
fn body(form: Form, told: &Told) -> (&'static str, Value) {
    let Told { pushed, registry, repository, tag, digest, id, at, seconds } = told;
    let hex = digest.trim_start_matches("sha256:");
    let path = format!("{repository}/{tag}/manifest.json");
    let docker = json!({
        "repo_key": "docker-local", "event_type": if *pushed { "pushed" } else { "deleted" },
        "path": path, "name": "manifest.json", "sha256": hex, "size": 949,
        "image_name": repository.rsplit('/').next(), "image_type": "docker", "tag": tag,
        "platforms": [],
    });
    let mut target = json!({
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "digest": digest, "repository": repository,
    });
    if *pushed {
        target["tag"] = json!(tag);
        target["size"] = json!(949);
        target["length"] = json!(949);
    }
    let action = if *pushed { "push" } else { "delete" };
    let native = json!({
        "id": id, "timestamp": at, "action": action, "target": target,
        "request": {"id": id, "host": registry, "method": "PUT", "useragent": "docker"},
    });
    let name = registry.split(['.', ':']).next().unwrap_or_default();
    let topic = format!(
        "/subscriptions/0/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{name}"
    );
    let subject = format!("{repository}:{tag}");
    let azure = if *pushed {
        "Microsoft.ContainerRegistry.ImagePushed"
    } else {
        "Microsoft.ContainerRegistry.ImageDeleted"
    };
    let (namespace, short) = repository.split_once('/').unwrap_or(("library", repository));
    let harbor = json!({
        "resources": [{"digest": digest, "tag": tag, "resource_url": format!("{registry}/{repository}:{tag}")}],
        "repository": {"date_created": seconds, "name": short, "namespace": namespace, "repo_full_name": repository, "repo_type": "private"},
    });
    let nexus = |about: &str, detail: Value| {
        json!({
            "timestamp": at.replace('Z', ".000+0000"), "nodeId": "n", "initiator": "ada/127.0.0.1",
            "repositoryName": "docker-hosted", "action": if *pushed { "CREATED" } else { "DELETED" },
            about: detail,
        })
    };
    match form {
        Form::ArtifactoryWrapped | Form::ArtifactorySigned => (
            "application/json",
            json!({"domain": "docker", "event_type": docker["event_type"], "data": docker, "subscription_key": "foretop", "jpd_origin": "", "source": "jfrog/ada"}),
        ),
        Form::ArtifactoryFlat => ("application/json", docker),
        Form::EventGrid => (
            "application/json; charset=utf-8",
            json!([{"id": id, "topic": topic, "subject": subject, "eventType": azure, "eventTime": at, "data": native, "dataVersion": "1.0", "metadataVersion": "1"}]),
        ),
        Form::AzureCloudEvents => (
            "application/cloudevents+json; charset=utf-8",
            json!({"id": id, "source": topic, "subject": subject, "type": azure, "time": at, "data": native, "specversion": "1.0"}),
        ),
        Form::AzureNative => ("application/json; charset=utf-8", native),
        Form::Harbor => (
            "application/json",
            json!({"type": if *pushed { "PUSH_ARTIFACT" } else { "DELETE_ARTIFACT" }, "occur_at": seconds, "operator": "ada", "event_data": harbor}),
        ),
        Form::HarborCloudEvents => (
            "application/cloudevents+json",
            json!({"specversion": "1.0", "id": id, "requestid": id, "source": "/projects/2/webhook/policies/15", "type": if *pushed { "harbor.artifact.pushed" } else { "harbor.artifact.deleted" }, "datacontenttype": "application/json", "time": at, "operator": "ada", "data": harbor}),
        ),
        Form::NexusComponent => (
            "application/json; charset=UTF-8",
            nexus(
                "component",
                json!({"id": "1", "componentId": "1", "format": "docker", "name": repository, "group": null, "version": tag}),
            ),
        ),
        Form::NexusAsset => (
            "application/json; charset=UTF-8",
            nexus(
                "asset",
                json!({"id": "1", "assetId": "1", "format": "docker", "name": format!("v2/{repository}/manifests/{tag}")}),
            ),
        ),
    }
}
