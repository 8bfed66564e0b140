//! The health score: a letter, and the sum it comes from.

use std::fmt;

use serde::Serialize;

use crate::contract::{Outcome, Verdict};

/// A letter for an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Score {
    /// `None`: no policy that counts has points.
    pub grade: Option<Grade>,
    /// The points of policies that are met, of a hundred; rounded down.
    pub percent: u32,
    /// The points of policies that are met.
    pub earned: u64,
    /// The points of all that count.
    pub possible: u64,
    /// How many policies are unknown: they count, and earn nothing.
    pub unknown: usize,
    /// How many do not apply: they count neither way.
    pub aside: usize,
    /// Each policy's part, in the order of the verdicts.
    pub parts: Vec<Part>,
}

/// What one policy brings to the sum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// The policy.
    pub id: String,
    /// Its points.
    pub points: u32,
    /// Whether it earns them.
    pub met: bool,
    /// Nobody can tell.
    pub unknown: bool,
    /// It could be about something in what was judged. If not, its points are in no sum.
    pub applies: bool,
}

/// From best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "a letter is a letter")]
pub enum Grade {
    A,
    B,
    C,
    D,
    E,
    F,
}

/// What must be exceeded, of a hundred.
const BOUNDS: [(u64, Grade); 5] =
    [(90, Grade::A), (70, Grade::B), (50, Grade::C), (30, Grade::D), (10, Grade::E)];

impl Score {
    /// Of an image's verdicts.
    pub fn of(verdicts: &[Verdict]) -> Self {
        let part = |it: &Verdict| Part {
            id: it.id.clone(),
            points: it.weight,
            met: it.outcome == Outcome::Met,
            unknown: it.applies && matches!(it.outcome, Outcome::Unknown { .. }),
            applies: it.applies,
        };
        let parts: Vec<Part> = verdicts.iter().map(part).collect();
        let applying = parts.iter().filter(|it| it.applies);
        let possible: u64 = applying.map(|it| u64::from(it.points)).sum();
        let earned: u64 = parts.iter().filter(|it| it.met).map(|it| u64::from(it.points)).sum();
        let exceeds = |bound: u64| earned * 100 > bound * possible;
        let grade =
            BOUNDS.iter().find(|(bound, _)| exceeds(*bound)).map_or(Grade::F, |(_, it)| *it);
        Self {
            grade: (possible > 0).then_some(grade),
            percent: (earned * 100).checked_div(possible).map_or(0, |it| it as u32),
            earned,
            possible,
            unknown: parts.iter().filter(|it| it.unknown).count(),
            aside: parts.iter().filter(|it| !it.applies).count(),
            parts,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// `D (33%): 30 of 90 points, 1 unknown`.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(grade) = self.grade else { return f.write_str("none: no policy has points") };
        write!(f, "{grade} ({}%): {} of {} points", self.percent, self.earned, self.possible)?;
        if self.unknown > 0 {
            write!(f, ", {} unknown", self.unknown)?;
        }
        if self.aside > 0 {
            write!(f, ", {} not applicable", self.aside)?;
        }
        Ok(())
    }
}
