//! Events: every change, by whom, from where, when.

use model::{Act, Event, EventKind, OrganisationId};
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::contract::{Error, EventSelection, Page, Paged, WrittenEvent};
use crate::db::{Query, Row, Tx, Value, placeholders_and, runs, values};
use crate::{Store, environments, names, new_id};

const COLUMNS: &str = "events (id, organisation, at, who, origin, kind, environment_id, \
                       environment, about, detail, turn)";

/// The environments of a name that were deleted. Of the organisation's events, which may be millions,
/// an index leads to those of this kind alone.
pub(crate) const FORMER: &str = "SELECT DISTINCT environment_id FROM events
     WHERE organisation = $1 AND kind = 'environment-deleted' AND about = $2 LIMIT 1000";

/// An event that is to be written down.
#[derive(Clone)]
pub(crate) struct Note<'a> {
    kind: EventKind,
    environment_id: Option<&'a str>,
    environment: Option<&'a str>,
    about: &'a str,
    detail: Json,
}

impl<'a> Note<'a> {
    pub(crate) fn new(kind: EventKind, about: &'a str) -> Self {
        let detail = Json::Object(serde_json::Map::new());
        Self { kind, environment_id: None, environment: None, about, detail }
    }

    /// In this environment: its id and its name.
    pub(crate) fn within(mut self, id: &'a str, name: &'a str) -> Self {
        self.environment_id = Some(id);
        self.environment = Some(name);
        self
    }

    /// In an environment of this name, which is not there any more.
    pub(crate) fn named(mut self, name: Option<&'a str>) -> Self {
        self.environment = name;
        self
    }

    pub(crate) fn detail(mut self, detail: Json) -> Self {
        self.detail = detail;
        self
    }

    pub(crate) async fn write(
        self,
        tx: &mut Tx,
        organisation: &OrganisationId,
        act: &Act,
    ) -> Result<(), Error> {
        write_all(tx, organisation, act, std::slice::from_ref(&self)).await
    }
}

/// Writes events in their order, many in one statement.
pub(crate) async fn write_all(
    tx: &mut Tx,
    organisation: &OrganisationId,
    act: &Act,
    notes: &[Note<'_>],
) -> Result<(), Error> {
    let (who, origin) = (names::told(&act.who), names::told(&act.origin));
    let named: Vec<(String, &Note<'_>)> = notes.iter().map(|note| (new_id(), note)).collect();
    if named.is_empty() {
        return Ok(());
    }
    let turn = tx.begin_turn().await?;
    for run in runs(&named) {
        let values = run.iter().flat_map(|(id, note)| {
            values![
                id,
                &organisation.0,
                act.at,
                &who,
                &origin,
                note.kind.as_str(),
                note.environment_id,
                note.environment,
                note.about,
                note.detail.to_string(),
            ]
        });
        let values: Vec<Value> = values.collect();
        let list = placeholders_and(run.len(), 10, turn);
        let sql = format!("INSERT INTO {COLUMNS} VALUES {list} ON CONFLICT DO NOTHING");
        tx.run(sql, values).await?;
    }
    Ok(())
}

impl Store {
    /// What happened, latest first.
    pub async fn events(
        &self,
        organisation: &OrganisationId,
        selection: &EventSelection,
        page: &Page,
    ) -> Result<Paged<Event>, Error> {
        let written = self.written_events(organisation, selection, page).await?;
        let rows = written.rows.into_iter().map(event).collect::<Result<_, _>>()?;
        Ok(Paged { rows, next: written.next })
    }

    /// The same, as it was written down.
    pub async fn written_events(
        &self,
        organisation: &OrganisationId,
        selection: &EventSelection,
        page: &Page,
    ) -> Result<Paged<WrittenEvent>, Error> {
        let Some(name) = &selection.environment else {
            return self.selected(organisation, selection, page, None).await;
        };
        let name = names::cleaned("environment", name)?;
        let present = Of::Present(&name);
        let found = self.selected(organisation, selection, page, Some(present)).await?;
        if !found.rows.is_empty() {
            return Ok(found);
        }
        let Err(unknown) = environments::find(&self.db, organisation, &name).await else {
            return Ok(found);
        };
        // What happened in one that was deleted stays, and can be asked for as before.
        let rows = self.db.few(FORMER, values![&organisation.0, &name]).await?;
        let former = rows.iter().filter_map(|it| it.maybe_text("environment_id").transpose());
        let former: Vec<String> = former.collect::<Result<_, _>>()?;
        if former.is_empty() {
            return Err(unknown);
        }
        self.selected(organisation, selection, page, Some(Of::Former(&former))).await
    }

    /// Those of an environment, if one is meant.
    async fn selected(
        &self,
        organisation: &OrganisationId,
        selection: &EventSelection,
        page: &Page,
        of: Option<Of<'_>>,
    ) -> Result<Paged<WrittenEvent>, Error> {
        let limit = page.rows();
        if of.is_none() && !selection.kinds.is_empty() {
            return self.of_kinds(organisation, selection, page).await;
        }
        let mut query = Query::new(
            "SELECT id, at, who, origin, kind, environment, about, detail FROM events
             WHERE organisation = $1",
            values![&organisation.0],
        );
        match of {
            None => {}
            Some(Of::Present(name)) => {
                query.with(
                    "AND environment_id = (SELECT id FROM environments WHERE name = $?",
                    name.to_owned(),
                );
                query.then("AND organisation = $1)");
            }
            Some(Of::Former(ids)) => {
                let ids = ids.iter().map(String::as_str).collect();
                query.with_all("AND environment_id IN $?", ids);
            }
        }
        if let Some(since) = selection.since {
            query.with("AND at >= $?", since);
        }
        if let Some(before) = selection.before {
            query.with("AND at < $?", before);
        }
        if let Some(after) = &page.after {
            query.with("AND id < $?", after);
        }
        if !selection.kinds.is_empty() {
            let kinds = selection.kinds.iter().map(|it| it.as_str()).collect();
            query.with_all("AND kind IN $?", kinds);
        }
        query.then(&format!("ORDER BY id DESC LIMIT {}", limit + 1));
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let rows = rows.iter().map(written).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &WrittenEvent| it.id.clone()))
    }

    /// Those of some kinds, wherever they were: the latest of each, of which the latest are told. Of all
    /// that happened since yesterday, most is of one kind, and often of none of these.
    async fn of_kinds(
        &self,
        organisation: &OrganisationId,
        selection: &EventSelection,
        page: &Page,
    ) -> Result<Paged<WrittenEvent>, Error> {
        let limit = page.rows();
        let latest = format!("ORDER BY id DESC LIMIT {}", limit + 1);
        let mut query = Query::new(
            "SELECT id, at, who, origin, kind, environment, about, detail FROM events
             WHERE organisation = $1 AND id IN (",
            values![&organisation.0],
        );
        for (number, kind) in selection.kinds.iter().enumerate() {
            query.then(if number == 0 { "" } else { "UNION ALL" });
            let one = "SELECT id FROM (SELECT id FROM events WHERE organisation = $1 AND kind = $?";
            query.with(one, kind.as_str());
            if let Some(since) = selection.since {
                query.with("AND at >= $?", since);
            }
            if let Some(before) = selection.before {
                query.with("AND at < $?", before);
            }
            if let Some(after) = &page.after {
                query.with("AND id < $?", after);
            }
            query.then(&format!("{latest}) AS kind_{number}"));
        }
        query.then(&format!(") {latest}"));
        let (sql, values) = query.into_parts();
        let rows = self.db.few(sql, values).await?;
        let rows = rows.iter().map(written).collect::<Result<_, _>>()?;
        Ok(Paged::of(rows, limit, |it: &WrittenEvent| it.id.clone()))
    }
}

/// Which environment is meant.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// The one of this name.
    Present(&'a str),
    /// Those that are not there any more, by id.
    Former(&'a [String]),
}

/// A row with an event's columns.
pub(crate) fn read(row: &Row) -> Result<Event, Error> {
    event(written(row)?)
}

fn written(row: &Row) -> Result<WrittenEvent, Error> {
    let kind = row.word("kind")?;
    Ok(WrittenEvent {
        id: row.text("id")?,
        act: Act { who: row.text("who")?, origin: row.text("origin")?, at: row.moment("at")? },
        kind: EventKind::parse(kind)
            .ok_or_else(|| corrupt("column kind", format!("`{kind}` is no kind of event")))?,
        environment: row.maybe_text("environment")?,
        about: row.text("about")?,
        detail: RawValue::from_string(row.text("detail")?)
            .map_err(|error| corrupt("column detail", error.to_string()))?,
    })
}

fn event(it: WrittenEvent) -> Result<Event, Error> {
    let WrittenEvent { id, act, kind, environment, about, detail } = it;
    let detail = serde_json::from_str(detail.get())
        .map_err(|error| corrupt("column detail", error.to_string()))?;
    Ok(Event { id, act, kind, environment, about, detail })
}

fn corrupt(what: &str, why: String) -> Error {
    Error::Corrupt { what: what.to_owned(), why }
}
