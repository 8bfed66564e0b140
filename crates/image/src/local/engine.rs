//! The Engine API: the few requests we make of a container engine, over whatever leads to it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::endpoint::{self, Endpoint};
use crate::contract::{Error, Settings};

/// More than any image's own description.
const DOCUMENT: usize = 16 << 20;

/// Engines of some age copy all layers before they send the first byte of an export.
const PATIENCE: u32 = 10;

/// An engine that can be asked.
pub struct Engine {
    client: Client,
    base: String,
    shown: String,
    stall: Duration,
}

/// What an engine has to say, with the version of the API it speaks.
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// 1 and 48.
    pub version: (u32, u32),
}

/// What an engine tells as it happens, line by line.
pub struct Lines {
    response: Response,
    shown: String,
    buffer: Vec<u8>,
    searched: usize,
}

/// Longest line.
const LINE: usize = 1 << 20;

impl Engine {
    /// The engine that the settings lead to.
    pub async fn find(settings: &Settings) -> Result<Self, Error> {
        let endpoint = match endpoint::chosen(settings)? {
            Some(endpoint) => endpoint,
            None => first_socket(&settings.docker_sockets).await?,
        };
        // reqwest wants one installed even where no TLS is spoken; a second time is harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&settings.user_agent)
            .connect_timeout(settings.stall);
        let (builder, base, shown) = match endpoint {
            Endpoint::Unix(path) => {
                let shown = format!("unix://{}", path.display());
                let builder = builder.tls_certs_only([]).unix_socket(path);
                (builder, "http://engine".to_owned(), shown)
            }
            Endpoint::Http(address) => {
                let base = format!("http://{address}");
                (builder.tls_certs_only([]), base.clone(), base)
            }
            Endpoint::Https(address, certificates) => {
                let base = format!("https://{address}");
                let builder = match certificates {
                    Some(directory) => with_certificates(builder, &directory)?,
                    None => builder,
                };
                (builder, base.clone(), base)
            }
        };
        let client = builder.build().map_err(|error| Error::invalid(&shown, cause(&error)))?;
        Ok(Self { client, base, shown, stall: settings.stall })
    }

    /// How long it may be silent while it sends.
    pub(super) fn stall(&self) -> Duration {
        self.stall
    }

    /// A document, or `None` when there is no such thing.
    pub async fn json<T: DeserializeOwned>(&self, path: &str) -> Result<Option<Answer<T>>, Error> {
        let Some(response) = self.get(path, self.stall).await? else {
            return Ok(None);
        };
        let version = version(&response);
        let bytes = self.body(response).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(Some(Answer { value, version })),
            Err(error) => {
                Err(Error::corrupt(&self.shown, format!("its answer to {path} is odd: {error}")))
            }
        }
    }

    /// The start of a long answer, or `None` when there is no such thing.
    pub(super) async fn stream(&self, path: &str) -> Result<Option<Response>, Error> {
        self.get(path, self.stall.saturating_mul(PATIENCE)).await
    }

    /// What it tells as it happens, or `None` when it tells nothing of the kind.
    pub async fn lines(&self, path: &str) -> Result<Option<Lines>, Error> {
        let response = self.get(path, self.stall).await?;
        let lines = |response| Lines {
            response,
            shown: self.shown.clone(),
            buffer: Vec::new(),
            searched: 0,
        };
        Ok(response.map(lines))
    }

    async fn get(&self, path: &str, patience: Duration) -> Result<Option<Response>, Error> {
        let request = self.client.get(format!("{}{path}", self.base)).send();
        let response = match tokio::time::timeout(patience, request).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unreachable(&self.shown, &cause(&error))),
            Err(_) => return Err(self.silent(patience)),
        };
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if status.is_success() {
            return Ok(Some(response));
        }
        let body = self.body(response).await.unwrap_or_default();
        let why = match serde_json::from_slice::<Message>(&body) {
            Ok(Message { message }) => format!("the engine says: {}", one_line(&message)),
            Err(_) => format!("the engine answers with status {}", status.as_u16()),
        };
        Err(match status.as_u16() {
            401 | 403 => Error::denied(&self.shown, why),
            400 => Error::invalid(&self.shown, why),
            _ => Error::unavailable(&self.shown, why),
        })
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            let chunk = match tokio::time::timeout(self.stall, response.chunk()).await {
                Ok(Ok(chunk)) => chunk,
                Ok(Err(error)) => return Err(self.broken(&error)),
                Err(_) => return Err(self.silent(self.stall)),
            };
            let Some(chunk) = chunk else {
                return Ok(bytes);
            };
            if bytes.len() + chunk.len() > DOCUMENT {
                let why = format!("its answer is longer than {DOCUMENT} bytes");
                return Err(Error::limit(&self.shown, why));
            }
            bytes.extend_from_slice(&chunk);
        }
    }

    pub(super) fn broken(&self, error: &reqwest::Error) -> Error {
        Error::unavailable(&self.shown, format!("the engine broke off: {}", cause(error)))
            .with_hint("try again; the engine's own log may say more")
    }

    pub(super) fn silent(&self, patience: Duration) -> Error {
        let seconds = patience.as_secs_f32();
        Error::unavailable(&self.shown, format!("the engine said nothing for {seconds} seconds"))
            .with_hint("is the engine busy or stuck? `docker info` shows whether it answers")
    }
}

impl Lines {
    /// The next line, whenever it comes; `None` at the end. Nothing is lost if nobody waits for it.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = rest.iter().position(|it| *it == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                self.searched = 0;
                return Ok(Some(std::mem::replace(&mut self.buffer, rest)));
            }
            self.searched = self.buffer.len();
            if self.searched > LINE {
                let why = format!("a line of it is longer than {LINE} bytes");
                return Err(Error::limit(&self.shown, why));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(Error::unavailable(&self.shown, cause(&error))),
            }
        }
    }
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

async fn first_socket(sockets: &[PathBuf]) -> Result<Endpoint, Error> {
    let mut why = String::new();
    for path in sockets {
        match tokio::net::UnixStream::connect(path).await {
            Ok(_) => return Ok(Endpoint::Unix(path.clone())),
            Err(error) => {
                let separator = if why.is_empty() { "" } else { "; " };
                let _ = write!(why, "{separator}{}: {error}", path.display());
            }
        }
    }
    let why = if why.is_empty() { "no socket is set".to_owned() } else { why };
    Err(unreachable("the container engine", &why))
}

/// The error of an engine that is not there.
fn unreachable(what: &str, why: &str) -> Error {
    Error::unavailable(what, format!("it cannot be reached: {why}"))
        .with_hint("is Docker or podman running? DOCKER_HOST says where it listens")
}

fn with_certificates(
    builder: reqwest::ClientBuilder,
    directory: &Path,
) -> Result<reqwest::ClientBuilder, Error> {
    let read = |name: &str| {
        let path = directory.join(name);
        match fs_err::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(crate::blob::from_io(&path.display().to_string(), error)),
        }
    };
    let bad = |name: &str, error: &reqwest::Error| {
        Error::invalid(directory.join(name).display().to_string(), cause(error))
            .with_hint("it must be PEM, as `docker` itself wants it")
    };
    let mut builder = builder;
    if let Some(pem) = read("ca.pem")? {
        let authorities =
            reqwest::Certificate::from_pem_bundle(&pem).map_err(|it| bad("ca.pem", &it))?;
        builder = builder.tls_certs_only(authorities);
    }
    if let (Some(certificate), Some(key)) = (read("cert.pem")?, read("key.pem")?) {
        let pem = [key, b"\n".to_vec(), certificate].concat();
        let identity = reqwest::Identity::from_pem(&pem).map_err(|it| bad("cert.pem", &it))?;
        builder = builder.identity(identity);
    }
    Ok(builder)
}

/// `Api-Version: 1.48`; an engine that does not say is an old one.
fn version(response: &Response) -> (u32, u32) {
    let parse = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let header = response.headers().get("api-version").and_then(|it| it.to_str().ok());
    header.and_then(parse).unwrap_or((1, 24))
}

/// The innermost reason, which says more than "error sending request".
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn one_line(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { ' ' } else { it }).take(500).collect()
}
