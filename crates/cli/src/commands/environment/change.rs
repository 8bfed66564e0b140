//! What can be done to environments, beside recording.

use std::io::{Seek as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use api::{DeploymentQuery, EndQuery, ExportQuery, Judging, PageQuery, Promotion, Sort};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Subcommand, ValueHint};

use super::record::{made, told};
use crate::Context;
use crate::asking::{Asking, PART, is, whole};
use crate::commands::said;
use crate::deployed::sound;
use crate::failure::Failure;
use crate::findings::Advice;
use crate::output::Output;

#[derive(Subcommand)]
pub(super) enum Change {
    /// Make an environment
    Create {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
    },
    /// Give an environment another name; its history stays with it
    Rename {
        /// The name it has
        #[arg(value_parser = said())]
        from: String,
        /// The name it is to have
        #[arg(value_parser = said())]
        to: String,
    },
    /// Delete an environment and its history
    Delete {
        /// Its name
        #[arg(value_parser = said())]
        name: String,
        /// Do not ask
        #[arg(short, long)]
        force: bool,
    },
    /// Take something out of an environment; that it ran stays in the history
    Remove {
        /// The environment
        #[arg(value_parser = said())]
        environment: String,
        /// A repository, a tag, an image, or an application
        #[arg(value_name = "IMAGE|APPLICATION", value_parser = said())]
        what: String,
    },
    /// Record in an environment what runs in another (promotion); what else runs there stays
    Copy {
        /// Where it runs
        #[arg(value_parser = said())]
        from: String,
        /// Where it is to run
        #[arg(value_parser = said())]
        to: String,
        /// Only this repository, tag, image or application
        #[arg(value_name = "IMAGE|APPLICATION", value_parser = said())]
        what: Option<String>,
    },
    /// Write down all that runs in an environment, for audits: with what is inside and what is wrong
    /// with it, and with what is not known
    Export(Export),
}

/// What is to be written down.
#[derive(clap::Args)]
pub(super) struct Export {
    /// Its name
    #[arg(value_parser = said())]
    name: String,
    /// How to write it
    #[arg(long, value_name = "FORMAT", default_value = "csv", value_parser = form())]
    format: String,
    /// Write the document to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    advice: Advice,
}

fn form() -> PossibleValuesParser {
    let form = |it: &&dyn format::export::Export| PossibleValue::new(it.id()).help(it.title());
    PossibleValuesParser::new(format::export::ALL.iter().map(form))
}

impl Export {
    async fn run(&self, asking: &Asking, context: &Context) -> anyhow::Result<()> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        sound(asking, &self.advice, context)?;
        let judging = self.advice.judging(context, false)?;
        let query = ExportQuery { format: self.format.clone() };
        let Some(output) = output else {
            // All of it is there before the first line is told.
            let mut whole = tempfile::tempfile().context("there is no place for the document")?;
            self.fetch(asking, (&query, &judging), &mut whole).await?;
            whole.rewind().context("the document cannot be read")?;
            return context.messages.long_report(whole);
        };
        let mut draft = output.begin()?;
        self.fetch(asking, (&query, &judging), &mut draft).await?;
        output.finish(draft)?;
        context.messages.done(&format!("Report written to {output}"));
        Ok(())
    }

    async fn fetch(
        &self,
        asking: &Asking,
        (query, judging): (&ExportQuery, &Judging),
        to: &mut (impl Write + Send),
    ) -> anyhow::Result<()> {
        let mut take = |part: &[u8]| {
            to.write_all(part).map_err(|error| api::Trouble(format!("cannot write it: {error}")))
        };
        let (client, organisation) = (&asking.client, &asking.organisation);
        Ok(client.export(organisation, &self.name, query, judging, &mut take).await?)
    }
}

impl Change {
    /// The almanac that the user names.
    pub(super) fn almanac(&self) -> Option<&Path> {
        match self {
            Self::Export(it) => it.advice.directory(),
            _ => None,
        }
    }

    pub(super) async fn run(&self, asking: &Asking, context: &Context) -> anyhow::Result<()> {
        let (client, organisation) = (&asking.client, &asking.organisation);
        let messages = &context.messages;
        match self {
            Self::Export(it) => it.run(asking, context).await?,
            Self::Create { name } => {
                let made = client.create_environment(organisation, name).await?;
                messages.done(&format!("Successfully created environment {}", made.name));
            }
            Self::Rename { from, to } => {
                let it = client.rename_environment(organisation, from, to).await?;
                messages.done(&format!("Successfully renamed environment {from} to {}", it.name));
            }
            Self::Delete { name, force } => {
                let it = client.environment(organisation, name).await?;
                if *force || confirmed(&it, context)? {
                    client.delete_environment(organisation, name).await?;
                    messages.done(&format!("Successfully deleted environment {}", it.name));
                }
            }
            Self::Remove { environment, what } => {
                let (application, image) = meant(asking, environment, what).await?;
                let query = EndQuery { application, image, platform: None };
                for it in client.end(organisation, environment, &query).await?.ended {
                    let image = it.image;
                    messages.done(&format!(
                        "Successfully removed {image} from environment {environment}"
                    ));
                }
            }
            Self::Copy { from, to, what } => {
                let (application, image) = match what {
                    Some(what) => meant(asking, from, what).await?,
                    None => (None, None),
                };
                // What is not there to be copied makes no environment.
                client.environment(organisation, from).await?;
                if !runs(asking, from, application.clone(), image.clone()).await? {
                    let what = match what {
                        Some(what) => format!("no {what} runs in {from}"),
                        None => format!("nothing runs in {from}"),
                    };
                    return Err(Failure::error(
                        format!("env copy {from} {to}: {what}"),
                        format!("`foretop env {from}` lists what does"),
                    ));
                }
                let (to, source) = (to.clone(), Some("cli".to_owned()));
                let promotion = Promotion { to, application, image, source, create: true };
                let done = client.promote(organisation, from, &promotion).await?;
                made(&done, context);
                let to = &promotion.to;
                for it in &done.recorded {
                    told(it, &it.deployment.image, to, context);
                }
            }
        }
        Ok(())
    }
}

fn confirmed(it: &api::Environment, context: &Context) -> anyhow::Result<bool> {
    let question = || {
        let runs = match it.running {
            0 => "nothing runs there now".to_owned(),
            number => format!("{number} running there"),
        };
        format!("Delete environment {} and its history ({runs})?", it.name)
    };
    let what = format!("env delete {}", it.name);
    context.messages.confirmed(&what, question, "--force deletes without asking")
}

/// An application, if one of that name runs there, else an image.
async fn meant(
    asking: &Asking,
    environment: &str,
    what: &str,
) -> anyhow::Result<(Option<String>, Option<String>)> {
    let known = match runs(asking, environment, Some(what.to_owned()), None).await {
        Ok(known) => known,
        // What cannot be an application's name may yet be an image's.
        Err(error) if is(&error, Sort::Refused) || is(&error, Sort::Malformed) => false,
        Err(error) => return Err(error.into()),
    };
    let what = Some(what.to_owned());
    Ok(if known { (what, None) } else { (None, what) })
}

/// Does any such thing run there?
async fn runs(
    asking: &Asking,
    environment: &str,
    application: Option<String>,
    image: Option<String>,
) -> Result<bool, api::Error> {
    let query = DeploymentQuery {
        environment: Some(environment.to_owned()),
        application,
        image,
        limit: Some(1),
        ..DeploymentQuery::default()
    };
    let found = asking.client.deployments(&asking.organisation, &query).await?;
    Ok(!found.items.is_empty())
}

/// The names of all environments, sorted.
pub(super) async fn all(asking: &Asking) -> anyhow::Result<Vec<api::Environment>> {
    let all = whole(async |after| {
        let page = PageQuery { after, limit: Some(PART) };
        asking.client.environments(&asking.organisation, &page).await
    });
    Ok(all.await?)
}
