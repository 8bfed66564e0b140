//! Which lines of a ledger somebody means, and in which order.

use std::cmp::Ordering;

use api::FlawsQuery;
use model::Level;

use super::ledger::{Ledger, Line, Part};
use super::told::Flaw;
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
        let mut lines: Vec<&Line> = part.lines.iter().filter(|it| self.means(ledger, it)).collect();
        let total = lines.len();
        let by = |left: &&Line, right: &&Line| self.compare(ledger, left, right);
        if most < total && most > 0 {
            lines.select_nth_unstable_by(most - 1, by);
            lines.truncate(most);
        }
        lines.sort_unstable_by(by);
        (lines, total)
    }

    fn means(&self, ledger: &Ledger, line: &Line) -> bool {
        let Some(flaw) = ledger.flaw(line) else { return false };
        (self.levels.is_empty() || self.levels.contains(&line.level))
            && self.epss.is_none_or(|least| flaw.epss.is_some_and(|it| it >= least))
            && (!self.exploited || flaw.exploited || flaw.malicious)
            && (!self.fixable || line.fixable)
            // Of what nobody can tell it is not said that it is idle.
            && (!self.in_use || line.in_use != Some(false))
            && self.text.as_deref().is_none_or(|text| {
                let has = |it: &str| it.to_lowercase().contains(text);
                has(&flaw.id)
                    || flaw.aliases.iter().any(|it| has(it))
                    || line.found.iter().any(|it| {
                        ledger.found(*it).is_some_and(|(_, pack, _)| {
                            has(&pack.name) || pack.purls.iter().any(|it| has(it.name()))
                        })
                    })
            })
    }

    fn compare(&self, ledger: &Ledger, left: &Line, right: &Line) -> Ordering {
        let (Some(one), Some(other)) = (ledger.flaw(left), ledger.flaw(right)) else {
            return left.flaw.cmp(&right.flaw);
        };
        let likely = |left: Option<f32>, right: Option<f32>| {
            left.unwrap_or(-1.0).total_cmp(&right.unwrap_or(-1.0))
        };
        // Of what is as bad, what is used in attacks, or more likely to be, is worse; then what weighs more.
        let bad = || {
            let exploited = |it: &Flaw| it.exploited || it.malicious;
            (left.level, exploited(one))
                .cmp(&(right.level, exploited(other)))
                .then_with(|| likely(one.epss, other.epss))
                .then_with(|| likely(left.score, right.score))
                .then_with(|| left.images.cmp(&right.images))
        };
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
