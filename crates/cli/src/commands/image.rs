//! `foretop image`: which images are remembered, and which no more.

use api::{DeleteQuery, Image as Kept, ImageQuery, ImageState, ResolveQuery};
use clap::{Subcommand, ValueEnum};

use super::member::columns;
use super::{Outcome, Verb};
use crate::Context;
use crate::asking::{Asking, PART, Whose, ask, whole};
use crate::messages::count;

/// List the images that are remembered, and delete them
#[derive(clap::Parser)]
#[command(name = "image", arg_required_else_help = true)]
pub(crate) struct Image {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the images, by digest
    List {
        /// Only those that were seen in this repository
        repository: Option<String>,
        /// Only those in this state
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        whose: Whose,
    },
    /// Delete an image and all that is known of its content
    #[command(after_help = AFTER)]
    Delete {
        /// The image: its digest, or the name that it was pushed by
        image: String,
        /// For this platform, where a name leads to several
        #[arg(long, value_name = "PLATFORM")]
        platform: Option<String>,
        /// Also where it runs: it ends there, and the history says so
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        whose: Whose,
    },
}

const AFTER: &str = "\
That it ran stays in the history of its environments, by its digest, and in the events.
Packages that other images have too stay with them.";

#[derive(Clone, Copy, ValueEnum)]
enum State {
    /// Nobody has read it yet
    Pending,
    /// What is inside is known
    Analysed,
    /// Reading it failed
    Failed,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A table
    Text,
    /// An array
    Json,
}

impl Verb for Image {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let messages = &context.messages;
        match self.command {
            Command::List { repository, state, format, whose } => {
                let state = state.map(|it| match it {
                    State::Pending => ImageState::Pending,
                    State::Analysed => ImageState::Analysed,
                    State::Failed => ImageState::Failed,
                });
                ask(context, &whose, async |asking| {
                    let all = whole(async |after| {
                        let (repository, limit) = (repository.clone(), Some(PART));
                        let query = ImageQuery { repository, state, after, limit };
                        asking.client.images(&asking.organisation, &query).await
                    });
                    let all = all.await?;
                    messages.report(&match format {
                        Format::Text => table(&all),
                        Format::Json => format!("{}\n", serde_json::to_string_pretty(&all)?),
                    })
                })?;
            }
            Command::Delete { image, platform, force, whose } => {
                ask(context, &whose, async |asking| {
                    let digest = digest(asking, &image, platform.clone()).await?;
                    let query = DeleteQuery { force };
                    let gone = asking.client.delete_image(&asking.organisation, &digest, query);
                    let gone = gone.await?;
                    messages.done(&format!("Successfully deleted image {digest}"));
                    if gone.ended > 0 {
                        let ended = count(gone.ended, "deployment", "deployments");
                        messages.inform(&format!("{ended} of it ended"));
                    }
                    Ok(())
                })?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// The digest that is said, else where the name leads that it was pushed by.
async fn digest(asking: &Asking, image: &str, platform: Option<String>) -> anyhow::Result<String> {
    let said = image.rsplit_once('@').map_or(image, |(_, digest)| digest);
    if said.parse::<model::Digest>().is_ok() {
        return Ok(said.to_owned());
    }
    let query = ResolveQuery { image: image.to_owned(), platform, pushed: true };
    Ok(asking.client.resolve(&asking.organisation, &query).await?.digest)
}

fn table(all: &[Kept]) -> String {
    let rows = all.iter().map(|it| {
        let state = match it.state {
            ImageState::Pending => "pending".to_owned(),
            ImageState::Failed => "failed".to_owned(),
            ImageState::Analysed => count(it.packages.unwrap_or(0), "package", "packages"),
        };
        let seen = it.first_seen.get(..19).map_or(it.first_seen.clone(), |it| format!("{it}Z"));
        vec![it.digest.clone(), it.platform.clone(), state, seen, it.repositories.join(" ")]
    });
    columns(&["Digest", "Platform", "Inside", "Seen", "Repositories"], rows.collect())
}
