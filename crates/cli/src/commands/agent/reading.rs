//! Images that the server cannot pull, read by `foretop push`, each in a process of its own: one that
//! takes all the memory there is takes the agent's eyes from nothing.

use std::time::Duration;

use ::agent::kubernetes::{Reader, Unread};
use async_trait::async_trait;
use image::Credentials;

use crate::{child, environment};

/// How long it takes at most to read an image.
const PATIENCE: Duration = Duration::from_mins(15);

/// Reads and sends.
pub(super) struct Pushes;

#[async_trait]
impl Reader for Pushes {
    async fn read(
        &self,
        organisation: &str,
        image: &Unread,
        login: Option<&Credentials>,
    ) -> Result<(), String> {
        let mut command = child::command()?;
        let named = format!("registry://{}", image.image);
        command.args(["push", &named, "--platform", &image.platform, "--org", organisation]);
        // Those were meant for something else.
        for name in environment::logins() {
            command.env_remove(name);
        }
        match login {
            Some(Credentials::Basic { user, password }) => {
                command.env("FORETOP_REGISTRY_USER", user);
                command.env("FORETOP_REGISTRY_PASSWORD", password.expose());
            }
            Some(Credentials::Bearer(token)) => {
                command.env("FORETOP_REGISTRY_TOKEN", token.expose());
            }
            Some(Credentials::Identity(_)) => {
                return Err("its pull secret has an identity token, which is not taken".to_owned());
            }
            None => {}
        }
        // The agent's file system is mostly not to be written to.
        command.env("FORETOP_NO_CACHE", "1");
        child::done(&mut command, PATIENCE, |line| tracing::debug!(line, "push says")).await
    }
}
