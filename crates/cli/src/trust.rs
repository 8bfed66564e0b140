//! Whose attested SBOM is taken in place of an image's layers: settled by whoever runs the command.

use image::Trust;

use crate::failure::Failure;
use crate::{Context, config, keys};

/// The word for whatever nobody has signed.
const UNSIGNED: &str = "unsigned";
/// Keys that are tried.
const KEYS: usize = 32;

/// Whom the user trusts. It is asked by those who wait already, and a key may be at a URL.
pub(crate) fn of(context: &Context) -> anyhow::Result<Trust> {
    let said = match context.environment.sbom_trust()? {
        Some(said) => Some(said),
        None => config::settled(&context.environment, "sbom-trust")?,
    };
    let Some(said) = said else { return Ok(Trust::default()) };
    let read = || read(context, &said);
    let done = std::thread::scope(|scope| scope.spawn(read).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The same in words that mean the same wherever commands are run.
pub(crate) fn settled(said: &str) -> std::io::Result<String> {
    let names = said.split(',').map(str::trim).filter(|it| !it.is_empty()).map(|name| {
        if name == UNSIGNED || name.contains("://") {
            return Ok(name.to_owned());
        }
        Ok(std::path::absolute(name)?.display().to_string())
    });
    Ok(names.collect::<std::io::Result<Vec<_>>>()?.join(","))
}

fn read(context: &Context, said: &str) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    for name in said.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        if name == UNSIGNED {
            trust.unsigned = true;
            continue;
        }
        if trust.keys.len() == KEYS {
            let what = format!("cannot trust whom FORETOP_SBOM_TRUST names: over {KEYS} keys");
            return Err(Failure::error(what, "name those that sign what you run"));
        }
        trust.keys.push((name.to_owned(), keys::named(context, name)?));
    }
    Ok(trust)
}
