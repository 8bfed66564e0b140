//! What happened already, first things first: the list is the other way round, so it is gone through
//! to its end, and then back, with a part of it in hand at a time.

use std::collections::HashSet;

use api::{Event, Page};

use crate::asking::PART;

/// Of so many that were told last it is known which they are: they may be told again by whoever
/// listened before.
const KNOWN: usize = 50_000;

/// Tells up to `most` of them, and says which were told last; nothing where nobody reads any more.
/// `part` asks for so many behind a place.
pub(super) async fn tell(
    mut part: impl AsyncFnMut(Option<String>, u32) -> anyhow::Result<Page<Event>>,
    most: u32,
    mut tell: impl FnMut(&Event) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<HashSet<String>>> {
    let mut stretches = Vec::new();
    let mut held = Vec::new();
    let (mut left, mut after) = (most, None);
    while left > 0 {
        let mut page = part(after.clone(), left.min(PART)).await?;
        page.items.truncate(left as usize);
        let (Some(first), Some(last)) = (page.items.first(), page.items.last()) else { break };
        let (first, last) = (first.id.clone(), last.id.clone());
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        stretches.push(Stretch { after: after.clone(), first, last, events: page.items.len() });
        held = page.items;
        // Whoever sends us back to where we were would have us go round for ever.
        if page.next.is_none() || page.next == after {
            break;
        }
        after = page.next;
    }
    let mut to_come: usize = stretches.iter().map(|it| it.events).sum();
    let mut known = HashSet::new();
    while let Some(stretch) = stretches.pop() {
        if held.is_empty() {
            held = stretch.read(&mut part).await?;
        }
        for event in held.drain(..).rev() {
            if !tell(&event)? {
                return Ok(None);
            }
            if to_come <= KNOWN {
                known.insert(event.id);
            }
            to_come = to_come.saturating_sub(1);
        }
    }
    Ok(Some(known))
}

/// A part of the list, by where it began and ended when it was first seen.
struct Stretch {
    after: Option<String>,
    first: String,
    last: String,
    events: usize,
}

impl Stretch {
    /// It once more. What came in between meanwhile is told by whoever listens.
    async fn read(
        &self,
        part: &mut impl AsyncFnMut(Option<String>, u32) -> anyhow::Result<Page<Event>>,
    ) -> anyhow::Result<Vec<Event>> {
        let mut events = Vec::with_capacity(self.events);
        let mut after = self.after.clone();
        loop {
            let page = part(after.clone(), PART).await?;
            let reached = page.items.last().is_none_or(|it| it.id <= self.last);
            let is_of_it = |it: &Event| it.id >= self.last && it.id <= self.first;
            events.extend(page.items.into_iter().filter(is_of_it));
            if reached || page.next.is_none() || page.next == after {
                return Ok(events);
            }
            after = page.next;
        }
    }
}

#[cfg(test)]
mod tests;
