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
    /// The organization to act for
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
        asking.close().await;
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

    /// Did somebody name the organisation, for this command or for all of them?
    pub(crate) fn is_named(&self, context: &Context) -> anyhow::Result<bool> {
        Ok(self.org.is_some() || settled(context)?.is_some())
    }

    /// For that organisation.
    pub(crate) fn named(organisation: &str) -> Self {
        Self { org: Some(organisation.to_owned()) }
    }
}

impl Asking {
    /// Finds out whom to ask, and for which organisation.
    pub(crate) async fn open(
        context: &Context,
        whose: &Whose,
        almanac: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let environment = &context.environment;
        let settled = settled(context)?;
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
        if let Some(directory) = almanac
            && !directory.is_dir()
        {
            return Err(Failure::error(
                format!("almanac {}: there is no such directory", directory.display()),
                "--almanac names one that `foretop almanac` made, or leave it out",
            ));
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

    /// Nothing more will be asked.
    pub(crate) async fn close(&self) {
        if let Some(store) = &self.store {
            store.close().await;
        }
    }

    /// Is everything here, so that nobody else will analyse anything?
    pub(crate) fn embedded(&self) -> bool {
        self.server.is_none()
    }
}

/// The organisation that is named for all commands.
fn settled(context: &Context) -> anyhow::Result<Option<String>> {
    match context.environment.organisation()? {
        Some(name) => Ok(Some(name)),
        None => config::settled(&context.environment, "organization"),
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

/// The latest `limit` of a long list, part after part, and whether there are more. `part` asks for so
/// many behind a place.
pub(crate) async fn latest<T>(
    limit: u32,
    mut part: impl AsyncFnMut(Option<String>, u32) -> Result<Page<T>, api::Error>,
) -> Result<(Vec<T>, bool), api::Error> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let left = u32::try_from(most.saturating_sub(all.len())).unwrap_or(u32::MAX);
        let page = part(after.clone(), left.min(PART)).await?;
        all.extend(page.items);
        if all.len() >= most || page.next.is_none() || page.next == after {
            let are_more = page.next.is_some() || all.len() > most;
            all.truncate(most);
            return Ok((all, are_more));
        }
        after = page.next;
    }
}

/// How many of a list are asked for at once.
pub(crate) const PART: u32 = 1000;

/// The server that commands ask; without one, everything is here.
pub(crate) fn server(context: &Context) -> anyhow::Result<Option<String>> {
    match context.environment.server()? {
        Some(text) => server_address("FORETOP_SERVER", &text).map(Some),
        None => config::settled(&context.environment, "server")?
            .map(|text| server_address("config server", &text))
            .transpose(),
    }
}

/// Does `work` at the server that commands ask. `nowhere` says what is missing where there is none.
pub(crate) fn at_server<T>(
    context: &Context,
    nowhere: &str,
    work: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let url = server(context)?.ok_or_else(|| self::nowhere(nowhere))?;
    crate::runtime()?.block_on(async { work(&there(context, &url).await?).await })
}

/// That there is no server for what is asked.
pub(crate) fn nowhere(why: &str) -> anyhow::Error {
    Failure::error(why, "foretop login SERVER uses one")
}

/// The address of a server, and nothing else; `what` says who names it.
pub(crate) fn server_address(what: &str, text: &str) -> anyhow::Result<String> {
    match address(what, text)? {
        (url, None) => Ok(url),
        (_, Some(_)) => Err(unreadable(what, text)),
    }
}

/// A server's address, and the secret that it may end with: of an invitation, or for another password.
/// Without a scheme, this machine is spoken to plainly and all others by HTTPS.
pub(crate) fn address(what: &str, text: &str) -> anyhow::Result<(String, Option<String>)> {
    let text = text.trim();
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        Some(_) => return Err(unreadable(what, text)),
        None if near(text) => ("http", text),
        None => ("https", text),
    };
    let (rest, secret) = ["/first/", "/join/", "/reset/"]
        .iter()
        .find_map(|it| rest.split_once(it))
        .map_or((rest, None), |(rest, secret)| (rest, Some(secret.trim_end_matches('/'))));
    let rest = rest.trim_end_matches('/');
    let strange = |it: char| it.is_whitespace() || it.is_control() || "?#@".contains(it);
    if rest.is_empty() || rest.starts_with('/') || rest.contains(strange) {
        return Err(unreadable(what, text));
    }
    Ok((format!("{scheme}://{rest}"), secret.map(str::to_owned)))
}

/// What is before an `@` may be a password, and what is behind such a path is a secret.
fn unreadable(what: &str, text: &str) -> anyhow::Error {
    let refuse = |shown: &str, hint: &str| {
        Failure::error(format!("{what}: `{shown}` is not the address of a server"), hint)
    };
    if let Some((before, host)) = text.rsplit_once('@') {
        let scheme = before.split_once("://").map_or(String::new(), |it| format!("{}://", it.0));
        let hint = "leave out who you are: foretop login SERVER, or FORETOP_TOKEN";
        return refuse(&format!("{scheme}***@{host}"), hint);
    }
    let secret = ["/first/", "/join/", "/reset/"].iter().find_map(|it| text.split_once(it));
    match secret {
        Some((server, _)) => refuse(&format!("{server}/…"), "foretop login takes such an address"),
        None => refuse(text, "https://foretop.example, say"),
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
    let bracketed = host.strip_prefix('[').and_then(|it| it.split_once(']'));
    let name = match bracketed {
        Some((name, port)) if port.is_empty() || port.starts_with(':') => name,
        _ => host.split(':').next().unwrap_or(host),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
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
            "no organization is chosen: you belong to none",
            "`foretop enroll NAME` makes one, or ask an owner to let you in",
        )),
        several => Err(Failure::error(
            format!("no organization is chosen: you belong to {}", several.join(", ")),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_of_a_list_have_an_end() {
        let told = async |limit: u32, is_stuck: bool| {
            let mut asked = Vec::new();
            let (all, are_more) = latest(limit, async |after: Option<String>, most| {
                asked.push(most);
                let from: u32 = after.map_or(0, |it| it.parse().unwrap());
                // There are 2500, and nobody gives more than 600 at once.
                let to = (from + most.min(600)).min(2500);
                let next = (to < 2500).then(|| if is_stuck { 0 } else { to }.to_string());
                Ok(Page { items: (from..to).collect(), next })
            })
            .await
            .unwrap();
            (all.len(), are_more, asked)
        };
        assert_eq!(told(1000, false).await, (1000, true, vec![1000, 400]));
        assert_eq!(told(5000, false).await, (2500, false, vec![1000; 5]));
        assert_eq!(told(5000, true).await, (1200, true, vec![1000; 2]));
    }

    #[test]
    fn addresses() {
        let check = |text: &str, expect: &str| {
            let shown = address("login", text).map(|(url, secret)| match secret {
                Some(secret) => format!("{url} with {secret}"),
                None => url,
            });
            assert_eq!(shown.unwrap_or_else(|error| error.to_string()), expect);
        };
        check("foretop.example", "https://foretop.example");
        check("https://foretop.example/", "https://foretop.example");
        check("https://example/foretop/", "https://example/foretop");
        check("localhost:8080", "http://localhost:8080");
        check("127.0.0.1:8080", "http://127.0.0.1:8080");
        check("127.0.0.1.evil.example", "https://127.0.0.1.evil.example");
        check("http://h:8080/first/fti_x", "http://h:8080 with fti_x");
        check("https://h/join/fti_x/", "https://h with fti_x");
        check("https://h/foretop/reset/ftr_x", "https://h/foretop with ftr_x");
        for junk in ["", "/", "://", "https://", "ftp://h", "https:///x", "a b", "h?x"] {
            check(junk, &format!("login: `{junk}` is not the address of a server"));
        }
        check("https://u:p@h", "login: `https://***@h` is not the address of a server");
        check("u:p@ss@h", "login: `***@h` is not the address of a server");
        let error = server_address("config server", "https://h/join/fti_x").unwrap_err();
        let expect = "config server: `https://h/…` is not the address of a server";
        assert_eq!(error.to_string(), expect);
    }

    #[test]
    fn what_is_near() {
        let near_ones = ["localhost", "LOCALHOST:1/x", "127.0.0.1", "127.9.9.9:80", "[::1]:8080/x"];
        for address in near_ones {
            assert!(near(address), "{address}");
        }
        let others =
            ["127.evil.example", "127.0.0.1.evil.example", "[::1].x", "10.0.0.1", "[::2]:80", ""];
        for address in others {
            assert!(!near(address), "{address}");
        }
    }
}
