//! Events and images in the words of the API, handed on as they were written down: nothing is read
//! that would only be written again.

use api::{EventDetail, ImageState};
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

/// As [`api::Event`].
#[derive(Serialize)]
pub(crate) struct Event {
    id: String,
    kind: &'static str,
    at: String,
    who: String,
    origin: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<String>,
    detail: Box<RawValue>,
}

impl From<store::WrittenEvent> for Event {
    fn from(it: store::WrittenEvent) -> Self {
        let (image, replaced) = if EventDetail::is_told(it.kind) {
            let detail: EventDetail<'_> = serde_json::from_str(it.detail.get()).unwrap_or_default();
            detail.images(it.kind, &it.about)
        } else {
            (None, None)
        };
        Self {
            id: it.id,
            kind: it.kind.as_str(),
            at: it.act.at.to_string(),
            who: it.act.who,
            origin: it.act.origin,
            environment: it.environment,
            about: it.about,
            image,
            replaced,
            detail: it.detail,
        }
    }
}

/// As [`api::Image`].
pub(crate) struct Image(store::WrittenImage);

impl From<store::WrittenImage> for Image {
    fn from(it: store::WrittenImage) -> Self {
        Self(it)
    }
}

#[derive(Serialize)]
struct Told<'a> {
    digest: &'a str,
    platform: String,
    repositories: &'a [String],
    state: ImageState,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    first_seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    analysed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packages: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<Layer<'a>>,
}

/// A [`model::Outline`].
#[derive(Default, Deserialize)]
struct Outline<'a> {
    #[serde(borrow)]
    config: Option<&'a RawValue>,
    #[serde(borrow)]
    created: Option<&'a RawValue>,
    size: u64,
    #[serde(borrow)]
    layers: Vec<Layer<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Layer<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    digest: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    diff_id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    created_by: Option<&'a RawValue>,
}

impl Serialize for Image {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = &self.0;
        let outline: Outline<'_> = match &it.outline {
            Some(text) => serde_json::from_str(text).map_err(S::Error::custom)?,
            None => Outline::default(),
        };
        let (state, why) = match &it.state {
            model::ImageState::Pending => (ImageState::Pending, None),
            model::ImageState::Analysed => (ImageState::Analysed, None),
            model::ImageState::Failed { why } => (ImageState::Failed, Some(why.as_str())),
        };
        let told = Told {
            digest: it.digest.as_str(),
            platform: it.platform.to_string(),
            repositories: &it.repositories,
            state,
            why,
            first_seen: it.first_seen.to_string(),
            analysed: it.analysed.map(|it| it.to_string()),
            packages: it.packages,
            config: outline.config,
            created: outline.created,
            size: (!outline.layers.is_empty()).then_some(outline.size),
            layers: outline.layers,
        };
        told.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use model::{Act, EventKind, ImageRecord, Outline, OutlineLayer};
    use store::{WrittenEvent, WrittenImage};

    use super::*;

    #[test]
    fn events_are_told_in_the_words_of_the_api() {
        let runs = r#"{"digest":"sha256:1","replaced":{"digest":"sha256:0","repository":"ghcr.io/a",
                       "tag":null},"repository":"docker.io/acme/web","tag":"v\"1"}"#;
        for (environment, detail) in [
            (None, "{}"),
            (None, "[]"),
            (None, r#"{"digest":1,"replaced":true}"#),
            (None, runs),
            (Some("pröd"), r#"{"a":[1,{"b":"\n\u0007"}]}"#),
        ] {
            let at = "2026-11-21T10:00:00.5Z".parse().unwrap();
            let event = model::Event {
                id: "1".to_owned(),
                act: Act { who: "ann".to_owned(), origin: "ci \"17\"".to_owned(), at },
                kind: EventKind::DeploymentStarted,
                environment: environment.map(str::to_owned),
                about: "web".to_owned(),
                detail: serde_json::from_str(detail).unwrap(),
            };
            let written = WrittenEvent {
                id: event.id.clone(),
                act: event.act.clone(),
                kind: event.kind,
                environment: event.environment.clone(),
                about: event.about.clone(),
                detail: RawValue::from_string(event.detail.to_string()).unwrap(),
            };
            let told = api::Event::from(event);
            let expect = serde_json::to_string(&told).unwrap();
            assert_eq!(serde_json::to_string(&Event::from(written)).unwrap(), expect);
            let images = [told.image, told.replaced].map(Option::unwrap_or_default);
            let named = ["acme/web:v\"1@sha256:1", "ghcr.io/a@sha256:0"];
            assert_eq!(images, if detail == runs { named } else { ["", ""] });
        }
    }

    #[test]
    fn images_are_told_in_the_words_of_the_api() {
        let digest: model::Digest = format!("sha256:{}", "a".repeat(64)).parse().unwrap();
        let layer = OutlineLayer {
            digest: Some(digest.clone()),
            diff_id: None,
            created_by: Some("RUN echo \"é\u{7}\" > \\x".to_owned()),
        };
        let outline = Outline {
            config: Some(digest.clone()),
            created: Some("2026".to_owned()),
            size: 7,
            layers: vec![layer, OutlineLayer::default()],
            base: Some(model::SaidBase::default()),
            built_on: None,
        };
        let failed = model::ImageState::Failed { why: "it \"is\" gone".to_owned() };
        for (outline, state) in [
            (Some(outline), model::ImageState::Analysed),
            (Some(Outline::default()), model::ImageState::Pending),
            (None, failed),
        ] {
            let at = "2026-11-21T10:00:00Z".parse().unwrap();
            let record = ImageRecord {
                digest: digest.clone(),
                platform: "linux/arm64/v8".parse().unwrap(),
                repositories: vec!["docker.io/a".to_owned(), "docker.io/b".to_owned()],
                state,
                outline,
                first_seen: at,
                analysed: Some(at),
                packages: Some(3),
            };
            let written = WrittenImage {
                digest: record.digest.clone(),
                platform: record.platform.clone(),
                repositories: record.repositories.clone(),
                state: record.state.clone(),
                outline: record.outline.as_ref().map(|it| serde_json::to_string(it).unwrap()),
                first_seen: record.first_seen,
                analysed: record.analysed,
                packages: record.packages,
            };
            let expect = serde_json::to_string(&api::Image::from(record)).unwrap();
            assert_eq!(serde_json::to_string(&Image::from(written)).unwrap(), expect);
        }
    }

    #[test]
    fn an_outline_that_makes_no_sense_is_no_answer() {
        let image = WrittenImage {
            digest: format!("sha256:{}", "a".repeat(64)).parse().unwrap(),
            platform: "linux/amd64".parse().unwrap(),
            repositories: vec![],
            state: model::ImageState::Analysed,
            outline: Some("{\"size\":".to_owned()),
            first_seen: "2026-11-21T10:00:00Z".parse().unwrap(),
            analysed: None,
            packages: None,
        };
        assert!(serde_json::to_string(&Image::from(image)).is_err());
    }
}
