//! Whom commands ask that remember something: a server, or a router in this very process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use api::{Client, Https, Page, Sort};
use engine::Engine;
use image::Credentials;
use model::{Moment, Secret};
use server::{Access, App, Reach, World};
use store::Store;

use crate::failure::Failure;
use crate::{Context, config, credentials, docker, whence};

/// The organisation of those who have nobody to share with.
pub(crate) const LOCAL: &str = "local";

/// For whom something is done.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Whose {
    /// The organisation to act for
    #[arg(long, value_name = "ORGANIZATION", global = true, value_parser = crate::commands::said())]
    org: Option<String>,
}

/// Who answers, and for which organisation.
pub(crate) struct Asking {
    /// Asks.
    pub(crate) client: Client,
    /// For these people.
    pub(crate) organisation: String,
    /// The organisation that is settled for all commands.
    pub(crate) settled: Option<String>,
    /// The server; without one, everything is here.
    pub(crate) server: Option<String>,
    store: Option<Store>,
}

/// Does `work` with whoever answers.
pub(crate) fn ask<T>(
    context: &Context,
    whose: &Whose,
    work: impl AsyncFnOnce(&Asking) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    ask_with(context, whose, None, work)
}

/// The same, where another almanac counts than the installed one.
pub(crate) fn ask_with<T>(
    context: &Context,
    whose: &Whose,
    almanac: Option<&Path>,
    work: impl AsyncFnOnce(&Asking) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let runtime = crate::runtime()?;
    let done = runtime.block_on(async {
        let asking = Asking::open(context, whose, almanac).await?;
        let done = work(&asking).await;
        if let Some(store) = &asking.store {
            store.close().await;
        }
        done
    });
    // Who still waits for bytes that are not wanted any more must not keep us.
    runtime.shutdown_background();
    done
}

impl Whose {
    /// Says that it is of no use where nobody is asked.
    pub(crate) fn unasked(&self, context: &Context) {
        if let Some(name) = &self.org {
            let why = "nobody is asked about an image that is read here";
            context.messages.inform(&format!("--org {name} changes nothing: {why}"));
        }
    }

    /// For that organisation.
    pub(crate) fn named(organisation: &str) -> Self {
        Self { org: Some(organisation.to_owned()) }
    }
}

impl Asking {
    async fn open(
        context: &Context,
        whose: &Whose,
        almanac: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let environment = &context.environment;
        let settled = match environment.organisation()? {
            Some(name) => Some(name),
            None => config::settled(environment, "organization")?,
        };
        let said = whose.org.clone().or_else(|| settled.clone());
        if let Some(url) = server(context)? {
            let client = there(context, &url).await?;
            let organisation = match said {
                Some(name) => name,
                None => only(&client).await?,
            };
            context.messages.debug(&format!("server: {url}, organisation: {organisation}"));
            return Ok(Self { client, organisation, settled, server: Some(url), store: None });
        }
        if let Some(directory) = almanac {
            anyhow::ensure!(
                directory.is_dir(),
                "almanac {}: there is no such directory",
                directory.display()
            );
        }
        let store = database(context).await?;
        let almanac = match almanac {
            Some(directory) => Some(directory.to_owned()),
            None => environment.almanac_directory().ok(),
        };
        let client = Client::new(here(context, store.clone(), almanac)?, origin(context));
        let organisation = said.unwrap_or_else(|| LOCAL.to_owned());
        if organisation == LOCAL {
            made(&client).await?;
        }
        Ok(Self { client, organisation, settled, server: None, store: Some(store) })
    }

    /// Is everything here, so that nobody else will analyse anything?
    pub(crate) fn embedded(&self) -> bool {
        self.server.is_none()
    }
}

/// A long list, part after part. `part` asks for the one behind a place.
pub(crate) async fn whole<T>(
    mut part: impl AsyncFnMut(Option<String>) -> Result<Page<T>, api::Error>,
) -> Result<Vec<T>, api::Error> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = part(after.clone()).await?;
        all.extend(page.items);
        // Whoever sends us back to where we were would have us go round for ever.
        if page.next.is_none() || page.next == after {
            return Ok(all);
        }
        after = page.next;
    }
}

/// How many of a list are asked for at once.
pub(crate) const PART: u32 = 1000;

/// The server that commands ask; without one, everything is here.
pub(crate) fn server(context: &Context) -> anyhow::Result<Option<String>> {
    match context.environment.server()? {
        Some(url) if !url.contains("://") => Err(Failure::error(
            format!("FORETOP_SERVER: `{url}` is not the URL of a server"),
            format!("write https://{url}"),
        )),
        Some(url) => Ok(Some(url)),
        None => config::settled(&context.environment, "server"),
    }
}

fn origin(context: &Context) -> Option<String> {
    Some(whence::origin(&context.environment)).filter(|it| !it.is_empty())
}

/// Asks the server at `url`, as who one is there.
pub(crate) async fn there(context: &Context, url: &str) -> anyhow::Result<Client> {
    let token = match context.environment.token()? {
        Some(token) => Some(token),
        None => match credentials::token(&context.environment, url)? {
            Some(token) => Some(token),
            None => stored(context, url).await?,
        },
    };
    reach(context, url, token)
}

/// Asks the server at `url`, as whoever that token says.
pub(crate) fn reach(context: &Context, url: &str, token: Option<Secret>) -> anyhow::Result<Client> {
    let settings = Arc::new(docker::settings(&context.environment, &context.docker, false)?);
    let client = image::reach(url, &settings)?;
    if url.strip_prefix("http://").is_some_and(|rest| !near(rest)) {
        context.messages.warn(&format!("{url}: what is secret goes there without encryption"));
    }
    let there = Https::new(client, url, token).map_err(|error| {
        Failure::error(error.to_string(), "foretop config server https://foretop.example")
    })?;
    Ok(Client::new(Arc::new(there), origin(context)))
}

/// Does the address behind `http://` lead to this machine?
pub(crate) fn near(address: &str) -> bool {
    let host = address.split('/').next().unwrap_or(address);
    let name = host.split(':').next().unwrap_or(host);
    name == "localhost" || host.starts_with("[::1]") || name.starts_with("127.")
}

/// What `docker login` has kept for the server.
async fn stored(context: &Context, url: &str) -> anyhow::Result<Option<Secret>> {
    let settings = docker::settings(&context.environment, &context.docker, false)?;
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    let told = crate::subject::Watcher::new(&context.messages, "Looking");
    let found = image::login(host, &settings, &told).await?;
    Ok(found.map(|it| match it {
        Credentials::Basic { password, .. } => password,
        Credentials::Identity(token) | Credentials::Bearer(token) => token,
    }))
}

/// Whoever says nothing means the organisation that is theirs.
async fn only(client: &Client) -> anyhow::Result<String> {
    let mine = client.me().await?.organisations;
    let mine: Vec<String> = mine.into_iter().map(|it| it.organisation).collect();
    if mine.iter().any(|it| it == LOCAL) {
        return Ok(LOCAL.to_owned());
    }
    match mine.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::error(
            "no organisation is chosen: you belong to none",
            "`foretop enroll NAME` makes one, or ask an owner to let you in",
        )),
        several => Err(Failure::error(
            format!("no organisation is chosen: you belong to {}", several.join(", ")),
            "--org names it, `foretop config organization NAME` for all commands",
        )),
    }
}

/// What is remembered here.
pub(crate) async fn database(context: &Context) -> anyhow::Result<Store> {
    let (address, folder) = context.environment.database()?;
    if let Some(folder) = folder {
        made_place(&folder)?;
    }
    context.messages.debug("database: open");
    let store = Store::open(&address).await?;
    context.messages.debug("database: ready");
    Ok(store)
}

/// Makes the place of a database of our own.
pub(crate) fn made_place(folder: &PathBuf) -> anyhow::Result<()> {
    make(folder).map_err(|error| {
        Failure::error(
            format!("cannot make {}: {error}", folder.display()),
            "FORETOP_DATABASE names another place: sqlite:///path/to/foretop.db",
        )
    })
}

/// Makes a directory for its owner alone.
fn make(folder: &PathBuf) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}

fn here(
    context: &Context,
    store: Store,
    almanac: Option<PathBuf>,
) -> anyhow::Result<Arc<dyn api::Carrier>> {
    Ok(server::here(server::router(app(context, store, almanac)?)))
}

/// What answers in this very process.
pub(crate) fn app(
    context: &Context,
    store: Store,
    almanac: Option<PathBuf>,
) -> anyhow::Result<App> {
    let environment = &context.environment;
    let reach = Reach {
        engine: Engine { cache: environment.cache()?.map(Arc::new) },
        settings: Arc::new(docker::settings(environment, &context.docker, false)?),
        jobs: false,
        offline: environment.offline()?,
    };
    let access = Access::Local { name: whence::user(environment) };
    let clock = Arc::new(|| Moment::from_micros(jiff::Timestamp::now().as_microsecond()));
    let mut world = World::new(almanac);
    if let Some(folder) = environment.former_almanacs() {
        world = world.keeping(folder);
    }
    Ok(App::new(store, world, access, reach, clock))
}

/// Makes the organisation of those who are alone, on first use.
async fn made(client: &Client) -> anyhow::Result<()> {
    let path = format!("/orgs/{}", api::segment(LOCAL));
    let there: Result<api::Organisation, _> = client.get(&path, &[("", ""); 0]).await;
    match there {
        Ok(_) => Ok(()),
        Err(error) if is(&error, Sort::NotFound) => match client.create_organisation(LOCAL).await {
            // Somebody else was quicker.
            Err(error) if !is(&error, Sort::Conflict) => Err(error.into()),
            _ => Ok(()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Is that what went wrong?
pub(crate) fn is(error: &api::Error, sort: Sort) -> bool {
    error.problem().is_some_and(|it| it.sort == sort)
}
