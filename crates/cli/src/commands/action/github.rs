//! What is asked of GitHub, or of a GitHub of one's own: comments, and SARIF.
//!
//! <https://docs.github.com/en/rest/issues/comments>,
//! <https://docs.github.com/en/rest/code-scanning/code-scanning>

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::{Carrier as _, Https};
use model::Secret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::runner::Runner;
use crate::failure::Failure;
use crate::messages::count;
use crate::{Context, docker};

/// Comments of a list that are asked for at once, and lists at most: nobody reads more.
const PART: usize = 100;
const MOST_PARTS: usize = 100;
/// Bytes of the largest answer.
const LARGEST: usize = 32 << 20;
/// How often the same is asked, and how long GitHub may have us wait.
const TIMES: u32 = 4;
const PATIENCE: u64 = 60;
/// And how many seconds in all, whatever is asked: a job is not held up for a comment.
const IN_ALL: u64 = 120;
/// How long one answer may take, with all that is sent.
const LONGEST: Duration = Duration::from_mins(5);

pub(super) struct Github<'a> {
    context: &'a Context,
    rest: Https,
    graphql: Https,
    /// Path of the second.
    query: String,
    /// `owner/name`.
    repository: String,
    /// Seconds that there still are for waiting.
    left: Cell<u64>,
}

/// That GitHub does not do what it is asked for.
#[derive(Debug)]
pub(super) struct Refused {
    status: u16,
    why: String,
}

impl Refused {
    /// May whoever asks not do it, as far as that can be told?
    pub(super) fn is_of_rights(&self) -> bool {
        matches!(self.status, 401 | 403 | 404)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GitHub answers {}: {}", self.status, self.why)
    }
}

impl std::error::Error for Refused {}

/// A comment that is there.
#[derive(Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    node_id: String,
    body: Option<String>,
    user: Option<User>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// An answer.
struct Answer {
    status: u16,
    body: Vec<u8>,
    /// Is there more of a list?
    more: bool,
}

impl Answer {
    fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body).context("GitHub's answer makes no sense")
    }

    /// Or why not, in GitHub's words.
    fn good(self) -> Result<Self, Refused> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let said = self.json().ok();
        let said = said.as_ref().and_then(|it| it.get("message")).and_then(Value::as_str);
        let why = said.unwrap_or("it says not why").chars().take(300).collect();
        Err(Refused { status: self.status, why })
    }
}

impl<'a> Github<'a> {
    /// The one that the runner belongs to.
    pub(super) fn of(
        context: &'a Context,
        runner: &Runner<'_>,
        token: &Secret,
    ) -> anyhow::Result<Self> {
        let root = runner.told("GITHUB_API_URL").unwrap_or("https://api.github.com".to_owned());
        let root = root.trim_end_matches('/').to_owned();
        let graphql = runner
            .told("GITHUB_GRAPHQL_URL")
            .unwrap_or_else(|| format!("{}/graphql", root.strip_suffix("/v3").unwrap_or(&root)));
        let (graphql, query) = graphql
            .rsplit_once('/')
            .map(|(root, path)| (root.to_owned(), format!("/{path}")))
            .context("GITHUB_GRAPHQL_URL: it is no URL")?;
        let repository = runner.told("GITHUB_REPOSITORY").unwrap_or_default();
        let plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
        let parts: Vec<&str> = repository.split('/').collect();
        let is_name = |it: &&str| !it.is_empty() && !it.starts_with("..") && it.chars().all(plain);
        if parts.len() != 2 || !parts.iter().all(is_name) {
            let why = format!("GITHUB_REPOSITORY: `{repository}` is no repository");
            return Err(Failure::error(why, "owner/name, as the runner sets it"));
        }
        let settings = Arc::new(docker::settings(&context.environment, &context.docker, false)?);
        let reach = |root: &str| -> anyhow::Result<Https> {
            let far = root.strip_prefix("http://").is_some_and(|it| !crate::asking::near(it));
            anyhow::ensure!(!far, "{root}: no token goes there without encryption");
            let client = image::reach(root, &settings)?;
            Ok(Https::new(client, root, Some(token.clone()))?)
        };
        Ok(Self {
            context,
            rest: reach(&root)?,
            graphql: reach(&graphql)?,
            query,
            repository,
            left: Cell::new(IN_ALL),
        })
    }

    /// Who we are, as comments name us.
    pub(super) async fn me(&self) -> anyhow::Result<String> {
        // A workflow's own token may ask this, and not for `/user`.
        let asked = self.query("query{viewer{login}}", &json!({})).await;
        let login =
            asked.ok().and_then(|it| Some(it.get("viewer")?.get("login")?.as_str()?.to_owned()));
        if let Some(login) = login {
            return Ok(login);
        }
        let answer = self.ask("GET", "/user", None).await?.good()?;
        let user: User =
            serde_json::from_slice(&answer.body).context("GitHub's answer makes no sense")?;
        Ok(user.login)
    }

    /// The comments of `author` on that pull request that begin with `mark`, oldest first.
    pub(super) async fn comments(
        &self,
        number: u64,
        author: &str,
        mark: &str,
    ) -> anyhow::Result<Vec<Comment>> {
        let mut found = Vec::new();
        for part in 1..=MOST_PARTS {
            let path = format!(
                "/repos/{}/issues/{number}/comments?per_page={PART}&page={part}",
                self.repository
            );
            let answer = self.ask("GET", &path, None).await?.good()?;
            let comments: Vec<Comment> =
                serde_json::from_slice(&answer.body).context("GitHub's answer makes no sense")?;
            // Anybody may write what we write; only what is ours is ours to change.
            found.extend(comments.into_iter().filter(|it| {
                it.user.as_ref().is_some_and(|it| is_of(&it.login, author))
                    && it.body.as_ref().is_some_and(|it| it.starts_with(mark))
            }));
            if !answer.more {
                return Ok(found);
            }
        }
        let most = count((PART * MOST_PARTS) as u64, "comment", "comments");
        self.context.messages.warn(&format!("More than {most}: only the first are looked at"));
        Ok(found)
    }

    /// Writes one. The page that it is on, where GitHub says so.
    pub(super) async fn comment(&self, number: u64, body: &str) -> anyhow::Result<Option<String>> {
        let path = format!("/repos/{}/issues/{number}/comments", self.repository);
        let answer = self.ask("POST", &path, Some(&json!({"body": body}))).await?.good()?;
        Ok(answer.json()?.get("html_url").and_then(Value::as_str).map(str::to_owned))
    }

    /// Puts another text in place of what it says.
    pub(super) async fn change(&self, comment: &Comment, body: &str) -> anyhow::Result<()> {
        let path = format!("/repos/{}/issues/comments/{}", self.repository, comment.id);
        self.ask("PATCH", &path, Some(&json!({"body": body}))).await?.good()?;
        Ok(())
    }

    /// Folds it away as outdated.
    pub(super) async fn hide(&self, comment: &Comment) -> anyhow::Result<()> {
        const HIDE: &str = "mutation($id:ID!){minimizeComment(input:{subjectId:$id,\
                            classifier:OUTDATED}){minimizedComment{isMinimized}}}";
        self.query(HIDE, &json!({"id": comment.node_id})).await.map(|_| ())
    }

    /// Hands a SARIF document to code scanning: compressed, and in base64. Gives its number there.
    pub(super) async fn scanned(
        &self,
        commit: &str,
        reference: &str,
        sarif: &str,
    ) -> anyhow::Result<String> {
        let path = format!("/repos/{}/code-scanning/sarifs", self.repository);
        let body = json!({
            "commit_sha": commit, "ref": reference, "sarif": sarif, "tool_name": "foretop",
        });
        let answer = self.ask("POST", &path, Some(&body)).await?.good()?;
        let told = answer.json()?;
        let number = told.get("id").and_then(Value::as_str).map(str::to_owned);
        number.context("GitHub's answer makes no sense: it has no number")
    }

    async fn query(&self, query: &str, variables: &Value) -> anyhow::Result<Value> {
        let body = json!({"query": query, "variables": variables}).to_string();
        let answer = self.carried(&self.graphql, "POST", &self.query, body).await?.good()?;
        let mut said = answer.json()?;
        // It answers 200 to what it refuses.
        let errors = said.get("errors").and_then(Value::as_array);
        if let Some(error) = errors.and_then(|it| it.first()) {
            let why = error.get("message").and_then(Value::as_str).unwrap_or("it says not why");
            anyhow::bail!("GitHub refuses: {}", why.chars().take(300).collect::<String>());
        }
        Ok(said.get_mut("data").map(Value::take).unwrap_or_default())
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.carried(&self.rest, method, path, body).await
    }

    /// Carries it there, again where GitHub says when.
    async fn carried(
        &self,
        there: &Https,
        method: &str,
        path: &str,
        body: String,
    ) -> anyhow::Result<Answer> {
        let mut times = 0;
        loop {
            let mut request = http::Request::builder()
                .method(method)
                .uri(path)
                .header("Accept", "application/vnd.github+json")
                .header("X-GitHub-Api-Version", "2022-11-28")
                .header("User-Agent", format!("foretop/{}", crate::version::VERSION));
            if !body.is_empty() {
                request = request.header("Content-Type", "application/json");
            }
            let request = request.body(body.clone().into_bytes())?;
            self.context.messages.debug(&format!("github {method} {path}"));
            let mut held = Vec::new();
            let mut take = |part: &[u8]| {
                if held.len() + part.len() > LARGEST {
                    return Err(api::Trouble("its answer is too large".to_owned()));
                }
                held.extend_from_slice(part);
                Ok(())
            };
            let carried = there.carry_in_parts(request, &mut take);
            let response = tokio::time::timeout(LONGEST, carried).await;
            let response = response.context("GitHub does not answer in time")??;
            let status = response.status().as_u16();
            let header = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
            times += 1;
            let seconds = patience(status, method, &header).filter(|_| times < TIMES);
            let Some(seconds) = granted(&self.left, seconds) else {
                let more = header("link").is_some_and(|it| it.contains("rel=\"next\""));
                if (200..300).contains(&status) {
                    return Ok(Answer { status, body: held, more });
                }
                return Ok(Answer { status, body: response.into_body(), more });
            };
            let wait = count(seconds, "second", "seconds");
            self.context.messages.inform(&format!("GitHub asks for patience: {wait}"));
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
    }
}

/// Does `login` name that author? An app that GraphQL calls `name` is `name[bot]` where comments are listed.
fn is_of(login: &str, author: &str) -> bool {
    let login = match login.strip_suffix("[bot]") {
        Some(app) if !author.ends_with("[bot]") => app,
        _ => login,
    };
    login.eq_ignore_ascii_case(author)
}

/// After how many seconds the same may be asked again, if that makes sense. Whoever has us wait for longer
/// than anybody waits is told of instead.
fn patience<'h>(
    status: u16,
    method: &str,
    header: &dyn Fn(&str) -> Option<&'h str>,
) -> Option<u64> {
    let said = header("retry-after").and_then(|it| it.trim().parse::<u64>().ok());
    let exhausted = header("x-ratelimit-remaining").is_some_and(|it| it.trim() == "0");
    let seconds = match status {
        429 => said.unwrap_or(PATIENCE),
        // The same word is said to whoever may not.
        403 if said.is_some() || exhausted => said.unwrap_or(PATIENCE),
        // What may have been done is not done twice.
        500..=599 if method != "POST" => said.unwrap_or(1),
        _ => return None,
    };
    (seconds <= PATIENCE).then_some(seconds)
}

/// That wait, if there is still so much time: it is taken from what is left.
fn granted(left: &Cell<u64>, seconds: Option<u64>) -> Option<u64> {
    let seconds = seconds?;
    left.set(left.get().checked_sub(seconds)?);
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_job_is_held_up_for_long() {
        let left = Cell::new(IN_ALL);
        assert_eq!(granted(&left, None), None);
        assert_eq!(granted(&left, Some(PATIENCE)), Some(PATIENCE));
        assert_eq!(granted(&left, Some(1)), Some(1));
        assert_eq!(granted(&left, Some(PATIENCE)), None, "there are 59 seconds left");
        assert_eq!(granted(&left, Some(59)), Some(59));
        assert_eq!(granted(&left, Some(1)), None);
        assert_eq!(granted(&left, Some(0)), Some(0));
    }

    #[test]
    fn whose_a_comment_is() {
        for (login, author, expect) in [
            ("github-actions[bot]", "github-actions[bot]", true),
            ("github-actions[bot]", "github-actions", true),
            ("Ann", "ann", true),
            ("github-actions", "github-actions[bot]", false),
            ("mallory[bot]", "github-actions", false),
            ("[bot]", "ann", false),
        ] {
            assert_eq!(is_of(login, author), expect, "{login} {author}");
        }
    }

    #[test]
    fn when_to_ask_again() {
        let check = |status: u16, method: &str, headers: &[(&str, &'static str)], expect| {
            let header = |name: &str| headers.iter().find(|it| it.0 == name).map(|it| it.1);
            assert_eq!(patience(status, method, &header), expect, "{status} {headers:?}");
        };
        check(200, "GET", &[], None);
        check(403, "POST", &[], None);
        check(403, "POST", &[("retry-after", "3")], Some(3));
        check(403, "POST", &[("x-ratelimit-remaining", "0")], Some(60));
        check(429, "POST", &[("retry-after", "61")], None);
        check(429, "GET", &[("retry-after", "tomorrow")], Some(60));
        check(502, "POST", &[], None);
        check(502, "PATCH", &[], Some(1));
    }
}
