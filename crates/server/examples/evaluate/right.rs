//! Are events right, and are they all? Every image of an environment is judged by both almanacs, as if
//! nobody had a portfolio, and what differs is what events must tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use almanac::Almanac;
use engine::{Filter, Lookout};
use model::{Analysis, EventKind, Finding, Fix, OrganisationId};
use store::{EventSelection, Page, Selection, Store, When};

use super::Failure;

/// Images that are judged, in whole environments.
const JUDGED: usize = 500;

/// What events tell, and what they must.
type Told = BTreeSet<(String, String, String, String)>;

pub(crate) async fn check(
    store: &Store,
    organisation: &OrganisationId,
    directory: &Path,
    images: u64,
) -> Result<(), Failure> {
    let today = "2026-11-21T00:00:00Z".to_owned();
    let open = |name| Almanac::open(&directory.join(name));
    let (old, new) = (Lookout::new(open("old")?, today.clone()), Lookout::new(open("new")?, today));
    let mut judged = 0;
    let mut places = 0;
    let mut changes = 0;
    for it in store.environments(organisation).await? {
        let mut there = BTreeSet::new();
        let selection = Selection { environment: Some(it.name.clone()), ..Selection::default() };
        let mut page = Page::first(1000);
        loop {
            let part = store.deployments(organisation, &selection, When::Now, &page).await?;
            there.extend(part.rows.into_iter().map(|it| it.digest));
            page.after = part.next;
            if page.after.is_none() {
                break;
            }
        }
        if judged > 0 && judged + there.len() > JUDGED {
            break;
        }
        let mut expect = Told::new();
        for digest in &there {
            let inventory = store.inventory(organisation, digest).await?.ok_or("no inventory")?;
            let before = old.analyze_in_brief(inventory.clone(), &Filter::default());
            let after = new.analyze_in_brief(inventory, &Filter::default());
            expect.extend(differences(&before, &after));
        }
        judged += there.len();
        places += 1;
        changes += expect.len();
        let almanac = new.almanac().digest().to_string();
        let told = told(store, organisation, &it.name, &almanac).await?;
        let (missing, wrong) = (expect.difference(&told).next(), told.difference(&expect).next());
        if missing.is_some() || wrong.is_some() {
            let place = it.name;
            return Err(format!("{place}: not told {missing:?}, told falsely {wrong:?}").into());
        }
    }
    tracing::info!(images, judged, places, changes, "events are right, and all are there");
    Ok(())
}

/// What was told of an environment when it was judged by that almanac the last time.
async fn told(
    store: &Store,
    organisation: &OrganisationId,
    environment: &str,
    almanac: &str,
) -> Result<Told, Failure> {
    let kinds = EventKind::OF_EVALUATIONS.to_vec();
    let environment = Some(environment.to_owned());
    let selection = EventSelection { environment, kinds, ..EventSelection::default() };
    let mut told = Told::new();
    let mut page = Page::first(1000);
    loop {
        let part = store.events(organisation, &selection, &page).await?;
        for it in part.rows {
            if it.detail["almanac"] != almanac {
                return Ok(told);
            }
            let word = |key: &str| it.detail[key].as_str().unwrap_or_default().to_owned();
            let what = format!("{} {} {}", word("space"), word("name"), word("version"));
            let state = format!("{} {}", it.detail["before"], it.detail["after"]);
            if !told.insert((it.kind.as_str().to_owned(), it.about, what, state)) {
                return Err("an event is there twice".into());
            }
        }
        page.after = part.next;
        if page.after.is_none() {
            return Ok(told);
        }
    }
}

/// What is different in one image.
fn differences(before: &Analysis, after: &Analysis) -> Told {
    let (before, after) = (found(before), found(after));
    let mut told = Told::new();
    for key in before.keys().chain(after.keys()) {
        let kinds = match (before.get(key), after.get(key)) {
            (None, Some(_)) => vec![EventKind::FindingNew],
            (Some(_), None) => vec![EventKind::FindingGone],
            (Some(before), Some(after)) => changed(before, after),
            (None, None) => Vec::new(),
        };
        let state = |it: Option<&&Finding>| it.map_or("null".to_owned(), |it| state(it));
        let states = format!("{} {}", state(before.get(key)), state(after.get(key)));
        for kind in kinds {
            let (flaw, what) = key.clone();
            told.insert((kind.as_str().to_owned(), flaw, what, states.clone()));
        }
    }
    told
}

fn changed(before: &Finding, after: &Finding) -> Vec<EventKind> {
    let mut kinds = Vec::new();
    if before.exploited.is_none() && after.exploited.is_some() {
        kinds.push(EventKind::FindingExploited);
    }
    if before.level != after.level {
        kinds.push(EventKind::FindingSeverityChanged);
    }
    if before.fix != after.fix {
        kinds.push(match (&before.fix, &after.fix) {
            (Fix::None(_), Fix::None(_)) => return kinds,
            (_, Fix::Version { .. }) => EventKind::FindingFixAvailable,
            _ => EventKind::FindingFixWithdrawn,
        });
    }
    kinds
}

fn found(analysis: &Analysis) -> BTreeMap<(String, String), &Finding> {
    let key = |it: &Finding| (it.id.clone(), format!("{} {} {}", it.space, it.name, it.version));
    analysis.findings.iter().map(|it| (key(it), it)).collect()
}

fn state(it: &Finding) -> String {
    let fixed = match &it.fix {
        Fix::Version { version, .. } => Some(version.as_str()),
        Fix::None(_) => None,
    };
    let (severity, exploited) = (it.level.as_str(), it.exploited.is_some());
    serde_json::json!({ "severity": severity, "fixed": fixed, "exploited": exploited }).to_string()
}
