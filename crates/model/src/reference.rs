//! A reference: how people name an image in a registry.

use std::fmt;
use std::str::FromStr;

use crate::Digest;

/// `host/repository[:tag][@digest]`, with Docker Hub's short forms written out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// `docker.io`, `localhost:5000`.
    pub host: String,
    /// `library/debian`.
    pub repository: String,
    /// As given; with neither tag nor digest it is `latest`.
    pub tag: Option<String>,
    /// As given.
    pub digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an image reference: {why}")]
pub struct BadReference {
    text: String,
    why: &'static str,
}

impl Reference {
    /// The part to ask a registry for: the digest if there is one, else the tag.
    pub fn wanted(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_str(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// The name as people write it: without `docker.io` and `library/`.
    pub fn familiar(&self) -> String {
        let full = self.to_string();
        let short = full.strip_prefix("docker.io/").unwrap_or(&full);
        if self.host == "docker.io" {
            short.strip_prefix("library/").unwrap_or(short).to_owned()
        } else {
            full
        }
    }
}

impl FromStr for Reference {
    type Err = BadReference;

    fn from_str(text: &str) -> Result<Self, BadReference> {
        let bad = |why| BadReference { text: text.chars().take(200).collect(), why };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => {
                (rest, Some(digest.parse().map_err(|_| bad("what follows `@` is not a digest"))?))
            }
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (host, repository) = match name.split_once('/') {
            Some((host, path)) if host == "localhost" || host.contains(['.', ':']) => (host, path),
            _ => ("docker.io", name),
        };
        let host = registry_host(host);
        if !host.starts_with(|it: char| it.is_ascii_alphanumeric() || it == '[')
            || !host.bytes().all(|it| it.is_ascii_alphanumeric() || b".-:[]_".contains(&it))
        {
            return Err(bad("its registry is not a host name"));
        }
        let repository = if host == "docker.io" && !repository.contains('/') {
            format!("library/{repository}")
        } else {
            repository.to_owned()
        };
        if repository.bytes().any(|it| it.is_ascii_uppercase()) {
            return Err(bad("a repository's name is lower case"));
        }
        if repository.len() > 255 || !repository.split('/').all(is_component) {
            return Err(bad("its repository is not a path of words"));
        }
        if let Some(tag) = tag {
            let word = |it: u8| it.is_ascii_alphanumeric() || b"._-".contains(&it);
            if tag.is_empty()
                || tag.len() > 128
                || !tag.bytes().all(word)
                || tag.starts_with(['.', '-'])
            {
                return Err(bad("its tag is not a word"));
            }
        }
        let tag = match (tag, &digest) {
            (None, None) => Some("latest".to_owned()),
            (tag, _) => tag.map(str::to_owned),
        };
        Ok(Self { host: host.to_owned(), repository, tag, digest })
    }
}

/// Is the host a registry's own, or one below it, as some name their repositories?
pub fn is_registry_at(registry: &str, host: &str) -> bool {
    host.strip_suffix(registry).is_some_and(|it| it.is_empty() || it.ends_with('.'))
}

/// The one name of a registry: Docker Hub goes by many.
pub fn registry_host(host: &str) -> &str {
    match host {
        "hub.docker.com" | "index.docker.io" | "registry-1.docker.io" => "docker.io",
        other => other,
    }
}

fn is_component(part: &str) -> bool {
    let bytes = part.as_bytes();
    let edge = |it: Option<&u8>| it.is_some_and(u8::is_ascii_alphanumeric);
    edge(bytes.first())
        && edge(bytes.last())
        && bytes.iter().all(|&it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        self.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = text.parse::<Reference>().map_or_else(|e| e.to_string(), |it| it.to_string());
        assert_eq!(shown, expect);
    }

    #[test]
    fn writes_short_forms_out() {
        check("debian", "docker.io/library/debian:latest");
        check("bitnami/redis:7", "docker.io/bitnami/redis:7");
        check("hub.docker.com/bitnami/redis", "docker.io/bitnami/redis:latest");
        check("localhost:5000/a/b", "localhost:5000/a/b:latest");
        check("ghcr.io/a/b:v1.0_x", "ghcr.io/a/b:v1.0_x");
        let digest = format!("sha256:{}", "0".repeat(64));
        check(&format!("debian@{digest}"), &format!("docker.io/library/debian@{digest}"));
        check(&format!("debian:12@{digest}"), &format!("docker.io/library/debian:12@{digest}"));
    }

    #[test]
    fn refusals() {
        check("Debian", "`Debian` is not an image reference: a repository's name is lower case");
        check("a//b", "`a//b` is not an image reference: its repository is not a path of words");
        check("a:b:c", "`a:b:c` is not an image reference: its repository is not a path of words");
        check("a@b", "`a@b` is not an image reference: what follows `@` is not a digest");
        check("", "`` is not an image reference: its repository is not a path of words");
        check("a:-x", "`a:-x` is not an image reference: its tag is not a word");
        check(
            "../etc/passwd",
            "`../etc/passwd` is not an image reference: its registry is not a host name",
        );
    }

    #[test]
    fn familiar_is_short() {
        assert_eq!("debian:12".parse::<Reference>().unwrap().familiar(), "debian:12");
    }
}
