//! `foretop image`: which images are remembered, and which no more.

use api::{DeleteQuery, Image as Kept, ImageQuery, ImageState, TagSpan, TagsQuery};
use clap::{Subcommand, ValueEnum};
use model::{Platform, Reference};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::{Asking, PART, Whose, ask, whole};
use crate::failure::Failure;
use crate::messages::count;
use crate::table::{Format, columns, second};

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
        #[arg(value_parser = said())]
        image: String,
        /// For this platform, where a name leads to several; of a digest, only if it is for that
        #[arg(long, value_name = "PLATFORM")]
        platform: Option<Platform>,
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
                    messages.tell_as(format, &all, || table(&all))
                })?;
            }
            Command::Delete { image, platform, force, whose } => {
                ask(context, &whose, async |asking| {
                    let digest = digest(asking, &image, platform.as_ref()).await?;
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

/// The digest that is said, else the only one that the name leads to that it was pushed by.
async fn digest(
    asking: &Asking,
    image: &str,
    platform: Option<&Platform>,
) -> anyhow::Result<String> {
    let said = image.rsplit_once('@').map_or(image, |(_, digest)| digest);
    if said.parse::<model::Digest>().is_ok() {
        if let Some(wanted) = platform {
            let made_for = asking.client.image(&asking.organisation, said).await?.platform;
            if !made_for.parse().is_ok_and(|it: Platform| it == *wanted) {
                return Err(Failure::error(
                    format!("image delete {image}: it is not for {wanted}"),
                    format!("it is for {made_for}; without --platform the digest alone counts"),
                ));
            }
        }
        return Ok(said.to_owned());
    }
    let reference: Reference = image.parse().map_err(|error: model::BadReference| {
        let hint = "name it like this: acme/web:v1, or by its digest: sha256:…";
        Failure::error(error.to_string(), hint)
    })?;
    let tag = reference.tag.as_deref().unwrap_or("latest");
    let name = format!("{}/{}:{tag}", reference.host, reference.repository);
    let mut query = TagsQuery { image: name, limit: Some(1_000), ..TagsQuery::default() };
    let mut now: Vec<TagSpan> = Vec::new();
    loop {
        let spans = asking.client.tags(&asking.organisation, &query).await?;
        now.extend(spans.items.into_iter().filter(|it| it.until.is_none()));
        query.after = spans.next;
        if query.after.is_none() {
            break;
        }
    }
    let meant = |it: &&TagSpan| {
        platform.is_none_or(|wanted| it.platform.parse().is_ok_and(|it: Platform| it == *wanted))
    };
    let meant: Vec<&TagSpan> = now.iter().filter(meant).collect();
    let list = |of: &mut dyn Iterator<Item = &TagSpan>| {
        of.map(|it| it.platform.clone()).collect::<Vec<_>>().join(", ")
    };
    match (meant.as_slice(), platform) {
        ([one], _) => Ok(one.digest.clone()),
        ([], Some(platform)) if !now.is_empty() => Err(Failure::error(
            format!("image delete {image}: there is none for {platform}"),
            format!("there are: {}", list(&mut now.iter())),
        )),
        ([], _) => Err(Failure::error(
            format!("image delete {image}: no image is remembered by that name"),
            "`foretop image list` shows those that are, by digest",
        )),
        (several, _) => Err(Failure::error(
            format!("image delete {image}: there is one for each of several platforms"),
            format!("--platform says which: {}", list(&mut several.iter().copied())),
        )),
    }
}

fn table(all: &[Kept]) -> String {
    let rows = all.iter().map(|it| {
        let state = match it.state {
            ImageState::Pending => "pending".to_owned(),
            ImageState::Failed => "failed".to_owned(),
            ImageState::Analysed => count(it.packages.unwrap_or(0), "package", "packages"),
        };
        let seen = second(&it.first_seen);
        vec![it.digest.clone(), it.platform.clone(), state, seen, it.repositories.join(" ")]
    });
    columns(&["Digest", "Platform", "Inside", "Seen", "Repositories"], rows.collect())
}
