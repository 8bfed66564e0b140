//! Changes: the events that came to be seen since one last looked, each once.

use std::collections::{BTreeSet, HashMap};

use model::{Event, EventKind, Moment, OrganisationId};

use crate::Store;
use crate::contract::{Changes, Error, Tiding, Tidings};
use crate::db::{Query, Row, values};
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
        let narrow = |query: &mut Query| {
            if let Some(organisation) = organisation {
                query.with("AND organisation = $?", &organisation.0);
            }
        };
        let (rows, _) = self.events_after(cursor, limit, narrow).await?;
        let cursor = match rows.last() {
            Some(row) => write_cursor(row.int("turn")?, &row.text("id")?),
            None => cursor.to_owned(),
        };
        told(&rows, cursor)
    }

    /// The same, to any organisation, of these kinds alone: whatever else happened is passed over.
    pub async fn changes_of(
        &self,
        kinds: &[EventKind],
        cursor: &str,
        limit: u32,
    ) -> Result<Changes, Error> {
        let narrow = |query: &mut Query| {
            query.with_all("AND kind IN $?", kinds.iter().map(|it| it.as_str()).collect());
        };
        let (rows, cursor) = self.rows_after(cursor, limit, narrow).await?;
        told(&rows, cursor)
    }

    /// The same, to one organisation, with what the environments are called by now.
    pub async fn tidings(
        &self,
        organisation: &OrganisationId,
        kinds: &[EventKind],
        cursor: &str,
        limit: u32,
    ) -> Result<Tidings, Error> {
        let narrow = |query: &mut Query| {
            query.with("AND organisation = $?", &organisation.0);
            query.with_all("AND kind IN $?", kinds.iter().map(|it| it.as_str()).collect());
        };
        let (rows, cursor) = self.rows_after(cursor, limit, narrow).await?;
        let is_all = rows.len() < limit as usize;
        let names = self.environment_names(organisation).await?;
        let tidings = rows.iter().map(|row| tiding(row, &names)).collect::<Result<_, _>>()?;
        Ok(Tidings { tidings, cursor, is_all })
    }

    /// The last that happened to one organisation since a moment, of these kinds, first things first.
    pub async fn past_tidings(
        &self,
        organisation: &OrganisationId,
        kinds: &[EventKind],
        since: Moment,
        limit: u32,
    ) -> Result<Tidings, Error> {
        let limit = limit.clamp(1, 10 * MOST);
        let mut query = Query::new(
            "SELECT id, at, who, origin, kind, environment_id, environment, about, detail
             FROM events WHERE organisation = $1 AND at >= $2",
            values![&organisation.0, since],
        );
        query.with_all("AND kind IN $?", kinds.iter().map(|it| it.as_str()).collect());
        query.with("ORDER BY id DESC LIMIT $?", i64::from(limit));
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let is_all = rows.len() < limit as usize;
        let names = self.environment_names(organisation).await?;
        let tidings = rows.iter().rev().map(|row| tiding(row, &names)).collect::<Result<_, _>>()?;
        Ok(Tidings { tidings, cursor: String::new(), is_all })
    }

    /// To whom something of these kinds happened behind a cursor, and where to go on.
    pub async fn changed_organisations(
        &self,
        kinds: &[EventKind],
        cursor: &str,
    ) -> Result<(BTreeSet<OrganisationId>, String), Error> {
        let (turn, id) = read_cursor(cursor)?;
        let open = self.db.open_turn().await?;
        if open <= turn {
            return Ok((BTreeSet::new(), cursor.to_owned()));
        }
        let mut query = Query::new(
            "SELECT DISTINCT organisation FROM events WHERE (turn, id) > ($1, $2) AND turn < $3",
            values![turn, id, open],
        );
        query.with_all("AND kind IN $?", kinds.iter().map(|it| it.as_str()).collect());
        let (sql, values) = query.into_parts();
        let rows = self.db.rows(sql, values).await?;
        let all = rows.iter().map(|it| it.text("organisation").map(OrganisationId));
        Ok((all.collect::<Result<_, _>>()?, write_cursor(open, "")))
    }

    /// Events behind a cursor, and where to go on: whatever else happened is passed over.
    async fn rows_after(
        &self,
        cursor: &str,
        limit: u32,
        narrow: impl FnOnce(&mut Query),
    ) -> Result<(Vec<Row>, String), Error> {
        let (turn, _) = read_cursor(cursor)?;
        let limit = limit.clamp(1, MOST);
        let (rows, open) = self.events_after(cursor, limit, narrow).await?;
        let cursor = match rows.last() {
            Some(row) if rows.len() >= limit as usize => {
                write_cursor(row.int("turn")?, &row.text("id")?)
            }
            // That was all there is before the first turn that is open.
            _ if open > turn => write_cursor(open, ""),
            _ => cursor.to_owned(),
        };
        Ok((rows, cursor))
    }

    /// Whoever had read up to a cursor finds an event behind it: did that take along what they had not
    /// read?
    pub fn has_missed(cursor: &str, event: &Event) -> bool {
        if event.kind != EventKind::Expired {
            return false;
        }
        match (read_cursor(cursor), event.detail["through"].as_i64()) {
            (Ok((turn, _)), Some(through)) => through >= turn,
            // An older program does not tell how far.
            _ => event.detail["events"] != 0,
        }
    }

    /// Events behind a cursor, and the first turn that something may still be written in.
    async fn events_after(
        &self,
        cursor: &str,
        limit: u32,
        narrow: impl FnOnce(&mut Query),
    ) -> Result<(Vec<Row>, i64), Error> {
        let (turn, id) = read_cursor(cursor)?;
        // First the turn, then a look at the events: what is over by then is seen.
        let open = self.db.open_turn().await?;
        let mut query = Query::new(
            "SELECT id, organisation, at, who, origin, kind, environment_id, environment, about,
                    detail, turn
             FROM events WHERE (turn, id) > ($1, $2) AND turn < $3",
            values![turn, id, open],
        );
        narrow(&mut query);
        query.with("ORDER BY turn, id LIMIT $?", i64::from(limit.clamp(1, MOST)));
        let (sql, values) = query.into_parts();
        Ok((self.db.rows(sql, values).await?, open))
    }
}

/// With what its environment is called by now.
fn tiding(row: &Row, names: &HashMap<String, String>) -> Result<Tiding, Error> {
    let id = row.maybe_text("environment_id")?;
    let environment_now = id.and_then(|it| names.get(&it).cloned());
    Ok(Tiding { event: events::read(row)?, environment_now })
}

fn told(rows: &[Row], cursor: String) -> Result<Changes, Error> {
    let mut changes = Changes { events: Vec::new(), cursors: Vec::new(), cursor };
    for row in rows {
        let organisation = OrganisationId(row.text("organisation")?);
        changes.events.push((organisation, events::read(row)?));
        changes.cursors.push(write_cursor(row.int("turn")?, &row.text("id")?));
    }
    Ok(changes)
}

pub(crate) fn write_cursor(turn: i64, id: &str) -> String {
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
