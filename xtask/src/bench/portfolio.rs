//! How a portfolio grows: of a thousand, ten thousand and a hundred thousand images that are made up.

use crate::run::{output, run, target};

const SIZES: [&str; 3] = ["1000", "10000", "100000"];

/// The section, measured.
pub(crate) fn section() -> anyhow::Result<String> {
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
    let cores = output("nproc", &[] as &[&str])?;
    Ok(format!(
        "{cores} cores; nothing beside us does this.

Images are made up: 40 bases of 80 to 400 packages from eight releases of distributions, each built anew eight times; applications of 20 images each, half of them with 5 to 60 sources more of the distribution, all with 50 to 800 packages of npm, PyPI, Maven or Go drawn by popularity in one of twelve versions; every other build has the dependencies of the one before, and the others a few that are newer.
The last six builds of each application run, in one or two of 60 environments.
The almanacs are made up too: some 180 000 advisories about packages, 250 000 ratings and as many forecasts; from one day to the next some 300 advisories are new or say something else, about 100 ratings change, and every forecast does.

*Memory* is what the portfolio holds by its own count, and what the process grew by; *changes* are told once for all images that have the same package, and reach so many environments.
*Where* is asked about 200 of the flaws that changed, in all images of an organisation that has nearly all; each time is the best of three, and that of the almanac the best of five.

| images | distinct packages | sets | packages of sets | to build | memory | process | judged again | changes | reached | new almanac, first time | again | where: median | where: slowest |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
{}

Bars (from the design): new advisories → affected environments ≤ 1 s, and where a flaw runs ≤ 10 ms, at 100 000 images.
",
        rows.join("\n")
    ))
}
