//! The demo: a server with an organisation in which a week has passed, on images that are built on the spot.
//!
//! The week is told to the API by a clock that is behind ours, so everything that is shown came about as
//! it does elsewhere: images are packed and read, deployments recorded, findings counted, policies judged.

mod images;
mod pack;
mod week;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use api::Client;
use model::Moment;
use server::{Access, App, Clock, Reach, World};
use store::Store;
use tempfile::TempDir;

use crate::asking::made_place;
use crate::failure::Failure;
use week::Week;

/// Whose it is.
pub(crate) const ORGANISATION: &str = "demo";
/// Who did all that, and who looks at it.
pub(crate) const NAME: &str = "ada";
/// Where everything is remembered.
const DATABASE: &str = "demo.db";
/// Is there once the week has been told to its end.
const WHOLE: &str = "demo.whole";

/// Where a demo keeps what it has; gone with it, unless somebody named the place.
pub(crate) struct Place {
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Place {
    /// The directory that somebody named, else one for this process. A directory with something in it that
    /// no demo has written is left alone.
    pub(crate) fn made(named: Option<&Path>) -> anyhow::Result<Self> {
        let Some(folder) = named else {
            let temporary = tempfile::Builder::new().prefix("foretop-demo-").tempdir()?;
            return Ok(Self { folder: temporary.path().to_owned(), _temporary: Some(temporary) });
        };
        let folder = folder.to_owned();
        made_place(&folder)?;
        if fs_err::read_dir(&folder)?.next().is_some() && !folder.join(WHOLE).is_file() {
            return Err(Failure::error(
                format!(
                    "--data-dir {}: there is something in it that is no demo",
                    folder.display()
                ),
                "name a directory that is empty, or is not there yet",
            ));
        }
        Ok(Self { folder, _temporary: None })
    }

    /// The directory.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its database.
    pub(crate) fn database(&self) -> String {
        format!("sqlite://{}", self.folder.join(DATABASE).display())
    }

    /// Tells the week, unless that was done before.
    pub(crate) async fn tell(&self, store: &Store) -> anyhow::Result<()> {
        let whole = self.folder.join(WHOLE);
        if whole.exists() {
            return Ok(());
        }
        let behind = Arc::new(AtomicI64::new(0));
        let reach = Reach {
            engine: engine::Engine { cache: None },
            settings: Arc::new(image::Settings::default()),
            jobs: false,
            offline: true,
        };
        let clock: Clock = {
            let behind = Arc::clone(&behind);
            Arc::new(move || now().plus_seconds(-behind.load(Ordering::Relaxed)))
        };
        let access = Access::Local { name: NAME.to_owned() };
        let app = App::new(store.clone(), World::new(None), access, reach, clock);
        let client = Client::new(server::here(server::router(app.clone())), None);
        let images = self.folder.join("images");
        let organisation = ORGANISATION;
        let week = Week { app: &app, client, organisation, behind, folder: &images };
        week.told().await?;
        // What they were read from is not needed any more.
        fs_err::remove_dir_all(&images)?;
        fs_err::write(whole, "")?;
        Ok(())
    }
}

fn now() -> Moment {
    Moment::from_micros(jiff::Timestamp::now().as_microsecond())
}
