//! Changes: the events that came to be seen since one last looked, each once.

use model::OrganisationId;

use crate::Store;
use crate::contract::{Changes, Error};
use crate::db::{Query, values};
use crate::events;

const MOST: u32 = 10_000;

impl Store {
    /// Where changes go on from now: whoever reads all there is after asking so, and then what
    /// changed since, misses nothing, and may see something twice.
    pub async fn changes_begin(&self) -> Result<String, Error> {
        Ok(write_cursor(self.db.open_turn().await?, ""))
    }

    /// What happened after a cursor, first things first: to one organisation, or to any.
    ///
    /// An event is told once everything that was begun before it has ended, so none is ever told
    /// behind the cursor, however clocks go and whoever is slow. What was deleted with its
    /// organisation, or was not to be kept any longer, is not told.
    pub async fn changes_since(
        &self,
        organisation: Option<&OrganisationId>,
        cursor: &str,
        limit: u32,
    ) -> Result<Changes, Error> {
        let (turn, id) = read_cursor(cursor)?;
        // First the turn, then a look at the events: what is over by then is seen.
        let open = self.db.open_turn().await?;
        let mut query = Query::new(
            "SELECT id, organisation, at, who, origin, kind, environment, about, detail, turn
             FROM events WHERE (turn, id) > ($1, $2) AND turn < $3",
            values![turn, id, open],
        );
        if let Some(organisation) = organisation {
            query.with("AND organisation = $?", &organisation.0);
        }
        let limit = limit.clamp(1, MOST);
        query.with("ORDER BY turn, id LIMIT $?", i64::from(limit));
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let mut changes = Changes {
            events: Vec::with_capacity(rows.len()),
            cursors: Vec::with_capacity(rows.len()),
            cursor: cursor.to_owned(),
        };
        for row in &rows {
            let organisation = OrganisationId(row.text("organisation")?);
            changes.events.push((organisation, events::read(row)?));
            changes.cursors.push(write_cursor(row.int("turn")?, &row.text("id")?));
        }
        if let Some(last) = changes.cursors.last() {
            changes.cursor.clone_from(last);
        }
        Ok(changes)
    }
}

fn write_cursor(turn: i64, id: &str) -> String {
    format!("{turn}.{id}")
}

fn read_cursor(cursor: &str) -> Result<(i64, &str), Error> {
    let parts = cursor.split_once('.').and_then(|(turn, id)| Some((turn.parse().ok()?, id)));
    parts.ok_or_else(|| Error::Refused {
        what: "changes".to_owned(),
        why: "what they are to begin after is no cursor of ours".to_owned(),
        hint: None,
    })
}
