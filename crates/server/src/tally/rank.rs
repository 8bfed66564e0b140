//! Which lines of a ledger somebody means, and in which order.

use std::cmp::Ordering;

use api::FlawsQuery;
use model::Level;

use super::ledger::{Ledger, Line, Part};
use super::told::{Flaw, Said};
use crate::refusal::Refusal;

/// By what lines are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    #[default]
    Severity,
    Flaw,
    Score,
    Epss,
    Images,
    Packages,
    Published,
}

/// Which lines are meant: those for which all of it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Meant {
    levels: Vec<Level>,
    epss: Option<f32>,
    exploited: bool,
    fixable: bool,
    in_use: bool,
    text: Option<String>,
    order: Order,
    is_turned: bool,
}

impl Meant {
    pub(crate) fn read(query: &FlawsQuery) -> Result<Self, Refusal> {
        let level = |word: &str| {
            let no = || Refusal::malformed("severity", format!("`{word}` is none"));
            Level::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(no)
        };
        let levels = query.severity.iter().flat_map(|it| it.split(','));
        let levels = levels.map(level).collect::<Result<_, _>>()?;
        if query.epss.is_some_and(|it| !(0.0..=1.0).contains(&it)) {
            return Err(Refusal::malformed("epss", "it is a number from 0 to 1"));
        }
        let text = query.text.as_deref().map(str::trim).filter(|it| !it.is_empty());
        if text.is_some_and(|it| it.chars().count() > 200) {
            return Err(Refusal::malformed("text", "it is longer than 200 letters"));
        }
        let sort = query.sort.as_deref().unwrap_or("-severity");
        let (word, is_turned) = sort.strip_prefix('-').map_or((sort, false), |it| (it, true));
        let order = match word {
            "severity" => Order::Severity,
            "flaw" => Order::Flaw,
            "score" => Order::Score,
            "epss" => Order::Epss,
            "images" => Order::Images,
            "packages" => Order::Packages,
            "published" => Order::Published,
            _ => return Err(Refusal::malformed("sort", format!("by `{word}` nothing is sorted"))),
        };
        Ok(Self {
            levels,
            epss: query.epss,
            exploited: query.exploited,
            fixable: query.fixable,
            in_use: query.in_use,
            text: text.map(str::to_lowercase),
            order,
            is_turned,
        })
    }

    /// Those of that part, in order: the first so many are in it, of all that are meant.
    pub(crate) fn of<'p>(
        &self,
        ledger: &Ledger,
        part: &'p Part,
        most: usize,
    ) -> (Vec<&'p Line>, usize) {
        if self.is_worst_first() && self.asks_for_levels_alone() {
            let all = Level::ALL.into_iter().filter(|it| self.is_of(*it));
            let all: Vec<&[Line]> = all.map(|it| part.of(it)).collect();
            let total = all.iter().map(|it| it.len()).sum();
            return (all.into_iter().flatten().take(most).collect(), total);
        }
        // Each package is looked at once, however many flaws it has.
        let called = self.text.as_deref().map(|text| {
            ledger.packs_that(|it| {
                has(&it.name, text) || it.purls.iter().any(|purl| has(purl.name(), text))
            })
        });
        let is_meant = |it: &&Line| self.means(ledger, it, called.as_deref());
        let mut lines: Vec<&Line> = part.lines().iter().filter(is_meant).collect();
        let total = lines.len();
        if self.is_worst_first() {
            lines.truncate(most);
            return (lines, total);
        }
        let by = |left: &&Line, right: &&Line| self.compare(ledger, left, right);
        if most < total && most > 0 {
            lines.select_nth_unstable_by(most - 1, by);
            lines.truncate(most);
        }
        lines.sort_unstable_by(by);
        (lines, total)
    }

    /// As lines are anyway.
    fn is_worst_first(&self) -> bool {
        self.order == Order::Severity && self.is_turned
    }

    fn asks_for_levels_alone(&self) -> bool {
        self.epss.is_none()
            && self.text.is_none()
            && !(self.exploited || self.fixable || self.in_use)
    }

    fn is_of(&self, level: Level) -> bool {
        self.levels.is_empty() || self.levels.contains(&level)
    }

    /// `called`: which packages are called as it is asked, by their number.
    fn means(&self, ledger: &Ledger, line: &Line, called: Option<&[bool]>) -> bool {
        let Some(flaw) = ledger.flaw(line) else { return false };
        self.is_of(line.level)
            && self.epss.is_none_or(|least| flaw.epss.is_some_and(|it| it >= least))
            && (!self.exploited || flaw.exploited || flaw.malicious)
            && (!self.fixable || line.fixable)
            // Of what nobody can tell it is not said that it is idle.
            && (!self.in_use || line.in_use != Some(false))
            && self.text.as_deref().is_none_or(|text| {
                has(&flaw.id, text)
                    || flaw.aliases.iter().any(|it| has(it, text))
                    || called.is_some_and(|called| {
                        let mut packs = line.found.iter().filter_map(|it| ledger.pack_of(*it));
                        packs.any(|it| called.get(it as usize).copied().unwrap_or_default())
                    })
            })
    }

    fn compare(&self, ledger: &Ledger, left: &Line, right: &Line) -> Ordering {
        let (Some(one), Some(other)) = (ledger.flaw(left), ledger.flaw(right)) else {
            return left.flaw.cmp(&right.flaw);
        };
        let likely = |left: Option<f32>, right: Option<f32>| rising(left).cmp(&rising(right));
        let bad = || badness(one, left).cmp(&badness(other, right));
        let order = match self.order {
            Order::Severity => bad(),
            Order::Flaw => one.id.cmp(&other.id),
            Order::Score => likely(left.score, right.score),
            Order::Epss => likely(one.epss, other.epss),
            Order::Images => left.images.cmp(&right.images),
            Order::Packages => left.found.len().cmp(&right.found.len()),
            Order::Published => one.published.cmp(&other.published),
        };
        let order = if self.is_turned { order.reverse() } else { order };
        order.then_with(|| bad().reverse()).then_with(|| one.id.cmp(&other.id))
    }
}

/// How bad a line is: of what is as bad, what is used in attacks, or more likely to be, is worse; then what
/// weighs more, and what is in more.
fn badness(flaw: &Flaw, line: &Line) -> (Level, bool, i32, i32, u64) {
    let is_exploited = flaw.exploited || flaw.malicious;
    (line.level, is_exploited, rising(flaw.epss), rising(line.score), line.images)
}

/// A number that grows with it; less than any where there is none.
fn rising(it: Option<f32>) -> i32 {
    let bits = it.unwrap_or(-1.0).to_bits().cast_signed();
    if bits < 0 { bits ^ i32::MAX } else { bits }
}

/// Puts lines into the order in which they are asked for most: the worst first.
pub(super) fn worst_first(told: &Said, lines: Vec<Line>) -> Vec<Line> {
    let key = |it: &Line| Some(badness(told.flaw(it.flaw)?, it));
    let id = |it: &Line| told.flaw(it.flaw).map(|it| &*it.id);
    let mut keyed: Vec<_> = lines.into_iter().map(|it| (key(&it), it)).collect();
    keyed.sort_unstable_by(|(one, left), (other, right)| {
        other.cmp(one).then_with(|| id(left).cmp(&id(right)))
    });
    keyed.into_iter().map(|(_, it)| it).collect()
}

/// Is that text in it, which has small letters alone?
fn has(name: &str, text: &str) -> bool {
    // As almost all names are.
    let is_small = name.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
    if is_small { name.contains(text) } else { name.to_lowercase().contains(text) }
}
