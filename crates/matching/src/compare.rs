//! A version against what a row says about versions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use almanac::{End, Row, Stretch};
use ecosystem::order::Order;

/// A version of a package, with its key.
pub(crate) struct Version<'q> {
    pub(crate) text: Option<Cow<'q, str>>,
    key: Result<Vec<u8>, Blind>,
    /// What the order says against it.
    pub(crate) complaint: Option<String>,
}

/// Why nothing can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blind {
    /// The package has no version.
    NoVersion,
    /// The package's version cannot be read.
    BadVersion,
    /// Nobody taught us the order of versions there.
    NoOrder,
    /// A version in the row cannot be read.
    BadBound,
    /// A range in the row ends before it begins.
    Backwards,
    /// The row itself cannot be read.
    Torn,
    /// Whether the package is of a module cannot be told.
    NoLabel,
    /// Versions of the package's channel run apart from those that the row states.
    OtherChannel,
}

impl Blind {
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::NoVersion => "the package has no version",
            Self::BadVersion => "the package's version cannot be read",
            Self::NoOrder => "the order of versions there is not known",
            Self::BadBound => "a version in the advisory cannot be read",
            Self::Backwards => "a range in the advisory ends before it begins",
            Self::Torn => "the almanac's entry is broken",
            Self::NoLabel => "the package was built for a module, and does not say of which stream",
            Self::OtherChannel => {
                "versions of the package's channel cannot be compared with those of the main one"
            }
        }
    }
}

/// Where a version lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the stretch of that number; `None`: it is listed by itself.
    In(Option<usize>),
    Out,
    Unknown(Blind),
}

impl<'q> Version<'q> {
    pub(crate) fn new(text: Option<Cow<'q, str>>, order: Option<&dyn Order>) -> Self {
        let Some(version) = &text else {
            return Self { text, key: Err(Blind::NoVersion), complaint: None };
        };
        let Some(order) = order else {
            return Self { text, key: Err(Blind::NoOrder), complaint: None };
        };
        let mut key = Vec::new();
        match order.key(version, &mut key) {
            Ok(()) => Self { text, key: Ok(key), complaint: None },
            Err(error) => {
                Self { text, key: Err(Blind::BadVersion), complaint: Some(error.why.to_owned()) }
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        self.key.as_deref().ok()
    }

    /// Where it lies in what the row says.
    pub(crate) fn place(&self, row: &Row<'_>) -> Place {
        let mut unknown = None;
        for (number, stretch) in row.stretches.iter().enumerate() {
            match self.is_in(stretch) {
                Ok(true) => return Place::In(Some(number)),
                Ok(false) => {}
                Err(blind) => unknown = unknown.or(Some(blind)),
            }
        }
        let listed = |it: &End<'_>| {
            self.text.as_deref() == Some(it.version)
                || matches!((it.key.as_deref(), self.key()), (Some(left), Some(right)) if left == right)
        };
        if row.versions.iter().any(listed) {
            return Place::In(None);
        }
        if !row.versions.is_empty()
            && let Err(blind) = self.key
        {
            unknown = unknown.or(Some(blind));
        }
        unknown.map_or(Place::Out, Place::Unknown)
    }

    fn is_in(&self, stretch: &Stretch<'_>) -> Result<bool, Blind> {
        if stretch.from.is_none() && stretch.to.is_none() {
            return Ok(true);
        }
        let key = self.key.as_deref().map_err(|it| *it)?;
        contains(stretch, key)
    }
}

fn contains(stretch: &Stretch<'_>, key: &[u8]) -> Result<bool, Blind> {
    let from = stretch.from.as_ref().map_or(Ok(true), |it| {
        let from = it.key.as_deref().ok_or(Blind::BadBound)?;
        Ok(key > from || (it.included && key == from))
    });
    let to = stretch.to.as_ref().map_or(Ok(true), |it| {
        let to = it.key.as_deref().ok_or(Blind::BadBound)?;
        Ok(key < to || (it.included && key == to))
    });
    match (from, to) {
        // Nobody can have meant that, so nobody knows what was meant.
        (Ok(false), _) | (_, Ok(false)) if is_backwards(stretch) => Err(Blind::Backwards),
        (Ok(false), _) | (_, Ok(false)) => Ok(false),
        (from, to) => Ok(from? && to?),
    }
}

fn is_backwards(stretch: &Stretch<'_>) -> bool {
    let (Some(from), Some(to)) = (&stretch.from, &stretch.to) else { return false };
    to.key.is_some() && to.key < from.key
}

/// The first version that is in no stretch of these rows any more; nothing where none is stated.
pub(crate) fn next_good<'r>(rows: &[&'r Row<'_>], version: &Version<'_>) -> Option<&'r End<'r>> {
    let mut key = version.key()?;
    let readable = |it: &Option<End<'_>>| it.as_ref().is_none_or(|it| it.key.is_some());
    let mut ahead: Vec<&'r Stretch<'r>> = rows
        .iter()
        .flat_map(|it| &it.stretches)
        .filter(|it| readable(&it.from) && readable(&it.to))
        .collect();
    // Those that begin first come last, so that they can be taken from the end.
    ahead.sort_by(|left, right| begin(right).cmp(&begin(left)));
    let mut ends: BTreeMap<&[u8], &'r End<'r>> = BTreeMap::new();
    let mut best: Option<&'r End<'r>> = None;
    loop {
        while let Some(stretch) = ahead.pop_if(|it| has_begun(it, key)) {
            if contains(stretch, key) == Ok(true) {
                let end = stretch.to.as_ref().filter(|it| !it.included)?;
                ends.entry(end.key.as_deref()?).or_insert(end);
            }
        }
        // Those that end here have been left.
        while ends.first_key_value().is_some_and(|(end, _)| *end <= key) {
            ends.pop_first();
        }
        let Some((end, next)) = ends.pop_first() else { return best };
        best = Some(next);
        key = end;
    }
}

fn begin<'s>(stretch: &'s Stretch<'_>) -> Option<(Option<&'s [u8]>, bool)> {
    stretch.from.as_ref().map(|it| (it.key.as_deref(), !it.included))
}

fn has_begun(stretch: &Stretch<'_>, key: &[u8]) -> bool {
    stretch.from.as_ref().is_none_or(|it| match it.key.as_deref() {
        Some(from) => key > from || (it.included && key == from),
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use almanac::{Almanac, Book as _, Builder};
    use model::{Advisory, Affected, Bound, Space, Span};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_next_good_version_is_in_no_stretch(
            ends in prop::collection::vec((0_u32..12, 0_u32..12, any::<bool>(), any::<bool>()), 0..7),
            start in 0_u32..12,
        ) {
            // An end at 0 is none.
            let end = |it: u32, included| {
                (it > 0).then(|| Bound { version: it.to_string(), included })
            };
            let mut affected = Affected::new(Space::of("npm"), "a");
            affected.spans = ends
                .iter()
                .map(|(from, to, first, last)| Span { from: end(*from, *first), to: end(*to, *last) })
                .collect();
            let mut builder = Builder::with_orders("osv", "npm", |_| ecosystem::order::find("dpkg"));
            builder.add(Advisory { affected: vec![affected], ..Advisory::default() });
            let almanac = Almanac::in_memory_with(
                builder.finish().unwrap().sheets,
                |_| ecosystem::order::find("dpkg"),
            );
            let mut rows = Vec::new();
            almanac.look_up(&Space::of("npm"), "a", &mut rows);

            // As slowly as it can be said: on to the nearest end of those that it is in, again and again.
            let holds = |it: u32| ends.iter().copied().filter(move |(from, to, first, last)| {
                (*from == 0 || it > *from || (*first && it == *from))
                    && (*to == 0 || it < *to || (*last && it == *to))
            });
            let (mut at, mut expect) = (start, None);
            while holds(at).next().is_some() {
                if holds(at).any(|(_, to, _, last)| to == 0 || last) {
                    expect = None;
                    break;
                }
                at = holds(at).map(|(_, to, _, _)| to).min().unwrap();
                expect = Some(at.to_string());
            }

            let order = ecosystem::order::find("dpkg");
            let version = Version::new(Some(start.to_string().into()), order);
            let rows: Vec<&Row<'_>> = rows.iter().collect();
            let found = next_good(&rows, &version).map(|it| it.version.to_owned());
            prop_assert_eq!(found, expect);
        }
    }
}
