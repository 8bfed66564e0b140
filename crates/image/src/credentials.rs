//! Credentials: what the user's container tools know about logging in to a registry.
//!
//! Only read, never written. Docker's `config.json` and podman's `auth.json` share one shape.

mod helper;
mod pull_secret;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::Secret;
use serde::Deserialize;

use crate::{Credentials, Error, Progress, Settings};

pub use pull_secret::in_pull_secret;

const FILE_LIMIT: u64 = 4 << 20;
/// The name that Docker Hub goes by in these files, since before it had another.
const HUB_KEY: &str = "https://index.docker.io/v1/";
const HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// A login as the files hold it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FileJson {
    auths: BTreeMap<String, Option<AuthJson>>,
    #[serde(rename = "credsStore")]
    store: Option<String>,
    #[serde(rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthJson {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

/// What to say to `host` (`docker.io`, `ghcr.io`, `localhost:5000`) to read `repository`.
/// `None`: nobody knows any, so ask without.
pub(crate) async fn find(
    host: &str,
    repository: &str,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Option<Credentials>, Error> {
    if let Some(credentials) = given(host, settings) {
        return Ok(Some(credentials.clone()));
    }
    let docker = settings.docker_config.iter().map(|it| it.join("config.json"));
    for path in docker.chain(settings.auth_files.iter().cloned()) {
        let Some(file) = read_file(&path)? else { continue };
        let program = |name: &str| PathBuf::from(format!("docker-credential-{name}"));
        if let Some(found) = file.find(&path, host, repository, &program, progress).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What was given for `host`, before any file is looked into.
pub(crate) fn given<'a>(host: &str, settings: &'a Settings) -> Option<&'a Credentials> {
    let hub = settings.hub.as_ref().filter(|_| HUB_NAMES.contains(&host));
    hub.or(settings.credentials.as_ref())
}

/// What the user's container tools keep for a server of ours at `host`, after `docker login` there.
/// What is meant for every registry is not meant for it.
pub async fn login(
    host: &str,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Option<Credentials>, Error> {
    let settings = Settings { credentials: None, hub: None, ..settings.clone() };
    find(host, "", &settings, progress).await
}

fn read_file(path: &Path) -> Result<Option<FileJson>, Error> {
    let what = || path.display().to_string();
    let mut text = Vec::new();
    match fs_err::File::open(path) {
        Ok(file) => file
            .take(FILE_LIMIT + 1)
            .read_to_end(&mut text)
            .map_err(|why| Error::invalid(what(), format!("cannot be read: {why}")))?,
        Err(why)
            if matches!(
                why.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(why) => return Err(Error::invalid(what(), format!("cannot be read: {why}"))),
    };
    if text.len() as u64 > FILE_LIMIT {
        return Err(Error::limit(what(), format!("it is over {FILE_LIMIT} bytes")));
    }
    if text.trim_ascii().is_empty() {
        return Ok(None);
    }
    // The message of a JSON error quotes the wrong value, which may be a secret: only its place.
    serde_json::from_slice(&text).map(Some).map_err(|why| {
        Error::invalid(
            what(),
            format!("its JSON is broken at line {}, column {}", why.line(), why.column()),
        )
        .with_hint("mend it, or move it away and log in again with docker login")
    })
}

impl FileJson {
    async fn find(
        &self,
        path: &Path,
        host: &str,
        repository: &str,
        program: &(dyn Fn(&str) -> PathBuf + Sync),
        progress: &dyn Progress,
    ) -> Result<Option<Credentials>, Error> {
        let own = self.helpers.iter().find(|(key, _)| same_host(key, host)).map(|(_, name)| name);
        let store = self.store.iter();
        for name in own.into_iter().chain(store).filter(|it| !it.is_empty()) {
            let key = if host == "docker.io" { HUB_KEY } else { host };
            match helper::ask(name, program, key, helper::PATIENCE).await {
                Ok(Some(found)) => return Ok(Some(found)),
                Ok(None) => {}
                Err(why) => {
                    progress.tell(&format!("docker-credential-{name} is of no help: {why}"));
                }
            }
        }
        let matching = self
            .auths
            .iter()
            .filter_map(|(key, auth)| Some((specificity(key, host, repository)?, key, auth)))
            .filter(|(_, _, auth)| auth.is_some())
            .max_by_key(|(specificity, ..)| *specificity);
        match matching {
            Some((_, key, Some(auth))) => auth.credentials().map_err(|why| {
                Error::invalid(path.display().to_string(), format!("its login for {key} {why}"))
                    .with_hint("log in again with docker login")
            }),
            _ => Ok(None),
        }
    }
}

impl AuthJson {
    fn credentials(&self) -> Result<Option<Credentials>, &'static str> {
        let given = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credentials::Bearer(Secret::new(token))));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credentials::Identity(Secret::new(token))));
        }
        if let Some(encoded) = given(&self.auth) {
            let (user, password) = decode(&encoded)?;
            return Ok(Some(Credentials::Basic { user, password: Secret::new(password) }));
        }
        Ok(given(&self.username)
            .zip(given(&self.password))
            .map(|(user, password)| Credentials::Basic { user, password: Secret::new(password) }))
    }
}

/// `user:password` in base64, padded or not, sometimes with NULs behind.
fn decode(encoded: &str) -> Result<(String, String), &'static str> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient)
        .decode(encoded.trim())
        .map_err(|_| "is no base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "is no text")?;
    let (user, password) = text.split_once(':').ok_or("is no user and password")?;
    Ok((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

/// How exactly `key` names `host/repository`: the length of what matches.
/// podman's keys may go on with a path; docker's may be a URL of the days of `/v1/`.
fn specificity(key: &str, host: &str, repository: &str) -> Option<usize> {
    let (key_host, path) = split_key(key);
    let same = key_host.eq_ignore_ascii_case(host)
        || (HUB_NAMES.contains(&host) && HUB_NAMES.contains(&key_host));
    let rest = repository.strip_prefix(path)?;
    (same && (path.is_empty() || rest.is_empty() || rest.starts_with('/'))).then_some(path.len())
}

fn same_host(key: &str, host: &str) -> bool {
    specificity(key, host, "").is_some()
}

fn split_key(key: &str) -> (&str, &str) {
    let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let (host, path) = url.unwrap_or(key).split_once('/').unwrap_or((url.unwrap_or(key), ""));
    let path = path.trim_matches('/');
    (host, if url.is_some() && matches!(path, "v1" | "v2") { "" } else { path })
}

#[cfg(test)]
mod tests;
