//! Which packages somebody means, and in which order they come.

use std::cmp::Reverse;

use api::PackagesQuery;
use model::OrganisationId;
use portfolio::{Leaf, Portfolio, Title};

use crate::refusal::Refusal;
use crate::tally::{Ledger, Trouble};

/// Which packages are meant: those for which all of it holds.
pub(super) struct Meant {
    text: Option<String>,
    kind: Option<String>,
    order: Order,
    is_turned: bool,
    after: Option<Place>,
    most: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Name,
    Worst,
    Flaws,
}

/// A package's name in small letters, and its type.
#[derive(Clone)]
struct Place(String, String);

impl Place {
    /// `npm/@babel/core`; without a type it is before all packages of that name.
    fn read(after: &str) -> Self {
        let (kind, name) = after.split_once('/').unwrap_or(("", after));
        Self(name.to_owned(), kind.to_owned())
    }

    fn title(&self) -> Title<'_> {
        (&self.0, &self.1)
    }
}

impl Meant {
    pub(super) fn read(query: PackagesQuery, most: usize) -> Result<Self, Refusal> {
        for (field, it, longest) in
            [("text", &query.text, 200), ("kind", &query.kind, 50), ("after", &query.after, 2_000)]
        {
            if it.as_ref().is_some_and(|it| it.chars().count() > longest) {
                let why = format!("it is longer than {longest} letters");
                return Err(Refusal::malformed(field, why));
            }
        }
        let said =
            |it: Option<String>| it.map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
        let sort = query.sort.as_deref().unwrap_or("package");
        let (word, is_turned) = sort.strip_prefix('-').map_or((sort, false), |it| (it, true));
        let order = match word {
            "package" => Order::Name,
            "worst" => Order::Worst,
            "flaws" => Order::Flaws,
            _ => return Err(Refusal::malformed("sort", format!("by `{word}` nothing is sorted"))),
        };
        Ok(Self {
            text: said(query.text).map(|it| it.to_lowercase()),
            kind: said(query.kind),
            order,
            is_turned,
            after: query.after.as_deref().map(Place::read),
            most,
        })
    }

    /// Those of them that an organisation's images have, and behind which the next ones are.
    pub(super) fn of(
        &self,
        portfolio: &Portfolio,
        organisation: &OrganisationId,
        ledger: Option<&Ledger>,
    ) -> (Vec<Leaf>, Option<String>) {
        let Some(mut leafing) = portfolio.leafing(organisation) else { return (Vec::new(), None) };
        let titles = self.titles(portfolio, ledger).filter(|it| self.means(*it));
        let mut leaves: Vec<Leaf> =
            titles.filter_map(|it| leafing.leaf(it)).take(self.most.saturating_add(1)).collect();
        let goes_on = leaves.len() > self.most;
        leaves.truncate(self.most);
        let next = leaves.last().filter(|_| goes_on);
        let next = next.map(|it| format!("{}/{}", it.kind, it.name.to_lowercase()));
        (leaves, next)
    }

    /// All of them behind the one before, whoever has them.
    fn titles<'t>(
        &'t self,
        portfolio: &'t Portfolio,
        ledger: Option<&'t Ledger>,
    ) -> Box<dyn Iterator<Item = Title<'t>> + 't> {
        let after = self.after.as_ref().map(Place::title);
        if self.order == Order::Name {
            return if self.is_turned {
                Box::new(portfolio.titles_back(after))
            } else {
                Box::new(portfolio.titles(after))
            };
        }
        // Those in which something was found are before all others, or behind them.
        let troubled = self.troubled(ledger);
        let at = after.and_then(|after| troubled.iter().position(|it| *it == after));
        let others = portfolio.titles(after.filter(|_| at.is_none()));
        let others = others.filter(move |it| ledger.and_then(|all| all.trouble(*it)).is_none());
        let is_begun = after.is_some();
        match (self.is_turned, at) {
            (true, None) if is_begun => Box::new(others),
            (true, at) => {
                let from = at.map_or(0, |it| it + 1);
                Box::new(troubled.into_iter().skip(from).chain(others))
            }
            (false, Some(at)) => Box::new(troubled.into_iter().skip(at + 1)),
            (false, None) => Box::new(others.chain(troubled)),
        }
    }

    /// Packages in which something was found, as they are sorted.
    fn troubled<'l>(&self, ledger: Option<&'l Ledger>) -> Vec<Title<'l>> {
        let all = ledger.into_iter().flat_map(Ledger::troubled);
        let mut all: Vec<(Title<'l>, Trouble)> = all.filter(|(it, _)| self.means(*it)).collect();
        let flaws = |it: Trouble| if self.order == Order::Flaws { it.flaws } else { 0 };
        let key = |it: Trouble| (flaws(it), it);
        if self.is_turned {
            all.sort_unstable_by_key(|(title, it)| (Reverse(key(*it)), *title));
        } else {
            all.sort_unstable_by_key(|(title, it)| (key(*it), *title));
        }
        all.into_iter().map(|(title, _)| title).collect()
    }

    fn means(&self, (name, kind): Title<'_>) -> bool {
        self.text.as_ref().is_none_or(|it| name.contains(&**it))
            && self.kind.as_ref().is_none_or(|it| it == kind)
    }
}
