//! Who may come in, and tokens for those who may.

use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::http::{Reply, Request};
use super::{Guard, State, lock};

impl State {
    /// The refusal that a request without the right `Authorization` meets.
    pub(super) fn refuse(&self, request: &Request) -> Option<Reply> {
        let given = request.header("authorization").unwrap_or_default();
        let guard = lock(&self.guard).clone();
        let newest = format!("Bearer token-{}", self.tokens.load(Ordering::SeqCst));
        let (wanted, challenge) = match guard {
            Guard::Open => return None,
            Guard::Basic(user, password) => {
                (basic(&user, &password), "Basic realm=\"a, b\"".to_owned())
            }
            Guard::Bearer(token) => (format!("Bearer {token}"), self.challenge()),
            Guard::Anonymous | Guard::Token(..) | Guard::Identity(_) | Guard::OldIdentity(_) => {
                (newest, self.challenge())
            }
        };
        let may_push = lock(&self.pushers).contains(&self.tokens.load(Ordering::SeqCst))
            || !challenge.starts_with("Bearer ");
        let is_push = !matches!(request.method.as_str(), "GET" | "HEAD");
        (given != wanted || is_push && !may_push).then(|| {
            let challenge =
                if is_push { challenge.replace(":pull", ":pull,push") } else { challenge };
            Reply::error(401, "UNAUTHORIZED", "authentication required")
                .header("WWW-Authenticate", &challenge)
        })
    }

    fn challenge(&self) -> String {
        let address = lock(&self.address).map(|it| it.to_string()).unwrap_or_default();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let own = format!("{scheme}://{address}/token");
        let realm = lock(&self.realm).clone().unwrap_or(own);
        format!("Bearer realm=\"{realm}\",service=\"fake, registry\",scope=\"repository:app:pull\"")
    }

    /// What the token server, at `/token`, answers.
    pub(super) fn give_token(&self, request: &Request) -> Reply {
        let given = request.header("authorization").unwrap_or_default();
        let posted = |name: &str| {
            let pairs = request.body.split('&').filter_map(|it| it.split_once('='));
            pairs.filter(|(it, _)| *it == name).map(|(_, value)| value.to_owned()).next()
        };
        let allowed = match &*lock(&self.guard) {
            Guard::Anonymous => given.is_empty(),
            Guard::Token(user, password) => given == basic(user, password),
            Guard::Identity(token) => {
                request.method == "POST"
                    && posted("grant_type").as_deref() == Some("refresh_token")
                    && posted("refresh_token").as_ref() == Some(token)
            }
            Guard::OldIdentity(_) if request.method == "POST" => {
                return Reply::error(405, "UNSUPPORTED", "what is that");
            }
            Guard::OldIdentity(token) => given == basic("", token),
            Guard::Open | Guard::Basic(..) | Guard::Bearer(_) => false,
        };
        if !allowed {
            return Reply::new(401, "application/json", br#"{"details":"who are you"}"#);
        }
        let number = self.tokens.fetch_add(1, Ordering::SeqCst) + 1;
        if request.path.contains("push") || request.body.contains("push") {
            lock(&self.pushers).insert(number);
        }
        let mut answer = json!({"token": format!("token-{number}")});
        if let Some(seconds) = *lock(&self.token_lifetime) {
            answer["expires_in"] = seconds.into();
        }
        Reply::new(200, "application/json", answer.to_string().as_bytes())
    }
}

fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
