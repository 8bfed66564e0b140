//! A package URL: `type/namespace/name@version?qualifiers`, the name under which a package is known
//! everywhere. <https://github.com/package-url/purl-spec>

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::percent_decoded;

/// A package URL in canonical form: equal purls are equal values, and print alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: String,
    namespace: Option<String>,
    name: String,
    version: Option<String>,
    qualifiers: Vec<(String, String)>,
    subpath: Option<String>,
}

/// Why a text is no package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a package URL: {why}")]
pub struct BadPurl {
    text: String,
    why: &'static str,
}

impl Purl {
    /// A purl of the type `kind` with that name. Type-specific rules are applied
    /// (`PyPI` names are lower case with dashes, say).
    pub fn new(kind: &str, name: &str) -> Self {
        let mut purl = Self {
            kind: kind.to_ascii_lowercase(),
            namespace: None,
            name: name.to_owned(),
            version: None,
            qualifiers: Vec::new(),
            subpath: None,
        };
        purl.normalise();
        purl
    }

    /// With a namespace (`@babel`, `org.apache.commons`, `debian`); an empty one is none.
    #[must_use]
    pub fn with_namespace(mut self, namespace: &str) -> Self {
        let segments: Vec<&str> = namespace.split('/').filter(|it| !it.is_empty()).collect();
        self.namespace = (!segments.is_empty()).then(|| segments.join("/"));
        self.normalise();
        self
    }

    /// With a version; an empty one is none.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = (!version.is_empty()).then(|| version.to_owned());
        self
    }

    /// With a qualifier, in its sorted place; an empty value removes it.
    #[must_use]
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Self {
        let key = key.to_ascii_lowercase();
        self.qualifiers.retain(|(it, _)| *it != key);
        if !value.is_empty() {
            let at = self.qualifiers.partition_point(|(it, _)| *it < key);
            self.qualifiers.insert(at, (key, value.to_owned()));
        }
        self
    }

    /// With a path inside the package; an empty one is none.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        let segments: Vec<&str> =
            subpath.split('/').filter(|it| !matches!(*it, "" | "." | "..")).collect();
        self.subpath = (!segments.is_empty()).then(|| segments.join("/"));
        self
    }

    /// The type: `deb`, `npm`, `golang`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Namespace and name in one: `@babel/core`, `github.com/spf13/cobra`.
    pub fn full_name(&self) -> String {
        self.namespace
            .as_ref()
            .map_or_else(|| self.name.clone(), |it| format!("{it}/{}", self.name))
    }

    /// The version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// One qualifier.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.iter().find(|(it, _)| it == key).map(|(_, value)| value.as_str())
    }

    /// All qualifiers, sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Bytes of all its parts.
    pub(crate) fn text_len(&self) -> usize {
        let parts = [&self.namespace, &self.version, &self.subpath].into_iter().flatten();
        let parts = parts.chain([&self.kind, &self.name]).map(String::len).sum::<usize>();
        let qualifiers = self.qualifiers.iter().map(|(key, value)| key.len() + value.len());
        parts + qualifiers.sum::<usize>()
    }

    /// The path inside the package.
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }

    fn normalise(&mut self) {
        match self.kind.as_str() {
            "pypi" => self.name = folded(&self.name),
            "deb" | "apk" | "bitbucket" | "github" | "gitlab" | "composer" | "hex" | "alpm" => {
                self.name.make_ascii_lowercase();
                if let Some(namespace) = &mut self.namespace {
                    namespace.make_ascii_lowercase();
                }
            }
            "rpm" => {
                if let Some(namespace) = &mut self.namespace {
                    namespace.make_ascii_lowercase();
                }
            }
            _ => {}
        }
    }
}

/// `Zope.Interface` and `zope_interface` are one project: runs of `-`, `_` and `.` are one dash.
/// <https://peps.python.org/pep-0503/>
fn folded(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if folded.ends_with('-') => {}
            '-' | '_' | '.' => folded.push('-'),
            _ => folded.push(letter.to_ascii_lowercase()),
        }
    }
    folded
}

/// The one spelling of a full name under which advisories are filed and looked up, for types whose
/// registries know a package by several: `SurrealDB` is the crate `surrealdb`.
pub fn filed_name<'a>(kind: &str, name: &'a str) -> Cow<'a, str> {
    let has_capitals = || name.bytes().any(|it| it.is_ascii_uppercase());
    match kind {
        // The capitals of a module's path stand as `!` and a small letter in the addresses of proxies
        // and in the module cache, as they are in programs, and small in many documents. `!` is in no
        // path of its own, and `go` refuses to have two in a program that differ by case alone.
        // <https://go.dev/ref/mod#goproxy-protocol>
        "golang" if has_capitals() || name.contains('!') => {
            let small = name.chars().filter(|it| *it != '!').map(|it| it.to_ascii_lowercase());
            Cow::Owned(small.collect())
        }
        "cargo" | "composer" | "github" | "hex" | "nuget" | "pub" if has_capitals() => {
            Cow::Owned(name.to_ascii_lowercase())
        }
        _ => Cow::Borrowed(name),
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pkg:{}/", self.kind)?;
        if let Some(namespace) = &self.namespace {
            for segment in namespace.split('/') {
                encode(f, segment, b"")?;
                f.write_str("/")?;
            }
        }
        encode(f, &self.name, b"")?;
        if let Some(version) = &self.version {
            f.write_str("@")?;
            encode(f, version, b"")?;
        }
        for (number, (key, value)) in self.qualifiers.iter().enumerate() {
            f.write_str(if number == 0 { "?" } else { "&" })?;
            f.write_str(key)?;
            f.write_str("=")?;
            encode(f, value, b"/")?;
        }
        if let Some(subpath) = &self.subpath {
            f.write_str("#")?;
            encode(f, subpath, b"/")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn encode(f: &mut fmt::Formatter<'_>, text: &str, also: &[u8]) -> fmt::Result {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) || also.contains(&byte);
    let mut rest = text;
    while !rest.is_empty() {
        // What is plain is ASCII, so a character ends where it does.
        let end = rest.bytes().position(|it| !is_plain(it)).unwrap_or(rest.len());
        let (plain, other) = rest.split_at(end);
        f.write_str(plain)?;
        let end = other.bytes().position(is_plain).unwrap_or(other.len());
        let (other, next) = other.split_at(end);
        for byte in other.bytes() {
            write!(f, "%{byte:02X}")?;
        }
        rest = next;
    }
    Ok(())
}

impl FromStr for Purl {
    type Err = BadPurl;

    fn from_str(text: &str) -> Result<Self, BadPurl> {
        let bad = |why| BadPurl { text: text.chars().take(200).collect(), why };
        let decoded =
            |part| percent_decoded(part).ok_or_else(|| bad("its percent-encoding is broken"));
        let rest = text.strip_prefix("pkg:").ok_or_else(|| bad("it does not start with `pkg:`"))?;
        let (rest, subpath) =
            rest.rsplit_once('#').map_or((rest, ""), |(left, right)| (left, right));
        let (rest, qualifiers) =
            rest.rsplit_once('?').map_or((rest, ""), |(left, right)| (left, right));
        let rest = rest.trim_start_matches('/');
        let (kind, rest) = rest.split_once('/').ok_or_else(|| bad("it has no name"))?;
        let letter = |it: u8| it.is_ascii_alphanumeric() || b".+-".contains(&it);
        if kind.is_empty() || !kind.bytes().all(letter) || kind.as_bytes()[0].is_ascii_digit() {
            return Err(bad("its type is not a word"));
        }
        // An npm scope may be written `@scope/name@1.0`: only an `@` behind the name parts a version.
        let (path, version) = match rest.rfind('@') {
            Some(at) if at > 0 && rest[at..].find('/').is_none() && !rest[..at].ends_with('/') => {
                (&rest[..at], &rest[at + 1..])
            }
            _ => (rest, ""),
        };
        let path = path.trim_matches('/');
        let (namespace, name) =
            path.rsplit_once('/').map_or(("", path), |(left, right)| (left, right));
        if name.is_empty() {
            return Err(bad("it has no name"));
        }
        let namespace = namespace
            .split('/')
            .filter(|it| !it.is_empty())
            .map(decoded)
            .collect::<Result<Vec<_>, BadPurl>>()?
            .join("/");
        let mut purl = Self::new(kind, &decoded(name)?)
            .with_namespace(&namespace)
            .with_version(&decoded(version)?)
            .with_subpath(&decoded(subpath)?);
        for pair in qualifiers.split('&').filter(|it| !it.is_empty()) {
            let (key, value) =
                pair.split_once('=').ok_or_else(|| bad("a qualifier has no value"))?;
            if key.is_empty()
                || !key.bytes().all(|it| it.is_ascii_alphanumeric() || b".-_".contains(&it))
            {
                return Err(bad("a qualifier's key is not a word"));
            }
            purl = purl.with_qualifier(key, &decoded(value)?);
        }
        Ok(purl)
    }
}

impl Serialize for Purl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Purl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &str) {
        let shown = text.parse::<Purl>().map_or_else(|e| e.to_string(), |purl| purl.to_string());
        assert_eq!(shown, expect);
        if let Ok(purl) = shown.parse::<Purl>() {
            assert_eq!(purl.to_string(), shown, "canonical form is stable");
        }
    }

    #[test]
    fn canonical_forms() {
        check("pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1");
        check("pkg:npm/@angular/animation@12.3.1", "pkg:npm/%40angular/animation@12.3.1");
        check("pkg:npm/@angular/animation", "pkg:npm/%40angular/animation");
        check("pkg:PYPI/Django_package@1.11.1.dev1", "pkg:pypi/django-package@1.11.1.dev1");
        check(
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
            "pkg:deb/debian/curl@7.50.3-1?arch=i386&distro=jessie",
        );
        check(
            "pkg:golang/google.golang.org/genproto#/googleapis/api/",
            "pkg:golang/google.golang.org/genproto#googleapis/api",
        );
        check(
            "pkg:maven/org.apache/x@1.0?type=zip&classifier=dist",
            "pkg:maven/org.apache/x@1.0?classifier=dist&type=zip",
        );
        check(
            "pkg:deb/debian/libstdc++6@1:2.0+b1~rc1",
            "pkg:deb/debian/libstdc%2B%2B6@1:2.0%2Bb1~rc1",
        );
    }

    #[test]
    fn one_spelling_of_several() {
        let check = |kind: &str, name: &str, expect: &str| {
            assert_eq!(filed_name(kind, name), expect, "{kind} {name}");
        };
        check("golang", "github.com/Masterminds/goutils", "github.com/masterminds/goutils");
        check("golang", "github.com/!masterminds/goutils", "github.com/masterminds/goutils");
        check("golang", "github.com/masterminds/goutils", "github.com/masterminds/goutils");
        check("nuget", "Newtonsoft.Json", "newtonsoft.json");
        check("cargo", "SurrealDB", "surrealdb");
        check("npm", "JSONStream", "JSONStream");
        check("maven", "org.X/Y!", "org.X/Y!");
    }

    #[test]
    fn refusals() {
        check("npm/x", "`npm/x` is not a package URL: it does not start with `pkg:`");
        check("pkg:npm", "`pkg:npm` is not a package URL: it has no name");
        check("pkg:npm/", "`pkg:npm/` is not a package URL: it has no name");
        check(
            "pkg:npm/x@%zz",
            "`pkg:npm/x@%zz` is not a package URL: its percent-encoding is broken",
        );
        check(
            "pkg:npm/x@%+1",
            "`pkg:npm/x@%+1` is not a package URL: its percent-encoding is broken",
        );
    }
}
