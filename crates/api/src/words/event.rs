//! What changed, when, by whom, from where.

use std::borrow::Cow;

use model::EventKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::environment::familiar;
use super::grammar;

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Its own; sorts by the time it was written down.
    pub id: String,
    /// What kind of change: `deployment-started`.
    pub kind: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub who: String,
    /// From where: a machine, a CI run, a cluster.
    pub origin: String,
    /// The environment it is about, by its name at that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// What it is about: an application, an image, a repository, a name.
    pub about: String,
    /// The image that it is about, as people write it: `acme/web:v2@sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The image that this one runs in place of, or that its tag led to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced: Option<String>,
    /// In numbers and names, as far as the kind has any.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

impl From<model::Event> for Event {
    fn from(it: model::Event) -> Self {
        let detail = EventDetail::deserialize(&it.detail).unwrap_or_default();
        let (image, replaced) = detail.images(it.kind, &it.about);
        Self {
            id: it.id,
            kind: it.kind.as_str().to_owned(),
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

/// What the detail of an event says of images.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct EventDetail<'a> {
    #[serde(borrow)]
    repository: Option<Cow<'a, str>>,
    #[serde(borrow)]
    tag: Option<Cow<'a, str>>,
    #[serde(borrow)]
    digest: Option<Cow<'a, str>>,
    #[serde(borrow)]
    replaced: Option<Box<EventDetail<'a>>>,
    #[serde(borrow)]
    from: Option<Cow<'a, str>>,
    #[serde(borrow)]
    to: Option<Cow<'a, str>>,
}

impl EventDetail<'_> {
    /// Do events of that kind say anything of images?
    pub fn is_told(kind: EventKind) -> bool {
        matches!(
            kind,
            EventKind::DeploymentStarted
                | EventKind::DeploymentReplaced
                | EventKind::DeploymentEnded
                | EventKind::DeploymentIdentified
                | EventKind::ImageAnalysed
                | EventKind::ImageFailed
                | EventKind::ImageDeleted
                | EventKind::TagMoved
        )
    }

    /// The image that an event of that kind, about that, is about, and the one before it.
    pub fn images(&self, kind: EventKind, about: &str) -> (Option<String>, Option<String>) {
        let repository = self.repository.as_deref();
        match kind {
            EventKind::ImageAnalysed | EventKind::ImageFailed | EventKind::ImageDeleted => {
                (repository.map(|it| familiar(it, None, about)), None)
            }
            EventKind::TagMoved => {
                let led = |to: &Option<Cow<'_, str>>| Some(familiar(about, None, to.as_deref()?));
                (led(&self.to), led(&self.from))
            }
            _ if Self::is_told(kind) => {
                (self.image(), self.replaced.as_ref().and_then(|it| it.image()))
            }
            _ => (None, None),
        }
    }

    fn image(&self) -> Option<String> {
        let (repository, digest) = (self.repository.as_deref()?, self.digest.as_deref()?);
        Some(familiar(repository, self.tag.as_deref(), digest))
    }
}

/// Which events are told as they happen: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LiveQuery {
    /// About this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of these kinds, parted by commas.
    #[param(inline, value_type = Option<grammar::KindNames>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
}

impl From<LiveQuery> for EventQuery {
    fn from(it: LiveQuery) -> Self {
        Self { environment: it.environment, kinds: it.kinds, ..Self::default() }
    }
}

/// Which events are meant: those for which all that is said holds, latest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    /// About this environment.
    #[param(inline, value_type = Option<grammar::Name>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Of these kinds, parted by commas.
    #[param(inline, value_type = Option<grammar::KindNames>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
    /// Of this time or later.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Earlier than this.
    #[param(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
