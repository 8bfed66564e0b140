//! `foretop admin`: what only whoever runs the server does: back up, restore, look whether everything
//! is as it should be, and say who may log in.

mod people;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueHint;
use model::Moment;
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::server;
use crate::failure::Failure;
use crate::house::Database;
use crate::messages::count;
use crate::table::Format;

/// Back up, restore and examine what is remembered, and say who may log in
#[derive(clap::Parser)]
#[command(name = "admin", subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Admin {
    #[command(subcommand)]
    verb: Chore,
}

#[derive(clap::Subcommand)]
enum Chore {
    /// Write everything into one file, from which any database can be restored
    Backup {
        /// The file; it must not be there yet
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Read such a file into a database that is empty
    Restore {
        /// The file
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Look whether everything is as it should be; exit code 2 if something is not
    Doctor {
        /// Put right first what follows from the rest, and try work anew that was given up
        #[arg(long)]
        mend: bool,
        /// How to tell it
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        database: Database,
    },
    /// List the people who may log in
    Users {
        /// How to tell it
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
        format: Format,
        #[command(flatten)]
        database: Database,
    },
    /// Make an address at which somebody who forgot their password chooses another
    Reset {
        /// Their name
        #[arg(value_name = "USER", value_parser = said())]
        name: String,
        /// How people reach the server
        #[arg(long, value_name = "URL")]
        public_url: Option<String>,
        #[command(flatten)]
        database: Database,
    },
    /// Keep somebody from logging in; their sessions end, and their tokens lead nowhere
    Disable {
        /// Their name
        #[arg(value_name = "USER", value_parser = said())]
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Let them log in again
    Enable {
        /// Their name
        #[arg(value_name = "USER", value_parser = said())]
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Forget somebody, with their sessions and tokens; the events that tell of them stay
    Forget {
        /// Their name
        #[arg(value_name = "USER", value_parser = said())]
        name: String,
        /// Do not ask
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        database: Database,
    },
}

impl Verb for Admin {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let (Chore::Backup { database, .. }
        | Chore::Restore { database, .. }
        | Chore::Doctor { database, .. }
        | Chore::Users { database, .. }
        | Chore::Reset { database, .. }
        | Chore::Disable { database, .. }
        | Chore::Enable { database, .. }
        | Chore::Forget { database, .. }) = &self.verb;
        if let Some(url) = server(context)?
            && database.is_usual(context)?
        {
            context.messages.warn(&format!(
                "This is about the database of this machine, not about {url}: do it where that \
                 server runs, or name its database with --database"
            ));
        }
        crate::runtime()?.block_on(async {
            match &self.verb {
                Chore::Backup { file, database } => backup(context, file, database).await,
                Chore::Restore { file, database } => restore(context, file, database).await,
                Chore::Doctor { mend, format, database } => {
                    doctor(context, *mend, *format, database).await
                }
                Chore::Users { format, database } => people::list(context, *format, database).await,
                Chore::Reset { name, public_url, database } => {
                    people::reset(context, name, public_url.as_deref(), database).await
                }
                Chore::Disable { name, database } => {
                    people::disable(context, name, true, database).await
                }
                Chore::Enable { name, database } => {
                    people::disable(context, name, false, database).await
                }
                Chore::Forget { name, force, database } => {
                    people::forget(context, name, *force, database).await
                }
            }
        })
    }
}

/// Writes beside the file first, so that half a backup is never taken for one.
async fn backup(context: &Context, file: &Path, database: &Database) -> anyhow::Result<Outcome> {
    if file.exists() {
        let hint = "name another, or remove it first";
        return Err(Failure::error(
            format!("backup {}: it is there already", file.display()),
            hint,
        ));
    }
    let store = database.found(context).await?;
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let what = || format!("cannot write {}", file.display());
    let half =
        tempfile::Builder::new().prefix(".foretop-").tempfile_in(folder).with_context(what)?;
    let (open, path) = half.into_parts();
    let mut writer = BufWriter::new(tokio::fs::File::from_std(open));
    let rows = store.backup(&mut writer).await?;
    writer.flush().await.with_context(what)?;
    writer.get_ref().sync_all().await.with_context(what)?;
    path.persist_noclobber(file).with_context(what)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let told = store.backed_up(&people::act(context), &name).await;
    store.close().await;
    let rows = count(rows, "row", "rows");
    context.messages.done(&format!("Backup written to {}: {rows}", file.display()));
    context.messages.inform(
        "Secrets in it are sealed; the key (--key-file) is not in it, and is to be kept elsewhere",
    );
    if let Err(error) = told {
        context.messages.warn(&format!("that it was made is in no log: {error}"));
    }
    Ok(Outcome::Done)
}

async fn restore(context: &Context, file: &Path, database: &Database) -> anyhow::Result<Outcome> {
    let what = || format!("cannot read {}", file.display());
    let open = tokio::fs::File::open(file).await.with_context(what)?;
    let store = database.made(context).await?;
    let restored = store.restore(BufReader::new(open)).await?;
    store.close().await;
    let rows = count(restored.rows, "row", "rows");
    context.messages.done(&format!("Restored from {}: {rows}", file.display()));
    Ok(Outcome::Done)
}

async fn doctor(
    context: &Context,
    mend: bool,
    format: Format,
    database: &Database,
) -> anyhow::Result<Outcome> {
    let checks = match database.found(context).await {
        Ok(store) => {
            let now = Moment::from_micros(jiff::Timestamp::now().as_microsecond());
            if mend {
                let (rows, jobs) = (store.mend().await?, store.revive_jobs(now).await?);
                context.messages.done(&format!(
                    "Mended: {}; tried anew: {}",
                    count(rows, "row", "rows"),
                    count(jobs, "job", "jobs")
                ));
            }
            let checks = store.doctor(now).await;
            store.close().await;
            checks
        }
        // A database that cannot be opened is the first thing that a doctor is called for.
        Err(error) => match error.downcast::<store::Error>() {
            Ok(error) => vec![store::unopened(&error)],
            Err(error) => return Err(error),
        },
    };
    let well = checks.iter().all(|it| it.trouble.is_none());
    context.messages.tell_as(format, &checks, || {
        let told = checks.iter().map(|check| match &check.trouble {
            None => format!("ok      {}\n", check.name),
            Some(it) => {
                format!("failed  {}: {}\n        hint: {}\n", check.name, it.what, it.hint)
            }
        });
        told.collect()
    })?;
    Ok(if well { Outcome::Done } else { Outcome::Shut })
}
