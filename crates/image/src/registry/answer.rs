//! What an answer that is no success means, in the user's words.

use reqwest::StatusCode;
use serde::Deserialize;

use crate::Error;

/// Everything that is needed to word an error.
pub(super) struct Answer<'a> {
    /// What was asked for, as the user named it.
    pub(super) what: &'a str,
    /// The registry, as the user names it.
    pub(super) host: &'a str,
    /// The user that we said we are, if any.
    pub(super) user: Option<&'a str>,
    /// Was something brought?
    pub(super) pushes: bool,
    /// What it answered.
    pub(super) status: StatusCode,
    /// The type of its body.
    pub(super) content_type: &'a str,
    /// The beginning of its body.
    pub(super) body: &'a [u8],
}

/// <https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes>
#[derive(Default, Deserialize)]
struct ErrorsJson {
    #[serde(default)]
    errors: Vec<ErrorJson>,
    /// Token servers have their own manners.
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    error_description: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Default, Deserialize)]
struct ErrorJson {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl Answer<'_> {
    /// The error that it amounts to.
    pub(super) fn error(&self) -> Error {
        let Self { what, host, status, .. } = self;
        let (code, message) = self.read_body();
        let said = message.map(|it| format!(": {it}")).unwrap_or_default();
        match status.as_u16() {
            401 | 403 => self.denied(&said),
            _ if is_html(self.content_type, self.body) => html(what, host),
            404 => match code.as_str() {
                "NAME_UNKNOWN" => Error::not_found(*what, format!("{host} has no such repository")),
                "MANIFEST_UNKNOWN" => {
                    Error::not_found(*what, format!("{host} has no such tag or digest"))
                }
                "BLOB_UNKNOWN" => {
                    Error::not_found(*what, format!("{host} does not have a part of it{said}"))
                        .with_hint("push it again")
                }
                _ => Error::not_found(*what, format!("{host} does not have it{said}")),
            },
            429 => {
                let error =
                    Error::unavailable(*what, format!("{host} has had too many requests{said}"));
                match self.user {
                    None => error.with_hint(format!("log in to be allowed more: {}", login(host))),
                    Some(_) => error.with_hint("try again later"),
                }
            }
            407 => Error::unavailable(*what, "the proxy asks for a login")
                .with_hint("put user and password into the proxy's URL"),
            number => Error::unavailable(*what, format!("{host} answered {number}{said}")),
        }
    }

    fn denied(&self, said: &str) -> Error {
        let Self { what, host, .. } = self;
        let login = login(host);
        let refuses = if self.pushes { "take it from" } else { "give it to" };
        match self.user {
            None if self.pushes => {
                Error::denied(*what, format!("{host} does not take it from everybody{said}"))
                    .with_hint(format!("log in: {login}"))
            }
            None => Error::denied(*what, format!("{host} does not give it to everybody{said}"))
                .with_hint(format!("if it exists, log in: {login}")),
            Some(user) => Error::denied(*what, format!("{host} does not {refuses} {user}{said}"))
                .with_hint(format!("log in anew, or as somebody who may have it: {login}")),
        }
    }

    /// The first error's code, and what there is to read for people.
    fn read_body(&self) -> (String, Option<String>) {
        let Ok(json) = serde_json::from_slice::<ErrorsJson>(self.body) else {
            return (String::new(), None);
        };
        let ErrorsJson { errors, details, error_description, message } = json;
        let first = errors.into_iter().next().unwrap_or_default();
        let said = Some(first.message)
            .filter(|it| !it.is_empty())
            .or(details)
            .or(error_description)
            .or(message)
            .map(|it| tame(&it))
            .filter(|it| !it.is_empty());
        (first.code, said)
    }
}

/// What to type to log in.
pub(super) fn login(host: &str) -> String {
    if host == "docker.io" { "docker login".to_owned() } else { format!("docker login {host}") }
}

/// A web page where JSON or a layer should be.
pub(super) fn html(what: &str, host: &str) -> Error {
    Error::unavailable(what, format!("{host} answered with HTML")).with_hint(format!(
        "is {host} a registry, and does no proxy or login page stand before it?"
    ))
}

/// True for a web page.
pub(super) fn is_html(content_type: &str, body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    content_type.to_ascii_lowercase().starts_with("text/html")
        || start.get(..9).is_some_and(|it| it.eq_ignore_ascii_case(b"<!doctype"))
        || start.get(..5).is_some_and(|it| it.eq_ignore_ascii_case(b"<html"))
}

/// A stranger's words, fit for a terminal: one line, without control characters.
pub(crate) fn tame(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|it: char| it.is_control() || it.is_whitespace())
        .filter(|it| !it.is_empty())
        .collect();
    let line: String = words.join(" ").chars().take(300).collect();
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expect: &str) {
        let answer = Answer {
            what: "app:1",
            host: "docker.io",
            user: None,
            pushes: false,
            status: StatusCode::from_u16(status).unwrap(),
            content_type: "application/json",
            body: body.as_bytes(),
        };
        let error = answer.error();
        assert_eq!(format!("{error} ({})", error.hint().unwrap_or("no hint")), expect);
    }

    #[test]
    fn says_what_to_do() {
        check(
            401,
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#,
            "app:1: docker.io does not give it to everybody: authentication required \
             (if it exists, log in: docker login)",
        );
        check(
            401,
            r#"{"details":"incorrect username or password"}"#,
            "app:1: docker.io does not give it to everybody: incorrect username or password \
             (if it exists, log in: docker login)",
        );
        check(
            429,
            r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#,
            "app:1: docker.io has had too many requests: You have reached your pull rate limit \
             (log in to be allowed more: docker login)",
        );
        check(
            502,
            "<html>",
            "app:1: docker.io answered with HTML (is docker.io a registry, and does no proxy or login page stand before it?)",
        );
        check(500, "\u{1b}[2J", "app:1: docker.io answered 500 (no hint)");
    }

    #[test]
    fn tells_a_missing_tag_from_a_missing_repository() {
        let body = |code: &str| format!(r#"{{"errors":[{{"code":"{code}","message":"x"}}]}}"#);
        check(404, &body("NAME_UNKNOWN"), "app:1: docker.io has no such repository (no hint)");
        check(
            404,
            &body("MANIFEST_UNKNOWN"),
            "app:1: docker.io has no such tag or digest (no hint)",
        );
        check(
            404,
            &body("BLOB_UNKNOWN"),
            "app:1: docker.io does not have a part of it: x (push it again)",
        );
        check(404, "", "app:1: docker.io does not have it (no hint)");
    }

    #[test]
    fn a_stranger_cannot_write_on_the_terminal() {
        assert_eq!(tame("a\u{1b}[31m\r\nb\0c."), "a [31m b c");
        assert_eq!(tame(&"x".repeat(1000)).len(), 300);
    }
}
