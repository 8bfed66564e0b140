//! `cargo xtask quality`: labelled cases through feeds, almanac and matching, counted.

use crate::run::run;

pub(crate) fn quality(arguments: &[String]) -> anyhow::Result<()> {
    let mut words = vec!["run", "--quiet", "--package", "engine", "--example", "quality", "--"];
    words.extend(arguments.iter().map(String::as_str));
    run("cargo", &words)
}
