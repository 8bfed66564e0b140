//! Names with a grammar, as they stand in what others send.

use model::{Digest, Moment, Reference};

use crate::contract::Repository;

/// The path of a repository, if it is one.
pub(crate) fn repository(text: &str) -> Option<String> {
    let parsed: Reference = format!("registry.example/{text}").parse().ok()?;
    (parsed.repository == text).then_some(parsed.repository)
}

/// A tag, if it is one.
pub(crate) fn tag(text: &str) -> Option<String> {
    let parsed: Reference = format!("registry.example/a:{text}").parse().ok()?;
    parsed.tag.filter(|it| it == text && parsed.digest.is_none())
}

/// A digest, with its algorithm or as the bare hex of SHA-256.
pub(crate) fn digest(text: &str) -> Option<Digest> {
    match text.split_once(':') {
        Some(_) => text.parse().ok(),
        None => format!("sha256:{text}").parse().ok(),
    }
}

/// A moment as RFC 3339 writes it, or with a zone as Java does (`+0000`).
pub(crate) fn moment(text: &str) -> Option<Moment> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let zone = rest.get(rest.len().checked_sub(3)?..)?;
    zone.starts_with(['+', '-']).then(|| format!("{rest}:{minutes}").parse().ok())?
}

/// A moment in seconds since 1970.
pub(crate) fn seconds(seconds: i64) -> Option<Moment> {
    (seconds > 0).then(|| Moment::from_micros(0).plus_seconds(seconds))
}

/// The repository that `template` makes of its parts: `{registry}/{repository}/{image}`.
/// `None`: they make no name.
pub fn composed(template: &str, registry: &str, key: &str, image: &str) -> Option<Repository> {
    let parts = [("{registry}", registry), ("{repository}", key), ("{image}", image)];
    // What stands in a part is never taken for a place in the template.
    let mut name = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at_checked(at)?;
        let (place, value) = parts.iter().find(|(place, _)| after.starts_with(place))?;
        name += before;
        name += value;
        rest = after.strip_prefix(place)?;
    }
    name += rest;
    let (host, path) = name.split_once('/')?;
    let path = repository(path)?;
    let parsed: Reference = format!("{host}/{path}").parse().ok()?;
    (parsed.host == host && parsed.repository == path).then(|| Repository {
        registry: parsed.host,
        name: path,
        keys: Some(key.to_owned()).filter(|it| !it.is_empty()).into_iter().collect(),
        image: image.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        assert_eq!(repository("team/app").as_deref(), Some("team/app"));
        for text in ["", "A", "a//b", "a:b", "a@b", "../a", "a/../b", "a b", "/a", "a/"] {
            assert_eq!(repository(text), None, "{text}");
        }
        assert_eq!(tag("v1.0_x").as_deref(), Some("v1.0_x"));
        let digest = format!("sha256:{}", "0".repeat(64));
        for text in ["", "a/b", "a:b", ".a", &digest, &format!("a@{digest}"), &"x".repeat(129)] {
            assert_eq!(tag(text), None, "{text}");
        }
    }

    #[test]
    fn moments() {
        let check = |text: &str, expect: &str| {
            assert_eq!(
                moment(text).map_or("none".to_owned(), |it| it.to_string()),
                expect,
                "{text}"
            );
        };
        check("2026-11-21T10:00:00.5+0000", "2026-11-21T10:00:00.500000Z");
        check("2026-11-21T10:00:00-0130", "2026-11-21T11:30:00Z");
        check("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z");
        for text in
            ["", "é", "ab", "+0000", "2026-11-21T10:00:00.5+00é", "2026-11-21T10:00:00 0000"]
        {
            check(text, "none");
        }
    }

    #[test]
    fn templates() {
        let check = |template: &str, expect: &str| {
            let shown = composed(template, "acme.example", "docker-local", "team/app")
                .map_or("none".to_owned(), |it| format!("{} {}", it.registry, it.name));
            assert_eq!(shown, expect, "{template}");
        };
        check("{registry}/{repository}/{image}", "acme.example docker-local/team/app");
        check("{repository}.{registry}/{image}", "docker-local.acme.example team/app");
        check("{registry}/{image}", "acme.example team/app");
        check(
            "acme-{repository}.jfrog.example/{image}",
            "acme-docker-local.jfrog.example team/app",
        );
        check("{registry}", "none");
        check("{nothing}/{image}", "none");
        check("{", "none");
        assert_eq!(composed("{registry}/{image}", "r.example", "", "{registry}"), None);
    }
}
