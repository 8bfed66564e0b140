//! How long things are kept, and when all of it was written into a file.

use api::{EventQuery, KeepingFor};
use axum::response::Response;
use model::EventKind;

use super::done;
use crate::html::Html;
use crate::refused::Refused;
use crate::table::{Cell, Table, column};
use crate::visit::{Form, ROWS, Visit};
use crate::when::when;

/// What is kept, and what that is called.
pub(super) struct Kept {
    pub(super) table: Table,
    pub(super) names: Vec<String>,
}

pub(super) async fn kept(visit: &Visit) -> Result<Kept, Refused> {
    let all = visit.client.retention(visit.organisation()).await?;
    let columns =
        vec![column("what", "What"), column("means", "That is"), column("days", "Kept for")];
    let mut table = Table::new("kept", "How long things are kept", columns);
    for it in &all.items {
        let kept = match it.days {
            Some(days) => Cell::text(&format!("{days} days")),
            None => Cell::text("ever"),
        };
        table.push(vec![Cell::text(&it.what), Cell::text(&it.means), kept]);
    }
    table.cut(visit, ROWS as usize);
    Ok(Kept { table, names: all.items.into_iter().map(|it| it.what).collect() })
}

/// When a backup was made last, as far as events are kept.
pub(super) async fn backup(visit: &Visit) -> Result<Html, Refused> {
    let kinds = Some(EventKind::BackedUp.as_str().to_owned());
    let query = EventQuery { kinds, limit: Some(1), ..EventQuery::default() };
    let events = visit.client.events(visit.organisation(), &query).await?;
    let Some(last) = events.items.first() else {
        return Ok(Html::text("No event tells of a backup."));
    };
    let text = Html::text("All of it was last written down ").and(&when(&last.at, visit.now));
    Ok(text.and(&Html::text(&format!(", by {}: {}.", last.who, last.about))))
}

/// What owners say about that; none where it is something else.
pub(super) async fn take(visit: &Visit, form: &Form) -> Result<Option<Response>, Refused> {
    let (client, organisation) = (&visit.client, visit.organisation());
    match form.text("do") {
        Some("keep") => {
            let days = form.whole("days")?;
            client.keep_for(organisation, form.need("what")?, KeepingFor { days }).await?;
        }
        Some("usual") => {
            client.keep_as_usual(organisation, form.need("what")?).await?;
        }
        _ => return Ok(None),
    }
    Ok(Some(done(visit)))
}
