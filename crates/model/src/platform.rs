//! A platform: the machine an image is made for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `os/architecture[/variant]`, normalised as container tools do.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`.
    pub os: String,
    /// `amd64`, `arm64`, `arm`.
    pub architecture: String,
    /// `v7`; `arm64` needs none, its `v8` is dropped.
    pub variant: Option<String>,
    /// Windows only: `10.0.20348.2700`.
    pub os_version: Option<String>,
}

/// Why a text is no platform.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform such as linux/amd64 or linux/arm/v7")]
pub struct BadPlatform(String);

impl Platform {
    /// Normalises the spellings in use: `x86_64` is `amd64`, `arm64/v8` is `arm64`.
    pub fn new(os: &str, architecture: &str, variant: Option<&str>) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, implied) = match architecture.to_ascii_lowercase().as_str() {
            "x86_64" | "x86-64" => ("amd64".to_owned(), None),
            "aarch64" => ("arm64".to_owned(), None),
            "i386" | "i686" | "x86" => ("386".to_owned(), None),
            "armhf" => ("arm".to_owned(), Some("v7")),
            "armel" => ("arm".to_owned(), Some("v6")),
            other => (other.to_owned(), None),
        };
        let variant = variant.filter(|it| !it.is_empty()).or(implied).map(|it| match it {
            "5" | "6" | "7" | "8" => format!("v{it}"),
            other => other.to_ascii_lowercase(),
        });
        let variant = variant
            .filter(|it| !(architecture == "arm64" && it == "v8"))
            .filter(|it| !(architecture == "amd64" && it == "v1"));
        Self { os, architecture, variant, os_version: None }
    }

    /// How well an image for `self` serves somebody who asks for `wanted`:
    /// `None` when it does not, smaller is better.
    pub fn rank_for(&self, wanted: &Platform) -> Option<u32> {
        if self.os != wanted.os || self.architecture != wanted.architecture {
            return None;
        }
        let arm_level = |variant: Option<&str>| match (wanted.architecture.as_str(), variant) {
            ("arm", Some("v5")) => Some(5),
            ("arm", Some("v6")) => Some(6),
            ("arm", Some("v7") | None) => Some(7),
            ("arm", Some("v8")) => Some(8),
            _ => None,
        };
        if self.variant == wanted.variant {
            return Some(0);
        }
        match (arm_level(self.variant.as_deref()), arm_level(wanted.variant.as_deref())) {
            // An older ARM runs on a newer one, never the other way round.
            (Some(has), Some(asked)) if has <= asked => Some(1 + asked - has),
            (Some(_), Some(_)) => None,
            // No variant asked for: any will do, an unmarked one first (rank 0 above).
            _ if wanted.variant.is_none() => Some(10),
            // One was asked for and the image does not say: better than nothing.
            _ if self.variant.is_none() => Some(20),
            _ => None,
        }
    }

    /// True for the placeholder that BuildKit gives to attestation manifests.
    pub fn is_unknown(&self) -> bool {
        self.os == "unknown" && self.architecture == "unknown"
    }
}

impl FromStr for Platform {
    type Err = BadPlatform;

    fn from_str(text: &str) -> Result<Self, BadPlatform> {
        let bad = || BadPlatform(text.chars().take(80).collect());
        let sane = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| sane(part)) {
            return Err(bad());
        }
        match parts[..] {
            [os, architecture] => Ok(Self::new(os, architecture, None)),
            [os, architecture, variant] => Ok(Self::new(os, architecture, Some(variant))),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(
            text.parse::<Platform>().map_or_else(|e| e.to_string(), |p| p.to_string()),
            expect
        );
    }

    #[test]
    fn normalises() {
        check("linux/amd64", "linux/amd64");
        check("Linux/x86_64", "linux/amd64");
        check("linux/arm64/v8", "linux/arm64");
        check("linux/armhf", "linux/arm/v7");
        check("linux", "`linux` is not a platform such as linux/amd64 or linux/arm/v7");
        check("a/b/c/d", "`a/b/c/d` is not a platform such as linux/amd64 or linux/arm/v7");
    }

    #[test]
    fn an_older_arm_serves_a_newer_one() {
        let platform = |text: &str| text.parse::<Platform>().unwrap();
        assert_eq!(platform("linux/arm/v6").rank_for(&platform("linux/arm/v7")), Some(2));
        assert_eq!(platform("linux/arm/v7").rank_for(&platform("linux/arm/v6")), None);
        assert_eq!(platform("linux/arm64").rank_for(&platform("linux/arm64/v8")), Some(0));
        assert_eq!(platform("linux/amd64").rank_for(&platform("linux/arm64")), None);
    }
}
