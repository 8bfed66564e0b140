//! Pull secrets of Kubernetes: the logins of a `config.json`, without the programs that it may name.

use std::collections::BTreeMap;

use serde::Deserialize as _;

use super::{AuthJson, FILE_LIMIT, FileJson, specificity, split_key};
use crate::{Credentials, Error};

/// What a pull secret called `name` says for `host/repository`. `is_legacy`: it is of the type
/// `kubernetes.io/dockercfg`, which has logins and nothing around them.
///
/// As nodes do, hosts may be written with `*`, which stands for any letters of one part of a name.
pub fn in_pull_secret(
    name: &str,
    text: &[u8],
    is_legacy: bool,
    host: &str,
    repository: &str,
) -> Result<Option<Credentials>, Error> {
    if text.len() as u64 > FILE_LIMIT {
        return Err(Error::limit(name, format!("it is over {FILE_LIMIT} bytes")));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let auths = if is_legacy {
        BTreeMap::<String, Option<AuthJson>>::deserialize(&mut json)
    } else {
        FileJson::deserialize(&mut json).map(|it| it.auths)
    };
    // What is wrong may be a secret, so only where it is.
    let auths = auths.map_err(|why| {
        let place = format!("its JSON is broken at line {}, column {}", why.line(), why.column());
        Error::invalid(name, place)
    })?;
    let fits = |key: &str| {
        let exact = specificity(key, host, repository).map(|it| (true, it));
        exact.or_else(|| {
            let (pattern, path) = split_key(key);
            let meant =
                if is_like(pattern, host) { key.replacen(pattern, host, 1) } else { return None };
            Some((false, specificity(&meant, host, repository)?.min(path.len())))
        })
    };
    let matching = auths.iter().filter_map(|(key, auth)| Some((fits(key)?, auth.as_ref()?)));
    match matching.max_by_key(|(how, _)| *how) {
        Some((_, auth)) => {
            auth.credentials().map_err(|why| Error::invalid(name, format!("its login {why}")))
        }
        None => Ok(None),
    }
}

/// Is the host of that pattern, part by part?
fn is_like(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (pattern.to_ascii_lowercase(), host.to_ascii_lowercase());
    let parts = |text: &str| text.split('.').count();
    pattern.contains('*')
        && parts(&pattern) == parts(&host)
        && pattern.split('.').zip(host.split('.')).all(|(pattern, part)| {
            match pattern.split_once('*') {
                None => pattern == part,
                Some((before, after)) => {
                    part.len() >= before.len() + after.len()
                        && part.starts_with(before)
                        && part.ends_with(after)
                }
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which user a secret names for an image.
    #[track_caller]
    fn check(text: &str, image: &str, expect: &str) {
        let (host, repository) = image.split_once('/').unwrap();
        let is_legacy = !text.contains("auths");
        let shown = match in_pull_secret("s", text.as_bytes(), is_legacy, host, repository) {
            Ok(Some(Credentials::Basic { user, .. })) => user,
            Ok(Some(_)) => "a token".to_owned(),
            Ok(None) => "-".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect, "{image} {text}");
    }

    #[test]
    fn who_to_be_for_an_image() {
        let all = r#"{"auths": {
            "https://index.docker.io/v1/": {"auth": "aHViOnB3"},
            "r.example": {"username": "ann", "password": "pw"},
            "r.example/team": {"username": "team", "password": "pw"},
            "*.pkg.example": {"username": "star", "password": "pw"},
            "eu.pkg.example": {"username": "eu", "password": "pw"},
            "*-docker.pkg.example/team": {"username": "part", "password": "pw"},
            "token.example": {"registrytoken": "t"},
            "none.example": null
        }, "credsStore": "evil", "credHelpers": {"r.example": "evil"}}"#;
        check(all, "docker.io/acme/web", "hub");
        check(all, "r.example/acme/web", "ann");
        check(all, "r.example/team/web", "team");
        check(all, "r.example/teams/web", "ann");
        check(all, "us.pkg.example/web", "star");
        check(all, "eu.pkg.example/web", "eu");
        check(all, "a.us.pkg.example/web", "-");
        check(all, "us-docker.pkg.example/team/web", "part");
        check(all, "token.example/web", "a token");
        check(all, "none.example/web", "-");
        check(all, "elsewhere.example/web", "-");
        check(r#"{"r.example": {"auth": "b2xkOnB3"}}"#, "r.example/web", "old");
        check(
            r#"{"auths": {"r.example": {"auth": "?"}}}"#,
            "r.example/web",
            "s: its login is no base64",
        );
        check(
            r#"{"auths": ["secret"]}"#,
            "r.example/web",
            "s: its JSON is broken at line 1, column 10",
        );
    }

    #[test]
    fn what_is_damaged_is_no_login() {
        let text =
            r#"{"auths": {"*.r.example/a": {"auth": "aHViOnB3", "username": null}, "*": {}}}"#;
        for end in 0..text.len() {
            for spoilt in [&text[..end], &text[end..], &text.replace(&text[end..=end], "*")] {
                for is_legacy in [false, true] {
                    let found = in_pull_secret("s", spoilt.as_bytes(), is_legacy, "r.example", "a");
                    assert!(!matches!(found, Ok(Some(Credentials::Bearer(_)))), "{spoilt}");
                }
            }
        }
    }
}
