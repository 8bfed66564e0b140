//! Checks whose turn has come: each is answered once, and what came of it becomes an event.

use api::{CheckQuestion, CheckVerdict, Checked, Timetable};
use async_trait::async_trait;
use model::{EventKind, Moment, OrganisationId};
use serde_json::json;
use store::{NewJob, ScheduleRecord, Turn};

use super::{Work, itself};
use crate::app::App;
use crate::checks::{self, TOGETHER};

const KIND: &str = "check";
/// Turns that are taken at once; those beyond are taken the next time.
const TURNS: u32 = 200;
/// Rounds of one job: whoever changes what is checked while it is must not keep us for ever.
const ROUNDS: usize = 2_000;

/// Checks.
pub(super) struct Check;

#[async_trait]
impl Work for Check {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn takes_long(&self) -> bool {
        true
    }

    async fn run(&self, app: &App, payload: &serde_json::Value) -> Result<(), String> {
        let organisation = payload["organisation"].as_str().ok_or("it is of no organisation")?;
        let organisation = OrganisationId(organisation.to_owned());
        for _ in 0..ROUNDS {
            let waiting = app.store.awaited_schedules(&organisation).await;
            let waiting = waiting.map_err(|error| error.to_string())?;
            let Some(first) = waiting.first().map(|it| it.environment.clone()) else {
                return Ok(());
            };
            some(app, waiting.into_iter().filter(|it| it.environment == first)).await?;
        }
        Err("what is to be checked changes faster than it can be".to_owned())
    }
}

/// Checks as much of one environment as is answered together.
async fn some(app: &App, all: impl Iterator<Item = ScheduleRecord>) -> Result<(), String> {
    let mut questions: Vec<CheckQuestion> = Vec::new();
    let mut asked: Vec<(ScheduleRecord, usize)> = Vec::new();
    for record in all {
        let question = match serde_json::from_value(record.question.clone()) {
            Ok(question) => question,
            // Another version has written it. It must not keep the others from being checked.
            Err(error) => {
                let why = format!("what it looks for is not understood here: {error}");
                written(app, &record, &checks::untold(app.now(), &why)).await?;
                continue;
            }
        };
        let known = questions.iter().position(|it| *it == question);
        let at = match known {
            Some(at) => at,
            None if questions.len() == TOGETHER => continue,
            None => {
                questions.push(question);
                questions.len() - 1
            }
        };
        asked.push((record, at));
    }
    let Some((first, _)) = asked.first() else { return Ok(()) };
    let (organisation, environment) = (first.organisation.clone(), first.environment.clone());
    let answers = checks::check(app, &organisation, &environment, &questions).await?;
    for (record, at) in &asked {
        let Some(checked) = answers.get(*at) else { continue };
        written(app, record, checked).await?;
    }
    Ok(())
}

/// Writes down what came of one.
async fn written(app: &App, record: &ScheduleRecord, checked: &Checked) -> Result<(), String> {
    let outcome = serde_json::to_value(checked).map_err(|error| error.to_string())?;
    let verdict = checked.verdict.as_str();
    let has_passed = checked.verdict == CheckVerdict::Passed;
    let is_news = !has_passed || record.verdict.as_deref() != Some(verdict);
    let told = is_news.then(|| {
        let kind = if has_passed { EventKind::CheckPassed } else { EventKind::CheckFailed };
        let mut detail = outcome.clone();
        detail["before"] = json!(record.verdict);
        detail["question"] = record.question.clone();
        (kind, detail)
    });
    let done = app.store.checked(record, &itself(app, KIND), verdict, &outcome, told).await;
    // If somebody told it something else meanwhile, that is none of our answer.
    done.map(|_| ()).map_err(|error| error.to_string())
}

/// The job that checks what waits in an organisation.
pub(crate) fn job(organisation: &OrganisationId, now: Moment) -> NewJob {
    NewJob {
        kind: KIND.to_owned(),
        payload: json!({ "organisation": organisation.0 }),
        key: Some(format!("{KIND} {}", organisation.0)),
        asked: now,
        ready: now,
        attempts: 10,
    }
}

/// Takes the turns that have come.
pub(super) async fn take_turns(app: &App) -> Result<(), String> {
    let now = app.now();
    let turns = app.store.turns(now, TURNS).await.map_err(|error| error.to_string())?;
    if turns.is_empty() {
        return Ok(());
    }
    // What never comes is looked for long.
    let next = move |turn: Turn| {
        let timetable = Timetable::new(&turn.cron, Some(&turn.zone));
        let next = timetable.ok().and_then(|it| it.after(now));
        if next.is_none() {
            tracing::warn!(schedule = turn.id, cron = turn.cron, "it has no next turn");
        }
        (turn, next)
    };
    let worked_out =
        tokio::task::spawn_blocking(move || turns.into_iter().map(next).collect::<Vec<_>>());
    let turns = worked_out.await.map_err(|error| error.to_string())?;
    let taken = app.store.take_turns(&turns, now, |whose| job(whose, now)).await;
    taken.map(|_| ()).map_err(|error| error.to_string())
}
