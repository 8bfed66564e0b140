//! What was kept by `foretop login`: for each server, who one is there and the secret that proves it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context as _;
use model::Secret;
use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::failure::Failure;

/// Bytes of the largest file that is one of ours.
const LARGEST: u64 = 1 << 20;

/// The file, read.
pub(crate) struct Kept {
    path: PathBuf,
    content: Content,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    /// By address, without a slash at its end.
    servers: BTreeMap<String, Login>,
}

/// Who one is at a server.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    /// By name.
    pub(crate) name: String,
    token: String,
}

impl Login {
    pub(crate) fn new(name: String, token: &Secret) -> Self {
        Self { name, token: token.expose().to_owned() }
    }

    /// What is shown to the server.
    pub(crate) fn token(&self) -> Secret {
        Secret::new(self.token.clone())
    }
}

impl Kept {
    /// Reads it. Without a file, nothing is kept.
    pub(crate) fn read(environment: &Environment) -> anyhow::Result<Self> {
        let path = environment.config_file()?.with_file_name("credentials.json");
        let damaged = |why: &str| {
            Failure::error(
                format!("credentials {}: {why}", path.display()),
                "remove the file, and log in anew: foretop login SERVER",
            )
        };
        let content = match fs_err::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(error.into()),
            Ok(about) if about.len() > LARGEST => return Err(damaged("it is too large")),
            Ok(_) => serde_json::from_slice(&fs_err::read(&path)?)
                .map_err(|error| damaged(&error.to_string()))?,
        };
        Ok(Self { path, content })
    }

    /// Who one is at the server of that address.
    pub(crate) fn at(&self, server: &str) -> Option<&Login> {
        self.content.servers.get(key(server))
    }

    /// Keeps who one is there, or forgets it.
    pub(crate) fn set(&mut self, server: &str, login: Option<Login>) -> anyhow::Result<()> {
        match login {
            Some(login) => self.content.servers.insert(key(server).to_owned(), login),
            None => self.content.servers.remove(key(server)),
        };
        let what = || format!("cannot write {}", self.path.display());
        let folder = self.path.parent().with_context(what)?;
        crate::config::place(folder)?;
        // Temporary files are for their owner alone, and stay so under another name.
        let mut file =
            tempfile::Builder::new().prefix(".foretop-").tempfile_in(folder).with_context(what)?;
        let text = serde_json::to_string_pretty(&self.content)?;
        std::io::Write::write_all(&mut file, format!("{text}\n").as_bytes()).with_context(what)?;
        file.persist(&self.path).with_context(what)?;
        Ok(())
    }
}

/// What was kept for that server, where there can be a file at all.
pub(crate) fn token(environment: &Environment, server: &str) -> anyhow::Result<Option<Secret>> {
    if environment.config_file().is_err() {
        return Ok(None);
    }
    Ok(Kept::read(environment)?.at(server).map(Login::token))
}

fn key(server: &str) -> &str {
    server.trim_end_matches('/')
}
