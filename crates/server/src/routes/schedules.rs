//! Schedules: what is checked again and again is said, listed, checked now, and let go of.

use api::{Checked, Page, Problem, Schedule, Scheduled, Scheduling, Sort};
use axum::extract::State;
use axum::http::StatusCode;
use model::{OrganisationId, Right};
use store::{NewSchedule, ScheduleRecord};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::body::{Json, Path};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::{checks, jobs};

pub(super) fn paths() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one, put, delete))
        .routes(routes!(run))
}

/// What is checked again and again in an organisation, by name.
#[utoipa::path(get, path = "/orgs/{org}/schedules", tag = "schedules",
    params(("org" = String, Path, description = "The organisation")),
    responses(
        (status = 200, body = Page<Schedule>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(organisation): Path<String>,
) -> Result<Json<Page<Schedule>>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    let all = app.store.schedules(&organisation).await?;
    let items = all.into_iter().map(word).collect::<Result<_, _>>()?;
    Ok(Json(Page { items, next: None }))
}

/// One of them, with all that came of it the last time.
#[utoipa::path(get, path = "/orgs/{org}/schedules/{schedule}", tag = "schedules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("schedule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Schedule),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn one(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, schedule)): Path<(String, String)>,
) -> Result<Json<Schedule>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::Read).await?;
    Ok(Json(found(&app, &organisation, &schedule).await?))
}

/// Has something checked again and again, instead of what was checked under that name. Only owners do.
#[utoipa::path(put, path = "/orgs/{org}/schedules/{schedule}", tag = "schedules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("schedule" = String, Path, description = "Its name"),
    ),
    request_body = Scheduling,
    responses(
        (status = 200, body = Scheduled),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, schedule)): Path<(String, String)>,
    Json(sent): Json<Scheduling>,
) -> Result<Json<Scheduled>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    stays(&app)?;
    let now = app.now();
    let Scheduling { environment, cron, zone, question } = sent;
    let (timetable, next) = checks::understood(&cron, zone.as_deref(), &question, now).await?;
    let question = serde_json::to_value(&question)
        .map_err(|error| Refusal::from(Sort::Failed.because(error.to_string())))?;
    let new = NewSchedule {
        name: &schedule,
        environment: &environment,
        cron: cron.trim(),
        zone: timetable.zone(),
        question: &question,
        next: Some(next),
    };
    let (record, new) = app.store.put_schedule(&organisation, &app.act(&caller), &new).await?;
    Ok(Json(Scheduled { schedule: word(record)?, new }))
}

/// Has something checked no more. Only owners do.
#[utoipa::path(delete, path = "/orgs/{org}/schedules/{schedule}", tag = "schedules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("schedule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 204, description = "It is checked no more"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, schedule)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    if app.store.delete_schedule(&organisation, &app.act(&caller), &schedule).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::no_such("schedule", &schedule))
    }
}

/// Has a schedule checked now, whenever its turn is. What comes of it is told as ever, and is in the
/// schedule when it is not due any more. Only owners do.
#[utoipa::path(post, path = "/orgs/{org}/schedules/{schedule}/runs", tag = "schedules",
    params(
        ("org" = String, Path, description = "The organisation"),
        ("schedule" = String, Path, description = "Its name"),
    ),
    responses(
        (status = 200, body = Schedule),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    ))]
async fn run(
    State(app): State<App>,
    caller: Caller,
    Path((organisation, schedule)): Path<(String, String)>,
) -> Result<Json<Schedule>, Refusal> {
    let organisation = caller.within(&app, &organisation, Right::ManageOrganisation).await?;
    stays(&app)?;
    let now = app.now();
    let job = jobs::checking(&organisation, now);
    if !app.store.ask_schedule(&organisation, &schedule, now, job).await? {
        return Err(Refusal::no_such("schedule", &schedule));
    }
    Ok(Json(found(&app, &organisation, &schedule).await?))
}

/// Somebody must be here when a turn comes.
fn stays(app: &App) -> Result<(), Refusal> {
    if app.people("schedule").is_ok() {
        return Ok(());
    }
    let why = "schedule: nobody is here all the time to check it";
    let hint = "foretop serve is; without it, let cron run `foretop cves --env … --exit-code`";
    Err(Sort::Refused.because(why).with_hint(hint).into())
}

async fn found(app: &App, organisation: &OrganisationId, name: &str) -> Result<Schedule, Refusal> {
    let found = app.store.schedule(organisation, name).await?;
    word(found.ok_or_else(|| Refusal::no_such("schedule", name))?)
}

fn word(record: ScheduleRecord) -> Result<Schedule, Refusal> {
    let foreign = |error: serde_json::Error| {
        let why = format!("schedule {}: it is of another version: {error}", record.name);
        Refusal::from(Sort::Failed.because(why))
    };
    let last: Option<Checked> =
        record.outcome.clone().map(serde_json::from_value).transpose().map_err(foreign)?;
    Ok(Schedule {
        question: serde_json::from_value(record.question.clone()).map_err(foreign)?,
        name: record.name,
        environment: record.environment,
        nowhere: record.is_nowhere,
        cron: record.cron,
        zone: record.zone,
        next: record.next.map(|it| it.to_string()),
        due: record.due.map(|it| it.to_string()),
        last,
        created: record.created.to_string(),
        created_by: record.created_by,
    })
}
