//! An outlet: one address outside that something is told to, which nobody here knows or trusts.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::client::proxy::matcher::Matcher;
use model::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};

use super::attempts::retry_after;
use super::connections::{Connections, innermost, is_loopback, may_be_plain};
use crate::outgoing::Forbidden;
use crate::{Error, Outgoing, Settings};

/// Of an answer no more is read.
const ANSWER_LIMIT: usize = 64 << 10;
/// How long it may take until somebody is there, and until all is said.
const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);

/// One address that something is posted to. It may be a secret, so only its host is ever shown.
pub struct Outlet {
    client: reqwest::Client,
    url: Url,
    host: String,
    outgoing: Arc<Outgoing>,
    is_proxied: bool,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Posted {
    /// `200`.
    pub status: u16,
    /// How long we are to wait.
    pub wait: Option<Duration>,
    /// The host that it sends us to instead.
    pub elsewhere: Option<String>,
    /// What it says, or the beginning of it.
    pub body: Vec<u8>,
    /// Did that come whole?
    pub is_whole: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unposted {
    /// Nobody may speak to it.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// It cannot be reached, or says nothing.
    #[error("{host}: {why}")]
    Away {
        /// The host.
        host: String,
        /// What went wrong.
        why: String,
    },
}

impl Outlet {
    /// Gets ready to post to `url`. Its parts are never quoted but for the host.
    pub fn new(url: &Secret, settings: &Settings, outgoing: &Arc<Outgoing>) -> Result<Self, Error> {
        let bad = |why: &str| {
            Error::invalid("url", why).with_hint("paste it whole: https://receiver.example/…")
        };
        let url: Url = url.expose().trim().parse().map_err(|_| bad("it is no URL"))?;
        let host =
            url.host_str().filter(|it| !it.is_empty()).ok_or_else(|| bad("it has no host"))?;
        let shown = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        match url.scheme() {
            "https" => {}
            "http" if may_be_plain(&url, settings) || outgoing.names(host) => {}
            "http" => {
                return Err(Error::invalid(shown, "it is without TLS").with_hint(
                    "use https; if you trust the way there, whoever runs the server names its host: \
                     --outgoing",
                ));
            }
            _ => return Err(bad("it is no https URL")),
        }
        let is_proxied = judge(outgoing, &url).map_err(|it| it.error())?;
        let settings = Settings { outgoing: Some(Arc::clone(outgoing)), ..settings.clone() };
        let (connect, whole) = (settings.stall.min(CONNECT), settings.stall.min(WHOLE));
        let client = Connections::new(Arc::new(settings)).patient(&url, connect, whole)?;
        Ok(Self { client, host: shown, url, outgoing: Arc::clone(outgoing), is_proxied })
    }

    /// Its host, with the port: what may be shown.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its parts that nobody may see: the whole of it, its path and its query, and pieces of those.
    pub fn secrets(&self) -> Vec<String> {
        let url = &self.url;
        let query = url.query().unwrap_or_default();
        let mut all = vec![url.as_str().to_owned(), url.path().to_owned(), query.to_owned()];
        all.extend(url.path_segments().into_iter().flatten().map(str::to_owned));
        all.extend(query.split(['&', '=']).map(str::to_owned));
        // As who took it apart may say it again.
        for it in all.clone() {
            all.push(percent_decode_str(&it).decode_utf8_lossy().into_owned());
        }
        all.extend(url.query_pairs().map(|it| it.1.into_owned()));
        all.retain(|it| it.len() >= 8);
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        if !user.is_empty() || !password.is_empty() {
            // They are sent as they are meant, together, in a header; a user may be the secret, too.
            let plain = |it: &str| percent_decode_str(it).decode_utf8_lossy().into_owned();
            all.push(STANDARD.encode(format!("{}:{}", plain(user), plain(password))));
            let long = |it: &String, least| it.len() >= least;
            all.extend([user.to_owned(), plain(user)].into_iter().filter(|it| long(it, 8)));
            all.extend([password.to_owned(), plain(password)].into_iter().filter(|it| long(it, 4)));
        }
        all.sort_by_key(|it| std::cmp::Reverse(it.len()));
        all.dedup();
        all
    }

    /// Says nothing, and looks where it leads.
    pub async fn look(&self) -> Result<(), Unposted> {
        if self.is_proxied {
            // Only the proxy can tell.
            return Ok(());
        }
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or(443);
        addresses(host, port, &self.outgoing).await.map(|_| ())
    }

    /// Posts to it, once. A redirect is an answer like others, and leads nowhere.
    pub async fn post(&self, headers: HeaderMap, body: Vec<u8>) -> Result<Posted, Unposted> {
        let sent = self.client.post(self.url.clone()).headers(headers).body(body).send().await;
        let mut response = sent.map_err(|why| self.away(&why))?;
        let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
        let wait = header(RETRY_AFTER).and_then(|it| retry_after(it, SystemTime::now()));
        let elsewhere = header(LOCATION).and_then(|it| self.url.join(it).ok());
        let elsewhere = elsewhere.and_then(|it| Some(it.host_str()?.to_owned()));
        let status = response.status().as_u16();
        let (mut body, mut is_whole) = (Vec::new(), false);
        while body.len() < ANSWER_LIMIT {
            match response.chunk().await {
                Ok(Some(more)) => body.extend_from_slice(&more),
                Ok(None) => {
                    is_whole = true;
                    break;
                }
                Err(_) => break,
            }
        }
        body.truncate(ANSWER_LIMIT);
        Ok(Posted { status, wait, elsewhere, body, is_whole })
    }

    /// What went wrong. The URL, which errors like to quote, stays out of it.
    fn away(&self, error: &reqwest::Error) -> Unposted {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(it) = source {
            if let Some(forbidden) = it.downcast_ref::<Forbidden>() {
                return forbidden.clone().into();
            }
            source = it.source();
        }
        let why = match () {
            () if error.is_timeout() && error.is_connect() => "nobody is there".to_owned(),
            () if error.is_timeout() => "it does not answer in time".to_owned(),
            () => match std::error::Error::source(error) {
                Some(source) => innermost(source),
                None => "it cannot be reached".to_owned(),
            },
        };
        Unposted::Away { host: self.host.clone(), why }
    }
}

/// Does a proxy stand between?
pub(super) fn is_proxied(url: &Url) -> bool {
    let uri = url.as_str().parse();
    uri.is_ok_and(|it| Matcher::from_system().intercept(&it).is_some())
}

/// May what is at `url` be spoken to, as far as its name tells; and does a proxy stand between?
pub(super) fn judge(outgoing: &Outgoing, url: &Url) -> Result<bool, Forbidden> {
    let host = url.host_str().unwrap_or_default();
    outgoing.judge_no_proxy(host, &proxies())?;
    let is_proxied = !is_loopback(url) && is_proxied(url);
    let judged = if is_proxied { outgoing.judge_proxied(host) } else { outgoing.judge_name(host) };
    judged.map(|()| is_proxied)
}

/// The hosts of the proxies that the environment names.
fn proxies() -> Vec<String> {
    let matcher = Matcher::from_system();
    let asked = ["http://foretop.invalid/", "https://foretop.invalid/"];
    let uris = asked.into_iter().filter_map(|it| it.parse().ok());
    let found = uris.filter_map(|it| matcher.intercept(&it));
    found.filter_map(|it| it.uri().host().map(str::to_ascii_lowercase)).collect()
}

/// The addresses behind a host that it may be spoken to at.
pub async fn addresses(
    host: &str,
    port: u16,
    outgoing: &Outgoing,
) -> Result<Vec<SocketAddr>, Unposted> {
    outgoing.judge_name(host)?;
    let away = |why: String| Unposted::Away { host: host.to_owned(), why };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let asked = tokio::time::timeout(CONNECT, tokio::net::lookup_host((name, port))).await;
    let found = asked
        .map_err(|_| away("its name is not found in time".to_owned()))?
        .map_err(|_| away("its name is not found".to_owned()))?;
    let mut refused = None;
    let mut allowed = Vec::new();
    for address in found {
        match outgoing.judge_address(host, address.ip()) {
            Ok(()) => allowed.push(address),
            Err(forbidden) => refused = Some(forbidden),
        }
    }
    match refused {
        Some(forbidden) if allowed.is_empty() => Err(forbidden.into()),
        _ if allowed.is_empty() => Err(away("its name leads nowhere".to_owned())),
        _ => Ok(allowed),
    }
}

/// Tells a client the addresses of a host that it may connect to, and no other: what is judged is
/// what is connected to, whatever the name leads to a moment later.
pub(super) struct Guard {
    outgoing: Arc<Outgoing>,
    proxies: Arc<[String]>,
}

impl Guard {
    pub(super) fn new(outgoing: &Arc<Outgoing>) -> Self {
        Self { outgoing: Arc::clone(outgoing), proxies: proxies().into() }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (outgoing, proxies) = (Arc::clone(&self.outgoing), Arc::clone(&self.proxies));
        Box::pin(async move {
            let host = name.as_str();
            // A proxy was named by whoever runs this; who else names its host was judged for that.
            let found: Vec<SocketAddr> = if proxies.iter().any(|it| it.eq_ignore_ascii_case(host)) {
                tokio::net::lookup_host((host, 0)).await?.collect()
            } else {
                addresses(host, 0, &outgoing).await.map_err(|why| match why {
                    Unposted::Forbidden(forbidden) => {
                        Box::<dyn std::error::Error + Send + Sync>::from(forbidden)
                    }
                    away @ Unposted::Away { .. } => away.into(),
                })?
            };
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(outgoing: Outgoing, name: &str) -> String {
        let guard = Guard::new(&Arc::new(outgoing));
        match guard.resolve(name.parse().unwrap()).await {
            Ok(found) => found.map(|it| it.ip().to_string()).collect::<Vec<_>>().join(" "),
            Err(why) => format!("{}{why}", if why.is::<Forbidden>() { "forbidden: " } else { "" }),
        }
    }

    /// This is no address in the eyes of those who read names, and one for those who look them up.
    #[tokio::test]
    async fn what_a_name_leads_to_decides() {
        let why = "127.1: it leads to 127.0.0.1, which is this machine itself";
        assert_eq!(resolved(Outgoing::default(), "127.1").await, format!("forbidden: {why}"));
        let inside = || Outgoing::only(["127.0.0.0/8"]).unwrap();
        assert_eq!(resolved(inside(), "127.1").await, "127.0.0.1");
        let elsewhere = Outgoing::only(["10.0.0.0/8"]).unwrap();
        let why = "127.1: it leads to 127.0.0.1, which is not in the list of outgoing hosts";
        assert_eq!(resolved(elsewhere, "127.1").await, format!("forbidden: {why}"));
        assert_eq!(resolved(Outgoing::only(["127.1"]).unwrap(), "127.1").await, "127.0.0.1");
        let nowhere = resolved(Outgoing::default(), "nobody.invalid").await;
        // Where nobody can be asked for names, that takes longer than there is time.
        assert!(nowhere.starts_with("nobody.invalid: its name is not found"), "{nowhere}");
    }

    #[test]
    fn only_the_host_is_shown() {
        let outgoing = Arc::new(Outgoing::only(["a.example"]).unwrap());
        let url = Secret::new("http://us:p4ssw0rd@a.example:81/first-part/x?y=query-part#z");
        let outlet = Outlet::new(&url, &Settings::default(), &outgoing).unwrap();
        assert_eq!(outlet.host(), "a.example:81");
        let secrets = outlet.secrets();
        // The last one is how user and password are sent.
        for part in ["p4ssw0rd", "first-part", "query-part", "/first-part/x", "dXM6cDRzc3cwcmQ="] {
            assert!(secrets.iter().any(|it| it == part), "{part}");
        }
        assert!(secrets.is_sorted_by_key(|it| std::cmp::Reverse(it.len())));
        let url = Secret::new("https://us:p%40ss@a.example/a%2Fpart%2Fof/it?sig=a%2Bsignature&v=1");
        let secrets = Outlet::new(&url, &Settings::default(), &outgoing).unwrap().secrets();
        for part in ["p@ss", "dXM6cEBzcw==", "a/part/of", "a%2Bsignature", "a+signature"] {
            assert!(secrets.iter().any(|it| it == part), "{part}");
        }
        let url = Secret::new("https://a-t0ken-alone@a.example/");
        let secrets = Outlet::new(&url, &Settings::default(), &outgoing).unwrap().secrets();
        for part in ["a-t0ken-alone", "YS10MGtlbi1hbG9uZTo="] {
            assert!(secrets.iter().any(|it| it == part), "{part}");
        }
    }
}
