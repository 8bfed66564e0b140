//! Asking a publisher: mirrors, redirects, and trying again.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Certificate, Response, Url, redirect};

use super::{Error, ErrorKind, Progress, Settings};

const REDIRECTS_LIMIT: usize = 5;
/// Longer than this nobody waits.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How often a host is tried again that does not answer at all.
const MOST_KNOCKS: u32 = 2;

/// Whoever asks. All feeds share one.
pub struct Client {
    pub(super) settings: Settings,
    mirror: Option<Url>,
    made: Mutex<HashMap<Kind, reqwest::Client>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    tls: bool,
    /// No proxy stands between a machine and itself.
    direct: bool,
}

/// Something went wrong that may go right the next time.
pub(super) struct Setback {
    pub(super) error: Error,
    /// The other side asked for this much patience.
    pub(super) wait: Option<Duration>,
    /// Nobody answers at all.
    pub(super) silent: bool,
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self { error, wait: None, silent: false }
    }
}

/// How one piece of work is tried again.
pub(super) struct Attempts<'a> {
    settings: &'a Settings,
    progress: &'a dyn Progress,
    made: u32,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(settings: &'a Settings, progress: &'a dyn Progress) -> Self {
        Self { settings, progress, made: 0 }
    }

    /// Something went right: counting begins anew.
    pub(super) fn reset(&mut self) {
        self.made = 0;
    }

    /// Pauses before another attempt, or gives up.
    pub(super) async fn after(&mut self, setback: Setback) -> Result<(), Error> {
        let Setback { mut error, wait, silent } = setback;
        let allowed = self.settings.retries;
        let allowed = if silent { allowed.min(MOST_KNOCKS) } else { allowed };
        if let Some(wait) = wait.filter(|it| *it > LONGEST_WAIT) {
            error.why = format!("{}; it asks to wait {} seconds", error.why, wait.as_secs());
            return Err(error);
        }
        if self.made >= allowed {
            if self.made > 0 {
                error.why = format!("{} (tried {} times)", error.why, self.made.saturating_add(1));
            }
            return Err(error);
        }
        // Half of the pause is chance, so that many who failed together do not return together.
        let base = (self.settings.stall / 100).min(Duration::from_millis(500));
        let whole = base.saturating_mul(1 << self.made.min(6)).min(LONGEST_WAIT);
        let chance = u32::try_from(RandomState::new().hash_one(self.made) % 1000).unwrap_or(0);
        let pause = wait.unwrap_or(whole / 2 + whole / 2 * chance / 1000);
        self.made += 1;
        if pause >= Duration::from_secs(1) {
            let seconds = pause.as_secs_f32().ceil();
            self.progress.tell(&format!("{error}; trying again in {seconds} s"));
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl Client {
    /// One that asks as `settings` say.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let bad = |why: &str| {
            let mirror = settings.mirror.clone().unwrap_or_default();
            Error::new(ErrorKind::Invalid, format!("mirror `{mirror}`"), why)
                .with_hint("name it like this: https://mirror.example/advisories")
        };
        let mirror = match &settings.mirror {
            None => None,
            Some(mirror) => {
                let text = format!("{}/", mirror.trim_end_matches('/'));
                let url = Url::parse(&text).map_err(|_| bad("it is no address"))?;
                if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
                    return Err(bad("it is no address of a folder on a web server"));
                }
                Some(url)
            }
        };
        Ok(Self { settings, mirror, made: Mutex::default() })
    }

    /// Where a published address is read from.
    pub(super) fn place(&self, what: &str, url: &str) -> Result<Url, Error> {
        let bad =
            || Error::new(ErrorKind::Corrupt, what, "it is published at no address of the web");
        let published = Url::parse(url).map_err(|_| bad())?;
        let (Some(host), "https") = (published.host_str(), published.scheme()) else {
            return Err(bad());
        };
        let Some(mirror) = &self.mirror else { return Ok(published) };
        let port = published.port().map(|it| format!(":{it}")).unwrap_or_default();
        let query = published.query().map(|it| format!("?{it}")).unwrap_or_default();
        let path = published.path();
        Url::parse(&format!("{mirror}{host}{port}{path}{query}")).map_err(|_| bad())
    }

    /// Sends one request and follows redirects; `Ok` is any answer worth reading: a success, or 304.
    pub(super) async fn ask(
        &self,
        what: &str,
        url: Url,
        headers: &HeaderMap,
    ) -> Result<Response, Result<Setback, Error>> {
        let mut url = url;
        let mut left = REDIRECTS_LIMIT;
        loop {
            let response = self.send(what, &url, headers).await?;
            let status = response.status();
            let target = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
            let Some(target) = target.filter(|_| status.is_redirection() && status != 304) else {
                return self.judge(what, &url, response);
            };
            let host = host(&url);
            let astray = |why: &str| {
                Err(Error::new(ErrorKind::Unavailable, what, format!("{host} {why}"))
                    .with_hint("does a proxy or a login page stand before it?"))
            };
            let Ok(next) = url.join(target) else { return Err(astray("redirects to nowhere")) };
            // Only a mirror that was chosen without TLS may go on without it, and only on its own.
            let stays = next.scheme() == "http" && next.origin() == url.origin();
            if next.scheme() != "https" && !stays {
                return Err(astray("redirects to a place without TLS"));
            }
            if left == 0 {
                return Err(astray(&format!("redirects over {REDIRECTS_LIMIT} times")));
            }
            left -= 1;
            url = next;
        }
    }

    async fn send(
        &self,
        what: &str,
        url: &Url,
        headers: &HeaderMap,
    ) -> Result<Response, Result<Setback, Error>> {
        let client = self.to(what, url).map_err(Err)?;
        let request = client.get(url.clone()).headers(headers.clone());
        let host = host(url);
        match tokio::time::timeout(self.settings.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(why)) => {
                let bottom = innermost(&why);
                if bottom.contains("certificate") {
                    let why = format!("{host} cannot prove who it is: {bottom}");
                    let hint = "if it uses an authority of your own, name its certificate file";
                    let error = Error::new(ErrorKind::Unavailable, what, why).with_hint(hint);
                    return Err(Err(error));
                }
                let text = format!("{host} cannot be reached: {}", tame(&bottom));
                let error = Error::new(ErrorKind::Unavailable, what, text)
                    .with_hint("is the way there open, or must a proxy or a mirror be named?");
                Err(Ok(Setback { error, wait: None, silent: why.is_connect() }))
            }
            Err(_) => Err(Ok(self.stalled(what, &host).into())),
        }
    }

    fn judge(
        &self,
        what: &str,
        url: &Url,
        response: Response,
    ) -> Result<Response, Result<Setback, Error>> {
        let status = response.status();
        // 416: the part asked for is not there; whoever asked for it knows what to do.
        if status.is_success() || status == 304 || status == 416 {
            return Ok(response);
        }
        let place = format!("{}{}", host(url), url.path());
        let error = match status.as_u16() {
            404 | 410 => Error::new(ErrorKind::NotFound, what, format!("{place} is not there"))
                .with_hint(match self.mirror {
                    Some(_) => "does the mirror have it?",
                    None => "its publisher may have moved it: is there a newer foretop?",
                }),
            401 | 403 => {
                Error::new(ErrorKind::Denied, what, format!("{place} is not for everybody"))
            }
            407 => Error::new(ErrorKind::Denied, what, "the proxy asks for a login")
                .with_hint("put user and password into the proxy's URL"),
            number => Error::new(ErrorKind::Unavailable, what, format!("{place} answers {number}"))
                .with_hint("try again later"),
        };
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            let wait = response.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok());
            let wait = wait.and_then(|it| retry_after(it, SystemTime::now()));
            return Err(Ok(Setback { error, wait, silent: false }));
        }
        Err(Err(error))
    }

    pub(super) fn stalled(&self, what: &str, host: &str) -> Error {
        let seconds = self.settings.stall.as_secs_f32();
        Error::new(ErrorKind::Unavailable, what, format!("{host} sent nothing for {seconds} s"))
            .with_hint("try again later")
    }

    /// Clients are made when they are first needed: reading a machine's authorities takes a while.
    fn to(&self, what: &str, url: &Url) -> Result<reqwest::Client, Error> {
        let kind = Kind { tls: url.scheme() == "https", direct: is_loopback(url) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&kind) {
            return Ok(client.clone());
        }
        // Somebody else may have chosen before: then theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.settings.user_agent)
            .redirect(redirect::Policy::none())
            .connect_timeout(self.settings.stall.min(Duration::from_secs(30)));
        if kind.direct {
            builder = builder.no_proxy();
        }
        builder = if kind.tls {
            builder.tls_certs_merge(self.authorities()?)
        } else {
            builder.tls_certs_only([])
        };
        let client = builder.build().map_err(|why| {
            Error::new(ErrorKind::Invalid, what, format!("there is no TLS: {}", innermost(&why)))
                .with_hint("install the package ca-certificates, or name a file of authorities")
        })?;
        made.insert(kind, client.clone());
        Ok(client)
    }

    fn authorities(&self) -> Result<Vec<Certificate>, Error> {
        let mut all = Vec::new();
        for path in &self.settings.certificate_authorities {
            let bad = |why: String| Error::new(ErrorKind::Invalid, path.display().to_string(), why);
            let pem = fs_err::read(path)
                .map_err(|why| bad(format!("it cannot be read: {}", why.kind())))?;
            let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if found.is_empty() {
                return Err(bad("it holds no certificate in PEM form".to_owned()));
            }
            all.extend(found);
        }
        Ok(all)
    }
}

pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.to_canonical().is_loopback())
}

/// What went wrong at the bottom; the layers above only say that something did.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A stranger's words, fit for a terminal.
pub(super) fn tame(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|it: char| it.is_control() || it.is_whitespace())
        .filter(|it| !it.is_empty())
        .collect();
    words.join(" ").chars().take(300).collect()
}

/// `Retry-After`: seconds, or the time when to come back.
fn retry_after(header: &str, now: SystemTime) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = SystemTime::from(jiff::fmt::rfc2822::parse(header).ok()?.timestamp());
    Some(when.duration_since(now).unwrap_or_default())
}
