//! Credential helpers: programs that know passwords.
//!
//! <https://github.com/docker/docker-credential-helpers>

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use model::Secret;
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::Credentials;
use crate::registry::tame;

/// A helper may ask a key ring, which may ask a person; nobody waits for longer than this.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

const ANSWER_LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
struct AnswerJson {
    #[serde(rename = "Username", default)]
    user: String,
    #[serde(rename = "Secret", default)]
    secret: String,
}

/// Asks the helper `name` about the registry `key`. `None`: it does not know it.
pub(super) async fn ask(
    name: &str,
    program: &(dyn Fn(&str) -> PathBuf + Sync),
    key: &str,
    patience: Duration,
) -> Result<Option<Credentials>, String> {
    let word = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b"._-".contains(&it);
    if name.len() > 100 || !name.bytes().all(word) {
        return Err("that is not the name of a helper".to_owned());
    }
    match tokio::time::timeout(patience, talk(program(name), key)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("it did not answer within {} seconds", patience.as_secs())),
    }
}

async fn talk(program: PathBuf, key: &str) -> Result<Option<Credentials>, String> {
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|why| why.to_string())?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that answers without having listened is still an answer.
        let _ = stdin.write_all(key.as_bytes()).await;
    }
    let mut answer = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(ANSWER_LIMIT).read_to_end(&mut answer).await.map_err(|why| why.to_string())?;
    }
    let status = child.wait().await.map_err(|why| why.to_string())?;
    if !status.success() {
        let said = tame(&String::from_utf8_lossy(&answer));
        if said.contains("credentials not found") {
            return Ok(None);
        }
        return Err(if said.is_empty() { format!("it ended with {status}") } else { said });
    }
    let AnswerJson { user, secret } =
        serde_json::from_slice(&answer).map_err(|_| "its answer is no JSON".to_owned())?;
    let secret = Secret::new(secret);
    Ok(match (user.as_str(), secret.expose()) {
        (_, "") => None,
        ("<token>", _) => Some(Credentials::Identity(secret)),
        _ => Some(Credentials::Basic { user, password: secret }),
    })
}
