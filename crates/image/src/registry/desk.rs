//! A desk: a host that answers questions other than for one image, a registry's lists or the
//! interface beside it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use model::Digest;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode, Url};

use super::answer::{html, is_html};
use super::attempts::Attempts;
use super::client::{Call, Client, Trouble, content_type};
use super::connections::may_be_plain;
use crate::manifest::{self, MANIFEST_LIMIT};
use crate::verify::digest_of;
use crate::{Error, Progress, Settings};

/// One host, asked by as many as like: when it wants patience, all of them have it.
#[derive(Clone)]
pub struct Desk {
    client: Arc<Client>,
    /// What every path begins with: `/artifactory`.
    prefix: String,
    eager: bool,
    /// The same host with logins for repositories, so that each is got once.
    others: Arc<Mutex<HashMap<String, Arc<Client>>>>,
}

/// Repositories whose logins are kept.
const OTHERS_LIMIT: usize = 1024;

/// How something is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    /// For the whole answer.
    #[default]
    Get,
    /// For its headers.
    Head,
    /// With a body of this type.
    Post(&'static str, String),
}

/// One question.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// From the first slash, with the query.
    pub path: &'a str,
    /// How.
    pub verb: Verb,
    /// The type of answer that is wanted.
    pub accept: Option<&'static str>,
    /// Bytes that the answer may have.
    pub limit: usize,
}

/// An answer that was a success.
#[derive(Clone, Debug)]
pub struct Reply {
    headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's first value, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|it| it.to_str().ok())
    }

    /// Every value of a header that is text.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|it| it.to_str().ok())
    }
}

/// Why there is no answer, and how long the host wants to be left alone.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// What went wrong.
    pub error: Error,
    /// It asks not to be asked for so long.
    pub wait: Option<Duration>,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, wait: None }
    }
}

impl Desk {
    /// The registry at `host` (`ghcr.io`, `localhost:5000`): it says itself what it wants to see.
    pub fn registry(
        host: &str,
        settings: &Arc<Settings>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let client = Client::new(host, "", host, settings, progress)?.desk("", false);
        Ok(Self::of(client, String::new(), false))
    }

    /// The interface at `url` (`https://registry.example/api`). It is shown user and password right
    /// away, for many of them tell strangers something, too, but less.
    pub fn interface(
        url: &str,
        settings: &Arc<Settings>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let shown: String = url.chars().take(200).collect();
        let bad = |why: &str| {
            Error::invalid(&shown, why).with_hint("name it like this: https://registry.example/api")
        };
        let parsed: Url = url.parse().map_err(|_| bad("it is no URL"))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            // It would be in every message.
            return Err(Error::invalid("the URL", "it has a user or password in it")
                .with_hint("give them apart from it"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(bad("it goes on after the path"));
        }
        match parsed.scheme() {
            "https" => {}
            "http" if may_be_plain(&parsed, settings) => {}
            "http" => {
                return Err(bad("it is without TLS").with_hint(
                    "if you trust the way there, name its host as an insecure registry",
                ));
            }
            _ => return Err(bad("it is no https URL")),
        }
        let Some(host) = parsed.host_str() else { return Err(bad("it has no host")) };
        let host = parsed.port().map_or_else(|| host.to_owned(), |it| format!("{host}:{it}"));
        let prefix = parsed.path().trim_end_matches('/').to_owned();
        let base = parsed.join("/").map_err(|_| bad("it is no URL"))?;
        let client = Client::new(&host, "", &host, settings, progress)?.only_at(base);
        Ok(Self::of(client.desk("", true), prefix, true))
    }

    fn of(client: Client, prefix: String, eager: bool) -> Self {
        let client = Arc::new(client);
        Self { client, prefix, eager, others: Arc::default() }
    }

    /// The same host, with a login for one repository, where it is asked for one.
    #[must_use]
    pub fn about(&self, repository: &str) -> Self {
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        if others.len() >= OTHERS_LIMIT && !others.contains_key(repository) {
            others.clear();
        }
        let client = others
            .entry(repository.to_owned())
            .or_insert_with(|| Arc::new(self.client.desk(repository, self.eager)));
        Self { client: Arc::clone(client), ..self.clone() }
    }

    /// As the user names it, with the port.
    pub fn host(&self) -> &str {
        &self.client.host
    }

    /// Asks, again and again where that may help, and no sooner than the host wants.
    pub async fn ask(&self, question: &Question<'_>) -> Result<Reply, Failure> {
        let path = self.path(question.path)?;
        let (method, body, content_type) = match &question.verb {
            Verb::Get => (Method::GET, Bytes::new(), None),
            Verb::Head => (Method::HEAD, Bytes::new(), None),
            Verb::Post(kind, body) => {
                (Method::POST, Bytes::from(body.clone()), Some((*kind).to_owned()))
            }
        };
        let accept = question.accept;
        let call = Call { accept, method, body, content_type, ..Call::default() };
        let mut attempts = Attempts::new(&self.client.settings, &self.client.progress);
        loop {
            match self.once(&path, &call, question.limit).await {
                Ok(reply) => return Ok(reply),
                Err(Trouble::Final(error)) => return Err(error.into()),
                Err(Trouble::Again(setback)) => {
                    let wait = setback.wait;
                    attempts.after(setback).await.map_err(|error| Failure { error, wait })?;
                }
            }
        }
    }

    /// The digest that a tag of `repository` leads to. Only headers are asked for; where that does
    /// not tell, the manifest. `None`: there is no such tag.
    pub async fn digest(&self, repository: &str, tag: &str) -> Result<Option<Digest>, Failure> {
        self.digest_at(&format!("/v2/{repository}/manifests/{tag}")).await
    }

    /// The digest of the manifest at `path`.
    pub async fn digest_at(&self, path: &str) -> Result<Option<Digest>, Failure> {
        let accept = Some(manifest::ACCEPT);
        let head = Question { path, verb: Verb::Head, accept, limit: 0 };
        let told = match self.ask(&head).await {
            Ok(reply) => digest_in(&reply),
            // Whoever asks too much should not ask twice.
            Err(failure) if failure.wait.is_some() => return Err(failure),
            Err(Failure { error: error @ Error::Denied { .. }, .. }) => return Err(error.into()),
            // Not everybody knows HEAD, and a tag is gone only when it cannot be had.
            Err(_) => None,
        };
        if told.is_some() {
            return Ok(told);
        }
        match self.ask(&Question { verb: Verb::Get, limit: MANIFEST_LIMIT, ..head }).await {
            Ok(reply) => Ok(Some(digest_in(&reply).unwrap_or_else(|| digest_of(&reply.body)))),
            Err(Failure { error: Error::NotFound { .. }, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The path, as [`Desk::ask`] takes it, that a `link` in the answer to `asked` leads to; `None`:
    /// it leads elsewhere.
    pub fn follow(&self, asked: &str, link: &str) -> Option<String> {
        let base = self.client.bases().first()?;
        let here = base.join(&format!("{}{asked}", self.prefix)).ok()?;
        let there = here.join(link).ok()?;
        // Behind a proxy many do not know whether they are spoken to with TLS, or on which port.
        let same = there.host_str() == here.host_str()
            && (there.port_or_known_default() == here.port_or_known_default()
                || there.port().is_none());
        if !same || !matches!(there.scheme(), "http" | "https") {
            return None;
        }
        let path = there.path().strip_prefix(&self.prefix)?;
        let query = there.query().map(|it| format!("?{it}")).unwrap_or_default();
        path.starts_with('/').then(|| format!("{path}{query}"))
    }

    /// The path from the host's root. Nothing in it may lead to another host.
    fn path(&self, path: &str) -> Result<String, Error> {
        let whole = format!("{}{path}", self.prefix);
        let astray = || Error::invalid(&self.client.what, "a path on it makes no sense");
        let plain = path.starts_with('/')
            && !whole.starts_with("//")
            && whole.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
        if !plain {
            return Err(astray());
        }
        for base in self.client.bases() {
            let there = base.join(&whole).map_err(|_| astray())?;
            if there.origin() != base.origin() {
                return Err(astray());
            }
        }
        Ok(whole)
    }

    /// A registry says in JSON that something is not there. Proxies before one that is away do not,
    /// and nothing is gone because of that.
    fn strange(&self) -> Error {
        let host = self.host();
        Error::unavailable(
            &self.client.what,
            format!("{host} answered 404, and not as a registry does"),
        )
        .with_hint(format!("is there a registry behind {host}?"))
    }

    async fn once(&self, path: &str, call: &Call, limit: usize) -> Result<Reply, Trouble> {
        // Of what is not there the body says who says so.
        let call = Call { absent: call.method != Method::HEAD, ..call.clone() };
        let response = self.client.once(path, &call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        if call.method == Method::HEAD {
            return Ok(Reply { headers, body: Vec::new() });
        }
        if status == StatusCode::NOT_FOUND {
            let body = self.client.beginning(response).await;
            let error = self.client.worded(status, &headers, &body);
            let is_said = !is_of_registry(path) || is_json(&body);
            let is_strange = !is_said && matches!(error, Error::NotFound { .. });
            return Err(if is_strange { self.strange() } else { error }.into());
        }
        let body = self.client.body(response, limit).await?;
        if is_html(content_type(&headers), &body) {
            return Err(html(&self.client.what, self.host()).into());
        }
        Ok(Reply { headers, body })
    }
}

/// Is it asked of a registry, and not of an interface beside it?
fn is_of_registry(path: &str) -> bool {
    path.split(['/', '?']).any(|it| it == "v2")
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn digest_in(reply: &Reply) -> Option<Digest> {
    reply.header("docker-content-digest")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;
    use crate::testing::shown;

    fn interface(url: &str) -> Result<Desk, Error> {
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        Desk::interface(url, &Arc::default(), &progress)
    }

    #[test]
    fn links_lead_nowhere_else() {
        let desk = interface("https://r.example:8443/up").unwrap();
        let check = |link: &str, expect: Option<&str>| {
            assert_eq!(desk.follow("/v2/_catalog?n=1", link).as_deref(), expect, "{link}");
        };
        check("/up/v2/_catalog?last=b", Some("/v2/_catalog?last=b"));
        check("?last=b", Some("/v2/_catalog?last=b"));
        check("https://r.example:8443/up/x", Some("/x"));
        // Behind a proxy many do not know how they are reached.
        check("http://r.example/up/x?a=b", Some("/x?a=b"));
        check("http://r.example:81/up/x", None);
        check("/down/x", None);
        check("//evil.example/up/x", None);
        check("https://r.example.evil.example/up/x", None);
        check("file:///up/x", None);
        check("/up/../../etc", None);
        check("\\\\evil.example/up/x", None);
    }

    #[tokio::test]
    async fn paths_lead_nowhere_else() {
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let desk = Desk::registry("r.example", &Arc::default(), &progress).unwrap();
        for path in ["", "x", "//evil.example/x", "/\\evil.example/x", "/a b", "/a\r\nb", "/é"] {
            let question = Question { path, verb: Verb::Get, accept: None, limit: 1 };
            let why = desk.ask(&question).await.unwrap_err().error;
            assert_eq!(shown(&why), "Invalid: r.example: a path on it makes no sense", "{path}");
        }
    }

    #[test]
    fn addresses() {
        let check = |url: &str, expect: &str| {
            let shown = match interface(url) {
                Ok(desk) => format!("{} {}", desk.host(), desk.prefix),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expect);
        };
        check("https://r.example/", "r.example ");
        check("https://r.example:444/a/b/", "r.example:444 /a/b");
        check("http://127.0.0.1:5000", "127.0.0.1:5000 ");
        check("http://r.example", "http://r.example: it is without TLS");
        check("ftp://r.example", "ftp://r.example: it is no https URL");
        check("r.example", "r.example: it is no URL");
        check("https://u:p@r.example", "the URL: it has a user or password in it");
        check("https://r.example?a", "https://r.example?a: it goes on after the path");
    }
}
