//! What a server and a worker stand on: a database, an almanac, keys, and a log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueHint;
use engine::Engine;
use image::Outgoing;
use model::Moment;
use server::{Access, App, Reach, World};
use store::{Keyring, Store};
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;
use crate::refreshing::{self, Refreshing, Source};
use crate::table::Format;
use crate::{Context, docker};

/// Where everything is remembered, and what seals the secrets in it.
#[derive(clap::Args)]
pub(crate) struct Database {
    /// Where everything is remembered: `sqlite:///path` or `postgres://…`
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// The key that secrets are sealed with: a file with 64 hexadecimal digits
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    key_file: Option<PathBuf>,
}

/// What a server and a worker stand on.
#[derive(clap::Args)]
pub(crate) struct House {
    #[command(flatten)]
    database: Database,
    /// How people reach the server, where that is not where it listens; messages link to it
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// The almanac's directory
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    almanac: Option<PathBuf>,
    /// The only hosts that registries and integrations may be reached at: names, `*.example` for those
    /// below one, networks, or `*` for all [default: for messages, those that the whole world can
    /// reach; for registries, all]
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    outgoing: Option<Vec<String>>,
    /// From where the almanac is kept fresh: publishers, mirror=URL, oci=REFERENCE, off [default:
    /// publishers, where it was fetched from them here and nobody says that we are offline]
    #[arg(long, value_name = "SOURCE")]
    refresh: Option<Source>,
    /// How often, whatever feed it is: 15m, 6h, 1d [default: each feed in its own time]
    #[arg(long, value_name = "TIME", value_parser = refreshing::time)]
    refresh_every: Option<i64>,
    /// How many jobs are done at once [default: as many as there are cores]
    #[arg(long, value_name = "COUNT")]
    workers: Option<usize>,
    /// How the log is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// Where all of it is, in a demo.
    #[arg(skip)]
    demo: Option<PathBuf>,
}

/// The hosts that a demo may speak to.
const NEAR: [&str; 2] = ["127.0.0.0/8", "::1/128"];

/// That the almanac is kept fresh, for as long as this is there.
pub(crate) struct Fresh(Option<tokio::task::JoinHandle<()>>);

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl House {
    /// The house of a demo: all that it has is in one directory, and it speaks to nobody but this machine.
    pub(crate) fn of_a_demo(self, place: &crate::demo::Place) -> Self {
        let outgoing = self.outgoing.or_else(|| Some(NEAR.map(str::to_owned).to_vec()));
        Self {
            database: Database { database: Some(place.database()), key_file: None },
            almanac: Some(place.folder().join("almanac")),
            outgoing,
            refresh: Some(Source::Off),
            demo: Some(place.folder().to_owned()),
            ..self
        }
    }

    /// Opens everything.
    pub(crate) async fn open(&self, context: &Context, access: Access) -> anyhow::Result<App> {
        self.log(context)?;
        let store = self.database.made(context).await?;
        let environment = &context.environment;
        let mut settings = docker::settings(environment, &context.docker, false)?;
        settings.outgoing = self.outgoing(context)?.map(Arc::new);
        settings.redirects = Some(Arc::default());
        if settings.credentials.is_some() && settings.outgoing.is_none() {
            context.messages.warn(
                "What is for every registry is shown to each that anybody here names an image of",
            );
            context.messages.advise(
                "name yours with --outgoing, or log in to each with `docker login` instead",
            );
        }
        let cache = if self.demo.is_some() { None } else { environment.cache()? };
        let reach = Reach {
            engine: Engine { cache: cache.map(Arc::new) },
            settings: Arc::new(settings),
            jobs: true,
            offline: self.demo.is_some() || environment.offline()?,
        };
        let almanac = self.almanac_directory(context);
        let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
        let mut world = World::new(almanac);
        let former = self.demo.as_ref().map(|it| it.join("former"));
        if let Some(folder) = former.or_else(|| environment.former_almanacs()) {
            world = world.keeping(folder);
        }
        let app = App::new(store, world, access, reach, clock);
        if let Some(url) = self.public_url(context)? {
            app.is_reached_at(&url);
        }
        Ok(app)
    }

    /// How people reach the server, if that is said.
    pub(crate) fn public_url(&self, context: &Context) -> anyhow::Result<Option<String>> {
        let public = match &self.public_url {
            Some(url) => Some(url.clone()),
            None => context.environment.public_url()?,
        };
        let Some(url) = public else { return Ok(None) };
        if !url.starts_with("https://") && !url.starts_with("http://") {
            let hint = "write it as people type it: https://foretop.example";
            return Err(Failure::error(format!("--public-url {url}: it is no URL"), hint));
        }
        Ok(Some(url.trim_end_matches('/').to_owned()))
    }

    fn almanac_directory(&self, context: &Context) -> Option<PathBuf> {
        self.almanac.clone().or_else(|| context.environment.almanac_directory().ok())
    }

    /// Keeps the almanac fresh, until what comes back is dropped.
    pub(crate) fn refreshed(&self, context: &Context, app: &App) -> anyhow::Result<Fresh> {
        let directory = self.almanac_directory(context);
        let (source, every) = (self.refresh.clone(), self.refresh_every);
        let refreshing = Refreshing::of(context, directory.as_deref(), source, every)?;
        let app = app.clone();
        let told = move |is_well| app.almanac_refreshed(is_well);
        Ok(Fresh(refreshing.map(|it| tokio::spawn(it.run(told)))))
    }

    /// How many jobs are done at once.
    pub(crate) fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.workers.unwrap_or_else(cores)
    }

    /// Which hosts may be spoken to, where somebody says so.
    fn outgoing(&self, context: &Context) -> anyhow::Result<Option<Outgoing>> {
        let said = match &self.outgoing {
            Some(all) => Some(all.clone()),
            None => context
                .environment
                .outgoing()?
                .map(|it| it.split(',').map(str::to_owned).collect::<Vec<_>>()),
        };
        let Some(words) = said else { return Ok(None) };
        let rules = Outgoing::only(words.iter().map(String::as_str));
        Ok(Some(rules.map_err(|error| {
            let hint = error.hint().unwrap_or_default().to_owned();
            Failure::error(error.to_string(), hint)
        })?))
    }

    fn log(&self, context: &Context) -> anyhow::Result<()> {
        // Whoever looks at a demo shall find its link again.
        let usual = if self.demo.is_some() { "warn" } else { "info" };
        let filter = context.environment.log()?.unwrap_or_else(|| usual.to_owned());
        let filter = EnvFilter::try_new(&filter).map_err(|error| {
            let hint = "info, debug, or server=debug,info will do";
            Failure::error(format!("FORETOP_LOG: `{filter}`: {error}"), hint)
        })?;
        let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
        let begun = if self.log_format == Format::Json {
            log.json().try_init()
        } else {
            log.with_ansi(context.messages.colour()).try_init()
        };
        begun.map_err(|error| anyhow::anyhow!("cannot begin the log: {error}"))
    }
}

impl Database {
    /// Is the database the one that is there where nobody names one?
    pub(crate) fn is_usual(&self, context: &Context) -> anyhow::Result<bool> {
        Ok(self.database.is_none() && context.environment.database()?.1.is_some())
    }

    /// Opens it; one that is not there is made, and a key beside it where it is our own.
    pub(crate) async fn made(&self, context: &Context) -> anyhow::Result<Store> {
        let (address, folder) = self.address(context)?;
        if let Some(folder) = &folder {
            crate::asking::made_place(folder)?;
        }
        let folder = key_folder(&address, folder);
        let folder = folder.as_deref().filter(|it| it.is_dir());
        let named = context.environment.key()?.is_some() || self.key_named(context).is_some();
        if let Some(file) = folder.filter(|_| !named).map(beside).filter(|it| !it.exists()) {
            write_new(&file)?;
        }
        let keys = self.keys(context, folder)?;
        Ok(with(keys, Store::open(&address).await?))
    }

    /// Opens one that was made before.
    pub(crate) async fn found(&self, context: &Context) -> anyhow::Result<Store> {
        let (address, folder) = self.address(context)?;
        let store = Store::open_made(&address).await?;
        let folder = key_folder(&address, folder);
        Ok(with(self.keys(context, folder.as_deref())?, store))
    }

    /// And the directory of one that is our own.
    fn address(&self, context: &Context) -> anyhow::Result<(String, Option<PathBuf>)> {
        match &self.database {
            Some(address) => Ok((address.clone(), None)),
            None => context.environment.database(),
        }
    }

    /// The key named, else the one beside a database that is a file.
    fn keys(&self, context: &Context, folder: Option<&Path>) -> anyhow::Result<Option<Keyring>> {
        if let Some(text) = context.environment.key()? {
            return read("FORETOP_KEY", text.expose()).map(Some);
        }
        let beside = || folder.map(beside).filter(|it| it.exists());
        let Some(file) = self.key_named(context).or_else(beside) else { return Ok(None) };
        let text = fs_err::read_to_string(&file)?;
        read(&file.display().to_string(), &text).map(Some)
    }

    fn key_named(&self, context: &Context) -> Option<PathBuf> {
        self.key_file.clone().or_else(|| context.environment.key_file())
    }
}

/// Where the key of a database lies: our own place, or beside the file that somebody named. Of what is in
/// memory or at a server there is none.
fn key_folder(address: &str, ours: Option<PathBuf>) -> Option<PathBuf> {
    ours.or_else(|| {
        let path = Path::new(address.strip_prefix("sqlite://")?.split('?').next()?);
        let folder = path.parent().filter(|_| !path.as_os_str().is_empty())?;
        let is_here = folder.as_os_str().is_empty();
        (!path.starts_with(":memory:"))
            .then(|| if is_here { Path::new(".") } else { folder }.to_owned())
    })
}

/// The key of a database that is a file, in its directory.
fn beside(folder: &Path) -> PathBuf {
    folder.join("foretop.key")
}

fn with(keys: Option<Keyring>, store: Store) -> Store {
    match keys {
        Some(keys) => store.with_keys(keys),
        None => store,
    }
}

/// A key as it is written down: 64 hexadecimal digits, and former ones in lines below.
fn read(what: &str, text: &str) -> anyhow::Result<Keyring> {
    let mut keys = Vec::new();
    for line in text.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let digits: Option<Vec<u8>> = line
            .as_bytes()
            .chunks(2)
            .map(|it| u8::from_str_radix(std::str::from_utf8(it).ok()?, 16).ok())
            .collect();
        let key: Option<[u8; 32]> = digits.and_then(|it| it.try_into().ok());
        let plain = line.len() == 64 && line.bytes().all(|it| it.is_ascii_hexdigit());
        keys.push(key.filter(|_| plain).ok_or_else(|| {
            let hint = "`openssl rand -hex 32` makes one; former keys go in lines below it";
            Failure::error(format!("{what}: it is no key of 64 hexadecimal digits"), hint)
        })?);
    }
    match keys.split_first() {
        Some((key, former)) => Ok(Keyring::new(key, former)),
        None => Err(Failure::error(format!("{what}: there is no key in it"), "see --key-file")),
    }
}

/// Makes a key that only we can read.
fn write_new(file: &Path) -> anyhow::Result<()> {
    use std::fmt::Write as _;
    use std::io::Write as _;
    let mut bytes = [0_u8; 32];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| anyhow::anyhow!("cannot make a key: the system gives no random numbers"))?;
    let mut text = String::with_capacity(65);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.push('\n');
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use fs_err::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    match options.open(file) {
        Ok(mut file) => Ok(file.write_all(text.as_bytes())?),
        // Another process was quicker, and its key is as good.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Comes to pass when somebody wants us to end.
pub(crate) async fn told_to_end() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::SignalKind::terminate();
        if let Ok(mut terminated) = tokio::signal::unix::signal(terminate) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_beside_files() {
        let check = |address: &str, expect: Option<&str>| {
            assert_eq!(key_folder(address, None), expect.map(PathBuf::from), "{address}");
        };
        check("sqlite:///var/lib/foretop.db", Some("/var/lib"));
        check("sqlite:///var/lib/foretop.db?mode=rwc", Some("/var/lib"));
        check("sqlite://foretop.db", Some("."));
        check("sqlite://:memory:", None);
        check("sqlite::memory:", None);
        check("sqlite://", None);
        check("postgres://user:password@host/name", None);
        let ours = Some(PathBuf::from("/ours"));
        assert_eq!(key_folder("postgres://host/name", ours.clone()), ours);
    }

    #[test]
    fn keys() {
        let check = |text: &str, expect: &str| {
            let shown = read("key", text).map_or_else(|it| it.to_string(), |_| "good".to_owned());
            assert_eq!(shown, expect);
        };
        let key = "0f".repeat(32);
        check(&key, "good");
        check(&format!("\n{key}\n{}\n", "A0".repeat(32)), "good");
        check("", "key: there is no key in it");
        check(&"0f".repeat(31), "key: it is no key of 64 hexadecimal digits");
        check(&"+f".repeat(32), "key: it is no key of 64 hexadecimal digits");
        check(&"é".repeat(32), "key: it is no key of 64 hexadecimal digits");
    }
}
