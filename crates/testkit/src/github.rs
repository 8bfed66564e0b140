//! A stand-in for GitHub: comments on pull requests, minimised comments and uploads to code scanning, with
//! the limits that GitHub has. It is no GitHub; what it answers is written after its documentation.

use std::io::Read as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::registry::lock;
use crate::vendor::{Answered, Hook, Sink};

/// Letters of one comment.
const LONGEST_COMMENT: usize = 65_536;
/// Bytes of a SARIF document, compressed.
const LARGEST_SARIF: usize = 10_000_000;

/// Who writes with the token that it knows.
pub const AUTHOR: &str = "github-actions[bot]";

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: u64,
    /// The pull request that it is on.
    pub issue: u64,
    /// Who wrote it.
    pub author: String,
    /// What it says.
    pub body: String,
    /// Is it folded away?
    pub hidden: bool,
    /// How often it was changed.
    pub changes: u32,
    /// May nobody change it any more?
    pub locked: bool,
}

/// What it does otherwise than usual.
#[derive(Clone, Debug, Default)]
pub struct Mood {
    /// The token may only read, as those of runs for forks.
    pub reads_only: bool,
    /// So many requests are answered 429 before the next one is heard, with `Retry-After: 0`.
    pub tired: u32,
    /// The same by 403, as the secondary limits have it.
    pub tired_secondly: u32,
    /// It does not say who asks.
    pub nameless: bool,
    /// So long the caller is to wait, when it is tired.
    pub patience: u32,
}

#[derive(Default)]
struct State {
    comments: Vec<Comment>,
    scanned: Vec<Value>,
    mood: Mood,
    token: String,
}

/// It runs until the process ends.
pub struct GithubStandIn {
    sink: Sink,
    state: Arc<Mutex<State>>,
}

impl GithubStandIn {
    /// One that knows this token.
    pub fn start(token: &str) -> Self {
        let state = Arc::new(Mutex::new(State { token: token.to_owned(), ..State::default() }));
        let shared = Arc::clone(&state);
        let sink = Sink::answering(move |hook| answer(&mut lock(&shared), hook));
        Self { sink, state }
    }

    /// `http://127.0.0.1:PORT`, under which all of it is, and under `/api/v3` and `/api/graphql` again,
    /// as a GitHub of one's own has it.
    pub fn root(&self) -> String {
        format!("http://{}", self.sink.host())
    }

    /// Somebody comments.
    pub fn comment(&self, issue: u64, author: &str, body: &str) -> u64 {
        lock(&self.state).write(issue, author, body)
    }

    /// Nobody may change this one any more.
    pub fn lock(&self, id: u64) {
        for it in &mut lock(&self.state).comments {
            it.locked |= it.id == id;
        }
    }

    /// From now on it does so.
    pub fn be(&self, mood: Mood) {
        lock(&self.state).mood = mood;
    }

    /// Every comment.
    pub fn comments(&self) -> Vec<Comment> {
        lock(&self.state).comments.clone()
    }

    /// What was uploaded: each request, with its document unpacked in `sarif`.
    pub fn scanned(&self) -> Vec<Value> {
        lock(&self.state).scanned.clone()
    }

    /// What it was asked.
    pub fn asked(&self) -> Vec<Hook> {
        self.sink.wait(|_| true)
    }
}

impl State {
    fn write(&mut self, issue: u64, author: &str, body: &str) -> u64 {
        let id = self.comments.last().map_or(1, |it| it.id + 1);
        self.comments.push(Comment {
            id,
            issue,
            author: author.to_owned(),
            body: body.to_owned(),
            hidden: false,
            changes: 0,
            locked: false,
        });
        id
    }
}

fn refuse(status: u16, message: &str) -> Answered {
    let body = json!({"message": message, "documentation_url": "https://docs.github.com/rest"});
    Answered { body: body.to_string().into_bytes(), ..Answered::status(status) }
}

fn say(status: u16, body: &Value) -> Answered {
    Answered { body: body.to_string().into_bytes(), ..Answered::status(status) }
}

fn header(hook: &Hook, name: &str) -> Option<String> {
    hook.headers.iter().find(|it| it.0 == name).map(|it| it.1.clone())
}

fn answer(state: &mut State, hook: &Hook) -> Answered {
    let (path, query) = hook.path.split_once('?').unwrap_or((&hook.path, ""));
    let path = match path.strip_prefix("/api") {
        Some("/graphql") => "/graphql",
        Some(rest) => rest.strip_prefix("/v3").unwrap_or(path),
        None => path,
    };
    if header(hook, "user-agent").is_none() {
        return refuse(403, "Request forbidden by administrative rules.");
    }
    if header(hook, "authorization") != Some(format!("Bearer {}", state.token)) {
        return refuse(401, "Bad credentials");
    }
    for (count, status) in [(&mut state.mood.tired, 429), (&mut state.mood.tired_secondly, 403)] {
        if let Some(left) = count.checked_sub(1) {
            *count = left;
            let mut answered = refuse(status, "You have exceeded a secondary rate limit.");
            let patience = state.mood.patience.to_string();
            answered.headers.push(("Retry-After".to_owned(), patience));
            return answered;
        }
    }
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (hook.method.as_str(), parts.as_slice()) {
        ("POST", ["graphql"]) => graphql(state, hook),
        // A workflow's own token is no user's.
        ("GET", ["user"]) => refuse(403, "Resource not accessible by integration"),
        (method, ["repos", _, _, rest @ ..]) => {
            if method != "GET" && state.mood.reads_only {
                return refuse(403, "Resource not accessible by integration");
            }
            repository(state, hook, rest, query)
        }
        _ => refuse(404, "Not Found"),
    }
}

fn repository(state: &mut State, hook: &Hook, parts: &[&str], query: &str) -> Answered {
    let said: Value = serde_json::from_slice(&hook.body).unwrap_or_default();
    match (hook.method.as_str(), parts) {
        ("GET", ["issues", issue, "comments"]) => list(state, hook, issue, query),
        ("POST", ["issues", issue, "comments"]) => {
            let Ok(issue) = issue.parse() else { return refuse(404, "Not Found") };
            match body(&said) {
                Ok(body) => {
                    let id = state.write(issue, AUTHOR, body);
                    say(201, &json!({"id": id, "html_url": format!("https://github.com/c/{id}")}))
                }
                Err(refused) => refused,
            }
        }
        ("PATCH", ["issues", "comments", id]) => {
            let found = state.comments.iter_mut().find(|it| it.id.to_string() == *id);
            match (found, body(&said)) {
                (None, _) => refuse(404, "Not Found"),
                (Some(it), _) if it.locked || it.author != AUTHOR => {
                    refuse(403, "Must have admin rights to Repository.")
                }
                (Some(_), Err(refused)) => refused,
                (Some(it), Ok(body)) => {
                    body.clone_into(&mut it.body);
                    it.changes += 1;
                    say(200, &json!({"id": it.id}))
                }
            }
        }
        ("POST", ["code-scanning", "sarifs"]) => scan(state, said),
        _ => refuse(404, "Not Found"),
    }
}

fn body(said: &Value) -> Result<&str, Answered> {
    let body = said.get("body").and_then(Value::as_str).unwrap_or_default();
    if body.is_empty() {
        return Err(refuse(422, "Body cannot be blank"));
    }
    if body.chars().count() > LONGEST_COMMENT {
        return Err(refuse(422, "Body is too long (maximum is 65536 characters)"));
    }
    Ok(body)
}

fn number(query: &str, name: &str) -> Option<usize> {
    let pair = query.split('&').find_map(|it| it.split_once('=').filter(|it| it.0 == name));
    pair?.1.parse().ok()
}

fn list(state: &State, hook: &Hook, issue: &str, query: &str) -> Answered {
    let each = number(query, "per_page").unwrap_or(30).clamp(1, 100);
    let part = number(query, "page").unwrap_or(1).max(1);
    let all: Vec<&Comment> =
        state.comments.iter().filter(|it| it.issue.to_string() == issue).collect();
    let told: Vec<Value> = all
        .iter()
        .skip((part - 1) * each)
        .take(each)
        .map(|it| {
            json!({
                "id": it.id, "node_id": format!("IC_{}", it.id), "body": it.body,
                "user": {"login": it.author, "type": "Bot"},
            })
        })
        .collect();
    let mut answered = say(200, &json!(told));
    if all.len() > part * each {
        let root = header(hook, "host").unwrap_or_default();
        let path = hook.path.split('?').next().unwrap_or_default();
        let next = format!("<http://{root}{path}?per_page={each}&page={}>; rel=\"next\"", part + 1);
        answered.headers.push(("Link".to_owned(), next));
    }
    answered
}

fn graphql(state: &mut State, hook: &Hook) -> Answered {
    let said: Value = serde_json::from_slice(&hook.body).unwrap_or_default();
    let query = said.get("query").and_then(Value::as_str).unwrap_or_default();
    let refuse = |why: &str| say(200, &json!({"data": null, "errors": [{"message": why}]}));
    if query.contains("viewer") {
        if state.mood.nameless {
            return refuse("Resource not accessible by integration");
        }
        return say(200, &json!({"data": {"viewer": {"login": AUTHOR}}}));
    }
    if !query.contains("minimizeComment") || !query.contains("OUTDATED") {
        return refuse("Field doesn't exist on type 'Mutation'");
    }
    let id = said.get("variables").and_then(|it| it.get("id")).and_then(Value::as_str);
    let found = state.comments.iter_mut().find(|it| id == Some(&format!("IC_{}", it.id)));
    match found {
        Some(it) if !state.mood.reads_only => {
            it.hidden = true;
            let minimised = json!({"minimizedComment": {"isMinimized": true}});
            say(200, &json!({"data": {"minimizeComment": minimised}}))
        }
        Some(_) => refuse("Resource not accessible by integration"),
        None => refuse("Could not resolve to a node with the global id"),
    }
}

/// Takes a document, if it is within the limits of code scanning.
fn scan(state: &mut State, mut said: Value) -> Answered {
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let commit = text("commit_sha");
    let is_commit = commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit());
    if !is_commit || !text("ref").starts_with("refs/") {
        return refuse(422, "commit_sha or ref is invalid");
    }
    let Ok(packed) = STANDARD.decode(text("sarif")) else {
        return refuse(400, "sarif is not base64");
    };
    if packed.len() > LARGEST_SARIF {
        return refuse(413, "The sarif payload is too large");
    }
    let mut sarif = String::new();
    let unpacked = flate2::read::GzDecoder::new(packed.as_slice()).take(1 << 30);
    let read = { unpacked }.read_to_string(&mut sarif);
    let document: Value = match read.map(|_| serde_json::from_str(&sarif)) {
        Ok(Ok(document)) => document,
        _ => return refuse(400, "sarif is not gzip of a document"),
    };
    if let Err(why) = within_limits(&document) {
        return refuse(422, &why);
    }
    let id = format!("47177e22-5596-11eb-80a1-{:012}", state.scanned.len());
    if let Some(said) = said.as_object_mut() {
        said.insert("sarif".to_owned(), document);
    }
    state.scanned.push(said);
    say(202, &json!({"id": id, "url": format!("https://api.github.com/sarifs/{id}")}))
}

fn within_limits(document: &Value) -> Result<(), String> {
    fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
        let end = path.iter().try_fold(value, |value, name| value.get(name));
        end.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
    let most = |what: &str, all: &[Value], most: usize| {
        if all.len() > most { Err(format!("too many {what}: {}", all.len())) } else { Ok(()) }
    };
    let runs = list(document, &["runs"]);
    most("runs", runs, 20)?;
    for run in runs {
        most("results", list(run, &["results"]), 25_000)?;
        let rules = list(run, &["tool", "driver", "rules"]);
        most("rules", rules, 25_000)?;
        for rule in rules {
            most("tags", list(rule, &["properties", "tags"]), 20)?;
        }
        for result in list(run, &["results"]) {
            most("locations", list(result, &["locations"]), 1000)?;
            let index = result.get("ruleIndex").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let rule = usize::try_from(index).ok().and_then(|it| rules.get(it));
            if rule.and_then(|it| it.get("id")) != result.get("ruleId") {
                return Err("a result names no rule".to_owned());
            }
        }
    }
    Ok(())
}
