//! `foretop plugin`: being found by `docker`, and no longer.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Subcommand, ValueHint};

use super::{Outcome, Verb};
use crate::Context;
use crate::failure::Failure;
use crate::plugin::{NAMES, is_ours};

/// Make `docker scout` and `docker foretop` run this binary, or no longer
#[derive(clap::Parser)]
#[command(name = "plugin", arg_required_else_help = true)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Link this binary to where docker looks for plugins
    Install {
        #[command(flatten)]
        place: PlaceOfPlugins,
        /// Replace what is there, even if it is not ours
        #[arg(long)]
        force: bool,
    },
    /// Remove these links again, and nothing that is not ours
    Uninstall {
        #[command(flatten)]
        place: PlaceOfPlugins,
    },
}

#[derive(clap::Args)]
struct PlaceOfPlugins {
    /// Where docker looks for plugins [default: cli-plugins in docker's configuration]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    directory: Option<PathBuf>,
}

impl PlaceOfPlugins {
    fn directory(self, context: &Context) -> anyhow::Result<PathBuf> {
        let usual = || {
            Some(crate::docker::config(&context.environment, &context.docker)?.join("cli-plugins"))
        };
        self.directory.or_else(usual).ok_or_else(|| {
            Failure::error(
                "cannot tell where docker looks for plugins: HOME is not set",
                "--directory names the directory",
            )
        })
    }
}

impl Verb for Plugin {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Install { place, force } => {
                install(&place.directory(context)?, force, context)
            }
            Command::Uninstall { place } => uninstall(&place.directory(context)?, context),
        }?;
        Ok(Outcome::Done)
    }
}

/// `docker-scout`, `docker-foretop`, with the ending that programs have here.
fn files(directory: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> {
    NAMES.into_iter().map(move |name| {
        let file = format!("docker-{name}{}", std::env::consts::EXE_SUFFIX);
        (name, directory.join(file))
    })
}

fn install(directory: &Path, force: bool, context: &Context) -> anyhow::Result<()> {
    let program = std::env::current_exe().and_then(fs_err::canonicalize);
    let program = program.context("cannot tell where this binary is")?;
    // Look at all before touching one.
    for (name, path) in files(directory) {
        let Ok(there) = fs_err::symlink_metadata(&path) else { continue };
        if there.is_dir() {
            anyhow::bail!("cannot install {}: it is a directory", path.display());
        }
        if !force && !is_ours(&path) {
            return Err(Failure::error(
                format!("cannot install {}: another `docker {name}` is there", path.display()),
                "--force replaces it",
            ));
        }
    }
    fs_err::create_dir_all(directory)?;
    for (name, path) in files(directory) {
        if fs_err::canonicalize(&path).is_ok_and(|it| it == program)
            && fs_err::read_link(&path).is_err()
        {
            // Somebody put the binary itself here under this name.
            context.messages.done(&format!("`docker {name}` is this very file"));
            continue;
        }
        let how = put(&program, &path)?;
        context
            .messages
            .done(&format!("`docker {name}` now runs foretop: {} {how}", path.display()));
    }
    Ok(())
}

/// Links `path` to the program, or copies it where links cannot be had. What is there is replaced
/// in one step.
fn put(program: &Path, path: &Path) -> anyhow::Result<String> {
    let new = path.with_extension("new");
    if fs_err::symlink_metadata(&new).is_ok() {
        fs_err::remove_file(&new)?;
    }
    #[cfg(unix)]
    let linked = fs_err::os::unix::fs::symlink(program, &new).is_ok();
    #[cfg(not(unix))]
    let linked = false;
    if !linked {
        fs_err::copy(program, &new)?;
    }
    fs_err::rename(&new, path)?;
    let what = if linked { "links to" } else { "is a copy of" };
    Ok(format!("{what} {}", program.display()))
}

fn uninstall(directory: &Path, context: &Context) -> anyhow::Result<()> {
    for (name, path) in files(directory) {
        if fs_err::symlink_metadata(&path).is_err() {
            context.messages.warn(&format!("`docker {name}`: nothing at {}", path.display()));
        } else if is_ours(&path) {
            fs_err::remove_file(&path)?;
            context.messages.done(&format!("Removed {}", path.display()));
        } else {
            context.messages.warn(&format!("{} is not ours and stays", path.display()));
        }
    }
    Ok(())
}
