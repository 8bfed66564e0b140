//! Images: what is known of them, and how that comes in.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grammar;

/// An image of an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Image {
    /// Of its manifest for its platform; of an image that never had one, of its configuration.
    pub digest: String,
    /// What it is made for.
    pub platform: String,
    /// The repositories it was seen in, with their registries, sorted.
    pub repositories: Vec<String>,
    /// Whether its content is known.
    pub state: ImageState,
    /// Why reading it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it was first heard of.
    #[schema(format = DateTime)]
    pub first_seen: String,
    /// When it was last analysed, or analysis last failed.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysed: Option<String>,
    /// How many packages it has; nothing before it is analysed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packages: Option<u64>,
    /// Digest of its configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// When it was made, as its configuration says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Bytes of all layers as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Bottom first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
}

/// Whether the content of an image is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImageState {
    /// Heard of, not yet read.
    Pending,
    /// Read: its inventory is kept.
    Analysed,
    /// Reading it failed.
    Failed,
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Layer {
    /// Digest of the blob as stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Digest of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff_id: Option<String>,
    /// The instruction that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
}

impl From<model::ImageRecord> for Image {
    fn from(it: model::ImageRecord) -> Self {
        let (state, why) = match it.state {
            model::ImageState::Pending => (ImageState::Pending, None),
            model::ImageState::Analysed => (ImageState::Analysed, None),
            model::ImageState::Failed { why } => (ImageState::Failed, Some(why)),
        };
        let layer = |it: model::OutlineLayer| Layer {
            digest: it.digest.map(|it| it.to_string()),
            diff_id: it.diff_id.map(|it| it.to_string()),
            created_by: it.created_by,
        };
        let outline = it.outline.unwrap_or_default();
        Self {
            digest: it.digest.to_string(),
            platform: it.platform.to_string(),
            repositories: it.repositories,
            state,
            why,
            first_seen: it.first_seen.to_string(),
            analysed: it.analysed.map(|it| it.to_string()),
            packages: it.packages,
            config: outline.config.map(|it| it.to_string()),
            created: outline.created,
            size: (!outline.layers.is_empty()).then_some(outline.size),
            layers: outline.layers.into_iter().map(layer).collect(),
        }
    }
}

/// Which images are meant: those for which all that is said holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImageQuery {
    /// Seen in this repository: `acme/web`.
    #[param(inline, value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// In this state.
    #[param(inline)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ImageState>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What is inside an image, sent by whoever has read it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Pushing {
    /// Where it is: `acme/web:v1`. A tag then leads to this image.
    #[schema(value_type = Option<grammar::ImageName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What it is made for: `linux/amd64`, which is meant where nothing is said.
    #[schema(value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The inventory, as `foretop sbom --format json` of this version writes it down inside.
    #[schema(value_type = Object)]
    pub inventory: model::Inventory,
}

/// What is inside something that nobody keeps, and how it is to be judged.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Presenting {
    /// The inventory, as `foretop sbom --format json` of this version writes it down inside.
    #[schema(value_type = Object)]
    pub inventory: model::Inventory,
    /// How it is to be judged.
    #[serde(default)]
    pub judging: Judging,
}

/// What came of a push.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pushed {
    /// What is known of it now.
    pub image: Image,
    /// Did its tag lead elsewhere, or nowhere, before?
    pub tag_moved: bool,
}

/// How findings are to be judged.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Judging {
    /// Statements that count beside those of the server.
    #[schema(value_type = Vec<Object>)]
    pub statements: Vec<model::Statement>,
    /// Whose statements count, as regular expressions; see `cves --vex-author`.
    pub authors: Vec<String>,
    /// Judge packages too that lock files ask for and nobody saw installed.
    pub declared: bool,
    /// Without titles, stories and addresses.
    pub brief: bool,
    /// With the exceptions that hold in this environment; and say of each finding whether it is loaded
    /// where the image runs there. Of one that is not there, nobody can tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

/// Which tags are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TagsQuery {
    /// Of this repository: `acme/web`; with a tag (`acme/web:v1`), of that alone.
    #[param(inline, value_type = grammar::ImageName)]
    pub image: String,
    /// Only what leads or led to the image of this digest.
    #[param(inline, value_type = Option<grammar::DigestName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which image is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResolveQuery {
    /// `acme/web:v1`; without a tag, `latest`.
    #[param(inline, value_type = grammar::TagName)]
    pub image: String,
    /// For this platform; without one, for `linux/amd64` if there is one.
    #[param(inline, value_type = Option<grammar::PlatformName>)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Ask no registry: what was pushed here is meant.
    #[serde(default)]
    pub pushed: bool,
}

/// The image that a tag leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resolved {
    /// The image for its platform.
    pub digest: String,
    /// For which platform.
    pub platform: String,
    /// Who says so.
    pub by: ResolvedBy,
}

/// Who says where a tag leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResolvedBy {
    /// Its registry, now.
    Registry,
    /// Whoever pushed an image under it last.
    Pushed,
}

/// Of which tags registries are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LooksQuery {
    /// Only those by which something runs in this environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Only those behind this one: what was answered as `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What became of asking registries where tags lead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Looked {
    /// How many were asked for.
    pub asked: u64,
    /// Those that lead elsewhere by now: `docker.io/acme/web:v1`.
    pub moved: Vec<String>,
    /// Those whose registry does not say.
    pub untold: Vec<Untold>,
    /// There are more: where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A tag whose registry does not say where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Untold {
    /// `docker.io/acme/web:v1`.
    pub image: String,
    /// Why not.
    pub why: String,
}

/// All that a tag leads to, by somebody who looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Leading {
    /// The tag: `acme/web:v1`.
    #[schema(value_type = grammar::ImageName)]
    pub image: String,
    /// An image for each platform; none when the tag is gone.
    #[schema(max_items = 100)]
    pub leads_to: Vec<LeadsTo>,
    /// The platforms that were looked for: of others nothing is said. None is all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<grammar::PlatformName>, max_items = 100)]
    pub platforms: Vec<String>,
}

/// What a tag leads to for a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadsTo {
    /// `linux/amd64`.
    #[schema(value_type = grammar::PlatformName)]
    pub platform: String,
    /// Of the image's manifest for that platform.
    #[schema(value_type = grammar::DigestName)]
    pub digest: String,
}

/// What became of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Led {
    /// For so many platforms it leads elsewhere than before.
    pub moved: u64,
    /// For so many it leads nowhere any more.
    pub ended: u64,
    /// So many of the images wait to be analysed.
    pub pending: u64,
}

/// A time during which a tag led to an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TagSpan {
    /// With its registry.
    pub repository: String,
    /// `v1.2`.
    pub tag: String,
    /// For which platform: a tag may lead to an image for each.
    pub platform: String,
    /// Where it led.
    pub digest: String,
    /// Since when, as far as we saw.
    #[schema(format = DateTime)]
    pub from: String,
    /// Until when; nothing when it still does.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl From<model::TagSpan> for TagSpan {
    fn from(it: model::TagSpan) -> Self {
        Self {
            repository: it.repository,
            tag: it.tag,
            platform: it.platform.to_string(),
            digest: it.digest.to_string(),
            from: it.from.to_string(),
            until: it.until.map(|it| it.to_string()),
        }
    }
}

/// What an image loads in an environment, as far as somebody looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageInUse {
    /// The runtimes that looked; none: nobody did, so nobody can tell.
    pub by: Vec<String>,
    /// When the one looked that did so least lately.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// That was so long ago that it says nothing any more.
    pub is_old: bool,
    /// What was loaded.
    pub packages: Vec<LoadedPackage>,
    /// All of its containers were looked at: what is not among the packages is not loaded.
    pub is_whole: bool,
}

/// A package that a container loads, in the words of whoever looked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoadedPackage {
    /// `openssl`.
    pub name: String,
    /// `3.0.2-0ubuntu1`.
    pub version: String,
    /// Its package URL, where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
    /// Which kind of package, in lower case: `java`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// It is installed by the distribution's package manager.
    pub is_system: bool,
}
