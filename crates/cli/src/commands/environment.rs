//! `foretop environment`: what runs where, and what ran.

mod change;
mod compose;
mod manifest;
mod record;
mod show;
mod yaml;

use std::path::PathBuf;

use clap::ValueHint;
use model::Platform;

use self::change::Change;
use self::record::{Recording, Wanted, tidy};
pub(super) use self::show::moment;
use self::show::{Format, Show};
use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, Whose, ask, ask_with};
use crate::failure::Failure;
use crate::output::{Output, deliver};

/// List environments and what runs in them, or record that an image runs in one
#[derive(clap::Parser)]
#[command(
    name = "environment",
    visible_alias = "env",
    alias = "stream",
    disable_help_subcommand = true,
    after_help = AFTER
)]
pub(crate) struct Environment {
    #[command(subcommand)]
    change: Option<Change>,
    /// The environment; without one, all are listed
    #[arg(value_name = "ENVIRONMENT", value_parser = said())]
    name: Option<String>,
    /// The image that runs there: NAME[:TAG][@DIGEST], with registry:// or local:// before it to say
    /// who knows it
    #[arg(value_parser = said())]
    image: Option<String>,
    #[command(flatten)]
    whose: Whose,
    /// For which platform: os/architecture[/variant]
    #[arg(long)]
    platform: Option<Platform>,
    /// As which application it runs, or only this application [default: the repository]
    #[arg(long, value_name = "NAME", value_parser = said())]
    app: Option<String>,
    /// Record the images of all services of this compose file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "name",
          conflicts_with_all = ["image", "manifest"])]
    compose: Option<PathBuf>,
    /// Record the images of all workloads of these Kubernetes manifests; `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "name",
          conflicts_with = "image")]
    manifest: Option<PathBuf>,
    /// List all that ever ran, latest first
    #[arg(long, conflicts_with_all = ["at", "stale", "image", "compose", "manifest"])]
    history: bool,
    /// List what ran then: 2026-11-21, 2026-11-21T10:00:00Z, or 3d, 2h, 30m ago
    #[arg(long, value_name = "TIME", value_parser = show::moment,
          conflicts_with_all = ["stale", "image", "compose", "manifest"])]
    at: Option<model::Moment>,
    /// Mark what runs by a tag that leads to another image by now
    #[arg(long, conflicts_with_all = ["image", "compose", "manifest"])]
    stale: bool,
    /// List only this repository, tag or image, of all environments if none is named
    #[arg(long, value_name = "IMAGE", value_parser = said(),
          conflicts_with_all = ["image", "compose", "manifest"])]
    filter: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

const AFTER: &str = "\
What runs as one application for one platform is superseded when another image is recorded for them,
and stays in the history. In a compose file an application is [PROJECT/]SERVICE, in manifests
[NAMESPACE/]KIND/NAME/CONTAINER; --app goes before these.

An environment whose name is a command is reached behind two dashes: foretop env -- remove";

impl Verb for Environment {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        if let Some(change) = self.change {
            // `env staging copy` is more likely a slip than an image called so.
            if let Some(name) = &self.name {
                return Err(Failure::error(
                    format!("env {name}: a command stands behind the environment"),
                    "write the command first, or the image with its tag",
                ));
            }
            let run = async |asking: &Asking| change.run(asking, context).await;
            ask_with(context, &self.whose, change.almanac(), run)?;
            return Ok(Outcome::Done);
        }
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let wanted = self.wanted(context)?;
        let show = Show {
            environment: self.name.clone(),
            application: self.app.clone(),
            image: self.filter.clone(),
            platform: self.platform.clone(),
            history: self.history,
            at: self.at,
            stale: self.stale,
            format: self.format,
        };
        ask(context, &self.whose, async |asking| {
            let (Some(environment), Some(wanted)) = (&self.name, wanted) else {
                return show.list(asking, context, output.as_ref()).await;
            };
            let recording = Recording { context, asking, environment };
            let recorded = recording.record(wanted).await?;
            // That it is recorded was said; the lines are for whoever asks for them.
            if output.is_some() || self.format != Format::Text {
                let lines: Vec<_> = recorded.into_iter().map(|it| it.deployment).collect();
                let text = show.deployments(&lines)?;
                deliver(&text, output.as_ref(), &context.messages)?;
            }
            Ok(())
        })?;
        Ok(Outcome::Done)
    }
}

impl Environment {
    /// What is to be recorded, if anything is.
    fn wanted(&self, context: &Context) -> anyhow::Result<Option<Vec<Wanted>>> {
        let found = if let Some(path) = &self.compose {
            compose::read(path, context)?
        } else if let Some(path) = &self.manifest {
            manifest::read(path, context)?
        } else if let Some(image) = &self.image {
            let application = self.app.clone();
            let platform = self.platform.clone();
            let (image, at) = (tidy(image).to_owned(), String::new());
            return Ok(Some(vec![Wanted { application, image, platform, at }]));
        } else {
            return Ok(None);
        };
        let placed = found.into_iter().map(|it| Wanted {
            application: it.application.map(|part| match &self.app {
                Some(whole) => format!("{whole}/{part}"),
                None => part,
            }),
            platform: it.platform.or_else(|| self.platform.clone()),
            ..it
        });
        Ok(Some(placed.collect()))
    }
}
