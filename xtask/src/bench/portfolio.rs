//! How a portfolio grows: of a thousand, ten thousand and a hundred thousand images that are made up.

use crate::run::{output, run, target};

const SIZES: [&str; 3] = ["1000", "10000", "100000"];

/// The section, measured.
pub(crate) fn section() -> anyhow::Result<String> {
    let before = load();
    let example = ["--package", "portfolio", "--example", "grow"];
    run("cargo", &[&["build", "--release", "--locked"], &example[..]].concat())?;
    let grow = target().join("release/examples/grow").display().to_string();
    let folder = target().join("bench/portfolio");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    fs_err::create_dir_all(&folder)?;
    let almanacs = folder.display().to_string();
    run(&grow, &["almanacs", &almanacs])?;
    let mut rows = Vec::new();
    for size in SIZES {
        rows.push(output(&grow, &[size, &almanacs])?);
    }
    let server = server(&almanacs)?;
    let told = told(&almanacs)?;
    let after = load();
    let cores = output("nproc", &[] as &[&str])?;
    Ok(format!(
        "{cores} cores; nothing beside us does this.
The machine's load average was {before} before, and {after} afterwards.

Images are made up: 40 bases of 80 to 400 packages from eight releases of distributions, each built anew eight times; applications of 20 images each, half of them with 5 to 60 sources more of the distribution, all with 50 to 800 packages of npm, PyPI, Maven or Go drawn by popularity in one of twelve versions; every other build has the dependencies of the one before, and the others a few that are newer.
The last six builds of each application run, in one or two of 60 environments.
The almanacs are made up too: some 180 000 advisories about packages, 250 000 ratings and as many forecasts; from one day to the next some 300 advisories are new or say something else, about 100 ratings change, and every forecast does.

*Memory* is what the portfolio holds by its own count, and what the process grew by; *changes* are told once for all images that have the same package, and reach so many environments.
*Where* is asked about 200 of the flaws that changed, in all images of an organisation that has nearly all; each time is the best of three, and that of the almanac the best of five.

| images | distinct packages | sets | packages of sets | to build | memory | process | judged again | changes | reached | new almanac, first time | again | where: median | where: slowest |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
{}

### Through a server

The same images as inventories in a database, and a server in front of it: SQLite in a file, and PostgreSQL beside us, which does not wait for disks.

*Filled* is the time to keep all inventories and record what runs; *begins* is the time of a process that begins until it holds everything that runs, and what it grew by; in brackets are the seconds of all cores of our process, without PostgreSQL's.
*Another almanac* is there at 0 s; then it is known what is different in which environments, then that is put into so many events, and then those are in the database with the fact that it was judged: medians of five.
*Where* is asked about up to 200 of the flaws that changed, over the API in the same process, with one deployment told of each package and with a hundred; the best of three each.
*Alone* asks as a command without a server does, which begins, asks the store by name, and goes.
All events of some whole environments (the first, and more as long as they have 500 images together) were compared with what judging each of their images anew by both almanacs says, and are the same.

| database | images | filled | begins | memory | events | another almanac: known | told | written | where, one each: median / slowest | a hundred each | alone |
|---|---|---|---|---|---|---|---|---|---|---|---|
{server}

### From a feed to a channel

`foretop serve` on a copy of the SQLite stores above, which refreshes its almanac from a mirror on the same machine once a second, tells by the rules of four channels of Slack, played by stand-ins (`cargo run --release -p server --example tell -- DIRECTORY IMAGES FORETOP`).
The clock starts when the mirror publishes an advisory, and stops when the last of those whom it is for has the message: seven advisories about a package that one image in one environment has, and seven about one that every eighth image has, in nearly all environments; median and slowest.
What each channel heard in the end is what is for its environment and its organisation, once, and nothing else: else the run fails.

| images | in one place | in every eighth image | memory of the server |
|---|---|---|---|
{told}

Bars (from the design): new advisories → affected environments ≤ 1 s, and where a flaw runs ≤ 10 ms, at 100 000 images.
",
        rows.join("\n")
    ))
}

/// The rows of a server's table.
fn server(almanacs: &str) -> anyhow::Result<String> {
    let example = ["--package", "server", "--example", "evaluate"];
    run("cargo", &[&["build", "--release", "--locked"], &example[..]].concat())?;
    let evaluate = target().join("release/examples/evaluate").display().to_string();
    let mut rows = Vec::new();
    for size in SIZES {
        for (database, name) in [("sqlite", "SQLite"), ("postgres", "PostgreSQL")] {
            if database == "postgres" && !super::has_postgres() {
                rows.push(format!("| {name} | {size} | it was not there |"));
                continue;
            }
            let row = output(&evaluate, &[almanacs, size, database])?;
            rows.push(format!("| {name} {}", row.trim()));
        }
    }
    Ok(rows.join("\n"))
}

/// The rows of the table of how long it takes until somebody is told.
fn told(almanacs: &str) -> anyhow::Result<String> {
    run("cargo", &["build", "--release", "--locked", "--package", "cli"])?;
    let example = ["--package", "server", "--example", "tell"];
    run("cargo", &[&["build", "--release", "--locked"], &example[..]].concat())?;
    let [tell, foretop] = ["examples/tell", "foretop"]
        .map(|it| target().join("release").join(it).display().to_string());
    let mut rows = Vec::new();
    for size in SIZES {
        rows.push(output(&tell, &[almanacs, size, &foretop])?.trim().to_owned());
    }
    Ok(rows.join("\n"))
}

/// How much else the machine did, by its own word.
fn load() -> String {
    let text = fs_err::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
