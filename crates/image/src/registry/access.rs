//! Access to a registry: credentials turned into what it wants to see.
//!
//! <https://distribution.github.io/distribution/spec/auth/token/>,
//! <https://distribution.github.io/distribution/spec/auth/oauth/>

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Secret;
use reqwest::header::HeaderValue;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::client::{Call, Client, Trouble};
use super::connections::{is_loopback, may_be_plain};
use crate::{Credentials, Error, Settings, credentials};

const TOKEN_LIMIT: usize = 1 << 20;

/// What opens one repository. All requests share it, and one of them renews it for all.
pub(super) struct Access {
    granted: Mutex<Option<Granted>>,
    credentials: OnceLock<Option<Credentials>>,
}

struct Granted {
    header: HeaderValue,
    until: Option<Instant>,
}

impl Granted {
    fn is_valid(&self) -> bool {
        self.until.is_none_or(|until| until > Instant::now())
    }
}

#[derive(Deserialize)]
struct TokenJson {
    #[serde(default)]
    token: String,
    #[serde(default)]
    access_token: String,
    expires_in: Option<u64>,
}

impl Access {
    /// A bearer token given by the user is shown right away; everything else when it is asked for.
    pub(super) fn new(host: &str, settings: &Settings) -> Self {
        let given = credentials::given(host, settings);
        let Some(Credentials::Bearer(token)) = given else {
            return Self { granted: Mutex::default(), credentials: OnceLock::new() };
        };
        let granted = bearer(token.expose()).map(|header| Granted { header, until: None });
        let credentials = given.cloned().into();
        Self { granted: Mutex::new(granted), credentials }
    }

    /// The same, with a password shown right away: those who ask nobody tell strangers less.
    pub(super) fn eager(self, host: &str, settings: &Settings) -> Self {
        let given = credentials::given(host, settings);
        let Some(Credentials::Basic { user, password }) = given else {
            return self;
        };
        let granted = basic(user, password).map(|header| Granted { header, until: None });
        let credentials = given.cloned().into();
        Self { granted: Mutex::new(granted), credentials }
    }

    /// The `Authorization` that holds now.
    pub(super) async fn authorization(&self) -> Option<HeaderValue> {
        let granted = self.granted.lock().await;
        granted.as_ref().filter(|it| it.is_valid()).map(|it| it.header.clone())
    }

    /// Who we said we are.
    pub(super) fn user(&self) -> Option<String> {
        match self.credentials.get()?.as_ref()? {
            Credentials::Basic { user, .. } => Some(format!("the user {user}")),
            Credentials::Identity(_) | Credentials::Bearer(_) => Some("the given token".to_owned()),
        }
    }

    /// Meets one of `challenges`, after `used` was not enough: what to show instead.
    /// `None`: there is no more to show.
    pub(super) async fn log_in(
        &self,
        client: &Client,
        challenges: &[Challenge],
        used: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>, Trouble> {
        let mut granted = self.granted.lock().await;
        // Somebody else may have logged in meanwhile.
        let others = granted.as_ref().filter(|it| it.is_valid() && Some(&it.header) != used);
        if let Some(others) = others {
            return Ok(Some(others.header.clone()));
        }
        let credentials = self.credentials(client).await?;
        let offered = |scheme: &str| challenges.iter().find(|it| it.scheme == scheme);
        let fresh = match (credentials, offered("bearer"), offered("basic")) {
            (Some(Credentials::Bearer(token)), ..) => {
                bearer(token.expose()).map(|header| Granted { header, until: None })
            }
            (credentials, Some(challenge), _) => Some(token(client, challenge, credentials).await?),
            (Some(Credentials::Basic { user, password }), None, Some(_)) => {
                basic(user, password).map(|header| Granted { header, until: None })
            }
            (_, None, Some(_)) => None,
            (_, None, None) if challenges.is_empty() => None,
            (_, None, None) => {
                let schemes: Vec<&str> = challenges.iter().map(|it| it.scheme.as_str()).collect();
                let why = format!("{} wants a login by {}", client.host, schemes.join(" or "));
                return Err(Error::unsupported(&client.what, why).into());
            }
        };
        *granted = fresh;
        Ok(granted.as_ref().map(|it| it.header.clone()).filter(|it| Some(it) != used))
    }

    async fn credentials(&self, client: &Client) -> Result<Option<&Credentials>, Error> {
        if let Some(known) = self.credentials.get() {
            return Ok(known.as_ref());
        }
        let found = credentials::find(
            &client.host,
            &client.repository,
            &client.settings,
            client.progress.as_ref(),
        )
        .await?;
        Ok(self.credentials.get_or_init(|| found).as_ref())
    }
}

/// Gets a token from where the registry says.
async fn token(
    client: &Client,
    challenge: &Challenge,
    credentials: Option<&Credentials>,
) -> Result<Granted, Trouble> {
    let realm = realm(client, challenge)?;
    let actions = if client.pushes { "pull,push" } else { "pull" };
    let own_scope = match client.repository.as_str() {
        "" => String::new(),
        repository => format!("repository:{repository}:{actions}"),
    };
    // Whoever pushes would be asked again at every turn.
    let scope = challenge.parameter("scope").filter(|_| !client.pushes).unwrap_or(&own_scope);
    let service = challenge.parameter("service").unwrap_or_default();
    let response = match credentials {
        Some(Credentials::Identity(identity)) => {
            let mut form =
                Url::parse("form:").map_err(|why| Error::invalid("form", why.to_string()))?;
            form.query_pairs_mut()
                .append_pair("grant_type", "refresh_token")
                .append_pair("service", service)
                .append_pair("client_id", "foretop")
                .append_pair("scope", scope)
                .append_pair("refresh_token", identity.expose());
            let form = form.query().unwrap_or_default().to_owned();
            let call = Call { form: Some(form), ..Call::default() };
            let (response, _) = client.send(realm.clone(), &call).await?;
            match response.status() {
                // Not every token server knows how to renew; then the token is a password.
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    let authorization = basic("", identity);
                    client.send(query(realm, service, scope, None), &get(authorization)).await?.0
                }
                _ => response,
            }
        }
        Some(Credentials::Basic { user, password }) => {
            let url = query(realm, service, scope, Some(user));
            client.send(url, &get(basic(user, password))).await?.0
        }
        Some(Credentials::Bearer(_)) | None => {
            client.send(query(realm, service, scope, None), &get(None)).await?.0
        }
    };
    if !response.status().is_success() {
        return Err(client.judge(response).await);
    }
    let asked = Instant::now();
    let body = client.body(response, TOKEN_LIMIT).await?;
    let nonsense = || {
        let why = format!("the token server of {} answered with nonsense", client.host);
        Trouble::Final(Error::unavailable(&client.what, why))
    };
    let answer: TokenJson = serde_json::from_slice(&body).map_err(|_| nonsense())?;
    let token = if answer.token.is_empty() { answer.access_token } else { answer.token };
    let header = bearer(&token).filter(|_| !token.is_empty()).ok_or_else(nonsense)?;
    // A minute is what the specification says when the server does not; some of it is spent
    // on the way.
    let lifetime = Duration::from_secs(answer.expires_in.unwrap_or(60).min(86_400)).mul_f32(0.9);
    Ok(Granted { header, until: asked.checked_add(lifetime) })
}

/// Where tokens are to be had: nowhere that others could listen.
fn realm(client: &Client, challenge: &Challenge) -> Result<Url, Error> {
    let named = challenge.parameter("realm").unwrap_or_default();
    let astray = |why: &str| {
        Error::unavailable(&client.what, format!("{} wants a login {why}", client.host))
    };
    let realm = Url::parse(named).map_err(|_| astray("at an address that is none"))?;
    let plain =
        || may_be_plain(&realm, &client.settings) && (!is_loopback(&realm) || client.is_loopback());
    match realm.scheme() {
        "https" => Ok(realm),
        "http" if plain() => Ok(realm),
        _ => Err(astray("at a place without TLS")
            .with_hint("if you trust the way there, name its host as an insecure registry")),
    }
}

fn query(mut realm: Url, service: &str, scope: &str, account: Option<&str>) -> Url {
    let _ = realm.set_username("");
    let _ = realm.set_password(None);
    {
        let mut pairs = realm.query_pairs_mut();
        if !service.is_empty() {
            pairs.append_pair("service", service);
        }
        for scope in scope.split(' ').filter(|it| !it.is_empty()) {
            pairs.append_pair("scope", scope);
        }
        if let Some(account) = account {
            pairs.append_pair("account", account);
        }
        pairs.append_pair("client_id", "foretop");
    }
    realm
}

fn get(authorization: Option<HeaderValue>) -> Call {
    Call { authorization, ..Call::default() }
}

fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    secret_header(&format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose()))))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    secret_header(&format!("Bearer {token}"))
}

/// `None`: it holds what no header may, a line break say.
fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}
