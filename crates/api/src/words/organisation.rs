//! Whose things they are, who is asking, and what is speaking.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::grammar;

/// What answers here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    /// `foretop`.
    pub name: String,
    /// `0.1.0`.
    pub version: String,
}

/// People who share repositories, images and environments, and see nobody else's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Organisation {
    /// As people write it: `acme`.
    pub name: String,
    /// Since when it is here.
    #[schema(format = DateTime)]
    pub created: String,
}

/// An organisation to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// As people will write it.
    #[schema(value_type = grammar::Name)]
    pub name: String,
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Their name.
    pub name: String,
    /// By which way they proved it: `password`, `token`, or `local` where nobody needs to.
    pub by: String,
    /// What they belong to, by name, as far as what they show goes: a token may make a role less.
    pub organisations: Vec<Membership>,
    /// How much the token may that they show, if it is one.
    #[schema(inline)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<super::Scope>,
    /// Until when what they show is good; nothing is until it is revoked.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// That somebody belongs to an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Membership {
    /// The organisation.
    pub organisation: String,
    /// As what.
    pub role: Role,
}

/// What somebody is in an organisation; each may do what the one before may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Sees everything.
    Member,
    /// Records what runs, pushes images, switches repositories on and off.
    Editor,
    /// Makes environments and integrations, and says who belongs here.
    Owner,
}

impl Role {
    /// `owner`, `editor`, `member`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

/// A repository that an organisation has enrolled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Repository {
    /// With its registry: `docker.io/acme/web`.
    pub name: String,
    /// Are its images to be analysed as they are pushed?
    pub enabled: bool,
    /// Since when it is here.
    #[schema(format = DateTime)]
    pub created: String,
}

impl From<model::Repository> for Repository {
    fn from(it: model::Repository) -> Self {
        Self { name: it.name, enabled: it.enabled, created: it.created.to_string() }
    }
}

/// Which repositories are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RepositoryQuery {
    /// Only those that are, or are not, switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Only of this registry: `docker.io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many are looked through for one part.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Whether a repository is to be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enabling {
    /// Are its images to be analysed as they are pushed?
    pub enabled: bool,
}
