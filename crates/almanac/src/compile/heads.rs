//! What advisories say about themselves, as bytes, and which of it many of them share.

use std::collections::{BTreeSet, HashMap};

use crate::bytes::{put_blob, put_number};
use crate::moment::Moment;
use crate::record::{self, told};

use super::Told;
use super::pool::{Counts, Lists};
use super::rows::Numbers;

/// An advisory's own lists of numbers.
pub(super) struct Head<'a> {
    told: &'a Told<'a>,
    usual: &'a [String],
    ratings: Vec<u8>,
    weaknesses: Vec<u8>,
    names: Vec<u8>,
}

impl<'a> Head<'a> {
    pub(super) fn of(
        told: &'a Told<'a>,
        usual: &'a [String],
        numbers: &Numbers<'_>,
        names: &HashMap<&str, u32>,
    ) -> Self {
        let mut head =
            Self { told, usual, ratings: Vec::new(), weaknesses: Vec::new(), names: Vec::new() };
        for rating in &told.advisory.ratings {
            put_number(&mut head.ratings, numbers.pool.number(&record::rating_bytes(rating)));
        }
        for weakness in &told.advisory.weaknesses {
            put_number(&mut head.weaknesses, u64::from(*weakness));
        }
        let packages = told.affected.iter().filter_map(|it| names.get(&*it.package));
        let mut last = 0;
        for package in packages.collect::<BTreeSet<&u32>>() {
            put_number(&mut head.names, u64::from(package - last));
            last = *package;
        }
        head
    }

    pub(super) fn count(&self, counts: &mut Counts) {
        for list in [&self.ratings, &self.weaknesses, &self.names] {
            if !list.is_empty() {
                counts.add(list);
            }
        }
    }

    /// What goes by its name, where that is not just itself, and where its words are.
    pub(super) fn to_bytes(
        &self,
        numbers: &Numbers<'_>,
        lists: &Lists,
        about: Option<&[u8]>,
        text: Option<(u64, u64)>,
    ) -> Vec<u8> {
        let advisory = self.told.advisory;
        let (mut flags, mut out) = (0, Vec::new());
        if let Some(about) = about {
            flags |= told::ABOUT;
            put_blob(&mut out, about);
        }
        for (flag, names) in [(told::ALIASES, &*advisory.aliases), (told::BULLETINS, self.usual)] {
            if !names.is_empty() {
                flags |= flag;
                numbers.put_flaws(&mut out, names);
            }
        }
        if !advisory.related.is_empty() {
            flags |= told::RELATED;
            put_number(&mut out, advisory.related.len() as u64);
            for related in &advisory.related {
                put_number(&mut out, numbers.pool.number(related.as_bytes()));
            }
        }
        let published = advisory.published.as_deref().map(Moment::of);
        if let Some(published) = &published {
            flags |= told::PUBLISHED;
            published.put(&mut out);
        }
        for (flag, moment) in
            [(told::MODIFIED, &advisory.modified), (told::WITHDRAWN, &advisory.withdrawn)]
        {
            if let Some(moment) = moment {
                flags |= flag;
                Moment::of(moment).put_after(&mut out, published.as_ref());
            }
        }
        for (flag, list) in [
            (told::RATINGS, &self.ratings),
            (told::WEAKNESSES, &self.weaknesses),
            (told::NAMES, &self.names),
        ] {
            if !list.is_empty() {
                flags |= flag;
                lists.put(&mut out, list);
            }
        }
        if advisory.malicious {
            flags |= told::MALICIOUS;
        }
        with_text(flags, out, text)
    }
}

/// A head that says nothing but where its words are.
pub(super) fn bare(text: Option<(u64, u64)>) -> Vec<u8> {
    with_text(0, Vec::new(), text)
}

fn with_text(mut flags: u32, rest: Vec<u8>, text: Option<(u64, u64)>) -> Vec<u8> {
    if text.is_some() {
        flags |= told::TEXT;
    }
    let mut head = Vec::with_capacity(rest.len() + 8);
    put_number(&mut head, u64::from(flags));
    if let Some((block, at)) = text {
        put_number(&mut head, block);
        put_number(&mut head, at);
    }
    head.extend(rest);
    head
}

/// The bulletins that most of its rows have: they are told once.
pub(super) fn usual<'a>(told: &Told<'a>) -> &'a [String] {
    let mut counts: HashMap<&[String], usize> = HashMap::new();
    for row in &told.affected {
        *counts.entry(&row.bulletins).or_default() += 1;
    }
    let counts =
        counts.into_iter().filter(|(bulletins, count)| !bulletins.is_empty() && *count > 1);
    counts.max_by_key(|(it, count)| (*count, *it)).map_or(&[], |(it, _)| it)
}
