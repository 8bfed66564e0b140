//! `cargo xtask codegen`: writes `docs/reference` from the registries and the command tree.

use crate::run::run;

pub(crate) fn codegen(arguments: &[String]) -> anyhow::Result<()> {
    let mut words = vec!["run", "--quiet", "--package", "cli", "--example", "codegen", "--"];
    words.extend(arguments.iter().map(String::as_str));
    run("cargo", &words)
}
