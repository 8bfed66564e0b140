//! Package sets written down: each once, whoever has it.

use std::collections::{HashMap, HashSet};

use futures_util::StreamExt as _;
use model::Distro;

use super::pack::{self, Entry, PackageSet, deflated};
use crate::contract::Error;
use crate::db::{Db, Query, Row, Sql, Tx, Value, placeholders, runs, values};
use crate::retention::SETS;

/// A set that is to be there; made ready already, where it was not there when we looked.
pub(super) struct Wanted {
    set: PackageSet,
    ready: Option<Ready>,
}

/// What is written down of a set.
#[derive(Clone)]
struct Ready {
    deflated: Vec<u8>,
    entries: Vec<Entry>,
}

impl Ready {
    fn of(set: &PackageSet) -> Result<Self, Error> {
        let deflated = deflated(&set.body).map_err(|error| unfit(&error))?;
        Ok(Self { deflated, entries: set.entries().map_err(|error| unfit(&error))? })
    }
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
        // Of several images in one go, the first is enough.
        let ready = there.insert(set.hash.clone()).then(|| Ready::of(&set)).transpose()?;
        Ok(Wanted { set, ready })
    });
    wanted.collect()
}

/// The numbers of the sets, in their order; those that are not there are added.
pub(super) async fn put(tx: &mut Tx, wanted: &[Wanted]) -> Result<Vec<i64>, Error> {
    // Everybody adds in one order, so that no two wait for each other.
    let mut order: Vec<&Wanted> = wanted.iter().collect();
    order.sort_by(|left, right| {
        (&left.set.hash, left.ready.is_none()).cmp(&(&right.set.hash, right.ready.is_none()))
    });
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
        let ready = match &wanted.ready {
            Some(ready) => ready.clone(),
            None => Ready::of(&wanted.set)?,
        };
        let sql = "INSERT INTO package_sets (hash, body) VALUES ($1, $2)
                   ON CONFLICT (hash) DO NOTHING RETURNING id";
        let number = if let Some(row) = tx.row(sql, values![hash, ready.deflated]).await? {
            let number = row.int("id")?;
            added.push((number, ready.entries));
            number
        } else {
            // Somebody else has added it, with all it holds, since we looked.
            let rows = known(tx, "package_sets", &[hash]).await?;
            rows.first().ok_or(Error::Gone("package set"))?.int("id")?
        };
        numbers.insert(hash, number);
    }
    let entries = added.iter().flat_map(|(_, entries)| entries);
    let packages = put_packages(tx, entries).await?;
    let pairs = added.iter().flat_map(|(number, entries)| {
        let packages = entries.iter().filter_map(|it| packages.get(it.hash.as_str()));
        packages.map(|package| (*number, *package))
    });
    put_members(tx, &pairs.collect::<Vec<_>>()).await?;
    Ok(wanted.iter().filter_map(|it| numbers.get(it.set.hash.as_str()).copied()).collect())
}

/// Says which sets have which packages.
async fn put_members(tx: &mut Tx, pairs: &[(i64, i64)]) -> Result<(), Error> {
    insert(tx, "set_packages (package_set, package)", 2, pairs, |(set, package)| {
        values![*set, *package]
    })
    .await
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
    let columns = "packages (hash, purl, source, kind, source_version, author, owner)";
    insert(tx, columns, 7, &new, |it| {
        values![
            &it.hash,
            &it.purl,
            it.source.as_deref(),
            it.kind,
            it.source_version.as_deref(),
            it.author.as_deref(),
            it.owner.as_deref(),
        ]
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

/// Puts into columns what matching reads, of packages and images that were kept by whoever knew no such
/// columns. A set that cannot be read stays as it is, and whoever needs it is told so.
pub(crate) async fn fill_in(tx: &mut Tx) -> Result<(), Error> {
    const PART: usize = 100;
    if is_filled_in(tx).await? {
        return Ok(());
    }
    tx.lock(SETS, true).await?;
    let sql = "SELECT DISTINCT s.package_set AS id FROM packages p CROSS JOIN set_packages s
               WHERE s.package = p.id AND p.kind IS NULL ORDER BY s.package_set";
    for part in numbers(tx, sql).await?.chunks(PART) {
        let mut query = Query::new("SELECT id, body FROM package_sets WHERE", vec![]);
        query.with_all("id IN $? ORDER BY id", part.to_vec());
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            let Ok(packages) = pack::packages(&row.blob("body")?) else { continue };
            let set = row.int("id")?;
            let entries = pack::entries(&packages);
            tx.run("DELETE FROM set_packages WHERE package_set = $1", values![set]).await?;
            let numbers = put_packages(tx, entries.iter()).await?;
            let pairs: Vec<(i64, i64)> = numbers.into_values().map(|it| (set, it)).collect();
            put_members(tx, &pairs).await?;
        }
    }
    tx.run(
        "DELETE FROM packages WHERE kind IS NULL AND NOT EXISTS
             (SELECT 1 FROM set_packages s WHERE s.package = packages.id)",
        vec![],
    )
    .await?;
    let sql = "SELECT image AS id FROM inventories WHERE distro IS NULL ORDER BY image";
    for part in numbers(tx, sql).await?.chunks(PART) {
        let mut query = Query::new("SELECT image, head FROM inventories WHERE", vec![]);
        query.with_all("image IN $?", part.to_vec());
        let (sql, values) = query.into_parts();
        for row in &tx.rows(sql, values).await? {
            let Ok(distro) = pack::distro(&row.blob("head")?) else { continue };
            let values = values![row.int("image")?, distro_text(distro.as_ref())?];
            tx.run("UPDATE inventories SET distro = $2 WHERE image = $1", values).await?;
        }
    }
    Ok(())
}

/// Is there nothing to fill in?
pub(crate) async fn is_filled_in(tx: &mut Tx) -> Result<bool, Error> {
    let sql = "SELECT 1 AS id WHERE EXISTS (SELECT 1 FROM packages WHERE kind IS NULL)
               OR EXISTS (SELECT 1 FROM inventories WHERE distro IS NULL)";
    Ok(tx.row(sql, vec![]).await?.is_none())
}

/// Is there something to fill in, and can it be read?
pub(crate) async fn can_fill_in(tx: &mut Tx) -> Result<bool, Error> {
    if is_filled_in(tx).await? {
        return Ok(false);
    }
    let sql = "SELECT id FROM packages WHERE kind IS NULL AND NOT EXISTS
                   (SELECT 1 FROM set_packages s WHERE s.package = packages.id) LIMIT 1";
    if tx.row(sql, vec![]).await?.is_some() {
        return Ok(true);
    }
    let sets = "SELECT body FROM package_sets WHERE id IN
                    (SELECT s.package_set FROM packages p CROSS JOIN set_packages s
                     WHERE s.package = p.id AND p.kind IS NULL)";
    let mut rows = tx.stream(sets.to_owned());
    while let Some(row) = rows.next().await {
        if pack::packages(&row?.blob("body")?).is_ok() {
            return Ok(true);
        }
    }
    drop(rows);
    let images = "SELECT head FROM inventories WHERE distro IS NULL";
    let mut rows = tx.stream(images.to_owned());
    while let Some(row) = rows.next().await {
        if pack::distro(&row?.blob("head")?).is_ok() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn numbers(tx: &mut Tx, sql: &'static str) -> Result<Vec<i64>, Error> {
    tx.rows(sql, vec![]).await?.iter().map(|it| it.int("id")).collect()
}

/// A distribution, or none, as its column has it.
pub(super) fn distro_text(distro: Option<&Distro>) -> Result<String, Error> {
    serde_json::to_string(&distro).map_err(|error| unfit(&error))
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
