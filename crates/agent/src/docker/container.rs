//! What an engine tells of containers and their images.

use std::collections::BTreeMap;

use api::Workload;
use model::{Digest, Reference};
use serde::{Deserialize, Deserializer};

use crate::contract::Container;
use crate::kubernetes::{Running, running};

/// A row of `GET /containers/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    #[serde(rename = "Id", deserialize_with = "or_nothing")]
    id: String,
    #[serde(rename = "Names", deserialize_with = "or_nothing")]
    names: Vec<String>,
    #[serde(rename = "Image", deserialize_with = "or_nothing")]
    image: String,
    #[serde(rename = "ImageID", deserialize_with = "or_nothing")]
    pub(super) image_id: String,
    #[serde(rename = "Labels", deserialize_with = "or_nothing")]
    labels: BTreeMap<String, String>,
    #[serde(rename = "State", deserialize_with = "or_nothing")]
    state: String,
}

/// `GET /images/ID/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Image {
    #[serde(deserialize_with = "or_nothing")]
    repo_digests: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    repo_tags: Vec<String>,
    #[serde(deserialize_with = "or_nothing")]
    os: String,
    #[serde(deserialize_with = "or_nothing")]
    architecture: String,
    #[serde(deserialize_with = "or_nothing")]
    variant: String,
}

/// `GET /containers/ID/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inspected {
    #[serde(deserialize_with = "or_nothing")]
    pub(super) config: Config,
}

/// What somebody asked for who made the container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Config {
    #[serde(deserialize_with = "or_nothing")]
    pub(super) image: String,
}

/// `null` is what is left out, here.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Listed {
    /// Does it run, or will it again in a moment?
    pub(super) fn runs(&self) -> bool {
        matches!(self.state.as_str(), "running" | "paused" | "restarting" | "stopping")
    }

    /// Is there only an id where the image's name should be?
    pub(super) fn has_no_name(&self) -> bool {
        let id = self.image.strip_prefix("sha256:").unwrap_or(&self.image);
        let is_hex = id.len() >= 12 && id.bytes().all(|it| it.is_ascii_hexdigit());
        is_hex || self.image.parse::<Reference>().is_err()
    }

    /// Where more is told of it.
    pub(super) fn path(&self) -> Option<String> {
        let sane = self.id.len() <= 128 && self.id.bytes().all(|it| it.is_ascii_hexdigit());
        (sane && !self.id.is_empty()).then(|| format!("/containers/{}/json", self.id))
    }

    /// Its image's id, if it can stand in a path.
    pub(super) fn id_in_a_path(&self) -> Option<Digest> {
        running(&self.image_id, "", "").map(|it| it.digest)
    }

    /// What it belongs to: a service of Swarm or Compose, else nothing but itself.
    pub(super) fn workload(&self) -> Workload {
        let label = |keys: &[&str]| {
            let mut found = keys.iter().filter_map(|it| self.labels.get(*it));
            found.find(|it| !it.is_empty()).cloned()
        };
        let service = |namespace: Option<String>, name: String| {
            let namespace = namespace.unwrap_or_default();
            let own = name.strip_prefix(&namespace).and_then(|it| it.strip_prefix('_'));
            let name = own.filter(|_| !namespace.is_empty()).unwrap_or(&name).to_owned();
            Workload { namespace, kind: "service".to_owned(), container: name.clone(), name }
        };
        if let Some(name) = label(&["com.docker.swarm.service.name"]) {
            return service(label(&["com.docker.stack.namespace"]), name);
        }
        if let Some(name) = label(&["com.docker.compose.service", "io.podman.compose.service"]) {
            let project = label(&["com.docker.compose.project", "io.podman.compose.project"]);
            return service(project, name);
        }
        let name = self.names.first().map_or(self.id.as_str(), |it| it.trim_start_matches('/'));
        Workload {
            namespace: String::new(),
            kind: "container".to_owned(),
            name: name.to_owned(),
            container: name.to_owned(),
        }
    }

    /// What is told of it. `asked` is the name by which it was made, where the list has none.
    pub(super) fn container(
        &self,
        workload: Workload,
        image: Option<&Image>,
        asked: Option<&str>,
    ) -> Result<Container, String> {
        let named = asked.filter(|it| !it.is_empty()).unwrap_or(&self.image);
        let id = image.and_then(|it| it.pulled(named)).unwrap_or(&self.image_id);
        let tag = image.and_then(|it| it.repo_tags.first()).map_or("", String::as_str);
        let Some(Running { image: name, digest }) = running(id, tag, named) else {
            let id: String = self.image_id.chars().take(200).collect();
            let name = &workload.name;
            return Err(format!("container {name} runs, and which image is not told: `{id}`"));
        };
        let platform = image.and_then(Image::platform);
        Ok(Container { workload, image: name, digest: digest.to_string(), platform })
    }
}

impl Image {
    /// `repo@sha256:…` as it was pulled: from the repository that was asked for, if it was that one.
    fn pulled(&self, asked: &str) -> Option<&str> {
        let of = |text: &str| {
            let it: Reference = text.parse().ok()?;
            Some((it.host, it.repository))
        };
        let wanted = of(asked);
        let same = self.repo_digests.iter().find(|it| wanted.is_some() && of(it) == wanted);
        same.or(self.repo_digests.first()).map(String::as_str)
    }

    fn platform(&self) -> Option<String> {
        let is_word = |it: &str| {
            !it.is_empty()
                && it.len() <= 64
                && it.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
        };
        if !is_word(&self.os) || !is_word(&self.architecture) {
            return None;
        }
        let variant = Some(&self.variant).filter(|it| is_word(it));
        let variant = variant.map_or(String::new(), |it| format!("/{it}"));
        Some(format!("{}/{}{variant}", self.os, self.architecture))
    }
}

/// What an engine tells that happened, in a line of `GET /events`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Happened {
    #[serde(rename = "Action", deserialize_with = "or_nothing")]
    action: String,
    /// As older engines and podman call it.
    #[serde(deserialize_with = "or_nothing")]
    status: String,
}

/// May something else run by it? Probes of health, of which there are some each second where many
/// containers run, and what somebody does in a container change nothing; of all else we look.
pub(super) fn matters(line: &[u8]) -> bool {
    const IDLE: &[&str] =
        &["exec_", "health_status", "top", "attach", "detach", "resize", "export"];
    let it: Happened = serde_json::from_slice(line).unwrap_or_default();
    let what = if it.action.is_empty() { &it.status } else { &it.action };
    !IDLE.iter().any(|idle| what.starts_with(idle))
}

/// What runs by a list of containers alone, and what could not be read of it.
pub fn containers(list: &[u8]) -> (Vec<Container>, Vec<String>) {
    let listed: Vec<Listed> = match serde_json::from_slice(list) {
        Ok(listed) => listed,
        Err(error) => return (Vec::new(), vec![format!("it is no list: {error}")]),
    };
    let (mut all, mut gaps) = (Vec::new(), Vec::new());
    for it in listed.iter().filter(|it| it.runs()) {
        match it.container(it.workload(), None, None) {
            Ok(container) => all.push(container),
            Err(gap) => gaps.push(gap),
        }
    }
    (all, gaps)
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "what is made for a check is used up by it")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn check(listed: Value, image: Option<Value>, asked: Option<&str>, expect: &str) {
        let listed: Listed = serde_json::from_value(listed).unwrap();
        let image: Option<Image> = image.map(|it| serde_json::from_value(it).unwrap());
        let shown = match listed.container(listed.workload(), image.as_ref(), asked) {
            Ok(it) => format!(
                "{}/{} {}: {} {} {}",
                it.workload.namespace,
                it.workload.kind,
                it.workload.name,
                it.image,
                it.digest,
                it.platform.unwrap_or_else(|| "-".to_owned())
            ),
            Err(gap) => gap,
        };
        assert_eq!(shown.replace(A, "AAA").replace(B, "BBB"), expect);
    }

    fn listed(image: &str, labels: Value) -> Value {
        json!({"Id": "0f", "Names": ["/own"], "Image": image, "ImageID": format!("sha256:{A}"),
               "Labels": labels, "State": "running", "Ports": [], "Unheard": null})
    }

    #[test]
    fn what_containers_belong_to() {
        let web = |labels: Value, expect: &str| {
            let expect = format!("{expect}: web:1 sha256:AAA -");
            check(listed("web:1", labels), None, None, &expect);
        };
        web(json!(null), "/container own");
        web(
            json!({"com.docker.compose.project": "shop", "com.docker.compose.service": "api"}),
            "shop/service api",
        );
        web(
            json!({"io.podman.compose.project": "shop", "com.docker.compose.service": "api"}),
            "shop/service api",
        );
        web(
            json!({"com.docker.swarm.service.name": "shop_api", "com.docker.stack.namespace": "shop"}),
            "shop/service api",
        );
        web(json!({"com.docker.swarm.service.name": "shop_api"}), "/service shop_api");
        web(json!({"com.docker.compose.project": "shop"}), "/container own");
    }

    #[test]
    fn which_image_it_is() {
        let image = json!({
            "RepoDigests": [format!("other/web@sha256:{A}"), format!("acme/web@sha256:{B}")],
            "RepoTags": ["acme/web:2"], "Os": "linux", "Architecture": "arm", "Variant": "v7"});
        let own = |name: &str, asked, expect: &str| {
            let expect = format!("/container own: {expect} linux/arm/v7");
            check(listed(name, json!({})), Some(image.clone()), asked, &expect);
        };
        own("acme/web:1", None, "acme/web:1 sha256:BBB");
        own("docker.io/other/web", None, "docker.io/other/web sha256:AAA");
        own("third/web:1", None, "third/web:1 sha256:AAA");
        // The tag leads elsewhere by now, so that the list has an id.
        own(&format!("sha256:{A}"), Some("acme/web:1"), "acme/web:1 sha256:BBB");
        own(&format!("sha256:{A}"), None, "acme/web:2 sha256:AAA");
        let built = json!({"RepoDigests": null, "Os": "linux", "Architecture": "amd64"});
        check(
            listed("built", json!({})),
            Some(built),
            None,
            "/container own: built sha256:AAA linux/amd64",
        );
        let gone = listed(&format!("sha256:{A}"), json!({}));
        check(gone, None, None, "/container own: sha256:AAA sha256:AAA -");
        let odd = json!({"Names": ["/own"], "ImageID": "odd", "Image": "web"});
        check(odd, None, None, "container own runs, and which image is not told: `odd`");
    }

    #[test]
    fn what_runs() {
        let state = |state: &str| {
            let listed: Listed = serde_json::from_value(json!({"State": state})).unwrap();
            listed.runs()
        };
        assert!(state("running") && state("restarting") && state("paused"));
        assert!(!state("exited") && !state("created") && !state("dead") && !state(""));
    }

    #[test]
    fn what_matters() {
        for line in [
            r#"{"status":"start","Action":"start","Type":"container"}"#,
            r#"{"Action":"die"}"#,
            r#"{"status":"destroy"}"#,
            r#"{"Action":"unheard-of"}"#,
            "{}",
            "junk",
            r#"{"Action":7}"#,
        ] {
            assert!(matters(line.as_bytes()), "{line}");
        }
        for line in [
            r#"{"Action":"exec_create: /bin/sh -c true"}"#,
            r#"{"status":"exec_die","Action":"exec_die"}"#,
            r#"{"Action":"health_status: healthy","status":"health_status: healthy"}"#,
            r#"{"Action":null,"status":"top"}"#,
        ] {
            assert!(!matters(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn names_that_are_none() {
        let bare = |image: &str| {
            let listed: Listed = serde_json::from_value(json!({"Image": image})).unwrap();
            listed.has_no_name()
        };
        assert!(bare(&format!("sha256:{A}")) && bare(&A[..12]) && bare(A) && bare(""));
        assert!(!bare("web") && !bare("acme/web:1") && !bare("deadbeef"));
    }
}
