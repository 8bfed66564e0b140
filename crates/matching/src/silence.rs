//! A denial and a claim: is a version unaffected because somebody says so, or only because he who has
//! most say does not speak of it?

use almanac::{End, Stretch};
use model::Verdict;

use crate::decide::{Opinion, Outcome, Said};

/// A voice that says "affected", against those with more say.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) at: usize,
    /// They may have meant this version too.
    pub(crate) is_contested: bool,
}

/// A flaw of a package has a dozen rows. Of more than so many, each is not held against each: that
/// somebody claims it is then enough for not being at ease.
const MOST: usize = 1000;

/// Who is to be heard where the voice of number `at` denies. About a language's packages everybody
/// speaks of the same code, and what somebody leaves out may be what another one knows; a
/// distribution speaks for itself.
pub(crate) fn claim_against(opinions: &[Opinion<'_>], said: &[Said], at: usize) -> Option<Claim> {
    if said.get(at)?.0 != Verdict::NotInRange {
        return None;
    }
    let opinion = |it: &usize| opinions.get(*it);
    let later = said.iter().enumerate().skip(at + 1);
    let mut contested = None;
    for (number, (verdict, claims)) in later.take_while(|(_, it)| it.0 != Verdict::NotAffected) {
        let is_claim = *verdict == Verdict::Affected
            && claims.iter().filter_map(opinion).all(|it| it.voice.may_object());
        if !is_claim {
            continue;
        }
        if opinions.len() > MOST {
            return Some(Claim { at: number, is_contested: true });
        }
        let against: Vec<Vec<&Opinion<'_>>> =
            denials(said, at, number).map(|it| it.iter().filter_map(opinion).collect()).collect();
        let worth = |claim: &Opinion<'_>| against.iter().map(|it| word(it, claim).worth).min();
        match claims.iter().filter_map(opinion).filter_map(worth).max() {
            Some(Worth::Silent) => return Some(Claim { at: number, is_contested: false }),
            Some(Worth::Unclear) => {
                contested = contested.or(Some(Claim { at: number, is_contested: true }));
            }
            _ => {}
        }
    }
    contested
}

/// The denials from that voice on, up to that one.
pub(crate) fn denials(said: &[Said], from: usize, to: usize) -> impl Iterator<Item = &Vec<usize>> {
    let all = said.get(from..to).unwrap_or_default().iter();
    all.filter(|it| it.0 == Verdict::NotInRange).map(|(_, deciding)| deciding)
}

/// What "outside of my ranges" is worth where somebody with less say tells a range that the version
/// is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'r> {
    pub(crate) worth: Worth,
    /// The bound of those ranges by which that was seen.
    pub(crate) edge: Option<Edge<'r>>,
}

/// What that is worth, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Worth {
    /// It was meant: there is a fix before this version, or the flaw is said to begin behind it.
    Said,
    /// It may have been meant: the two disagree about where one range begins or ends.
    Unclear,
    /// It was not: the claim is about a range of its own, which the denial has nothing to do with.
    Silent,
}

/// A bound of the denier's ranges next to the version.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edge<'r> {
    /// Its first range begins there, behind the version.
    Begins(&'r End<'r>),
    /// The last of its ranges that lie before the version ends there.
    Ends(&'r End<'r>),
}

/// What `denial`, all rows by which one voice denies, is worth beside `claim`.
///
/// * Behind a fix, it is meant: versions that come later have it. Only a claim that begins anew there
///   knows of versions without it, and well only if it also knows where that is over.
/// * Behind a last version that is known to be affected, nobody says that the flaw is gone.
/// * Before the first range it is meant where the publisher says so, and else it may be that nobody
///   looked at versions that old. A claim about a range that is over before is about just those.
pub(crate) fn word<'w>(denial: &[&Opinion<'w>], claim: &Opinion<'w>) -> Word<'w> {
    const SAID: Word<'_> = Word { worth: Worth::Said, edge: None };
    let Some(key) = claim.named.version.key() else { return SAID };
    let Some((from, to)) = claimed(claim, key) else { return SAID };
    let stretches = || denial.iter().flat_map(|it| &it.row.stretches).filter(|it| is_sound(it));
    let ends = stretches().filter_map(|it| keyed(it.to.as_ref())).filter(|(end, _)| *end <= key);
    if let Some((end, edge)) = ends.max_by_key(|(end, _)| *end) {
        let worth = match from {
            Some(from) if from >= end && to.is_some() => Worth::Silent,
            Some(from) if from >= end => Worth::Unclear,
            _ if edge.included => Worth::Unclear,
            _ => Worth::Said,
        };
        return Word { worth, edge: Some(Edge::Ends(edge)) };
    }
    // Who lists versions one by one, without a range, has looked at each.
    let begins = stretches().filter_map(|it| keyed(it.from.as_ref()));
    let Some((begin, edge)) = begins.min_by_key(|(begin, _)| *begin) else { return SAID };
    let worth = if denial.iter().any(|it| it.voice.says_where_it_begins()) {
        Worth::Said
    } else if to.is_some_and(|it| it <= begin) {
        Worth::Silent
    } else {
        Worth::Unclear
    };
    Word { worth, edge: Some(Edge::Begins(edge)) }
}

fn keyed<'r>(end: Option<&'r End<'r>>) -> Option<(&'r [u8], &'r End<'r>)> {
    let end = end?;
    Some((end.key.as_deref()?, end))
}

/// Where the range begins and ends by which the version is affected.
type Claimed<'k> = (Option<&'k [u8]>, Option<&'k [u8]>);

fn claimed<'k>(claim: &'k Opinion<'_>, key: &'k [u8]) -> Option<Claimed<'k>> {
    let stretch = match claim.outcome {
        Outcome::Affected(None) => return Some((Some(key), Some(key))),
        Outcome::Affected(Some(at)) => claim.row.stretches.get(at)?,
        _ => return None,
    };
    Some((keyed(stretch.from.as_ref()).map(|it| it.0), keyed(stretch.to.as_ref()).map(|it| it.0)))
}

/// Does it begin before it ends?
fn is_sound(stretch: &Stretch<'_>) -> bool {
    let keys = [&stretch.from, &stretch.to].map(|it| it.as_ref().map(|it| it.key.as_deref()));
    match keys {
        [Some(None), _] | [_, Some(None)] => false,
        [Some(from), Some(to)] => from <= to,
        _ => true,
    }
}
