//! Links across layers: a database may be elsewhere than where it is claimed.

use std::collections::{HashMap, HashSet};

use model::{Gap, LayerInventory, Link};

use super::sight::Sight;
use super::{Missing, Seen, Stacked};
use crate::claims::{Claims, ancestors};

/// No honest chain of links is longer; Linux follows forty.
const HOPS: usize = 40;

/// Adds what hard links still hold, asks for what links lead to, and tells of those that lead
/// nowhere.
pub(super) fn follow<'a>(
    claims: &Claims,
    layers: &[Option<&'a LayerInventory>],
    sight: &Sight<'_>,
    seen: &mut Vec<Seen<'a>>,
    stacked: &mut Stacked,
) {
    let links: Vec<(usize, &'a Link)> = layers
        .iter()
        .enumerate()
        .filter_map(|(number, layer)| Some((number, (*layer)?)))
        .flat_map(|(number, layer)| layer.links.iter().map(move |it| (number, it)))
        .filter(|(number, link)| !sight.is_hidden(&link.path, *number))
        .collect();
    if links.is_empty() {
        return;
    }
    keep_other_names(layers, sight, &links, seen);

    let next: HashMap<&str, (usize, &Link)> =
        links.iter().map(|(layer, link)| (link.path.as_str(), (*layer, *link))).collect();
    let read: HashSet<(&str, &str)> = seen
        .iter()
        .flat_map(|it| [it.path, &it.evidence.path].map(|path| (path, &*it.evidence.cataloger)))
        .collect();
    let mut owners = Vec::new();
    for (layer, link) in &links {
        claims.claimants(&link.path, &mut owners);
        if owners.is_empty() {
            // A step on the way from another link.
            continue;
        }
        if !link.hard && !claims.is_literal(&link.path) {
            // Not a database in its own place: `python3-config` beside `python3`. What it leads to
            // is read under its own name, if it is anybody's; another pass would cost as much as
            // the first.
            continue;
        }
        let end = last((*layer, *link), &next);
        let target = end.1.target.as_str();
        let wanted = |owner: &u16| {
            let id = claims.cataloger(*owner).id;
            !read.contains(&(target, id)) && !read.contains(&(link.path.as_str(), id))
        };
        if !owners.iter().any(wanted) {
            continue;
        }
        match holder(end, &next, sight) {
            Some(layer) => stacked.missing.push(Missing {
                layer,
                path: target.to_owned(),
                pretend: link.path.clone(),
            }),
            // Links to nowhere are common. A hole is only one that stands, itself and not by way
            // of its directory, where a database should be.
            None if claims.is_literal(&link.path)
                && sight.holds(*layer, &link.path)
                && !sight.is_partial() =>
            {
                let why = format!("it is a link to {target}, which is not there");
                stacked.gaps.push(Gap::new(&link.path, why));
            }
            None => {}
        }
    }
    stacked.missing.sort();
    stacked.missing.dedup();
}

/// The last link in a chain, and its layer.
fn last<'a>(
    first: (usize, &'a Link),
    next: &HashMap<&str, (usize, &'a Link)>,
) -> (usize, &'a Link) {
    let step = |(_, link): &(usize, &'a Link)| next.get(link.target.as_str()).copied();
    let chain = std::iter::successors(Some(first), step);
    chain.take(HOPS).last().unwrap_or(first)
}

/// The layer to read the target of `link` from: the one that holds it, or that holds a link where
/// a directory above it should be.
fn holder(
    (layer, link): (usize, &Link),
    next: &HashMap<&str, (usize, &Link)>,
    sight: &Sight<'_>,
) -> Option<usize> {
    let target = link.target.as_str();
    if next.contains_key(target) {
        // A circle.
        return None;
    }
    // A hard link has the bytes of its own layer, even where that name is deleted later.
    let own = || (link.hard && sight.holds(layer, target)).then_some(layer);
    let mut names = std::iter::once(target).chain(ancestors(target));
    names.find_map(|it| sight.layer_of(it)).or_else(own)
}

/// What was read at a path that is deleted since, but has another name that is not.
fn keep_other_names<'a>(
    layers: &[Option<&'a LayerInventory>],
    sight: &Sight<'_>,
    links: &[(usize, &'a Link)],
    seen: &mut Vec<Seen<'a>>,
) {
    let mut names: HashMap<(usize, &str), &'a str> = HashMap::new();
    for (number, link) in links.iter().filter(|(_, link)| link.hard) {
        if sight.is_hidden(&link.target, *number) {
            names.entry((*number, &link.target)).or_insert(&link.path);
        }
    }
    if names.is_empty() {
        return;
    }
    for (number, layer) in layers.iter().enumerate() {
        for evidence in layer.map_or(&[][..], |it| &it.evidence) {
            if let Some(path) = names.get(&(number, evidence.path.as_str())) {
                seen.push(Seen { layer: number, path, evidence });
            }
        }
    }
}
