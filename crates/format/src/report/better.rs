//! better: what an image would stand on better, in a few lines beside others.

use crate::html;
use crate::paint::{Sign, Text};
use crate::recommendations::{Candidate, Recommendations};

/// What an image would stand on better, as far as that is known.
#[derive(Clone, Debug)]
pub enum Better {
    /// Somebody looked.
    Looked(Box<Recommendations>),
    /// Nobody can tell, for this reason.
    Unknown(String),
}

/// Columns left of the first line, where these rows are among others.
pub(super) const LABEL: usize = 25;
/// Reasons that are told of what is not known.
const REASONS: usize = 5;

impl Better {
    /// The same tag as it is now, and the best other one, where these are better.
    fn candidates(&self) -> impl Iterator<Item = (&'static str, &Candidate)> {
        let (refresh, update) = match self {
            Self::Looked(it) => (it.refresh.as_ref(), it.updates.first()),
            Self::Unknown(_) => (None, None),
        };
        let refresh = refresh.map(|it| ("Refreshed base image", it));
        refresh.into_iter().chain(update.map(|it| ("Updated base image", it)))
    }

    /// How long the longest name is.
    pub(super) fn longest(&self) -> usize {
        let lengths = self.candidates().map(|(_, it)| it.stand.name.chars().count());
        lengths.max().unwrap_or_default()
    }

    /// A row for each, and below it how it differs from what is used.
    pub(super) fn rows(&self, text: &mut Text<'_>, width: usize) {
        for (label, it) in self.candidates() {
            let delta = it.delta.as_delta();
            text.padded(&format!("  {label}"), LABEL);
            text.bar();
            text.push("  ");
            text.padded(&crate::list::shown(&it.stand.name), width);
            text.push("  ");
            text.bar();
            it.stand.vulnerabilities.write(text);
            text.push("\n");
            if !delta.is_empty() {
                text.padded("", LABEL);
                text.bar();
                text.spaces(width + 4);
                text.bar();
                text.push(&delta);
                text.push("\n");
            }
        }
    }

    /// What was looked at, where no row says it.
    fn said(&self) -> Vec<(Sign, String)> {
        let it = match self {
            Self::Looked(it) => it,
            Self::Unknown(why) => {
                return vec![(Sign::Unknown, format!("better base images not known: {why}"))];
            }
        };
        let mut said = Vec::new();
        let name = &it.base.name;
        match (&it.refresh, it.is_current) {
            (None, Some(true)) => {
                said.push((Sign::Good, format!("base image: {name} is up to date")));
            }
            (None, Some(false)) => {
                let says = format!("base image: {name} leads to a later image, which is no better");
                said.push((Sign::Same, says));
            }
            _ => {}
        }
        if it.updates.is_empty() {
            let says = "base image: no tag of the same family is known to be better";
            said.push((Sign::Same, says.to_owned()));
        }
        let unknown = it.gaps.iter().take(REASONS);
        said.extend(unknown.map(|it| (Sign::Unknown, format!("better base images: {it}"))));
        if it.gaps.len() > REASONS {
            let more = it.gaps.len() - REASONS;
            said.push((Sign::Unknown, format!("better base images: {more} more are not known")));
        }
        said
    }

    /// The same, in lines.
    pub(super) fn tell(&self, text: &mut Text<'_>) {
        for (sign, says) in self.said() {
            text.push("  ");
            text.sign(sign);
            text.push(" ");
            text.push_shown(&says);
            text.push("\n");
        }
    }

    /// The rows of a table in a comment.
    pub(super) fn markdown(&self, out: &mut String) {
        for (label, it) in self.candidates() {
            html::row(out, &label.to_lowercase(), |out| {
                html::push(out, &it.stand.name);
                out.push_str("<br>");
                it.stand.vulnerabilities.badges(out, it.delta);
            });
        }
        let said = self.said();
        if said.is_empty() {
            return;
        }
        html::row(out, "better base images", |out| {
            for (number, (_, says)) in said.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { "<br>" });
                html::push(out, says);
            }
        });
    }
}
