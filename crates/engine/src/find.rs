//! An inventory meets the almanac and what is said about it: findings, and why there are none.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use almanac::{Almanac, Builder, SheetBytes};
use feed::Document;
use matching::{Asked, Counted, Memory, Number, Options, Question, Register, Wanted};
use model::{Analysis, Basis, Comparison, Fate, Finding, FindingChange, Gap, Inventory, Judgement};
use model::{Package, Statement, Threat};
use regex::Regex;

use crate::{FeedState, Filter};

/// What findings rest on.
pub struct Lookout {
    almanac: Arc<Almanac>,
    /// Nothing is installed: only what is built in is known.
    starter: bool,
    /// What the user says, or names.
    statements: Vec<Statement>,
    /// What was decided about flaws by those who run the image.
    exceptions: Vec<Statement>,
    /// Whose word counts: of what the user names, everybody's when there is none; of what an image
    /// says about itself, nobody's.
    authors: Vec<Regex>,
    /// Judge packages that are only declared, too.
    declared: bool,
    /// The day, in RFC 3339: what is stale or expired by then is told.
    today: String,
    /// What was decided about packages by this almanac, for whoever looks into many images.
    memory: Option<Arc<Memory>>,
}

impl Lookout {
    /// With an almanac from the disk.
    pub fn new(almanac: Almanac, today: impl Into<String>) -> Self {
        Self {
            almanac: Arc::new(almanac),
            starter: false,
            statements: Vec::new(),
            exceptions: Vec::new(),
            authors: Vec::new(),
            declared: false,
            today: today.into(),
            memory: None,
        }
    }

    /// With what is built in.
    pub fn with_starter(today: impl Into<String>) -> Self {
        Self { starter: true, ..Self::new(Almanac::in_memory(starter()), today) }
    }

    /// The same almanac on another day, before anybody says anything.
    #[must_use]
    pub fn on(&self, today: impl Into<String>) -> Self {
        Self {
            almanac: Arc::clone(&self.almanac),
            starter: self.starter,
            statements: Vec::new(),
            exceptions: Vec::new(),
            authors: Vec::new(),
            declared: false,
            today: today.into(),
            memory: self.memory.clone(),
        }
    }

    /// The same, with what the user says about flaws.
    #[must_use]
    pub fn with_statements(mut self, statements: Vec<Statement>) -> Self {
        self.statements = statements;
        self
    }

    /// The same, with what those who run the image decided about flaws: it counts, whoever said it.
    #[must_use]
    pub fn with_exceptions(mut self, exceptions: Vec<Statement>) -> Self {
        self.exceptions = exceptions;
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

    /// The same, which judges packages that are in many images once, as long as about so many bytes
    /// suffice to remember them.
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = Some(Arc::new(Memory::new(bytes)));
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

    /// What is wrong with `inventory`, in the numbers that whoever counts gives to findings.
    pub fn count(
        &self,
        inventory: &Inventory,
        register: &Register,
        number: &dyn Fn(&Finding, &Package) -> Number,
    ) -> (Vec<Counted>, Vec<Gap>) {
        let (statements, gaps) = self.accepted(inventory);
        let question = self.question(inventory, &statements, None);
        let (counted, mut told) = matching::count(&question, register, number);
        told.extend(gaps);
        (counted, told)
    }

    /// Puts titles to what is different between the two: words are read for that alone.
    pub fn put_titles(&self, before: &Analysis, after: &Analysis, comparison: &mut Comparison) {
        self.put_titles_to(before, after, comparison, |it| it.fate != Fate::Unchanged);
    }

    /// Puts titles to what is the same on both sides, too.
    pub fn put_all_titles(&self, before: &Analysis, after: &Analysis, comparison: &mut Comparison) {
        self.put_titles_to(before, after, comparison, |_| true);
    }

    fn put_titles_to(
        &self,
        before: &Analysis,
        after: &Analysis,
        comparison: &mut Comparison,
        wants: impl Fn(&FindingChange) -> bool,
    ) {
        for (analysis, is_after) in [(after, true), (before, false)] {
            let mut untitled: Vec<&mut FindingChange> = comparison
                .findings
                .iter_mut()
                .filter(|it| it.title.is_empty() && wants(it))
                .filter(|it| is_after == it.after.is_some())
                .collect();
            if untitled.is_empty() {
                continue;
            }
            let ids: BTreeSet<String> = untitled.iter().map(|it| it.id.clone()).collect();
            let wanted = |finding: &Finding| ids.contains(&*finding.id);
            let (statements, _) = self.accepted(&analysis.inventory);
            let question = self.question(&analysis.inventory, &statements, Some(&wanted));
            let (findings, _) = matching::analyze(&question);
            let titles: HashMap<(&str, &str), &str> =
                findings.iter().map(|it| ((&*it.id, &*it.name), &*it.title)).collect();
            for change in &mut untitled {
                if let Some(title) = titles.get(&(&*change.id, &*change.name)) {
                    (*title).clone_into(&mut change.title);
                }
            }
        }
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

    /// The same of what somebody calls `about`: of the packages that go by it, as numbers into
    /// `inventory`, or where there are none of a flaw.
    pub fn explain_called(
        &self,
        inventory: &Inventory,
        about: &str,
    ) -> (Vec<usize>, Vec<Judgement>) {
        let packages = matching::packages_called(inventory, about);
        let asked =
            if packages.is_empty() { Asked::Flaw(about) } else { Asked::Packages(&packages) };
        let judgements = self.explain(inventory, asked);
        (packages, judgements)
    }

    /// What advisories are about that go by `flaw`, with where that is published: `openssl (debian:12)`.
    pub fn speaks_of(&self, flaw: &str) -> Vec<String> {
        let said = self.almanac.find(flaw);
        let rows = said.iter().flat_map(|it| it.rows.iter().map(move |(name, _)| (it, *name)));
        let mut names: Vec<String> =
            rows.map(|(it, name)| format!("{name} ({})", it.entry.space)).collect();
        names.sort();
        names.dedup();
        names
    }

    fn question<'a>(
        &'a self,
        inventory: &'a Inventory,
        statements: &'a [Statement],
        texts: Option<Wanted<'a>>,
    ) -> Question<'a> {
        let today = Some(&*self.today);
        let memory = self.memory.as_deref();
        let options = Options { declared: self.declared, texts, today, cpes: &[], memory };
        Question { inventory, book: &*self.almanac, statements, options }
    }

    /// What `inventory` says itself and what does not count, as an analysis tells it.
    pub fn refused(&self, inventory: &Inventory) -> Vec<Gap> {
        if inventory.statements.is_empty() { Vec::new() } else { self.accepted(inventory).1 }
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
        (self.exceptions.iter().chain(named).chain(brought).cloned().collect(), gaps)
    }

    /// What an answer about `inventory` rests on, in a line or two: of feeds that speak about what is
    /// in it, and about flaws themselves.
    pub fn basis(&self, inventory: &Inventory) -> Basis {
        let mut families: BTreeSet<&str> = inventory.distro.iter().map(|it| &*it.id).collect();
        families.extend(inventory.packages.iter().map(|it| it.purl.kind()));
        families.insert(almanac::FLAWS);
        self.basis_of(|it| families.contains(it.space.family()))
    }

    /// How each feed of an almanac that is installed is doing on that day.
    pub fn feeds(&self) -> Vec<FeedState> {
        if self.starter {
            return Vec::new();
        }
        crate::freshness::feeds(self.almanac.manifest(), &self.today)
    }

    /// The feeds that speak of these families of spaces, or of flaws wherever they are.
    pub fn feeds_about(&self, families: &BTreeSet<String>) -> BTreeSet<&str> {
        let sheets = self.almanac.manifest().sheets.iter();
        let about = sheets.filter(|it| {
            let family = it.space.family();
            family == almanac::FLAWS || families.contains(family)
        });
        about.map(|it| &*it.feed).collect()
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
        let flaws = manifest.sheets.iter().filter(|it| it.space.as_str() == almanac::FLAWS);
        let told: BTreeSet<Threat> = flaws.filter_map(|it| feed::find(&it.feed)?.tells()).collect();
        basis.untold = Threat::ALL.into_iter().filter(|it| !told.contains(it)).collect();
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
        let parsed = feed.parse("all", &document);
        parsed.advisories.into_iter().for_each(|it| builder.add(it));
        parsed.exploited.into_iter().for_each(|it| builder.add_exploited(it));
    }
    // Nothing would look like a world without flaws.
    builder.finish().expect("it is small and was tested").sheets
}
