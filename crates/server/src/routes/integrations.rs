//! Integrations: the parties around us are configured, tried, listed and let go of.

mod clusters;
mod notices;
mod template;

use std::collections::BTreeMap;

use api::{
    Configured, Configuring, Integration, IntegrationCheck, IntegrationKind, IntegrationState,
    Page, Problem, RefusedWebhooks, Removed, RemovedAt, Sort, Tried,
};
use axum::extract::State;
use integration::{Check, Kind, Message, Outcome, Role};
use model::{Act, OrganisationId, Right, Secret};
use serde::Deserialize;
use store::{IntegrationRecord, NewIntegration, NoticeCounts, Refused};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::identity::{Kind as SecretKind, minted};
use crate::jobs;
use crate::parties::{self, Party, connected};
use crate::refusal::Refusal;
use crate::refusals;

/// Which integration.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Which {
    /// The organisation
    org: String,
    /// Of which kind: `artifactory`
    kind: String,
    /// Its name
    name: String,
}

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(kinds))
        .routes(routes!(list))
        .routes(routes!(one, put, delete))
        .routes(routes!(again))
        .routes(routes!(elsewhere))
        .merge(clusters::paths())
        .merge(notices::paths())
        .merge(template::paths())
}

/// Which kinds of parties can be spoken with, and what they must be told.
#[utoipa::path(get, path = "/integration-kinds", tag = "integrations",
    responses(
        (status = 200, body = Page<IntegrationKind>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn kinds(_: Caller) -> Result<Json<Page<IntegrationKind>>, Refusal> {
    let items = integration::ALL.iter().map(|it| described(it)).collect();
    Ok(Json(Page { items, next: None }))
}

fn described(kind: &Kind) -> IntegrationKind {
    // What only a process of its own needs is not asked for here.
    let settings = kind.settings.iter().filter(|it| !it.watch_only);
    IntegrationKind {
        id: kind.id.to_owned(),
        title: kind.title.to_owned(),
        about: kind.about.to_owned(),
        settings: settings.filter_map(|it| serde_json::to_value(it).ok()).collect(),
        templates: kind.templates.iter().map(|it| it.format.to_owned()).collect(),
        leftovers: leftovers(kind),
    }
}

/// The integrations of an organisation, by kind and name.
#[utoipa::path(get, path = "/orgs/{org}/integrations", tag = "integrations",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Integration>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Integration>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let all = app.store.integrations(&organisation).await?;
    let mut counts = app.store.count_notices(&organisation).await?;
    let mut secrets = app.store.told_secrets(&organisation).await?;
    for record in &all {
        refusals::write_down(&app, record).await;
    }
    let mut refused = app.store.refused_webhooks(&organisation).await?;
    let word = |it: IntegrationRecord| {
        let counts = counts.remove(&it.id).unwrap_or_default();
        let secrets = secrets.remove(&it.id).unwrap_or_default();
        let refused = refused.remove(&it.id);
        word(it, counts, refused, secrets)
    };
    Ok(Json(Page { items: all.into_iter().map(word).collect(), next: None }))
}

/// One integration, with where its webhooks come in. Only owners see that.
#[utoipa::path(get, path = "/orgs/{org}/integrations/{kind}/{name}", tag = "integrations",
    params(Which),
    responses(
        (status = 200, body = Integration),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
) -> Result<Json<Integration>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    Ok(Json(whole(&app, record).await?))
}

/// Configures an integration, or tells it something else, and tries it. One that does not work is
/// kept, and says why. Only owners do.
#[utoipa::path(put, path = "/orgs/{org}/integrations/{kind}/{name}", tag = "integrations",
    params(Which),
    request_body = Configuring,
    responses(
        (status = 200, body = Configured),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
    Json(sent): Json<Configuring>,
) -> Result<Json<Configured>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    if app.people("integration").is_err() {
        let why = "integration: nobody is here all the time to hear it";
        let hint =
            "foretop watch watches a registry for as long as it runs; foretop serve for ever";
        return Err(Sort::Refused.because(why).with_hint(hint).into());
    }
    let kind = known(&kind)?;
    let Parted { settings, secrets, unset } = parted(kind, &sent.parameters)?;
    let mut all = secrets.clone();
    if let Some(former) = app.store.integration(&organisation, kind.id, &name).await? {
        let mut kept = app.store.integration_secrets(&former, app.now()).await?.new;
        // An address may be a secret itself.
        let has_moved = secrets.iter().any(|(key, secret)| {
            parties::address(kind).contains(&key.as_str())
                && !kept.iter().any(|it| it.0 == *key && it.1 == *secret)
        });
        kept.retain(|(key, _)| !secrets.iter().any(|new| new.0 == *key) && !unset.contains(key));
        if let Some((key, _)) = kept.first()
            && (has_moved || is_elsewhere(kind, &former.settings, &settings))
        {
            let why = format!("parameters: {key}: it was told for another address");
            let hint = "tell it once more, or tell it empty, and it is let go of";
            return Err(Sort::Refused.because(why).with_hint(hint).into());
        }
        all.extend(kept);
    }
    let settled = parties::settled(kind, &settings, &all).map_err(|faults| {
        let problem = Sort::Refused.because(format!("parameters: {}", parties::told(&faults)));
        let hint = faults.into_iter().find_map(|it| it.hint);
        Refusal::from(hint.into_iter().fold(problem, api::Problem::with_hint))
    })?;
    // What makes no sense together is refused before it is kept.
    let party = parties::connect(&app, kind, settled, &store::IntegrationSecrets::default());
    let party = party.map_err(|error| {
        let problem = Sort::Refused.because(error.to_string());
        let hint = error.hint().map(str::to_owned);
        Refusal::from(hint.into_iter().fold(problem, api::Problem::with_hint))
    })?;
    is_its_own(&app, &organisation, kind, &name, &party).await?;
    // Nobody waits for the party's answer who wants to write meanwhile.
    let checks = party.tried(&app.reach).await;
    let hook = minted(SecretKind::Hook)?;
    let path = Secret::new(hook.text);
    let new = NewIntegration {
        kind: kind.id,
        name: &name,
        settings: &settings,
        secrets: &secrets,
        unset: &unset,
        address: parties::address(kind),
        scope: parties::SCOPE,
        proof: kind.webhook_secret,
        hook: (&hook.hash, &path),
    };
    let act = app.act(&caller);
    let (record, _) = app.store.put_integration(&organisation, &act, &new).await?;
    let id = record.id.clone();
    let asked = record.clone();
    let answer = noted(&app, &act, record, checks, &party).await?;
    match kind.role {
        Role::Registry => jobs::look_soon(&app, &organisation, &[&id]).await?,
        Role::Runtime => jobs::ask_soon(&app, &asked).await?,
        Role::Notifier => {}
    }
    Ok(answer)
}

/// Tries an integration; whoever is there to be told something is told a test message. Only owners
/// do.
#[utoipa::path(post, path = "/orgs/{org}/integrations/{kind}/{name}/tests", tag = "integrations",
    params(Which),
    responses(
        (status = 200, body = Configured),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn again(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
) -> Result<Json<Configured>, Refusal> {
    let called = organisation;
    let organisation = caller.within(&app, &called, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let failed = |why: String| Refusal::from(Sort::Refused.because(format!("integration: {why}")));
    let party = connected(&app, &record).await.map_err(failed)?;
    let now = app.now();
    let message = Message::test(&called, &now.to_string());
    let key = format!("test-{}-{}", record.id, now.micros());
    let checks = party.tested(&app.reach, &message, &key).await;
    noted(&app, &app.act(&caller), record, checks, &party).await
}

/// Lets the webhooks of an integration come in at another address, and at the one before no longer:
/// for when somebody knows it who should not. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/integrations/{kind}/{name}/addresses",
    tag = "integrations",
    params(Which),
    responses(
        (status = 200, body = Integration),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn elsewhere(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
) -> Result<Json<Integration>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let record = found(&app, &organisation, &kind, &name).await?;
    let hook = minted(SecretKind::Hook)?;
    let path = Secret::new(hook.text);
    app.store.replace_hook(&record, &app.act(&caller), (&hook.hash, &path)).await?;
    Ok(Json(changed(&app, record).await?))
}

/// Lets go of an integration, and forgets its secrets and all that it told. What was made at its
/// side stays there, and is named. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/integrations/{kind}/{name}", tag = "integrations",
    params(Which),
    responses(
        (status = 200, body = Removed),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(Which { org: organisation, kind, name }): Path<Which>,
) -> Result<Json<Removed>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageIntegrations).await?;
    let kind = known(&kind)?;
    let act = app.act(&caller);
    let record = app.store.integration(&organisation, kind.id, &name).await?;
    if app.store.delete_integration(&organisation, &act, kind.id, &name).await? {
        if let Some(record) = record.filter(|_| kind.role == Role::Runtime) {
            jobs::forget_runtime(&app, &record, &act).await?;
        }
        Ok(Json(Removed { leftovers: leftovers(kind) }))
    } else {
        Err(Refusal::no_such("integration", &format!("{} {name}", kind.id)))
    }
}

fn known(kind: &str) -> Result<&'static Kind, Refusal> {
    integration::find(kind).ok_or_else(|| Refusal::no_such("kind of integration", kind))
}

async fn found(
    app: &App,
    organisation: &OrganisationId,
    kind: &str,
    name: &str,
) -> Result<IntegrationRecord, Refusal> {
    let kind = known(kind)?;
    let found = app.store.integration(organisation, kind.id, name).await?;
    found.ok_or_else(|| Refusal::no_such("integration", &format!("{} {name}", kind.id)))
}

/// What is said, under the keys that settings have; what is secret apart.
#[derive(Default)]
struct Parted {
    settings: Vec<(String, String)>,
    secrets: Vec<(String, Secret)>,
    /// Secrets that are told empty are to be none.
    unset: Vec<String>,
}

fn parted(kind: &Kind, parameters: &BTreeMap<String, String>) -> Result<Parted, Refusal> {
    let mut parted = Parted::default();
    for (key, value) in parameters {
        let setting = kind.settings.iter().find(|it| it.key == key || it.also.contains(&&**key));
        let setting = setting.filter(|it| !it.watch_only).ok_or_else(|| {
            let keys = kind.settings.iter().filter(|it| !it.watch_only).map(|it| it.key);
            let hint = format!("it has {}", keys.collect::<Vec<_>>().join(", "));
            let key: String = key.chars().take(100).collect();
            let why =
                format!("parameters: {}: {} has no such setting", key.escape_debug(), kind.id);
            Refusal::from(Sort::Refused.because(why).with_hint(hint))
        })?;
        let key = setting.key.to_owned();
        match (setting.kind.is_secret(), value.trim().is_empty()) {
            (true, true) => parted.unset.push(key),
            (true, false) => parted.secrets.push((key, Secret::new(value.as_str()))),
            (false, true) => {}
            (false, false) => parted.settings.push((key, value.clone())),
        }
    }
    Ok(parted)
}

/// A cluster is one environment: what two integrations said of it would contradict each other.
async fn is_its_own(
    app: &App,
    organisation: &OrganisationId,
    kind: &Kind,
    name: &str,
    party: &Party,
) -> Result<(), Refusal> {
    let Some(cluster) = party.settings.text("cluster").filter(|_| kind.role == Role::Runtime)
    else {
        return Ok(());
    };
    let said = |record: &IntegrationRecord, key: &str| {
        let told = record.settings.iter().find(|it| it.0 == key);
        told.map(|it| it.1.trim().trim_end_matches('/').to_owned())
    };
    let is_there = |record: &IntegrationRecord| {
        ["region", "url"].iter().all(|key| said(record, key).as_deref() == party.settings.text(key))
    };
    let all = app.store.integrations(organisation).await?;
    let other = all.iter().find(|it| {
        it.kind == kind.id
            && it.name != name.trim()
            && said(it, "cluster").as_deref() == Some(cluster)
            && is_there(it)
    });
    let Some(other) = other else { return Ok(()) };
    let why =
        format!("parameters: cluster: {cluster} is that of {} {} already", kind.id, other.name);
    let hint = "choose another one, or delete that integration";
    Err(Sort::Refused.because(why).with_hint(hint).into())
}

/// Would it be reached elsewhere than before?
fn is_elsewhere(kind: &Kind, former: &[(String, String)], new: &[(String, String)]) -> bool {
    let said = |settings: &[(String, String)], key: &str| -> Vec<String> {
        settings.iter().filter(|it| it.0 == key).map(|it| it.1.clone()).collect()
    };
    parties::address(kind).iter().any(|key| said(former, key) != said(new, key))
}

/// Takes note of what came of trying it.
async fn noted(
    app: &App,
    act: &Act,
    record: IntegrationRecord,
    checks: Vec<Check>,
    party: &Party,
) -> Result<Json<Configured>, Refusal> {
    app.store.integration_is(&record, act, &party.state(&checks)).await?;
    let integration = changed(app, record).await?;
    Ok(Json(Configured { integration, checks: checks.into_iter().map(check).collect() }))
}

/// As it is now. Where its webhooks go is told to whoever asks for that, and kept in no answer to a
/// change.
async fn changed(app: &App, record: IntegrationRecord) -> Result<Integration, Refusal> {
    let now = app.store.integration_by_id(&record.id).await?;
    let now = now.ok_or_else(|| Refusal::no_such("integration", &record.name))?;
    Ok(Integration { hook: None, ..whole(app, now).await? })
}

/// With what only owners see.
async fn whole(app: &App, record: IntegrationRecord) -> Result<Integration, Refusal> {
    let secrets = app.store.integration_secrets(&record, app.now()).await?;
    let kind = known(&record.kind)?;
    let counts = app.store.count_notices(&record.organisation).await?.remove(&record.id);
    refusals::write_down(app, &record).await;
    let refused = app.store.refused_webhooks(&record.organisation).await?.remove(&record.id);
    let told = secrets.new.iter().map(|it| it.0.clone()).collect();
    let proof = secrets.new.iter().find(|it| Some(it.0.as_str()) == kind.webhook_secret);
    let hook = |path: Secret| {
        let address = format!("/hooks/{}/{}", kind.id, path.expose());
        kind.address(&address, proof.map(|it| &it.1))
    };
    Ok(Integration {
        hook: secrets.hook.map(hook),
        ..word(record, counts.unwrap_or_default(), refused, told)
    })
}

fn word(
    it: IntegrationRecord,
    counts: NoticeCounts,
    refused: Option<Refused>,
    secrets: Vec<String>,
) -> Integration {
    let (state, why) = match it.state {
        store::IntegrationState::Pending => (IntegrationState::Pending, None),
        store::IntegrationState::Connected { but } => (IntegrationState::Connected, but),
        store::IntegrationState::Failed { why } => (IntegrationState::Error, Some(why)),
    };
    Integration {
        kind: it.kind,
        name: it.name,
        parameters: it.settings.into_iter().collect(),
        state,
        why,
        since: it.state_since.to_string(),
        waiting: counts.waiting,
        aside: counts.aside,
        refused: refused.map(|it| RefusedWebhooks {
            count: it.count,
            last: it.last.to_string(),
            why: it.why,
        }),
        created: it.created.to_string(),
        created_by: it.created_by,
        hook: None,
        secrets,
    }
}

fn check(it: Check) -> IntegrationCheck {
    let (outcome, detail, hint) = match it.outcome {
        Outcome::Ok { detail } => (Tried::Ok, detail, None),
        Outcome::Warned { why, hint } => (Tried::Warned, why, Some(hint)),
        Outcome::Failed { why, hint } => (Tried::Failed, why, hint),
    };
    IntegrationCheck { what: it.what.to_owned(), outcome, detail, hint }
}

fn leftovers(kind: &Kind) -> Vec<RemovedAt> {
    let word = |it: &integration::Leftover| RemovedAt {
        what: it.what.to_owned(),
        name: it.name.to_owned(),
    };
    kind.leftovers.iter().map(word).collect()
}
