//! Asking a registry: one request with its redirects and its logins, and trying again.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use hyper::body::Bytes;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION, RANGE,
    WWW_AUTHENTICATE,
};
use reqwest::{Method, Response, StatusCode, Url};

use super::access::Access;
use super::answer::{Answer, html, is_html, tame};
use super::attempts::{Attempts, LONGEST_WAIT, Setback, patience};
use super::challenge;
use super::connections::{Connections, innermost, is_loopback, may_be_plain};
use crate::{Error, Progress, Settings};

const REDIRECTS_LIMIT: usize = 5;
/// Of an answer that is no success only the beginning is of interest.
const COMPLAINT_LIMIT: usize = 64 << 10;

/// An upload that goes slower than this many bytes in a second has stalled.
const SLOWEST_UPLOAD: u64 = 16 << 10;

/// One repository of one registry.
pub(crate) struct Client {
    pub(crate) settings: Arc<Settings>,
    pub(crate) progress: Arc<dyn Progress>,
    /// As the user names it.
    pub(crate) host: String,
    pub(super) repository: String,
    /// The image, as the user named it.
    pub(crate) what: String,
    /// Does it bring something, too?
    pub(super) pushes: bool,
    /// Where it may be reached, in the order of trying.
    candidates: Vec<Url>,
    /// Where it was reached.
    base: OnceLock<Url>,
    connections: Arc<Connections>,
    access: Access,
    /// What paths begin with: `v2/library/debian/`.
    below: String,
}

/// What is asked for.
#[derive(Clone, Default)]
pub(super) struct Call {
    /// `Accept`.
    pub(super) accept: Option<&'static str>,
    /// Leave out so many bytes at the beginning.
    pub(super) from: u64,
    /// `Authorization`, for the first host only.
    pub(super) authorization: Option<HeaderValue>,
    /// A form to post.
    pub(super) form: Option<String>,
    /// What is done; a GET, unless said.
    pub(super) method: Method,
    /// What is brought.
    pub(super) body: Bytes,
    /// Its type.
    pub(super) content_type: Option<String>,
    /// Which part of the whole it is.
    pub(super) content_range: Option<String>,
    /// That it is not there is an answer, too.
    pub(super) absent: bool,
    /// So is that the registry does not know what is asked for.
    pub(super) optional: bool,
}

impl Call {
    /// May be sent anew to wherever any redirect leads?
    fn is_question(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// Why there is no answer.
pub(super) enum Trouble {
    /// It will not get better.
    Final(Error),
    /// It may.
    Again(Setback),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Trouble {
    pub(super) fn again(error: Error) -> Self {
        Self::Again(error.into())
    }
}

impl Client {
    pub(crate) fn new(
        host: &str,
        repository: &str,
        what: &str,
        settings: &Arc<Settings>,
        progress: &Arc<dyn Progress>,
    ) -> Result<Self, Error> {
        let address = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let url = |scheme: &str| {
            Url::parse(&format!("{scheme}://{address}/"))
                .map_err(|why| Error::invalid(what, format!("`{host}` is no host: {why}")))
        };
        let mut candidates = vec![url("https")?];
        if may_be_plain(&url("http")?, settings) {
            candidates.insert(0, url("http")?);
        }
        Ok(Self {
            settings: Arc::clone(settings),
            progress: Arc::clone(progress),
            host: host.to_owned(),
            repository: repository.to_owned(),
            what: what.to_owned(),
            pushes: false,
            candidates,
            base: OnceLock::new(),
            connections: Arc::new(Connections::new(Arc::clone(settings))),
            access: Access::new(host, settings),
            below: format!("v2/{repository}/"),
        })
    }

    /// The same host, with a login of its own for `repository` (none: for what is no repository's).
    /// Paths are those of the host; `eager`: a password is shown before anybody asks for it.
    pub(super) fn desk(&self, repository: &str, eager: bool) -> Self {
        let access = Access::new(&self.host, &self.settings);
        Self {
            settings: Arc::clone(&self.settings),
            progress: Arc::clone(&self.progress),
            host: self.host.clone(),
            repository: repository.to_owned(),
            what: self.what.clone(),
            pushes: self.pushes,
            candidates: self
                .base
                .get()
                .map_or_else(|| self.candidates.clone(), |it| vec![it.clone()]),
            base: OnceLock::new(),
            connections: Arc::clone(&self.connections),
            access: if eager { access.eager(&self.host, &self.settings) } else { access },
            below: String::new(),
        }
    }

    /// The same, but that the host is nowhere but there.
    pub(super) fn only_at(self, base: Url) -> Self {
        Self { candidates: vec![base], ..self }
    }

    /// Where the host may be reached, or was.
    pub(super) fn bases(&self) -> &[Url] {
        self.base.get().map_or(&self.candidates[..], std::slice::from_ref)
    }

    /// The same, to bring something.
    pub(crate) fn pushing(self) -> Self {
        Self { pushes: true, ..self }
    }

    /// True when the registry is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.candidates.iter().all(is_loopback)
    }

    /// The whole answer to `path` below the repository, of at most `limit` bytes.
    pub(crate) async fn get(
        &self,
        path: &str,
        accept: Option<&'static str>,
        limit: usize,
    ) -> Result<(HeaderMap, Vec<u8>), Error> {
        let mut attempts = Attempts::new(&self.settings, &self.progress);
        let call = Call { accept, ..Call::default() };
        loop {
            let response = self.open(path, &call, &mut attempts).await?;
            let headers = response.headers().clone();
            match self.body(response, limit).await {
                Ok(body) if is_html(content_type(&headers), &body) => {
                    return Err(html(&self.what, &self.host));
                }
                Ok(body) => return Ok((headers, body)),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again(setback)) => attempts.after(setback).await?,
            }
        }
    }

    /// The beginning of an answer to `path` below the repository, or to a whole URL; its body is still
    /// to be read.
    pub(super) async fn open(
        &self,
        path: &str,
        call: &Call,
        attempts: &mut Attempts,
    ) -> Result<Response, Error> {
        loop {
            match self.once(path, call).await {
                Ok(response) => return Ok(response),
                Err(Trouble::Final(error)) => return Err(error),
                Err(Trouble::Again(setback)) => attempts.after(setback).await?,
            }
        }
    }

    /// Asks once, logging in where that is demanded.
    pub(super) async fn once(&self, path: &str, call: &Call) -> Result<Response, Trouble> {
        let path = if self.below.is_empty() || path.contains("://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.below)
        };
        self.heed().await?;
        let mut logins = 0;
        let mut used = self.access.authorization().await;
        loop {
            let call = Call { authorization: used.clone(), ..call.clone() };
            let (response, own) = self.reach(&path, &call).await?;
            let range = call.from > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE;
            let status = response.status().as_u16();
            let absent = call.absent && status == 404;
            let absent = absent || call.optional && matches!(status, 400 | 404 | 405 | 406 | 501);
            if response.status().is_success() || range || absent {
                return Ok(response);
            }
            // Whoever we were sent on to has no claim to our credentials.
            if response.status() != StatusCode::UNAUTHORIZED || !own || logins == 2 {
                return Err(self.judge(response).await);
            }
            logins += 1;
            let headers = response.headers().get_all(WWW_AUTHENTICATE);
            let challenges = challenge::parse(headers.iter().filter_map(|it| it.to_str().ok()));
            used = self.access.log_in(self, &challenges, used.as_ref()).await?;
            if used.is_none() {
                return Err(self.judge(response).await);
            }
        }
    }

    /// Waits for as long as the host wants to be left alone, if that is near.
    async fn heed(&self) -> Result<(), Trouble> {
        match self.settings.pace.left(&self.host) {
            None => {}
            Some(left) if left <= LONGEST_WAIT => tokio::time::sleep(left).await,
            wait => {
                let error = Error::unavailable(&self.what, format!("{} is left alone", self.host));
                return Err(Trouble::Again(Setback { error, wait, silent: false }));
            }
        }
        Ok(())
    }

    /// Sends a call to wherever the registry is; with whom we speak is settled by the first answer.
    async fn reach(&self, path: &str, call: &Call) -> Result<(Response, bool), Trouble> {
        let mut first = None;
        let candidates = self.bases();
        for (position, base) in candidates.iter().enumerate() {
            let last = position + 1 == candidates.len();
            let url = base.join(path).map_err(|why| Error::invalid(&self.what, why.to_string()))?;
            // Where an upload goes on may be elsewhere, and not without TLS.
            let own = url.origin() == base.origin();
            if url.scheme() != "https" && !may_be_plain(&url, &self.settings) {
                return Err(self.astray("goes on at a place without TLS").into());
            }
            match self.send_on(url, call, own, base).await {
                // Servers that speak TLS answer plain HTTP like this.
                Ok(answer) if !last && answer.0.status() == StatusCode::BAD_REQUEST => {
                    first = Some(Ok(answer));
                }
                Err(Trouble::Again(setback)) if !last => {
                    first = Some(Err(Trouble::Again(setback)));
                }
                Err(Trouble::Again(setback)) => {
                    return first.unwrap_or(Err(Trouble::Again(setback)));
                }
                Ok(answer) => {
                    let _ = self.base.set(base.clone());
                    return Ok(answer);
                }
                Err(error) => return Err(error),
            }
        }
        first.unwrap_or_else(|| {
            Err(Error::unavailable(&self.what, format!("{} has no address", self.host)).into())
        })
    }

    /// Sends one call, where the registry says that a token is to be had, and follows redirects. Also
    /// says whether the answer comes from the very host that was asked.
    pub(super) async fn send(&self, start: Url, call: &Call) -> Result<(Response, bool), Trouble> {
        let sender = self.base.get().cloned().unwrap_or_else(|| start.clone());
        self.send_on(start, call, true, &sender).await
    }

    async fn send_on(
        &self,
        start: Url,
        call: &Call,
        mut own: bool,
        sender: &Url,
    ) -> Result<(Response, bool), Trouble> {
        let mut url = start.clone();
        let mut visited = Vec::new();
        loop {
            let is_sent = url.host() != sender.host() && self.connections.is_kept(sender).await;
            let response = self.send_to(&url, call, own, is_sent).await?;
            let target = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
            let Some(target) = target.filter(|_| response.status().is_redirection()) else {
                return Ok((response, own));
            };
            if call.form.is_some() {
                return Err(self.astray("redirects a login").into());
            }
            if !call.is_question() && !matches!(response.status().as_u16(), 307 | 308) {
                return Err(self.astray("redirects an upload").into());
            }
            let mut next = url.join(target).map_err(|_| self.astray("redirects to nowhere"))?;
            next.set_fragment(None);
            // A user and password in there would be sent on as if they were ours.
            let _ = next.set_username("");
            let _ = next.set_password(None);
            match next.scheme() {
                "https" => {}
                "http" if url.scheme() == "http" && may_be_plain(&next, &self.settings) => {}
                _ => return Err(self.astray("redirects to a place without TLS").into()),
            }
            own = own && next.origin() == start.origin();
            visited.push(std::mem::replace(&mut url, next));
            if visited.contains(&url) {
                return Err(self.astray("redirects in a loop").into());
            }
            if visited.len() > REDIRECTS_LIMIT {
                let why = format!("redirects over {REDIRECTS_LIMIT} times");
                return Err(self.astray(&why).into());
            }
        }
    }

    fn astray(&self, why: &str) -> Error {
        Error::unavailable(&self.what, format!("{} {why}", self.host))
            .with_hint(format!("is {} the registry's right name?", self.host))
    }

    async fn send_to(
        &self,
        url: &Url,
        call: &Call,
        own: bool,
        is_sent: bool,
    ) -> Result<Response, Trouble> {
        let client = self.connections.to(url, is_sent)?;
        let mut request = match &call.form {
            None if call.is_question() => client.request(call.method.clone(), url.clone()),
            None => client.request(call.method.clone(), url.clone()).body(call.body.clone()),
            Some(form) => client
                .post(url.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form.clone()),
        };
        if let Some(accept) = call.accept {
            request = request.header(ACCEPT, accept);
        }
        if call.from > 0 {
            request = request.header(RANGE, format!("bytes={}-", call.from));
        }
        if let Some(authorization) = call.authorization.as_ref().filter(|_| own) {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(kind) = &call.content_type {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(range) = &call.content_range {
            request = request.header(CONTENT_RANGE, range);
        }
        let sending = Duration::from_secs(call.body.len() as u64 / SLOWEST_UPLOAD);
        let patience = self.settings.stall.saturating_add(sending);
        let answer = tokio::time::timeout(patience, request.send()).await;
        // What follows the path may be a signature, which is as good as a password.
        let verb = if call.form.is_some() { "POST" } else { call.method.as_str() };
        let asked = format!("{verb} {}{}", url.origin().ascii_serialization(), url.path());
        match answer {
            Ok(Ok(response)) => {
                self.progress.note(&format!("{asked}: {}", response.status()));
                Ok(response)
            }
            Ok(Err(why)) => {
                self.progress.note(&format!("{asked}: no answer"));
                Err(self.unreachable(url, &why))
            }
            Err(_) => {
                self.progress.note(&format!("{asked}: a stall"));
                Err(Trouble::again(self.stalled()))
            }
        }
    }

    fn unreachable(&self, url: &Url, why: &reqwest::Error) -> Trouble {
        // The error's own text would show the URL, and presigned ones hold secrets.
        let bottom = innermost(why);
        let host = url.host_str().unwrap_or(&self.host);
        if bottom.contains("certificate") {
            let why = format!("{host} cannot prove who it is: {bottom}");
            let hint = "if it uses an authority of your own, name its certificate file";
            return Trouble::Final(Error::unavailable(&self.what, why).with_hint(hint));
        }
        let silent = why.is_connect();
        let error = format!("{host} cannot be reached: {}", tame(&bottom));
        let hint = "is the name right, and the way there open?";
        let error = Error::unavailable(&self.what, error).with_hint(hint);
        Trouble::Again(Setback { error, wait: None, silent })
    }

    /// Nothing came for too long.
    pub(super) fn stalled(&self) -> Error {
        let seconds = self.settings.stall.as_secs_f32();
        Error::unavailable(&self.what, format!("{} sent nothing for {seconds} s", self.host))
            .with_hint("try again later")
    }

    /// What an answer means that is no success.
    pub(super) async fn judge(&self, response: Response) -> Trouble {
        let status = response.status();
        let headers = response.headers().clone();
        let body = self.beginning(response).await;
        let error = self.worded(status, &headers, &body);
        if status.is_server_error() || matches!(status.as_u16(), 408 | 429) {
            let wait = patience(status, &headers, SystemTime::now());
            if let Some(wait) = wait {
                self.settings.pace.put_off(&self.host, wait);
            }
            Trouble::Again(Setback { error, wait, silent: false })
        } else {
            Trouble::Final(error)
        }
    }

    /// The error that an answer amounts to.
    pub(super) fn worded(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        let (what, host, user) = (&*self.what, &*self.host, self.access.user());
        let (user, content_type) = (user.as_deref(), content_type(headers));
        Answer { what, host, user, pushes: self.pushes, status, content_type, body }.error()
    }

    pub(super) async fn beginning(&self, mut response: Response) -> Vec<u8> {
        let mut body = Vec::new();
        let read = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                let room = COMPLAINT_LIMIT.saturating_sub(body.len());
                body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                if body.len() >= COMPLAINT_LIMIT {
                    break;
                }
            }
        };
        // An unfinished complaint is still a complaint.
        let _ = tokio::time::timeout(self.settings.stall.min(Duration::from_secs(5)), read).await;
        body
    }

    /// A whole body of at most `limit` bytes.
    pub(super) async fn body(
        &self,
        mut response: Response,
        limit: usize,
    ) -> Result<Vec<u8>, Trouble> {
        let too_long = || {
            let why = format!("{} answered with more than {limit} bytes", self.host);
            Trouble::Final(Error::limit(&self.what, why))
        };
        if response.content_length().is_some_and(|it| it > limit as u64) {
            return Err(too_long());
        }
        let mut body = Vec::new();
        let read = async {
            loop {
                match tokio::time::timeout(self.settings.stall, response.chunk()).await {
                    Ok(Ok(Some(chunk))) if body.len() + chunk.len() > limit => {
                        return Err(too_long());
                    }
                    Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                    Ok(Ok(None)) => return Ok(()),
                    Ok(Err(why)) => return Err(Trouble::again(self.broken(&why))),
                    Err(_) => return Err(Trouble::again(self.stalled())),
                }
            }
        };
        // A byte now and then is a stall too.
        match tokio::time::timeout(self.settings.stall * 4, read).await {
            Ok(done) => done.map(|()| body),
            Err(_) => Err(Trouble::again(self.stalled())),
        }
    }

    /// The connection ended in the middle.
    pub(super) fn broken(&self, why: &reqwest::Error) -> Error {
        let why = format!("{} broke off: {}", self.host, tame(&innermost(why)));
        Error::unavailable(&self.what, why)
    }
}

/// The declared type of a body.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default()
}
