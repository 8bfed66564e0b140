//! Fixes of one flaw for several builds of one package: which of them is about the one installed.

use crate::decide::{Opinion, Outcome};
use crate::scope::Elsewhere;

/// Some who publish about modules name no stream: `nodejs` has a fix in 18 and one in 20. Where one
/// of them is of the stream that is installed, by the first number of its version, the others are not
/// about this package.
pub(crate) fn choose_stream(voice: &mut [Opinion<'_>]) {
    let number = |version: &str| -> Option<u64> {
        let version = version.split_once(':').map_or(version, |(_, it)| it);
        version.split(['.', '-']).next()?.parse().ok()
    };
    let is_modular = |it: &str| it.contains(".module+") || it.contains(".module_");
    let fixed_in = |it: &Opinion<'_>| -> Option<u64> {
        let fix = it.row.stretches.iter().find_map(|it| it.to.as_ref())?.version;
        number(fix).filter(|_| it.row.module.is_none() && is_modular(fix))
    };
    let fits = |it: &Opinion<'_>| {
        let version = it.named.version.text();
        is_modular(version).then(|| Some(fixed_in(it)? == number(version)?)).flatten()
    };
    if voice.iter().any(|it| fits(it) == Some(true)) {
        for opinion in voice.iter_mut() {
            if fits(opinion) == Some(false) {
                opinion.outcome = Outcome::Elsewhere(Elsewhere::Stream);
            }
        }
    }
}

/// Enterprise Linux mends a flaw a time for each minor release: glibc in `2.28-236.el8_9.13`, and, for
/// those who have gone on, in `2.28-251.el8_10.1`. Where one of the errata is of the minor release that
/// the package was built for, the others are not about this package.
pub(crate) fn choose_minor(voice: &mut [Opinion<'_>]) {
    let fits = |it: &Opinion<'_>| Some(fixed_for(it)? == minor(it.named.version.text())?);
    let own: Vec<String> = voice
        .iter()
        .filter(|it| fits(it) == Some(true))
        .map(|it| it.named.name.to_string())
        .collect();
    for opinion in voice.iter_mut() {
        if fits(opinion) == Some(false) && own.iter().any(|it| *it == opinion.named.name) {
            opinion.outcome = Outcome::Elsewhere(Elsewhere::Minor);
        }
    }
}

/// The minor release that the row's fix was built for, where that is all that the row says.
fn fixed_for<'w>(opinion: &Opinion<'w>) -> Option<&'w str> {
    let row = opinion.row;
    let [stretch] = &row.stretches[..] else { return None };
    let is_plain = stretch.from.is_none() && row.versions.is_empty();
    let is_compared = matches!(opinion.outcome, Outcome::Affected(_) | Outcome::Outside);
    let fix = stretch.to.as_ref().filter(|it| is_plain && is_compared && !it.included)?;
    minor(fix.version)
}

/// `8_9` of `2.28-236.el8_9.13`. A module's `module_el8.9.0` does not count: what did not change is
/// not built again for the next minor release.
fn minor(version: &str) -> Option<&str> {
    let (_, tag) = version.rsplit_once(".el")?;
    let (release, rest) = tag.split_once('_')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    (is_number(release) && digits > 0).then(|| tag.get(..release.len() + 1 + digits))?
}
