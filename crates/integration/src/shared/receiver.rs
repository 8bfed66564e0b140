//! Whoever takes what is posted, and what it means when they do not.

use http::{HeaderMap, HeaderValue, header};
use image::{Error, Outlet, Posted, Unposted};
use model::Secret;

use super::said::shown;
use crate::contract::{Check, Outcome, Remedy, Settings, Untold, Ways};

const REACHABLE: &str = "receiver reachable";
/// What is shorter is found in words that mean something else.
const SHORTEST: usize = 6;

/// One that is reached at the secret `url`.
pub(crate) struct Receiver {
    outlet: Outlet,
    /// What must not be quoted, the longest first.
    secrets: Vec<String>,
}

impl Receiver {
    /// With what else must not be quoted.
    pub(crate) fn new(settings: &Settings, ways: &Ways, secrets: &[&str]) -> Result<Self, Error> {
        let url = settings.secret("url").cloned().unwrap_or_else(|| Secret::new(""));
        let outlet = Outlet::new(&url, &ways.settings, &ways.outgoing())?;
        let mut all = outlet.secrets();
        let further = secrets.iter().filter_map(|it| settings.secret(it));
        let further = further.flat_map(|it| it.expose().split(['\n', ' ', ':']));
        all.extend(further.filter(|it| it.len() >= SHORTEST).map(str::to_owned));
        all.sort_by_key(|it| std::cmp::Reverse(it.len()));
        Ok(Self { outlet, secrets: all })
    }

    pub(crate) fn host(&self) -> &str {
        self.outlet.host()
    }

    /// Posts to it. What is no success is for the caller to judge, but for redirects, which never are.
    pub(crate) async fn post(&self, headers: HeaderMap, body: String) -> Result<Posted, Untold> {
        let mut all = headers;
        all.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        let posted = self.outlet.post(all, body.into_bytes()).await.map_err(untold)?;
        if (300..400).contains(&posted.status) {
            return Err(self.elsewhere(&posted));
        }
        Ok(posted)
    }

    fn elsewhere(&self, posted: &Posted) -> Untold {
        let (host, status) = (self.host(), posted.status);
        let why = format!("{host}: it answered {status}, a redirect, which is not followed");
        // A page that is shown for a while is no new address.
        let remedy = if matches!(status, 301 | 308) { Remedy::Close } else { Remedy::Later(None) };
        let hint = match &posted.elsewhere {
            Some(elsewhere) => {
                format!("configure the address that is meant: it names {}", self.quoted(elsewhere))
            }
            None => "configure the address that is meant".to_owned(),
        };
        Untold::new(why, remedy).with_hint(hint)
    }

    /// That it took what was posted, in a line.
    pub(crate) fn took(&self, posted: &Posted) -> String {
        format!("{} answered {}", self.host(), posted.status)
    }

    /// It began to say that it took something.
    pub(crate) fn broke_off(&self) -> Untold {
        let why =
            format!("{}: its answer broke off, so nobody knows whether it heard", self.host());
        Untold::new(why, Remedy::Later(None))
    }

    /// What an answer means that is no success, as far as its status tells.
    pub(crate) fn refused(&self, posted: &Posted) -> Untold {
        let (host, status) = (self.host(), posted.status);
        let why = match self.quoted(&String::from_utf8_lossy(&posted.body)) {
            said if said.is_empty() => format!("{host}: it answered {status}"),
            said => format!("{host}: it answered {status}: {said}"),
        };
        let (remedy, hint) = match status {
            401 => (Remedy::Close, "is what it is shown still right?"),
            // A firewall says so, too.
            403 => {
                (Remedy::CloseAtLast, "is what it is shown still right, and the way there open?")
            }
            404 | 405 | 410 => (Remedy::Close, "nobody takes messages there: configure it anew"),
            408 | 425 | 429 | 500.. => (Remedy::Later(posted.wait), "it is tried again"),
            400..500 => (Remedy::Drop, "it does not take this message, and may take others"),
            _ => (Remedy::Later(None), "it is tried again"),
        };
        Untold::new(why, remedy).with_hint(hint)
    }

    /// What somebody said, without our secrets, fit to stand in a message.
    pub(crate) fn quoted(&self, said: &str) -> String {
        let said =
            self.secrets.iter().fold(said.to_owned(), |it, secret| it.replace(secret, "***"));
        shown(said.trim()).trim().to_owned()
    }

    /// Is it there, and may it be spoken to?
    pub(crate) async fn check(&self) -> Check {
        reachable(self.host(), self.outlet.look().await)
    }
}

/// What came of looking where somebody's name leads.
pub(crate) fn reachable<T>(host: &str, looked: Result<T, Unposted>) -> Check {
    match looked.map_err(untold) {
        Ok(_) => Check::ok(REACHABLE, format!("{host} may be spoken to")),
        Err(Untold { why, hint, .. }) => {
            Check { what: REACHABLE, outcome: Outcome::Failed { why, hint } }
        }
    }
}

/// What it means that nobody answers.
pub(crate) fn untold(unposted: Unposted) -> Untold {
    match unposted {
        Unposted::Forbidden(forbidden) => {
            Untold::new(forbidden.to_string(), Remedy::Close).with_hint(forbidden.hint())
        }
        away @ Unposted::Away { .. } => Untold::new(away.to_string(), Remedy::Later(None)),
    }
}
