//! How the API bears load: lists of companies that grow, asked for by many at once, on both databases.

use std::fmt::Write as _;

use anyhow::Context as _;

use crate::run::{output, run, target};

const SIZES: [&str; 3] = ["1000", "10000", "100000"];
/// For so many seconds each list is asked for.
const SECONDS: &str = "3";

/// What a list came to, at one size.
struct Row {
    database: String,
    size: String,
    list: String,
    cells: Vec<String>,
}

/// The section, measured.
pub(crate) fn section(foretop: &str) -> anyhow::Result<String> {
    let example = ["--package", "server", "--example", "load"];
    run("cargo", &[&["build", "--release", "--locked"], &example[..]].concat())?;
    let load = target().join("release/examples/load").display().to_string();
    let folder = target().join("bench/load");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    let mut text = String::new();
    let has_postgres = super::has_postgres();
    for database in ["sqlite", "postgres"].into_iter().filter(|it| *it == "sqlite" || has_postgres)
    {
        let at = folder.join(database);
        fs_err::create_dir_all(&at)?;
        let at = at.display().to_string();
        text.push_str(&output(&load, &[&[foretop, database, &at, SECONDS], &SIZES[..]].concat())?);
        text.push('\n');
    }
    let rows: Vec<Row> =
        text.lines().filter(|it| !it.is_empty()).map(row).collect::<Result<_, _>>()?;
    let cores = output("nproc", &[] as &[&str])?;
    let loads: Vec<&str> =
        rows.iter().filter_map(|it| it.cells.get(6)).map(String::as_str).collect();
    let load = |it: Option<&&str>| it.copied().unwrap_or("?").to_owned();
    let (begin, end) = (load(loads.first()), load(loads.last()));
    Ok(format!(
        "{cores} cores, which server, database and those who ask share; nothing beside us does this.
One-minute load average from {begin} at the beginning to {end} at the end, ours included.

Companies are made up: services that run in 10, 40 or 160 environments, each by one of eight tags, a tenth of which lead elsewhere by now; a third of what runs has replaced something; half of the images are analysed, with eight layers each.
Pages have 100 rows where there are as many.
Sixteen connections that stay ask for one list for {SECONDS} seconds, each time for another place of it: another environment or repository, or another of up to 64 pages spread over the list.
They say `Cache-Control: no-cache`, so each answer is made from the database, and is what a server gives that is written to all the time; *again* leaves that out, and *as tagged* asks with `If-None-Match`.
The server logs each request, as it does by itself; PostgreSQL runs beside it, on a socket.

Of each size: answers a second; milliseconds that half of them and 99 of 100 took at most; milliseconds of a core each took in the server, in PostgreSQL, and in those who ask.

{}{}
Bar (from the design): list pages ≥ 3 000 requests a second, 99 of 100 in ≤ 50 ms.
",
        table(&rows),
        if has_postgres { "" } else { "\nPostgreSQL was not there.\n" },
    ))
}

fn row(line: &str) -> anyhow::Result<Row> {
    let mut words = line.split('\t').map(str::to_owned);
    let mut next = || words.next().with_context(|| format!("this is no row: {line}"));
    let (database, size, list) = (next()?, next()?, next()?);
    Ok(Row { database, size, list, cells: words.collect() })
}

/// A line for each list on each database, with a few columns for each size.
fn table(rows: &[Row]) -> String {
    let mut text = "| database | list |".to_owned();
    for size in SIZES {
        let _ = write!(text, " {size}: a second | half, 99 of 100 | of a core |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|---|---|".repeat(SIZES.len()));
    text.push('\n');
    let mut done: Vec<(&str, &str)> = Vec::new();
    for one in rows {
        let key = (one.database.as_str(), one.list.as_str());
        if done.contains(&key) {
            continue;
        }
        done.push(key);
        let _ = write!(text, "| {} | {} |", one.database, one.list);
        for size in SIZES {
            let same =
                |it: &&Row| it.size == size && (it.database.as_str(), it.list.as_str()) == key;
            match rows.iter().find(same).map(|it| it.cells.as_slice()) {
                Some([rate, half, slow, server, database, us, ..]) => {
                    let _ = write!(
                        text,
                        " {rate} | {half}, {slow} ms | {server} + {database} + {us} ms |"
                    );
                }
                _ => text.push_str(" – | – | – |"),
            }
        }
        text.push('\n');
    }
    text
}
