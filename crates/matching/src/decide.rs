//! What a row means for a package, and who decides where several speak of one flaw.

use almanac::Row;
use model::{Package, Status, Verdict};

use crate::authority::Voice;
use crate::compare::{Blind, Place};
use crate::names::Named;
use crate::scope::{Elsewhere, Fit, Products, Scope};
use crate::silence::{self, Claim};
use crate::{builds, flaws, harmless};

/// What one row means for one package.
pub(crate) struct Opinion<'w> {
    pub(crate) named: &'w Named<'w>,
    pub(crate) row: &'w Row<'w>,
    pub(crate) voice: Voice<'w>,
    pub(crate) outcome: Outcome,
    /// It counts only where the same voice says nothing that fits better.
    pub(crate) is_fallback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By the stretch of that number, or because the version is listed.
    Affected(Option<usize>),
    NotAffected,
    Investigating,
    Outside,
    Withdrawn,
    Harmless(&'static str),
    Elsewhere(Elsewhere),
    /// What it says is only about other versions.
    OtherVersions,
    Blind(Blind),
}

/// What is decided about one flaw of one package.
pub(crate) struct Decision<'w> {
    /// All names of the flaw, the one it goes by first.
    pub(crate) flaw: Vec<String>,
    pub(crate) verdict: Verdict,
    /// Those with most say first.
    pub(crate) opinions: Vec<Opinion<'w>>,
    /// Numbers of those that decided; at least one.
    pub(crate) deciding: Vec<usize>,
    /// Numbers of those with more say that deny, against whom the ones that decided were heard.
    pub(crate) denying: Vec<usize>,
    /// Those that decided say that it is affected, and others with more say may have said that it is
    /// not: nothing can be told.
    pub(crate) is_contested: bool,
}

impl<'w> Decision<'w> {
    /// Those that decided.
    pub(crate) fn deciders(&self) -> impl Iterator<Item = &Opinion<'w>> {
        self.deciding.iter().filter_map(|it| self.opinions.get(*it))
    }

    /// The one to tell of: about the source, if there is one.
    pub(crate) fn first(&self) -> Option<&Opinion<'w>> {
        self.deciders().find(|it| it.named.is_source).or_else(|| self.deciders().next())
    }
}

/// What the row means for the package, and whether only as a fallback.
pub(crate) fn outcome(
    package: &Package,
    named: &Named<'_>,
    row: &Row<'_>,
    scope: &Scope<'_>,
    products: &Products,
) -> (Outcome, bool) {
    let fit = scope.fit(row, products);
    if let Fit::No(why) = fit {
        return (Outcome::Elsewhere(why), false);
    }
    let is_fallback = matches!(fit, Fit::Fallback | Fit::Unversioned(Blind::OtherChannel));
    if row.withdrawn {
        return (Outcome::Withdrawn, is_fallback);
    }
    if named.is_source
        && !named.is_own
        && let Some(why) = harmless::reason(package.purl.kind(), &named.name, package.purl.name())
    {
        return (Outcome::Harmless(why), is_fallback);
    }
    let place = match fit {
        Fit::Unversioned(blind) => {
            let all = row.stretches.iter().position(|it| it.from.is_none() && it.to.is_none());
            all.map_or(Place::Unknown(blind), |it| Place::In(Some(it)))
        }
        _ => named.version.place(row),
    };
    // Where a channel's versions begin somewhere, those behind that are its packages.
    let begins = |at: usize| row.stretches.get(at).is_some_and(|it| it.from.is_some());
    let is_of_channel = row.channel.is_some_and(|it| scope.tells_by_version(it))
        && matches!(place, Place::In(Some(at)) if begins(at));
    let is_fallback = is_fallback && !is_of_channel;
    let outcome = match (place, row.status) {
        (Place::In(at), Status::Affected) => Outcome::Affected(at),
        // A row that says more than could be read may say otherwise.
        _ if row.torn.is_some() => Outcome::Blind(Blind::Torn),
        (Place::In(_), Status::NotAffected) => Outcome::NotAffected,
        (Place::In(_), Status::UnderInvestigation) => Outcome::Investigating,
        (Place::Out, Status::Affected) => Outcome::Outside,
        (Place::Out, _) => Outcome::OtherVersions,
        // Whoever speaks of other versions as sound says nothing against this one.
        (Place::Unknown(_), Status::NotAffected) => Outcome::OtherVersions,
        (Place::Unknown(blind), _) => Outcome::Blind(blind),
    };
    (outcome, is_fallback)
}

/// Where the row's stretches begin and end.
fn versions<'r>(row: &'r Row<'_>) -> impl Iterator<Item = [Option<&'r str>; 2]> {
    row.stretches.iter().map(|it| [&it.from, &it.to].map(|it| it.as_ref().map(|it| it.version)))
}

/// Who decides: each voice says one thing, and the first that knows counts.
pub(crate) fn decide(mut opinions: Vec<Opinion<'_>>, is_system: bool) -> Decision<'_> {
    opinions.sort_by(|left, right| {
        (left.voice, left.row.id, &left.named.name)
            .cmp(&(right.voice, right.row.id, &right.named.name))
            // Who says more of a flaw than once does so in an order of no meaning.
            .then_with(|| versions(left.row).cmp(versions(right.row)))
            .then_with(|| left.row.advisory.cmp(&right.row.advisory))
    });
    for voice in opinions.chunk_by_mut(|left, right| left.voice == right.voice) {
        builds::choose_stream(voice);
        builds::choose_minor(voice);
        prefer_product(voice);
    }
    let mut said: Vec<Said> = Vec::new();
    let mut start = 0;
    for voice in opinions.chunk_by(|left, right| left.voice == right.voice) {
        let (verdict, deciding) = said_by(voice);
        said.push((verdict, deciding.into_iter().map(|it| it + start).collect()));
        start += voice.len();
    }
    const KNOWN: &[Verdict] = &[Verdict::Affected, Verdict::NotAffected, Verdict::NotInRange];
    const UNKNOWN: &[Verdict] = &[
        Verdict::CannotTell,
        Verdict::UnderInvestigation,
        Verdict::Harmless,
        Verdict::Withdrawn,
        Verdict::Elsewhere,
    ];
    // All who publish for a system speak for its vendor, and "not affected" is said with care.
    let vendors = said.iter().position(|it| is_system && it.0 == Verdict::NotAffected);
    let at = vendors
        .or_else(|| said.iter().position(|it| KNOWN.contains(&it.0)))
        .or_else(|| UNKNOWN.iter().find_map(|what| said.iter().position(|it| it.0 == *what)))
        .unwrap_or_default();
    let claim = if is_system { None } else { silence::claim_against(&opinions, &said, at) };
    let denying = match claim {
        Some(Claim { at: claim, .. }) => {
            silence::denials(&said, at, claim).flatten().copied().collect()
        }
        None => Vec::new(),
    };
    let is_contested = claim.is_some_and(|it| it.is_contested);
    let at = claim.map_or(at, |it| it.at);
    let (verdict, deciding) = said.into_iter().nth(at).unwrap_or((Verdict::Unheard, Vec::new()));
    let verdict = if is_contested { Verdict::CannotTell } else { verdict };
    let flaw = match deciding.first().and_then(|it| opinions.get(*it)) {
        Some(first) => flaws::called(opinions.iter().map(|it| it.row), first.row),
        None => Vec::new(),
    };
    Decision { flaw, verdict, opinions, deciding, denying, is_contested }
}

/// What a voice says, and by which of all opinions.
pub(crate) type Said = (Verdict, Vec<usize>);

/// "Not affected" of a system is not about what a layered product builds for itself under the same
/// name. Where the product says that its build is affected, and the package is not plainly the
/// system's, the product counts.
fn prefer_product(voice: &mut [Opinion<'_>]) {
    let is_of_product = |it: &Opinion<'_>| !it.row.products.is_empty();
    let hits = |it: &Opinion<'_>| matches!(it.outcome, Outcome::Affected(_) | Outcome::Blind(_));
    if !voice.iter().any(|it| is_of_product(it) && hits(it)) {
        return;
    }
    for it in voice.iter_mut().filter(|it| !is_of_product(it)) {
        let is_denial = it.outcome == Outcome::NotAffected;
        it.is_fallback |= is_denial && !is_systems_build(it.named.version.text());
    }
}

/// Is that a release as the system numbers its own, `1.0-3.el9_4.1`, and not `1.0-3.rhaos4.16.el9`?
fn is_systems_build(version: &str) -> bool {
    let release = version.rsplit_once('-').map_or(version, |(_, release)| release);
    let Some((number, system)) = release.split_once(".el") else { return false };
    let is_number =
        |it: &str| it.bytes().all(|it| it.is_ascii_digit() || matches!(it, b'.' | b'_'));
    is_number(number) && is_number(system)
}

/// A verdict, and the outcomes that lead to it.
type Saying = (Verdict, fn(Outcome) -> bool);

/// What one voice says, and by which of its rows.
fn said_by(voice: &[Opinion<'_>]) -> Said {
    const SPEAKING: [Saying; 5] = [
        (Verdict::NotAffected, |it| it == Outcome::NotAffected),
        (Verdict::Affected, |it| matches!(it, Outcome::Affected(_))),
        (Verdict::CannotTell, |it| matches!(it, Outcome::Blind(_))),
        (Verdict::UnderInvestigation, |it| it == Outcome::Investigating),
        (Verdict::NotInRange, |it| it == Outcome::Outside),
    ];
    const SILENT: [Saying; 3] = [
        (Verdict::Harmless, |it| matches!(it, Outcome::Harmless(_))),
        (Verdict::Withdrawn, |it| it == Outcome::Withdrawn),
        (Verdict::Elsewhere, |_| true),
    ];
    let numbers = |is: fn(Outcome) -> bool, is_fallback: Option<bool>| -> Vec<usize> {
        let fits = |it: &Opinion<'_>| {
            is(it.outcome) && is_fallback.is_none_or(|wanted| it.is_fallback == wanted)
        };
        (0..).zip(voice).filter(|(_, it)| fits(it)).map(|(number, _)| number).collect()
    };
    for is_fallback in [false, true] {
        for (verdict, is) in SPEAKING {
            let deciding = numbers(is, Some(is_fallback));
            if !deciding.is_empty() {
                return (verdict, deciding);
            }
        }
    }
    for (verdict, is) in SILENT {
        let deciding = numbers(is, None);
        if !deciding.is_empty() {
            return (verdict, deciding);
        }
    }
    (Verdict::Elsewhere, Vec::new())
}
