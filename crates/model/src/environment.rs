//! What runs where: environments and their deployments.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Digest, Moment, Platform};

/// A place where images run: a stream of (application, platform) → image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Stays when it is renamed.
    pub id: String,
    /// Anything people say: `production`, `Werk 2 / Halle B`.
    pub name: String,
    /// Since when it is here.
    pub created: Moment,
    /// Who made it.
    pub created_by: String,
    /// Deployments that are running now.
    pub running: u64,
    /// Those of them whose image is not analysed yet.
    pub pending: u64,
}

/// That an image runs in an environment, or did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// Its own.
    pub id: String,
    /// The environment, by its present name.
    pub environment: String,
    /// What runs: the repository, unless somebody said otherwise.
    pub application: String,
    /// For which platform.
    pub platform: Platform,
    /// Where the image was taken from, with its registry.
    pub repository: String,
    /// The tag it was deployed by; where it leads may have changed since.
    pub tag: Option<String>,
    /// The image.
    pub digest: Digest,
    /// By which way we were told.
    pub source: Source,
    /// Who told.
    pub recorded_by: String,
    /// From where: a machine, a CI run, a cluster.
    pub recorded_from: String,
    /// Since when it runs.
    pub from: Moment,
    /// Until when it ran; none while it does.
    pub until: Option<Moment>,
    /// Its image is not analysed yet.
    pub pending: bool,
}

/// What somebody tells: this image runs now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// What runs; the repository when not said.
    pub application: Option<String>,
    /// For which platform.
    pub platform: Platform,
    /// Where the image was taken from, with its registry.
    pub repository: String,
    /// The tag it was deployed by.
    pub tag: Option<String>,
    /// The image.
    pub digest: Digest,
}

/// By which way we were told of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The command line.
    Cli,
    /// A step of CI.
    Action,
    /// Another program, over HTTP.
    Api,
    /// A runtime that reports all it runs, by the name of its integration.
    Runtime(String),
}

/// Why a text is no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a source of deployments: `cli`, `action`, `api` or `runtime:NAME`")]
pub struct BadSource(String);

impl Source {
    /// The runtime, if it is one.
    pub fn runtime(&self) -> Option<&str> {
        match self {
            Self::Runtime(name) => Some(name),
            Self::Cli | Self::Action | Self::Api => None,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cli => f.write_str("cli"),
            Self::Action => f.write_str("action"),
            Self::Api => f.write_str("api"),
            Self::Runtime(name) => write!(f, "runtime:{name}"),
        }
    }
}

impl FromStr for Source {
    type Err = BadSource;

    fn from_str(text: &str) -> Result<Self, BadSource> {
        match text {
            "cli" => Ok(Self::Cli),
            "action" => Ok(Self::Action),
            "api" => Ok(Self::Api),
            _ => match text.strip_prefix("runtime:") {
                Some(name) if !name.is_empty() => Ok(Self::Runtime(name.to_owned())),
                _ => Err(BadSource(text.chars().take(80).collect())),
            },
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_read_back() {
        for text in ["cli", "action", "api", "runtime:sysdig/one"] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        assert!("runtime:".parse::<Source>().is_err());
        assert!("CLI".parse::<Source>().is_err());
    }
}
