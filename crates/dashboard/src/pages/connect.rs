//! All integrations of a kind, and a way to connect one more, step by step.

use api::{
    Configuring, Integration, IntegrationCheck, IntegrationKind, IntegrationState, PageQuery, Sort,
    Tried,
};
use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::integrations::{checked, table};
use super::join::trouble;
use crate::contract::{Found, Page};
use crate::html::{Html, path_with};
use crate::layout::{Layout, html};
use crate::refused::Refused;
use crate::visit::{Form, Visit, go};
use crate::wizard::{Field, Step, What, fields, parameters, steps};

pub(super) const PAGE: Page = Page {
    id: "connect",
    path: "/o/{org}/integrations/{kind}",
    title: "Integrations of a kind",
    about: "All integrations of a kind, and whether they work; owners connect one more, step by step, and \
            see at each whether it works.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: Some(|visit, form| Box::pin(take(visit, form))),
};

/// Environments that are offered.
const OFFERED: u32 = 200;
/// The name of those of which there is one.
const USUAL: &str = "default";

#[derive(Template)]
#[template(path = "connect.html")]
struct Shown {
    layout: Layout,
    owns: bool,
    kind: IntegrationKind,
    table: Html,
    is_any: bool,
    wizard: Option<Wizard>,
    action: String,
    back: String,
    begin: String,
    done: Option<String>,
}

/// The step that is shown.
struct Wizard {
    name: String,
    /// It is there, and is told something else.
    is_there: bool,
    at: usize,
    titles: Vec<&'static str>,
    text: &'static str,
    asks_name: bool,
    is_last: bool,
    fields: Vec<Field>,
    deploys: Vec<(String, String)>,
    registry: String,
    clusters: Option<Clusters>,
    environments: Option<Vec<String>>,
    environment: String,
    hears: Option<String>,
    back: Option<String>,
    skip: Option<String>,
    trouble: Option<String>,
    checks: Vec<(Html, IntegrationCheck)>,
}

/// What can be chosen, or why nothing can.
struct Clusters {
    all: Vec<api::Cluster>,
    chosen: String,
    why: Option<String>,
}

/// What came of the step that was sent.
#[derive(Default)]
struct Came {
    trouble: Option<String>,
    checks: Vec<IntegrationCheck>,
    typed: Option<Form>,
}

async fn known(visit: &Visit) -> Result<IntegrationKind, Refused> {
    let id = visit.name("kind");
    let kinds = visit.client.integration_kinds().await?.items;
    let found = kinds.into_iter().find(|it| it.id == id);
    found.ok_or_else(|| Refused::nowhere("kind of integration", id))
}

async fn there(visit: &Visit, kind: &str) -> Result<Vec<Integration>, Refused> {
    let mut all = visit.client.integrations(visit.organisation()).await?.items;
    all.retain(|it| it.kind == kind);
    Ok(all)
}

async fn show(visit: Visit) -> Result<Response, Refused> {
    let kind = known(&visit).await?;
    let all = there(&visit, &kind.id).await?;
    let begins = all.is_empty() || visit.asked("name").is_some() || visit.asked("new").is_some();
    let at = visit.asked("step").and_then(|it| it.parse().ok()).unwrap_or(0);
    let name = visit.asks("name").unwrap_or_default();
    let came = Came::default();
    drawn(&visit, kind, all, begins.then_some((name, at)), came, StatusCode::OK).await
}

async fn drawn(
    visit: &Visit,
    kind: IntegrationKind,
    all: Vec<Integration>,
    step: Option<(String, usize)>,
    came: Came,
    status: StatusCode,
) -> Result<Response, Refused> {
    let title = format!("{} is not connected yet.", kind.title);
    let table = table(visit, &all, Html::tag("p", &[], Html::text(&title)));
    if let Some(file) = table.file(visit) {
        return Ok(file);
    }
    let wizard = match step.filter(|_| visit.owns()) {
        Some((name, at)) => Some(wizard(visit, &kind, &all, (name, at), came).await?),
        None => None,
    };
    let layout = visit.layout().titled(kind.title.clone());
    let mut response = html(&Shown {
        layout,
        owns: visit.owns(),
        table: table.html(visit),
        is_any: !all.is_empty(),
        wizard,
        action: visit.path.clone(),
        back: visit.to(&["integrations"]),
        begin: visit.with(&[("new", Some("1")), ("name", None), ("step", None), ("done", None)]),
        done: visit.asks("done").filter(|it| all.iter().any(|one| one.name == *it)),
        kind,
    });
    *response.status_mut() = status;
    Ok(response)
}

async fn wizard(
    visit: &Visit,
    kind: &IntegrationKind,
    all: &[Integration],
    (name, at): (String, usize),
    came: Came,
) -> Result<Wizard, Refused> {
    let steps = steps(&kind.id);
    let there = all.iter().find(|it| it.name == name);
    // Nothing can be asked of what has no name yet; and before it is told where it is.
    let last = steps.len() - 1;
    let at = if there.is_some() || (!name.is_empty() && at == 1 && names(steps)) {
        at.min(last)
    } else {
        0
    };
    let step = &steps[at];
    let suggested =
        || if all.iter().any(|it| it.name == USUAL) { String::new() } else { USUAL.to_owned() };
    let api = |format: &String| {
        let parts = ["orgs", visit.organisation(), "integrations", &kind.id, &name, "template"];
        let path: Vec<String> = parts.iter().map(|it| api::segment(it)).collect();
        format!("{}/{}?format={}", api::ROOT, path.join("/"), api::segment(format))
    };
    let deploys = if step.what == What::Deploys {
        kind.templates.iter().map(|it| (it.clone(), api(it))).collect()
    } else {
        Vec::new()
    };
    let parameter =
        |key: &str| there.and_then(|it| it.parameters.get(key)).cloned().unwrap_or_default();
    let clusters = match step.what {
        What::Chooses => Some(clusters(visit, kind, &name, parameter("cluster")).await?),
        _ => None,
    };
    let environments = match step.what {
        What::Places => {
            let page = PageQuery { after: None, limit: Some(OFFERED) };
            let all = visit.client.environments(visit.organisation(), &page).await?;
            Some(all.items.into_iter().map(|it| it.name).collect())
        }
        _ => None,
    };
    let integration = visit.to(&["integrations", &kind.id, &name]);
    let is_last = at == last;
    Ok(Wizard {
        is_there: there.is_some(),
        at,
        titles: steps.iter().map(|it| it.title).collect(),
        text: step.text,
        asks_name: at == 0 && there.is_none(),
        is_last,
        fields: match step.what {
            What::Chooses | What::Places => Vec::new(),
            _ => fields(kind, step, there, came.typed.as_ref()),
        },
        deploys,
        registry: parameter("registry"),
        clusters,
        environments,
        environment: parameter("environment"),
        hears: (step.what == What::Hears).then_some(integration),
        back: (at > 0 && there.is_some()).then(|| at_step(visit, kind, &name, at - 1)),
        skip: there
            .is_some()
            .then(|| {
                if is_last { done(visit, kind, &name) } else { at_step(visit, kind, &name, at + 1) }
            })
            .filter(|_| matches!(step.what, What::Deploys | What::Hears)),
        trouble: came.trouble,
        checks: checked(came.checks),
        name: if name.is_empty() {
            came.typed.as_ref().and_then(|it| it.text("name")).map_or_else(suggested, str::to_owned)
        } else {
            name
        },
    })
}

/// Is the first step only a name?
fn names(steps: &[Step]) -> bool {
    steps.first().is_some_and(|it| it.what == What::Names)
}

fn at_step(visit: &Visit, kind: &IntegrationKind, name: &str, step: usize) -> String {
    let query = [("name", name), ("step", &*step.to_string())];
    path_with(visit.organisation(), &["integrations", &kind.id], &query)
}

fn done(visit: &Visit, kind: &IntegrationKind, name: &str) -> String {
    path_with(visit.organisation(), &["integrations", &kind.id], &[("done", name)])
}

/// What it knows of now, and why nobody can tell.
async fn clusters(
    visit: &Visit,
    kind: &IntegrationKind,
    name: &str,
    chosen: String,
) -> Result<Clusters, Refused> {
    match visit.client.clusters(visit.organisation(), &kind.id, name).await {
        Ok(it) => Ok(Clusters { all: it.items, chosen, why: None }),
        Err(error) => {
            let (why, _) = trouble(error)?;
            Ok(Clusters { all: Vec::new(), chosen, why: Some(why) })
        }
    }
}

async fn take(visit: Visit, form: Form) -> Result<Response, Refused> {
    let kind = known(&visit).await?;
    let all = there(&visit, &kind.id).await?;
    let name = form.need("name")?.to_owned();
    let steps = steps(&kind.id);
    let at = form.text("step").and_then(|it| it.parse().ok()).unwrap_or(0).min(steps.len() - 1);
    let step = &steps[at];
    if step.what == What::Names {
        return Ok(go(&at_step(&visit, &kind, &name, at + 1)));
    }
    let there = all.iter().find(|it| it.name == name);
    let mut form = form;
    if step.what == What::Places {
        // Another one goes before one that is there.
        let new = form.text("new-environment").or(form.text("environment"));
        let new = new.unwrap_or_default().to_owned();
        form.0.retain(|(key, _)| key != "environment");
        form.0.push(("environment".to_owned(), new));
    }
    let needed = match step.what {
        What::Chooses => Some("cluster"),
        What::Places => Some("environment"),
        _ => None,
    };
    if let Some(key) = needed {
        form.need(key)?;
    }
    let configuring = Configuring { parameters: parameters(&kind, step, there, &form) };
    let told = visit
        .client
        .configure_integration(visit.organisation(), &kind.id, &name, &configuring)
        .await;
    let told = match told {
        Ok(told) => told,
        Err(api::Error::Problem(problem)) if problem.sort == Sort::Forbidden => {
            return Err(Refused::from(*problem));
        }
        Err(error) => {
            let (why, status) = trouble(error)?;
            let came = Came { trouble: Some(why), typed: Some(form), ..Came::default() };
            let name = if there.is_some() || at > 0 { name } else { String::new() };
            return drawn(&visit, kind, all, Some((name, at)), came, status).await;
        }
    };
    let is_blocked = match step.what {
        // What is still to come with a later step is no reason to stay; that nobody is there is.
        What::Tells | What::Tries | What::Chooses | What::Places | What::Hears => {
            told.integration.state == IntegrationState::Error
        }
        What::Names | What::Deploys => false,
    };
    let is_last = at + 1 == steps.len();
    // It is enabled when nothing is to be chosen or told any more.
    let is_waiting = is_last && told.integration.state == IntegrationState::Pending;
    if is_blocked || is_waiting {
        let why = told.integration.why.clone();
        let trouble = match (is_waiting, why) {
            (true, _) => {
                "It waits for something that is not told yet: see what is missing.".to_owned()
            }
            (false, Some(why)) => format!("It does not work: {why}"),
            (false, None) => "It does not work.".to_owned(),
        };
        let failed = |it: &IntegrationCheck| it.outcome != Tried::Ok || is_blocked;
        let checks = told.checks.into_iter().filter(failed).collect();
        let came = Came { trouble: Some(trouble), checks, typed: Some(form) };
        let all = self::there(&visit, &kind.id).await?;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return drawn(&visit, kind, all, Some((name, at)), came, status).await;
    }
    Ok(go(&if is_last {
        done(&visit, &kind, &name)
    } else {
        at_step(&visit, &kind, &name, at + 1)
    }))
}
