//! How long what is behind pages takes to be counted, and what a page says meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use almanac::Almanac;
use api::{Client, Excepting, FlawsQuery, RunningImagesQuery};
use axum::Router;
use model::{Act, OrganisationId, Platform, Recording, Source};
use server::{App, here};
use store::{Page, Selection, When};

use super::{Failure, ask, in_ms, note, resident, tell};

/// The page that rests on most.
const PAGE: &str = "/o/acme/vulnerabilities";
/// The almanac is looked at once a second.
const LOOK: Duration = Duration::from_millis(1100);
const WAIT: Duration = Duration::from_millis(250);

/// Puts an almanac into place.
pub(crate) fn put(from: &Path, to: &Path) -> Result<(), almanac::Error> {
    Almanac::open(from)?.copy_to(to)
}

/// By a process that has just begun.
pub(crate) async fn at_first(
    app: &App,
    router: &Router,
    acme: &OrganisationId,
) -> Result<(), Failure> {
    let began = Instant::now();
    app.keep_up().await?;
    note(&format!("known what runs after {:.1?}", began.elapsed()));
    tell("| after | counted | memory | page meanwhile, slowest | what it says |");
    tell("|---|---|---|---|---|");
    count("the process began", app, router, acme).await?;
    let (images, findings) = findings(app).await?;
    tell(&format!("Images in environments: {images}; findings in them: {findings}"));
    Ok(())
}

/// After each thing that makes it another one.
pub(crate) async fn again(
    app: &App,
    router: &Router,
    acme: &OrganisationId,
    almanacs: &Path,
    almanac: &Path,
) -> Result<(), Failure> {
    tell("| after | counted | memory | page meanwhile, slowest | what it says |");
    tell("|---|---|---|---|---|");
    count("nothing", app, router, acme).await?;
    let act = Act { who: "ann".to_owned(), origin: "ci".to_owned(), at: app.now() };
    let (any, one) = (Selection::default(), Page::first(1));
    let runs = app.store().deployments(acme, &any, When::Now, &one).await?;
    let runs = runs.rows.into_iter().next().ok_or("nothing runs")?;
    let recording = Recording {
        application: Some(format!("one-more-{}", app.now().micros())),
        platform: Platform::new("linux", "amd64", None),
        repository: runs.repository,
        tag: None,
        digest: runs.digest,
    };
    let store = app.store();
    store.record_all(acme, &act, "environment-0", &Source::Cli, &[recording]).await?;
    count("one deployment", app, router, acme).await?;
    let client = Client::new(here(server::router(app.clone())), None);
    let worst = FlawsQuery { limit: Some(1), ..FlawsQuery::default() };
    let flaws = client.flaws("acme", &worst).await?;
    let flaw = flaws.items.into_iter().next().ok_or("nothing is wrong")?.id;
    let excepting: Excepting =
        serde_json::from_value(serde_json::json!({ "flaws": [flaw], "kind": "accepted-risk" }))?;
    client.put_exception("acme", "measured", &excepting).await?;
    count("an exception everywhere", app, router, acme).await?;
    let there = vec!["environment-0".to_owned()];
    client
        .put_exception("acme", "measured", &Excepting { environments: there, ..excepting })
        .await?;
    count("the same in one environment", app, router, acme).await?;
    client.delete_exception("acme", "measured").await?;
    count("none any more", app, router, acme).await?;
    put(&almanacs.join("old"), almanac)?;
    tokio::time::sleep(LOOK).await;
    count("another almanac", app, router, acme).await
}

/// Counts, while a page is asked for again and again.
async fn count(
    after: &str,
    app: &App,
    router: &Router,
    acme: &OrganisationId,
) -> Result<(), Failure> {
    let began = Instant::now();
    let (own, whose) = (app.clone(), acme.clone());
    let counting = tokio::spawn(async move { own.count(&whose).await });
    let (mut slowest, mut said) = (Duration::ZERO, "nobody asked".to_owned());
    while !counting.is_finished() {
        let asked = ask(router, PAGE, false).await?;
        if asked.took > slowest {
            slowest = asked.took;
            said = says(&asked.text);
        }
        tokio::time::sleep(WAIT).await;
    }
    counting.await??;
    let (took, memory) = (began.elapsed(), resident());
    let slowest = in_ms(slowest);
    tell(&format!("| {after} | {took:.2?} | {memory:.0} MiB | {slowest} | {said} |"));
    Ok(())
}

/// What a page says its numbers rest on.
fn says(html: &str) -> String {
    let about = ["being counted", "Of "].iter().find_map(|it| html.find(it).map(|at| &html[at..]));
    let mut text = String::new();
    let mut is_tag = false;
    for letter in about.unwrap_or_default().chars() {
        match letter {
            '<' => is_tag = true,
            '>' => is_tag = false,
            '.' if !is_tag => break,
            _ if !is_tag => text.push(letter),
            _ => {}
        }
    }
    text
}

/// Images of all environments, and what is wrong in them, each of it wherever it is.
async fn findings(app: &App) -> Result<(u64, u64), Failure> {
    let client = Client::new(here(server::router(app.clone())), None);
    let (mut images, mut findings) = (0, 0);
    for it in app.store().environments(&app.store().organisation("acme").await?.id).await? {
        let mut query = RunningImagesQuery { limit: Some(1000), ..RunningImagesQuery::default() };
        loop {
            let part = client.running_images("acme", &it.name, &query).await?;
            for found in part.items.iter().filter_map(|it| it.found.as_ref()) {
                images += 1;
                let worst = found.critical + found.high + found.medium;
                findings += worst + found.low + found.unspecified;
            }
            query.after = part.next;
            if query.after.is_none() {
                break;
            }
        }
    }
    Ok((images, findings))
}
