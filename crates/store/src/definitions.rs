//! Definitions: what rules and exceptions say, in a shape that others know, but for the environments that
//! they name; and how many an organisation may have of what it defines.

use model::OrganisationId;
use serde_json::{Value as Json, json};

use crate::contract::Error;
use crate::db::{Row, Tx, values};

/// Bytes in the longest one, as it is written.
pub(crate) const LONGEST: usize = 64 << 10;
/// The list of environments that is in one.
const ENVIRONMENTS: &str = "environments";

/// The one in a row.
pub(crate) fn read(row: &Row) -> Result<Json, Error> {
    let text = row.text("definition")?;
    serde_json::from_str(&text).map_err(|error| Error::Corrupt {
        what: "column definition".to_owned(),
        why: error.to_string(),
    })
}

/// The environments that it names.
pub(crate) fn environments(definition: &Json) -> impl Iterator<Item = &str> {
    let names = definition.get(ENVIRONMENTS).and_then(Json::as_array);
    names.into_iter().flatten().filter_map(Json::as_str)
}

/// Has an organisation room for one more in that table, where it may have so many?
pub(crate) async fn has_room(
    tx: &mut Tx,
    table: &str,
    organisation: &OrganisationId,
    most: i64,
) -> Result<bool, Error> {
    let sql = format!("SELECT COUNT(*) AS rows FROM {table} WHERE organisation = $1");
    let row = tx.row(sql, values![&organisation.0]).await?;
    Ok(row.map(|it| it.int("rows")).transpose()?.unwrap_or(0) < most)
}

/// An environment that is called otherwise from now on is still meant by all in that table.
pub(crate) async fn follow(
    tx: &mut Tx,
    table: &str,
    organisation: &OrganisationId,
    from: &str,
    to: &str,
) -> Result<(), Error> {
    let sql = format!("SELECT id, definition FROM {table} WHERE organisation = $1 ORDER BY id");
    for row in tx.rows(sql, values![&organisation.0]).await? {
        let mut definition = read(&row)?;
        let names = definition.get_mut(ENVIRONMENTS).and_then(Json::as_array_mut);
        let mut is_other = false;
        for name in names.into_iter().flatten().filter(|it| it.as_str() == Some(from)) {
            *name = json!(to);
            is_other = true;
        }
        if is_other {
            let sql = format!("UPDATE {table} SET definition = $2 WHERE id = $1");
            tx.run(sql, values![row.text("id")?, definition.to_string()]).await?;
        }
    }
    Ok(())
}
