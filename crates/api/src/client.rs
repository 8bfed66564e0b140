//! The client: a method for every question, over whatever carries it.

mod bases;
mod exceptions;
mod flaws;
mod footings;
mod integrations;
mod policies;
mod rules;
mod runtimes;
mod schedules;

use std::sync::Arc;

use futures_util::StreamExt as _;
use http::{HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::words::{
    Accepting, Assigning, ChangingPassword, Comparing, Comparisons, Counted, CountsQuery,
    DeleteQuery, Deleted, Deployment, DeploymentQuery, Disabling, Enabling, EndQuery, Ended,
    Environment, Event, EventQuery, ExpireQuery, Expired, Explanation, ExplanationQuery,
    ExportQuery, Image, ImageQuery, Invitation, Joined, Judging, Keeping, KeepingFor, Leading, Led,
    LiveQuery, LoggedIn, LoggingIn, Looked, LooksQuery, MadeInvitation, MadeToken, Me, Member,
    NewEnvironment, NewInvitation, NewOrganisation, NewToken, Organisation, Page, PageQuery,
    Presenting, Problem, Promotion, Pushed, Pushing, RecordedAll, Recordings, Renaming, Report,
    Reported, Repository, RepositoryQuery, Reset, Resetting, ResolveQuery, Resolved, Rotating,
    Session, Sort, TagSpan, TagsQuery, Token, TokenQuery, Version, WhereQuery, Whereabouts,
};
use crate::{Carrier, Live, ORIGIN, PROBLEM, ROOT, Take, Trouble, add};

/// Asks.
#[derive(Clone)]
pub struct Client {
    carrier: Arc<dyn Carrier>,
    origin: Option<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The server says why.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// Nobody answers.
    #[error(transparent)]
    Unreachable(#[from] Trouble),
    /// What answers is no server of ours, or of another version.
    #[error("{what}: {why}")]
    Foreign {
        /// What was asked.
        what: String,
        /// What is wrong with the answer.
        why: String,
    },
}

impl Error {
    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Problem(it) => it.hint.as_deref(),
            Self::Unreachable(_) => Some("`foretop config server` says which server is asked"),
            Self::Foreign { .. } => {
                Some("is it a Foretop server, of a version like this program's?")
            }
        }
    }

    /// The problem, if the server told one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(it) => Some(it),
            _ => None,
        }
    }
}

/// Bytes of the longest problem that is read.
const MOST_TROUBLE: usize = 1 << 16;
/// No question at all.
const NOTHING: [(&str, &str); 0] = [];

impl Client {
    /// Asks whoever `carrier` leads to. `origin` says from where.
    pub fn new(carrier: Arc<dyn Carrier>, origin: Option<String>) -> Self {
        Self { carrier, origin }
    }

    /// What answers.
    pub async fn version(&self) -> Result<Version, Error> {
        self.get("/version", &NOTHING).await
    }

    /// Who is asking.
    pub async fn me(&self) -> Result<Me, Error> {
        self.get("/me", &NOTHING).await
    }

    /// The organisations that one belongs to.
    pub async fn organisations(&self, page: &PageQuery) -> Result<Page<Organisation>, Error> {
        self.get("/orgs", page).await
    }

    /// Makes an organisation.
    pub async fn create_organisation(&self, name: &str) -> Result<Organisation, Error> {
        self.send(Method::POST, "/orgs", &NewOrganisation { name: name.to_owned() }).await
    }

    /// Deletes an organisation and all that is its own.
    pub async fn delete_organisation(&self, name: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/orgs/{}", segment(name)), &NOTHING, None).await
    }

    /// The repositories of an organisation.
    pub async fn repositories(
        &self,
        organisation: &str,
        query: &RepositoryQuery,
    ) -> Result<Page<Repository>, Error> {
        self.get(&within(organisation, &["repositories"]), query).await
    }

    /// Enrols a repository, or switches it on or off.
    pub async fn enable_repository(
        &self,
        organisation: &str,
        repository: &str,
        enabled: bool,
    ) -> Result<Repository, Error> {
        let path = within(organisation, &["repositories", repository]);
        self.send(Method::PUT, &path, &Enabling { enabled }).await
    }

    /// Deletes a repository, its tags, and the images that were seen in it alone.
    pub async fn delete_repository(
        &self,
        organisation: &str,
        repository: &str,
        query: DeleteQuery,
    ) -> Result<Deleted, Error> {
        let path = within(organisation, &["repositories", repository]);
        self.call(Method::DELETE, &path, &query, None).await
    }

    /// How long things are kept.
    pub async fn retention(&self, organisation: &str) -> Result<Page<Keeping>, Error> {
        self.get(&within(organisation, &["retention"]), &NOTHING).await
    }

    /// Keeps something for some days, or for ever.
    pub async fn keep_for(
        &self,
        organisation: &str,
        what: &str,
        keeping: KeepingFor,
    ) -> Result<Keeping, Error> {
        self.send(Method::PUT, &within(organisation, &["retention", what]), &keeping).await
    }

    /// Keeps something as long as it is kept where nobody says.
    pub async fn keep_as_usual(&self, organisation: &str, what: &str) -> Result<Keeping, Error> {
        let path = within(organisation, &["retention", what]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// Deletes what is too old, or says what would go.
    pub async fn expire(&self, organisation: &str, query: ExpireQuery) -> Result<Expired, Error> {
        let path = within(organisation, &["retention", "runs"]);
        self.call(Method::POST, &path, &query, None).await
    }

    /// How many findings there were in an environment, as that changed.
    pub async fn counts(
        &self,
        organisation: &str,
        environment: &str,
        query: &CountsQuery,
    ) -> Result<Page<Counted>, Error> {
        self.get(&within(organisation, &["environments", environment, "counts"]), query).await
    }

    /// The environments of an organisation.
    pub async fn environments(
        &self,
        organisation: &str,
        page: &PageQuery,
    ) -> Result<Page<Environment>, Error> {
        self.get(&within(organisation, &["environments"]), page).await
    }

    /// One environment.
    pub async fn environment(&self, organisation: &str, name: &str) -> Result<Environment, Error> {
        self.get(&within(organisation, &["environments", name]), &NOTHING).await
    }

    /// Makes an environment.
    pub async fn create_environment(
        &self,
        organisation: &str,
        name: &str,
    ) -> Result<Environment, Error> {
        let made = NewEnvironment { name: name.to_owned() };
        self.send(Method::POST, &within(organisation, &["environments"]), &made).await
    }

    /// Gives an environment another name.
    pub async fn rename_environment(
        &self,
        organisation: &str,
        from: &str,
        to: &str,
    ) -> Result<Environment, Error> {
        let path = within(organisation, &["environments", from]);
        self.send(Method::PATCH, &path, &Renaming { name: to.to_owned() }).await
    }

    /// Deletes an environment and its history.
    pub async fn delete_environment(&self, organisation: &str, name: &str) -> Result<(), Error> {
        let path = within(organisation, &["environments", name]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// What runs, what ran then, or all that ever ran.
    pub async fn deployments(
        &self,
        organisation: &str,
        query: &DeploymentQuery,
    ) -> Result<Page<Deployment>, Error> {
        self.get(&within(organisation, &["deployments"]), query).await
    }

    /// Records what runs now in an environment.
    pub async fn record(
        &self,
        organisation: &str,
        environment: &str,
        recordings: &Recordings,
    ) -> Result<RecordedAll, Error> {
        let path = within(organisation, &["environments", environment, "deployments"]);
        self.send(Method::POST, &path, recordings).await
    }

    /// Takes something out of an environment.
    pub async fn end(
        &self,
        organisation: &str,
        environment: &str,
        query: &EndQuery,
    ) -> Result<Ended, Error> {
        let path = within(organisation, &["environments", environment, "deployments"]);
        self.call(Method::DELETE, &path, query, None).await
    }

    /// Lets run in another environment what runs in this one.
    pub async fn promote(
        &self,
        organisation: &str,
        environment: &str,
        promotion: &Promotion,
    ) -> Result<RecordedAll, Error> {
        let path = within(organisation, &["environments", environment, "promotions"]);
        self.send(Method::POST, &path, promotion).await
    }

    /// Reports all that a runtime runs in an environment.
    pub async fn report(
        &self,
        organisation: &str,
        environment: &str,
        runtime: &str,
        report: &Report,
    ) -> Result<Reported, Error> {
        let path = within(organisation, &["environments", environment, "runtimes", runtime]);
        self.send(Method::PUT, &path, report).await
    }

    /// The images of an organisation.
    pub async fn images(
        &self,
        organisation: &str,
        query: &ImageQuery,
    ) -> Result<Page<Image>, Error> {
        self.get(&within(organisation, &["images"]), query).await
    }

    /// One image.
    pub async fn image(&self, organisation: &str, digest: &str) -> Result<Image, Error> {
        self.get(&within(organisation, &["images", digest]), &NOTHING).await
    }

    /// Sends what is inside an image.
    pub async fn push(
        &self,
        organisation: &str,
        digest: &str,
        pushing: &Pushing,
    ) -> Result<Pushed, Error> {
        self.send(Method::PUT, &within(organisation, &["images", digest]), pushing).await
    }

    /// Deletes an image and all that is known of it.
    pub async fn delete_image(
        &self,
        organisation: &str,
        digest: &str,
        query: DeleteQuery,
    ) -> Result<Deleted, Error> {
        let path = within(organisation, &["images", digest]);
        self.call(Method::DELETE, &path, &query, None).await
    }

    /// What is inside an image.
    pub async fn inventory(
        &self,
        organisation: &str,
        digest: &str,
    ) -> Result<model::Inventory, Error> {
        self.get(&within(organisation, &["images", digest, "inventory"]), &NOTHING).await
    }

    /// What is wrong with an image now.
    pub async fn analysis(
        &self,
        organisation: &str,
        digest: &str,
        judging: &Judging,
    ) -> Result<model::Analysis, Error> {
        let path = within(organisation, &["images", digest, "analysis"]);
        self.send(Method::POST, &path, judging).await
    }

    /// Why there is a finding in an image, and why there is none.
    pub async fn explanation(
        &self,
        organisation: &str,
        digest: &str,
        query: &ExplanationQuery,
    ) -> Result<Explanation, Error> {
        let path = within(organisation, &["images", digest, "explanation"]);
        self.get(&path, query).await
    }

    /// What is wrong with something that is inside nothing that is kept: it is judged, and forgotten.
    pub async fn judge(
        &self,
        organisation: &str,
        presenting: &Presenting,
    ) -> Result<model::Analysis, Error> {
        self.send(Method::POST, &within(organisation, &["analysis"]), presenting).await
    }

    /// Where tags lead and led.
    pub async fn tags(
        &self,
        organisation: &str,
        query: &TagsQuery,
    ) -> Result<Page<TagSpan>, Error> {
        self.get(&within(organisation, &["tags"]), query).await
    }

    /// Says all that a tag leads to.
    pub async fn lead_tag(&self, organisation: &str, leading: &Leading) -> Result<Led, Error> {
        self.send(Method::PUT, &within(organisation, &["tags"]), leading).await
    }

    /// Where a flaw or a package runs.
    pub async fn whereabouts(
        &self,
        organisation: &str,
        query: &WhereQuery,
    ) -> Result<Whereabouts, Error> {
        self.get(&within(organisation, &["where"]), query).await
    }

    /// The same, judged with statements that count beside those of the server.
    pub async fn whereabouts_judged(
        &self,
        organisation: &str,
        query: &WhereQuery,
        judging: &Judging,
    ) -> Result<Whereabouts, Error> {
        let path = within(organisation, &["where"]);
        let body = serde_json::to_vec(judging)
            .map_err(|error| Error::Foreign { what: path.clone(), why: error.to_string() })?;
        self.call(Method::POST, &path, query, Some(body)).await
    }

    /// What is different between what runs here and what runs there.
    pub async fn compare(
        &self,
        organisation: &str,
        comparing: &Comparing,
    ) -> Result<Comparisons, Error> {
        self.send(Method::POST, &within(organisation, &["comparisons"]), comparing).await
    }

    /// All that runs in an environment, judged, as a document that is handed on as it comes: it may
    /// be long. Where it breaks off, what came before is worth nothing.
    pub async fn export(
        &self,
        organisation: &str,
        environment: &str,
        query: &ExportQuery,
        judging: &Judging,
        take: &mut Take<'_>,
    ) -> Result<(), Error> {
        let path = within(organisation, &["environments", environment, "export"]);
        let body = serde_json::to_vec(judging)
            .map_err(|error| Error::Foreign { what: path.clone(), why: error.to_string() })?;
        self.parts(Method::POST, &path, query, Some(body), take).await
    }

    /// Asks registries where the tags lead now by which something runs.
    pub async fn look_at_tags(
        &self,
        organisation: &str,
        query: &LooksQuery,
    ) -> Result<Looked, Error> {
        self.call(Method::POST, &within(organisation, &["tags", "looks"]), query, None).await
    }

    /// Which image a name means.
    pub async fn resolve(
        &self,
        organisation: &str,
        query: &ResolveQuery,
    ) -> Result<Resolved, Error> {
        self.get(&within(organisation, &["resolved"]), query).await
    }

    /// What changed.
    pub async fn events(
        &self,
        organisation: &str,
        query: &EventQuery,
    ) -> Result<Page<Event>, Error> {
        self.get(&within(organisation, &["events"]), query).await
    }

    /// What changes from now on, or from a cursor on, as it happens. It ends when whoever answers
    /// ends it.
    pub async fn listen(
        &self,
        organisation: &str,
        query: &LiveQuery,
        cursor: Option<&str>,
    ) -> Result<Live, Error> {
        let path = within(organisation, &["events", "live"]);
        let mut request = self.request(Method::GET, &path, query, None)?;
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(cursor) = cursor.and_then(|it| HeaderValue::from_str(it).ok()) {
            headers.insert("last-event-id", cursor);
        }
        let response = self.carrier.listen(request).await?;
        let (parts, mut body) = response.into_parts();
        if parts.status.is_success() {
            return Ok(Live::new(path, body));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece?);
            if bytes.len() > MOST_TROUBLE {
                break;
            }
        }
        Err(refused(&path, &http::Response::from_parts(parts, bytes)))
    }

    /// Logs in.
    pub async fn log_in(&self, logging_in: &LoggingIn) -> Result<LoggedIn, Error> {
        self.send(Method::POST, "/sessions", logging_in).await
    }

    /// Logs out of the session that asks.
    pub async fn log_out(&self) -> Result<(), Error> {
        self.call(Method::DELETE, "/sessions/current", &NOTHING, None).await
    }

    /// Where one is logged in.
    pub async fn sessions(&self) -> Result<Page<Session>, Error> {
        self.get("/sessions", &NOTHING).await
    }

    /// Logs out of another session.
    pub async fn end_session(&self, id: &str) -> Result<(), Error> {
        self.call(Method::DELETE, &format!("/sessions/{}", segment(id)), &NOTHING, None).await
    }

    /// Takes another password.
    pub async fn change_password(&self, changing: &ChangingPassword) -> Result<(), Error> {
        self.send(Method::PUT, "/me/password", changing).await
    }

    /// The tokens of an organisation, or one's own.
    pub async fn tokens(
        &self,
        organisation: Option<&str>,
        query: &TokenQuery,
    ) -> Result<Page<Token>, Error> {
        self.get(&tokens(organisation), query).await
    }

    /// Makes a token for an organisation, or for oneself.
    pub async fn create_token(
        &self,
        organisation: Option<&str>,
        token: &NewToken,
    ) -> Result<MadeToken, Error> {
        self.send(Method::POST, &tokens(organisation), token).await
    }

    /// Revokes a token of an organisation, or one's own.
    pub async fn revoke_token(&self, organisation: Option<&str>, id: &str) -> Result<(), Error> {
        let path = format!("{}/{}", tokens(organisation), segment(id));
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// Another secret for what a token is for.
    pub async fn rotate_token(
        &self,
        organisation: Option<&str>,
        id: &str,
        rotating: &Rotating,
    ) -> Result<MadeToken, Error> {
        let path = format!("{}/{}/rotations", tokens(organisation), segment(id));
        self.send(Method::POST, &path, rotating).await
    }

    /// Who may choose another password with that secret.
    pub async fn reset(&self, secret: &str) -> Result<Reset, Error> {
        self.get(&format!("/resets/{}", segment(secret)), &NOTHING).await
    }

    /// Chooses another password with that secret.
    pub async fn use_reset(&self, secret: &str, resetting: &Resetting) -> Result<Reset, Error> {
        self.send(Method::POST, &format!("/resets/{}", segment(secret)), resetting).await
    }

    /// Who is in an organisation.
    pub async fn members(
        &self,
        organisation: &str,
        page: &PageQuery,
    ) -> Result<Page<Member>, Error> {
        self.get(&within(organisation, &["members"]), page).await
    }

    /// Takes somebody into an organisation, or gives them another role.
    pub async fn put_member(
        &self,
        organisation: &str,
        user: &str,
        assigning: &Assigning,
    ) -> Result<(), Error> {
        self.send(Method::PUT, &within(organisation, &["members", user]), assigning).await
    }

    /// Keeps somebody from logging in, or lets them again.
    pub async fn disable_member(
        &self,
        organisation: &str,
        user: &str,
        disabling: Disabling,
    ) -> Result<(), Error> {
        self.send(Method::PATCH, &within(organisation, &["members", user]), &disabling).await
    }

    /// Takes somebody out of an organisation.
    pub async fn remove_member(&self, organisation: &str, user: &str) -> Result<(), Error> {
        let path = within(organisation, &["members", user]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// The invitations to an organisation that nobody used yet.
    pub async fn invitations(&self, organisation: &str) -> Result<Page<Invitation>, Error> {
        self.get(&within(organisation, &["invitations"]), &NOTHING).await
    }

    /// Invites somebody.
    pub async fn invite(
        &self,
        organisation: &str,
        invitation: &NewInvitation,
    ) -> Result<MadeInvitation, Error> {
        self.send(Method::POST, &within(organisation, &["invitations"]), invitation).await
    }

    /// Takes an invitation back.
    pub async fn revoke_invitation(&self, organisation: &str, id: &str) -> Result<(), Error> {
        let path = within(organisation, &["invitations", id]);
        self.call(Method::DELETE, &path, &NOTHING, None).await
    }

    /// What an invitation is for.
    pub async fn invitation(&self, secret: &str) -> Result<Invitation, Error> {
        self.get(&format!("/invitations/{}", segment(secret)), &NOTHING).await
    }

    /// Accepts an invitation.
    pub async fn accept(&self, secret: &str, accepting: &Accepting) -> Result<Joined, Error> {
        self.send(Method::POST, &format!("/invitations/{}", segment(secret)), accepting).await
    }

    /// Asks something.
    pub async fn get<Q, R>(&self, path: &str, query: &Q) -> Result<R, Error>
    where
        Q: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.call(Method::GET, path, query, None).await
    }

    /// Sends something.
    pub async fn send<B, R>(&self, method: Method, path: &str, body: &B) -> Result<R, Error>
    where
        B: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::Foreign { what: path.to_owned(), why: error.to_string() })?;
        self.call(method, path, &NOTHING, Some(body)).await
    }

    /// Asks, with a question behind the path and perhaps something to send, and reads the answer.
    pub async fn call<Q, R>(
        &self,
        method: Method,
        path: &str,
        query: &Q,
        body: Option<Vec<u8>>,
    ) -> Result<R, Error>
    where
        Q: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let bytes = self.bytes(method, path, query, body).await?;
        // An answer without a body is read as nothing.
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(bytes).map_err(|error| Error::Foreign {
            what: path.to_owned(),
            why: format!("its answer is not understood: {error}"),
        })
    }

    /// The same, where the answer is to be handed on as it is.
    pub async fn bytes<Q>(
        &self,
        method: Method,
        path: &str,
        query: &Q,
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Error>
    where
        Q: Serialize + ?Sized,
    {
        let mut bytes = Vec::new();
        self.parts(method, path, query, body, &mut |part| add(&mut bytes, part)).await?;
        Ok(bytes)
    }

    /// The same, part by part.
    async fn parts<Q>(
        &self,
        method: Method,
        path: &str,
        query: &Q,
        body: Option<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<(), Error>
    where
        Q: Serialize + ?Sized,
    {
        let request = self.request(method, path, query, body)?;
        let response = self.carrier.carry_in_parts(request, take).await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(refused(path, &response))
    }

    fn request<Q>(
        &self,
        method: Method,
        path: &str,
        query: &Q,
        body: Option<Vec<u8>>,
    ) -> Result<http::Request<Vec<u8>>, Error>
    where
        Q: Serialize + ?Sized,
    {
        // However they are written, they lead up, to something else than what was meant.
        if path.split('/').any(|it| matches!(it, "%2E" | "%2E%2E")) {
            let problem = Sort::Malformed.because("nothing is called `.` or `..`");
            return Err(Error::Problem(Box::new(problem)));
        }
        let foreign = |why: String| Error::Foreign { what: path.to_owned(), why };
        let query = serde_urlencoded::to_string(query).map_err(|it| foreign(it.to_string()))?;
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request =
            http::Request::builder().method(method).uri(format!("{ROOT}{path}{mark}{query}"));
        if let Some(origin) = &self.origin {
            // What cannot stand in a header is not told.
            let told: String = origin.chars().filter(|it| (' '..='~').contains(it)).collect();
            if let Ok(told) = HeaderValue::from_str(&told) {
                request = request.header(ORIGIN, told);
            }
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(body.unwrap_or_default()).map_err(|error| foreign(error.to_string()))
    }
}

/// Why something was not answered as it was asked.
fn refused(path: &str, response: &http::Response<Vec<u8>>) -> Error {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if kind.is_some_and(|it| it.starts_with(PROBLEM))
        && let Ok(problem) = serde_json::from_slice(response.body())
    {
        return Error::Problem(Box::new(problem));
    }
    let why = format!("it answers {}", response.status());
    Error::Foreign { what: path.to_owned(), why }
}

/// The path of an organisation's tokens, or of one's own.
fn tokens(organisation: Option<&str>) -> String {
    organisation.map_or("/me/tokens".to_owned(), |it| within(it, &["tokens"]))
}

/// The path of something of an organisation's.
fn within(organisation: &str, path: &[&str]) -> String {
    let mut text = format!("/orgs/{}", segment(organisation));
    for part in path {
        text.push('/');
        text.push_str(&segment(part));
    }
    text
}

/// A name as one segment of a path.
pub fn segment(name: &str) -> String {
    /// What may stand in a path as it is.
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~').remove(b':');
    // Even when encoded, these would lead up: such a path is not asked for.
    match name {
        "." => "%2E".to_owned(),
        ".." => "%2E%2E".to_owned(),
        name => utf8_percent_encode(name, KEPT).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment() {
        assert_eq!(segment("production"), "production");
        assert_eq!(segment("docker.io/acme/web"), "docker%2Eio%2Facme%2Fweb");
        assert_eq!(segment("a b?c#d"), "a%20b%3Fc%23d");
        assert_eq!(segment("生产"), "%E7%94%9F%E4%BA%A7");
        assert_eq!(segment(".."), "%2E%2E");
    }
}
