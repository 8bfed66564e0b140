//! An inventory meets the almanac and what is said about it: findings, and why there are none.

use std::collections::BTreeSet;

use almanac::{Almanac, Builder, SheetBytes};
use feed::Document;
use matching::{Asked, Options, Question, Wanted};
use model::{Analysis, Basis, Gap, Inventory, Judgement, Statement};
use regex::Regex;

use crate::Filter;

/// What findings rest on.
pub struct Lookout {
    almanac: Almanac,
    /// Nothing is installed: only what is built in is known.
    starter: bool,
    /// What the user says, or names.
    statements: Vec<Statement>,
    /// Whose word counts: of what the user names, everybody's when there is none; of what an image
    /// says about itself, nobody's.
    authors: Vec<Regex>,
    /// Judge packages that are only declared, too.
    declared: bool,
    /// The day, in RFC 3339: what is stale or expired by then is told.
    today: String,
}

impl Lookout {
    /// With an almanac from the disk.
    pub fn new(almanac: Almanac, today: impl Into<String>) -> Self {
        Self {
            almanac,
            starter: false,
            statements: Vec::new(),
            authors: Vec::new(),
            declared: false,
            today: today.into(),
        }
    }

    /// With what is built in.
    pub fn with_starter(today: impl Into<String>) -> Self {
        Self { starter: true, ..Self::new(Almanac::in_memory(starter()), today) }
    }

    /// The same, with what the user says about flaws.
    #[must_use]
    pub fn with_statements(mut self, statements: Vec<Statement>) -> Self {
        self.statements = statements;
        self
    }

    /// The same, where only these authors' words count.
    #[must_use]
    pub fn with_authors(mut self, authors: Vec<Regex>) -> Self {
        self.authors = authors;
        self
    }

    /// The same, for packages that are only declared too.
    #[must_use]
    pub fn with_declared(mut self, declared: bool) -> Self {
        self.declared = declared;
        self
    }

    /// What it rests on.
    pub fn almanac(&self) -> &Almanac {
        &self.almanac
    }

    /// What is wrong with `inventory`, as far as `filter` wants to see it, without titles, stories
    /// and addresses.
    pub fn analyze_in_brief(&self, inventory: Inventory, filter: &Filter) -> Analysis {
        self.look(inventory, filter, None)
    }

    /// What is wrong with `inventory`, as far as `filter` wants to see it, with titles, stories and
    /// addresses.
    pub fn analyze(&self, inventory: Inventory, filter: &Filter) -> Analysis {
        // Most of the time goes into words: those of others would be read for nobody.
        self.look(inventory, filter, Some(&|finding| filter.wants(finding)))
    }

    fn look(&self, inventory: Inventory, filter: &Filter, texts: Option<Wanted<'_>>) -> Analysis {
        let (statements, gaps) = self.accepted(&inventory);
        let (findings, mut told) =
            matching::analyze(&self.question(&inventory, &statements, texts));
        told.extend(gaps);
        told.sort();
        told.dedup();
        filter.apply(Analysis { findings, gaps: told, basis: self.basis(&inventory), inventory })
    }

    /// Why there are findings, and why there are not.
    pub fn explain(&self, inventory: &Inventory, asked: Asked<'_>) -> Vec<Judgement> {
        let (statements, _) = self.accepted(inventory);
        matching::judge(&self.question(inventory, &statements, None), asked)
    }

    fn question<'a>(
        &'a self,
        inventory: &'a Inventory,
        statements: &'a [Statement],
        texts: Option<Wanted<'a>>,
    ) -> Question<'a> {
        let today = Some(&*self.today);
        let options = Options { declared: self.declared, texts, today, cpes: &[] };
        Question { inventory, book: &self.almanac, statements, options }
    }

    /// The statements that count. Anybody can put a document into an image, so of those that come
    /// with one only the authors count whom the user named; that others were left out is told.
    fn accepted(&self, inventory: &Inventory) -> (Vec<Statement>, Vec<Gap>) {
        let by = |it: &Statement| {
            let author = it.author.as_deref().unwrap_or_default();
            self.authors.iter().any(|wanted| wanted.is_match(author))
        };
        let named = self.statements.iter().filter(|it| self.authors.is_empty() || by(it));
        let (brought, refused): (Vec<&Statement>, _) =
            inventory.statements.iter().partition(|it| by(it));
        let mut gaps = Vec::new();
        if let Some(first) = refused.first() {
            let author = first.author.as_deref().unwrap_or("nobody");
            let why = format!(
                "{} of {author} came with the image and do not count; --vex-author names whose do",
                if refused.len() == 1 {
                    "1 statement".to_owned()
                } else {
                    format!("{} statements", refused.len())
                },
            );
            gaps.push(Gap::new(&*first.origin, why));
        }
        (named.chain(brought).cloned().collect(), gaps)
    }

    /// What an answer about `inventory` rests on, in a line or two: of feeds that speak about what is
    /// in it, and about flaws themselves.
    pub fn basis(&self, inventory: &Inventory) -> Basis {
        let mut families: BTreeSet<&str> = inventory.distro.iter().map(|it| &*it.id).collect();
        families.extend(inventory.packages.iter().map(|it| it.purl.kind()));
        families.insert(almanac::FLAWS);
        self.basis_of(|it| families.contains(it.space.family()))
    }

    /// What an answer rests on that any feed may give.
    pub fn whole_basis(&self) -> Basis {
        self.basis_of(|_| true)
    }

    fn basis_of(&self, asked: impl Fn(&almanac::Entry) -> bool) -> Basis {
        let manifest = self.almanac.manifest();
        let feeds: BTreeSet<&str> =
            manifest.sheets.iter().filter(|it| asked(it)).map(|it| &*it.feed).collect();
        let mut basis = Basis {
            almanac: self.almanac.digest().to_string(),
            starter: self.starter,
            ..Basis::default()
        };
        for state in manifest.parts.iter().filter(|it| feeds.contains(&*it.feed)) {
            let of_part = state.current.as_ref().or(state.fetched.as_ref());
            basis.current = basis.current.take().max(of_part.cloned());
        }
        if self.starter {
            return basis;
        }
        basis.warnings = crate::freshness::warnings(manifest, &feeds, &self.today);
        basis
    }
}

/// The sheets of what is built in.
fn starter() -> Vec<SheetBytes> {
    let feed = feed::find("starter").expect("it is in the list of feeds");
    let mut builder = Builder::new(feed.id(), "all");
    for (name, text) in feed::STARTER {
        let document = Document { path: name, bytes: text.as_bytes() };
        feed.parse("all", &document).advisories.into_iter().for_each(|it| builder.add(it));
    }
    // Nothing would look like a world without flaws.
    builder.finish().expect("it is small and was tested").sheets
}
