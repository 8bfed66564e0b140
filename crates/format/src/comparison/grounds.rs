//! What both sides stand on, in the overview of a comparison.

use std::fmt::Write as _;

use model::{Comparison, Side};
use serde::Serialize;

use super::page;
use crate::html;
use crate::page::Tally;
use crate::paint::Text;
use crate::report::Ground;

/// What both sides stand on; none of what is no image.
#[derive(Clone, Debug, Default)]
pub struct Grounds {
    /// Of what is looked at.
    pub after: Option<Ground>,
    /// Of what it is held against.
    pub before: Option<Ground>,
}

/// What a side stands on, for programs.
#[derive(Serialize)]
pub(super) struct GroundJson<'a> {
    /// Is it known, or known that there is none?
    known: bool,
    name: Option<&'a str>,
    found: &'a str,
    /// Of how many of its vulnerabilities it is known that the base brought them, by level.
    vulnerabilities: Option<std::collections::BTreeMap<&'static str, usize>>,
    doubts: &'a [String],
}

impl<'a> GroundJson<'a> {
    pub(super) fn of(it: &'a Ground) -> Self {
        let levels = |it: Tally| it.told().map(|(level, count)| (level.as_str(), count)).collect();
        Self {
            known: it.name.is_some() || it.is_scratch,
            name: it.name.as_deref(),
            found: &it.how,
            vulnerabilities: it.tally().map(levels),
            doubts: &it.doubts,
        }
    }
}

/// What a side stands on: as it was found, else as the image says of itself.
fn called<'a>(ground: Option<&'a Ground>, side: &'a Side) -> &'a str {
    ground.map_or_else(|| side.base.as_deref().unwrap_or_default(), Ground::called)
}

impl Grounds {
    /// The names of both bases, that of what is looked at first.
    pub(super) fn names(&self, comparison: &Comparison) -> (String, String) {
        let after = called(self.after.as_ref(), &comparison.after);
        (after.to_owned(), called(self.before.as_ref(), &comparison.before).to_owned())
    }

    /// How many vulnerabilities each base brought, where that is known of any, in columns so wide.
    pub(super) fn counts(&self, text: &mut Text<'_>, of: &Comparison, label: usize, width: usize) {
        let tally = |it: &Option<Ground>| it.as_ref().and_then(Ground::tally);
        let (after, before) = (tally(&self.after), tally(&self.before));
        if after.is_none() && before.is_none() {
            return;
        }
        text.padded("    vulnerabilities", label);
        text.bar();
        let mut side = |tally: Option<Tally>, is_last: bool| {
            let levels = page::levels(of).count() * 7;
            match tally {
                Some(tally) => {
                    for level in page::levels(of) {
                        text.push(" ");
                        text.cell(level, tally.count(level));
                        text.push(" ");
                    }
                }
                None => text.spaces(levels),
            }
            if is_last {
                text.trim();
                text.push("\n");
            } else {
                text.spaces(width.saturating_sub(levels));
                text.bar();
            }
        };
        side(after, false);
        side(before, true);
    }

    /// How they are known, and what does not hold.
    pub(super) fn tell(&self, text: &mut Text<'_>) {
        // Of two that are found in the same way it is said once.
        let after = self.after.as_ref();
        let same = |it: &&Ground| {
            after.is_none_or(|after| (&after.name, &after.how) != (&it.name, &it.how))
        };
        let mut is_told = false;
        for ground in after.into_iter().chain(self.before.as_ref().filter(same)) {
            let title = ground.name.as_ref().map(|it| format!("base image {it}"));
            ground.tell(text, title.as_deref().unwrap_or("base image"));
            is_told = true;
        }
        if is_told {
            text.push("\n");
        }
    }

    /// The row of a table in a comment.
    pub(super) fn markdown(&self, out: &mut String, comparison: &Comparison) {
        let cell = |ground: &Option<Ground>, side: &Side| {
            let mut cell = String::new();
            let name = called(ground.as_ref(), side);
            if !name.is_empty() {
                cell.push_str("<code>");
                html::push_code(&mut cell, name);
                cell.push_str("</code>");
            }
            let Some(ground) = ground else { return cell };
            if let Some(tally) = ground.tally() {
                cell.push_str("<br>");
                tally.told().for_each(|(level, count)| html::badge(&mut cell, level, count));
            }
            cell.push_str("<br>");
            html::push(&mut cell, &ground.how);
            for doubt in ground.doubts.iter().filter(|it| **it != ground.how).take(10) {
                cell.push_str("<br>:warning: ");
                html::push(&mut cell, doubt);
            }
            cell
        };
        let after = cell(&self.after, &comparison.after);
        let before = cell(&self.before, &comparison.before);
        if !(after.is_empty() && before.is_empty()) {
            let _ = writeln!(out, "<tr><td>base image</td><td>{after}</td><td>{before}</td></tr>");
        }
    }
}
