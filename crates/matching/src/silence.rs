//! A denial and a claim: is a version unaffected because somebody says so, or only because he who has
//! most say does not speak of it?

use almanac::{End, Stretch};

use crate::decide::{Opinion, Outcome};

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
///   knows of versions without it.
/// * Behind a last version that is known to be affected, nobody says that the flaw is gone.
/// * Before the first range it is meant where the publisher says so, and else it may be that nobody
///   looked at versions that old. A claim about a range that is over before is about just those.
pub(crate) fn word<'w>(denial: &[&Opinion<'w>], claim: &Opinion<'w>) -> Word<'w> {
    const SAID: Word<'_> = Word { worth: Worth::Said, edge: None };
    let Some(key) = claim.named.version.key() else { return SAID };
    let Some((from, to)) = claimed(claim, key) else { return SAID };
    let stretches = || denial.iter().flat_map(|it| &it.row.stretches).filter(|it| is_sound(it));
    let ends = stretches().filter_map(|it| keyed(&it.to)).filter(|(end, _)| *end <= key);
    if let Some((end, edge)) = ends.max_by_key(|(end, _)| *end) {
        let worth = match from {
            Some(from) if from >= end => Worth::Silent,
            _ if edge.included => Worth::Unclear,
            _ => Worth::Said,
        };
        return Word { worth, edge: Some(Edge::Ends(edge)) };
    }
    // Who lists versions one by one, without a range, has looked at each.
    let begins = stretches().filter_map(|it| keyed(&it.from));
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

fn keyed<'r>(end: &'r Option<End<'r>>) -> Option<(&'r [u8], &'r End<'r>)> {
    let end = end.as_ref()?;
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
    Some((keyed(&stretch.from).map(|it| it.0), keyed(&stretch.to).map(|it| it.0)))
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
