//! Package sets written down: each once, whoever has it.

use std::collections::{HashMap, HashSet};

use super::pack::{Entry, PackageSet, deflated};
use crate::contract::Error;
use crate::db::{Db, Query, Row, Sql, Tx, Value, placeholders, runs, values};

/// A set that is to be there; deflated already, where it was not there when we looked.
pub(super) struct Wanted {
    set: PackageSet,
    deflated: Option<Vec<u8>>,
}

/// Does the heavy part before anybody has to wait for it.
pub(super) async fn sets(db: &Db, sets: Vec<PackageSet>) -> Result<Vec<Wanted>, Error> {
    let hashes: Vec<&str> = sets.iter().map(|it| it.hash.as_str()).collect();
    let mut there = HashSet::new();
    for run in runs(&hashes) {
        let (sql, values) = by_hash("package_sets", &run);
        for row in db.rows(sql, values).await? {
            there.insert(row.text("hash")?);
        }
    }
    let wanted = sets.into_iter().map(|set| {
        let new = !there.contains(&set.hash);
        let deflated = new.then(|| deflated(&set.body)).transpose().map_err(|it| unfit(&it))?;
        Ok(Wanted { set, deflated })
    });
    wanted.collect()
}

/// The numbers of the sets, in their order; those that are not there are added.
pub(super) async fn put(tx: &mut Tx, wanted: &[Wanted]) -> Result<Vec<i64>, Error> {
    // Everybody adds in one order, so that no two wait for each other.
    let mut order: Vec<&Wanted> = wanted.iter().collect();
    order.sort_by(|left, right| left.set.hash.cmp(&right.set.hash));
    let mut numbers: HashMap<&str, i64> = HashMap::new();
    let mut added = Vec::new();
    let hashes: Vec<&str> = order.iter().map(|it| it.set.hash.as_str()).collect();
    for row in known(tx, "package_sets", &hashes).await? {
        let hash = row.text("hash")?;
        if let Some(wanted) = order.iter().find(|it| it.set.hash == hash) {
            numbers.insert(&wanted.set.hash, row.int("id")?);
        }
    }
    for wanted in order {
        let hash = wanted.set.hash.as_str();
        if numbers.contains_key(hash) {
            continue;
        }
        let body = match &wanted.deflated {
            Some(body) => body.clone(),
            None => deflated(&wanted.set.body).map_err(|error| unfit(&error))?,
        };
        let sql = "INSERT INTO package_sets (hash, body) VALUES ($1, $2)
                   ON CONFLICT (hash) DO NOTHING RETURNING id";
        let number = if let Some(row) = tx.row(sql, values![hash, body]).await? {
            let number = row.int("id")?;
            added.push((number, &wanted.set));
            number
        } else {
            // Somebody else has added it, with all it holds, since we looked.
            let rows = known(tx, "package_sets", &[hash]).await?;
            rows.first().ok_or(Error::Gone("package set"))?.int("id")?
        };
        numbers.insert(hash, number);
    }
    let entries = added.iter().flat_map(|(_, set)| &set.entries);
    let packages = put_packages(tx, entries).await?;
    for (number, set) in added {
        let pairs: Vec<(i64, i64)> = set
            .entries
            .iter()
            .filter_map(|it| packages.get(it.hash.as_str()))
            .map(|package| (number, *package))
            .collect();
        insert(tx, "set_packages (package_set, package)", 2, &pairs, |(set, package)| {
            values![*set, *package]
        })
        .await?;
    }
    Ok(wanted.iter().filter_map(|it| numbers.get(it.set.hash.as_str()).copied()).collect())
}

/// The numbers of packages by their hashes; those that are not there are added.
async fn put_packages<'a>(
    tx: &mut Tx,
    entries: impl Iterator<Item = &'a Entry>,
) -> Result<HashMap<&'a str, i64>, Error> {
    let mut entries: Vec<&Entry> = entries.collect();
    entries.sort();
    entries.dedup();
    let by_hash: HashMap<&str, &Entry> = entries.iter().map(|it| (it.hash.as_str(), *it)).collect();
    let hashes: Vec<&str> = entries.iter().map(|it| it.hash.as_str()).collect();
    let mut numbers = HashMap::new();
    let take = |rows: Vec<Row>, numbers: &mut HashMap<&'a str, i64>| -> Result<(), Error> {
        for row in rows {
            if let Some((hash, _)) = by_hash.get_key_value(row.text("hash")?.as_str()) {
                numbers.insert(*hash, row.int("id")?);
            }
        }
        Ok(())
    };
    take(known(tx, "packages", &hashes).await?, &mut numbers)?;
    let new: Vec<&Entry> =
        entries.into_iter().filter(|it| !numbers.contains_key(it.hash.as_str())).collect();
    insert(tx, "packages (hash, purl, source)", 3, &new, |it| {
        values![&it.hash, &it.purl, it.source.as_deref()]
    })
    .await?;
    let hashes: Vec<&str> = new.iter().map(|it| it.hash.as_str()).collect();
    take(known(tx, "packages", &hashes).await?, &mut numbers)?;
    let names: Vec<(&str, i64)> = new
        .iter()
        .filter_map(|it| Some((it, *numbers.get(it.hash.as_str())?)))
        .flat_map(|(it, number)| it.names.iter().map(move |name| (name.as_str(), number)))
        .collect();
    insert(tx, "package_names (name, package)", 2, &names, |(name, number)| {
        values![*name, *number]
    })
    .await?;
    Ok(numbers)
}

/// Says which sets an image has.
pub(super) async fn join(tx: &mut Tx, image: i64, sets: &[i64]) -> Result<(), Error> {
    let rows: Vec<(i64, i64)> = (0..).zip(sets.iter().copied()).collect();
    insert(tx, "image_sets (image, position, package_set)", 3, &rows, |(position, set)| {
        values![image, *position, *set]
    })
    .await
}

async fn known(tx: &mut Tx, table: &str, hashes: &[&str]) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::with_capacity(hashes.len());
    for run in runs(hashes) {
        let (sql, values) = by_hash(table, &run);
        rows.append(&mut tx.rows(sql, values).await?);
    }
    Ok(rows)
}

fn by_hash(table: &str, hashes: &[&str]) -> (Sql, Vec<Value>) {
    let mut query = Query::new(&format!("SELECT id, hash FROM {table}"), vec![]);
    query.with_all("WHERE hash IN $?", hashes.to_vec());
    query.into_parts()
}

/// Adds rows that are not there yet.
async fn insert<T: Clone>(
    tx: &mut Tx,
    table: &str,
    columns: usize,
    rows: &[T],
    row: impl Fn(&T) -> Vec<Value>,
) -> Result<(), Error> {
    for run in runs(rows) {
        let list = placeholders(0, run.len(), columns);
        let sql = format!("INSERT INTO {table} VALUES {list} ON CONFLICT DO NOTHING");
        tx.run(sql, run.iter().flat_map(&row).collect()).await?;
    }
    Ok(())
}

pub(super) fn unfit(error: &dyn std::fmt::Display) -> Error {
    Error::Corrupt { what: "inventory".to_owned(), why: error.to_string() }
}
