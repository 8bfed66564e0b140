//! `foretop almanac`: the advisories that findings rest on, and everything one does with them.

mod carry;
mod make;
mod read;
mod registry;
mod status;

use std::path::{Path, PathBuf};

use ::almanac::{Almanac as Installed, PublicKey, Trust};
use clap::{Subcommand, ValueHint};

use super::{Outcome, Verb};
use crate::Context;
use crate::child::end_with_whoever_started_us;
use crate::evaluated::installing;
use crate::failure::Failure;
use crate::findings::whole;

/// The advisories that findings rest on: fetch, build, look up, carry and verify them
#[derive(clap::Parser)]
#[command(name = "almanac", visible_alias = "db", arg_required_else_help = true)]
pub(crate) struct Almanac {
    /// The almanac's directory
    #[arg(long, global = true, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
    /// Whoever started us holds our stdin, and tells what changes for what runs
    #[arg(long, hide = true)]
    attended: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch what is new from the publishers, and build it from that
    Update(make::Update),
    /// Build it from a folder of documents as their publishers have them
    Build(make::Build),
    /// Tell how old each feed is, what it holds, and what could not be read
    Status(status::Status),
    /// List its sheets
    List(status::List),
    /// Tell everything that is said about a flaw, by any of its names
    Show(read::Show),
    /// Tell what is wrong with a package, by its purl
    Lookup(read::Lookup),
    /// Tell what is different between two almanacs
    Diff(read::Diff),
    /// Write it to one file
    Export(carry::Export),
    /// Take it from such a file
    Import(carry::Import),
    /// Push it to a registry: only what changed travels
    Push(registry::Push),
    /// Take it from a registry: only what changed travels
    Pull(registry::Pull),
    /// Read all of it, and tell what is damaged
    Verify(carry::Verify),
    /// Make a pair of keys, as minisign has them
    Keygen(carry::Keygen),
    /// Sign it
    Sign(carry::Sign),
}

impl Verb for Almanac {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        if let (Some(directory), Command::Diff(_) | Command::Keygen(_)) =
            (&self.directory, &self.command)
        {
            return Err(Failure::error(
                format!("--directory {}: this does not look into the almanac", directory.display()),
                "leave it out",
            ));
        }
        let directory = match self.directory {
            Some(directory) => directory,
            None => context.environment.almanac_directory()?,
        };
        if self.attended {
            end_with_whoever_started_us();
            match self.command {
                Command::Update(it) => it.run(&directory, context),
                Command::Pull(it) => it.run(&directory, context),
                _ => Err(Failure::error("--attended: only update and pull are", "leave it out")),
            }?;
            return Ok(Outcome::Done);
        }
        match self.command {
            Command::Update(it) => installing(context, &directory, || it.run(&directory, context)),
            Command::Build(it) => installing(context, &directory, || it.run(&directory, context)),
            Command::Status(it) => it.run(&directory, context),
            Command::List(it) => it.run(&directory, context),
            Command::Show(it) => it.run(&directory, context),
            Command::Lookup(it) => it.run(&directory, context),
            Command::Diff(it) => it.run(context),
            Command::Export(it) => it.run(&directory, context),
            Command::Import(it) => installing(context, &directory, || it.run(&directory, context)),
            Command::Push(it) => it.run(&directory, context),
            Command::Pull(it) => installing(context, &directory, || it.run(&directory, context)),
            Command::Verify(it) => it.run(&directory, context),
            Command::Keygen(it) => it.run(context),
            Command::Sign(it) => it.run(&directory, context),
        }?;
        Ok(Outcome::Done)
    }
}

/// The installed almanac, or what is built in.
fn open_or_starter(directory: &Path) -> anyhow::Result<engine::Lookout> {
    let now = jiff::Timestamp::now().to_string();
    match Installed::open(directory) {
        Ok(almanac) => Ok(engine::Lookout::new(whole(directory, almanac)?, now)),
        Err(::almanac::Error::Absent(_)) => Ok(engine::Lookout::with_starter(now)),
        Err(error) => Err(error.into()),
    }
}

/// Whose almanacs are accepted from elsewhere.
#[derive(clap::Args)]
struct Trusted {
    /// Accept it if the owner of this key signed it: a key, or a file that minisign wrote; several
    /// times for several keys; those of `FORETOP_ALMANAC_KEYS` are accepted as well
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Accept it whoever made it
    #[arg(long, conflicts_with = "keys")]
    unsigned: bool,
}

impl Trusted {
    /// The keys, by flag and environment.
    fn keys(&self, context: &Context) -> anyhow::Result<Vec<PublicKey>> {
        let mut texts = self.keys.clone();
        texts.extend(context.environment.almanac_keys()?);
        texts.iter().map(|it| key(it)).collect()
    }

    /// Does `act` with the trust that was asked for.
    fn with<T>(
        &self,
        context: &Context,
        act: impl FnOnce(Trust<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        if self.unsigned {
            return act(Trust::Anyone);
        }
        let keys = self.keys(context)?;
        if keys.is_empty() {
            return Err(Failure::error(
                "almanac: nobody is trusted yet",
                "--key names the publisher's public key; --unsigned accepts it whoever made it",
            ));
        }
        act(Trust::Signed(&keys))
    }
}

/// A public key, or the file that it is in.
fn key(text: &str) -> anyhow::Result<PublicKey> {
    if let Ok(key) = text.parse::<PublicKey>() {
        return Ok(key);
    }
    let file = fs_err::read_to_string(text).map_err(|why| {
        Failure::error(
            format!("key `{text}`: it is no public key, and no file with one: {why}"),
            "`foretop almanac keygen` makes a pair",
        )
    })?;
    Ok(file.parse::<PublicKey>()?)
}
