//! How a host is reached: with or without TLS, through a proxy or directly.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, Url, redirect};

use super::outlet::{Guard, Unposted, addresses, judge};
use crate::{Error, Outgoing, Settings};

/// Clients, each made when it is first needed: reading a machine's certificate authorities takes
/// a while, and a registry next door needs none.
pub(super) struct Connections {
    settings: Arc<Settings>,
    made: Mutex<HashMap<Kind, reqwest::Client>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    tls: bool,
    /// No proxy stands between a machine and itself.
    direct: bool,
    /// Is it a host that another one sent us to, who may not send us everywhere?
    is_sent: bool,
}

impl Kind {
    fn of(url: &Url) -> Self {
        Self { tls: url.scheme() == "https", direct: is_loopback(url), is_sent: false }
    }
}

impl Connections {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, made: Mutex::default() }
    }

    /// The client to reach `url` with. `is_sent`: somebody who is kept from sending us everywhere
    /// sends us there.
    pub(super) fn to(&self, url: &Url, is_sent: bool) -> Result<reqwest::Client, Error> {
        let kind = Kind { is_sent, ..Kind::of(url) };
        if let Some(outgoing) = self.rules(kind) {
            judge(outgoing, url).map_err(|it| it.error())?;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&kind) {
            return Ok(client.clone());
        }
        let client = self.make(kind)?;
        made.insert(kind, client.clone());
        Ok(client)
    }

    /// Who may be spoken to. A name is judged before, and its address when it is connected to.
    fn rules(&self, kind: Kind) -> Option<&Arc<Outgoing>> {
        let settings = &self.settings;
        let sent = settings.redirects.as_ref().filter(|_| kind.is_sent);
        settings.outgoing.as_ref().or(sent)
    }

    /// Is what is at `url` kept from sending us everywhere? Who is inside may send us further in.
    pub(super) async fn is_kept(&self, url: &Url) -> bool {
        let Some(rules) = &self.settings.redirects else { return false };
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(443);
        match judge(rules, url) {
            Ok(true) => true,
            Ok(false) => {
                let found = addresses(host, port, rules).await;
                !matches!(found, Err(Unposted::Forbidden(_)))
            }
            Err(_) => false,
        }
    }

    /// A client to reach `url` with that gives up after so long.
    pub(super) fn patient(
        &self,
        url: &Url,
        connect: Duration,
        whole: Duration,
    ) -> Result<reqwest::Client, Error> {
        built(self.builder(Kind::of(url))?.connect_timeout(connect).timeout(whole))
    }

    fn make(&self, kind: Kind) -> Result<reqwest::Client, Error> {
        built(self.builder(kind)?)
    }

    fn builder(&self, kind: Kind) -> Result<reqwest::ClientBuilder, Error> {
        // Somebody else may have chosen before: then theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(&self.settings.user_agent)
            .redirect(redirect::Policy::none())
            .connect_timeout(self.settings.stall.min(Duration::from_secs(30)));
        if kind.direct {
            builder = builder.no_proxy();
        }
        if let Some(outgoing) = self.rules(kind) {
            builder = builder.dns_resolver(Arc::new(Guard::new(outgoing)));
        }
        Ok(if kind.tls {
            builder.tls_certs_merge(self.authorities()?)
        } else {
            builder.tls_certs_only([])
        })
    }

    fn authorities(&self) -> Result<Vec<Certificate>, Error> {
        let mut all = Vec::new();
        for path in &self.settings.certificate_authorities {
            let what = path.display().to_string();
            let pem = fs_err::read(path)
                .map_err(|why| Error::invalid(&what, format!("cannot be read: {}", why.kind())))?;
            let found = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if found.is_empty() {
                return Err(Error::invalid(what, "it holds no certificate in PEM form"));
            }
            all.extend(found);
        }
        Ok(all)
    }
}

fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|why| {
        Error::unavailable("https", innermost(&why))
            .with_hint("install the package ca-certificates, or name a file of authorities")
    })
}

/// No answer for this long, and a server of ours has forgotten the question.
const PATIENCE: Duration = Duration::from_mins(5);

/// The client to reach a server of ours with, through the same proxies as a registry, and trusting
/// the same authorities.
pub fn reach(url: &str, settings: &Arc<Settings>) -> Result<reqwest::Client, Error> {
    let what: String = url.chars().take(200).collect();
    let url: Url = url.parse().map_err(|_| Error::invalid(&what, "it is no URL"))?;
    let kind = Kind::of(&url);
    let connections = Connections::new(Arc::clone(settings));
    built(connections.builder(kind)?.read_timeout(PATIENCE))
}

/// True for this machine itself, whatever the spelling.
pub(super) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.to_canonical().is_loopback())
}

/// True when `url` may be asked without TLS.
pub(super) fn may_be_plain(url: &Url, settings: &Settings) -> bool {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    is_loopback(url)
        || settings.insecure_registries.iter().any(|it| {
            it.eq_ignore_ascii_case(host) || it.eq_ignore_ascii_case(&format!("{host}:{port}"))
        })
}

/// What went wrong at the bottom; the layers above only say that something did.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_itself() {
        let check = |host: &str, expect: bool| {
            let url: Url = format!("http://{host}/").parse().unwrap();
            assert_eq!(is_loopback(&url), expect, "{host}");
        };
        check("localhost:5000", true);
        check("127.0.0.1", true);
        check("127.9.9.9:1", true);
        check("[::1]:5000", true);
        check("[::ffff:127.0.0.1]", true);
        check("LOCALHOST", true);
        check("localhost.example", false);
        check("127.0.0.1.example", false);
        check("0.0.0.0", false);
        check("10.0.0.1", false);
    }
}
