//! `cargo xtask test`: everything that CI runs, in one command.

use crate::run::{has, run};
use crate::{codegen, needs, quality};

#[expect(clippy::print_stderr, reason = "a chore says what it leaves out")]
pub(crate) fn test(_: &[String]) -> anyhow::Result<()> {
    needs::install()?;
    run("cargo", &["fmt", "--all", "--check"])?;
    run("cargo", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])?;
    run("cargo", &["test", "--workspace", "--locked", "--no-fail-fast"])?;
    codegen::codegen(&["--check".to_owned()])?;
    quality::quality(&["--cases".to_owned()])?;
    if has("cargo-deny") {
        run("cargo", &["deny", "check", "bans", "licenses", "sources"])?;
    } else {
        eprintln!("left out: cargo-deny is not installed (`cargo install cargo-deny`)");
    }
    Ok(())
}
