//! The walk: from each package through its space, names and rows to what is decided about each flaw.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::OnceLock;

use almanac::{Handle, Row};
use model::{Package, PackageKind, Purl};

use crate::decide::{Decision, Opinion, Outcome, decide, outcome};
use crate::gaps::{Noun, Tally};
use crate::names::{self, Named, brief};
use crate::scope::{Products, Scope};
use crate::spaces::{Ground, Grounds, Meeting};
use crate::statements::Sayings;
use crate::{Question, authority, flaws, origin};

/// All that is needed to judge each package.
pub(crate) struct Walk<'q> {
    pub(crate) question: &'q Question<'q>,
    pub(crate) grounds: Vec<Ground>,
    pub(crate) subjects: Vec<Subject<'q>>,
    pub(crate) sayings: Sayings<'q>,
    lists: Vec<List<'q>>,
    /// For each ground.
    products: Vec<Products>,
}

/// What goes by a name on a ground, looked up by whoever asks first.
struct List<'q> {
    ground: usize,
    name: Cow<'q, str>,
    rows: OnceLock<Vec<Row<'q>>>,
}

/// One package.
pub(crate) struct Subject<'q> {
    pub(crate) number: usize,
    pub(crate) package: &'q Package,
    pub(crate) ground: usize,
    pub(crate) standing: Standing<'q>,
    pub(crate) names: Vec<Named<'q>>,
}

/// Is the package to be judged by its own advisories?
pub(crate) enum Standing<'q> {
    Plain,
    /// Nobody publishes about its kind.
    NoSource,
    /// Somebody else than the distribution built it.
    Stranger(String),
    /// The one that owns its file answers.
    Owned(&'q Purl),
    /// It is only declared, and such are not asked for.
    OnlyDeclared,
}

impl<'q> Walk<'q> {
    /// `whole` also looks up what nothing will come of, to tell about it.
    pub(crate) fn new(question: &'q Question<'q>, whole: bool) -> Self {
        let inventory = question.inventory;
        let options = &question.options;
        let mut grounds = Grounds::new(inventory.distro.as_ref(), question.book, options.today);
        let mut owners: HashMap<&Purl, &Package> = HashMap::new();
        if inventory.packages.iter().any(|it| it.owner.is_some()) {
            owners.extend(inventory.packages.iter().map(|it| (&it.purl, it)));
        }
        let places: Vec<(usize, Option<usize>)> = inventory
            .packages
            .iter()
            .map(|it| (grounds.of(&it.purl), it.owner.as_ref().map(|it| grounds.of(it))))
            .collect();
        let grounds = grounds.into_found();
        let mut lists: Vec<List<'q>> = Vec::new();
        let mut known: HashMap<(usize, Cow<'q, str>), usize> = HashMap::new();
        let mut subjects = Vec::with_capacity(places.len());
        for (number, (package, (ground, owner))) in
            inventory.packages.iter().zip(&places).enumerate()
        {
            let meeting = grounds.get(*ground).and_then(|it| it.meeting.as_ref().ok());
            let owner = owner.and_then(|it| grounds.get(it)?.meeting.as_ref().ok());
            let standing = standing(package, options.declared, meeting, owner, &owners);
            let looks = match standing {
                Standing::Plain => true,
                Standing::Owned(_) | Standing::OnlyDeclared => whole,
                Standing::NoSource | Standing::Stranger(_) => false,
            };
            let mut subject_names = Vec::new();
            if let Some(meeting) = meeting.filter(|_| looks) {
                subject_names = names::of(package, meeting);
                for named in &mut subject_names {
                    let key = (*ground, named.name.clone());
                    named.rows = *known.entry(key).or_insert_with_key(|(ground, name)| {
                        let (ground, name) = (*ground, name.clone());
                        lists.push(List { ground, name, rows: OnceLock::new() });
                        lists.len() - 1
                    });
                }
            }
            subjects.push(Subject {
                number,
                package,
                ground: *ground,
                standing,
                names: subject_names,
            });
        }
        let cpe = inventory.distro.as_ref().and_then(|it| it.cpe.as_deref());
        let products = grounds
            .iter()
            .map(|it| it.meeting.as_ref().ok().map(|it| &it.space))
            .map(|space| Products::of(cpe, space, options.cpes))
            .collect();
        let sayings = Sayings::new(question);
        Self { question, grounds, subjects, sayings, lists, products }
    }

    pub(crate) fn meeting(&self, subject: &Subject<'_>) -> Option<&Meeting> {
        self.grounds.get(subject.ground)?.meeting.as_ref().ok()
    }

    /// What is said of anything by that name.
    fn rows(&self, named: &Named<'_>) -> &[Row<'q>] {
        self.lists.get(named.rows).map_or(&[], |it| self.rows_of(it))
    }

    fn rows_of<'w>(&self, list: &'w List<'q>) -> &'w [Row<'q>] {
        list.rows.get_or_init(|| {
            let mut rows = Vec::new();
            if let Some(Ok(meeting)) = self.grounds.get(list.ground).map(|it| &it.meeting) {
                self.question.book.look_up(&meeting.space, &list.name, &mut rows);
            }
            rows
        })
    }

    /// Looks up only what is about these flaws, and about those that some row says are the same: whole
    /// groups, whichever names they go by.
    pub(crate) fn look_up_about(&mut self, flaws: &BTreeSet<String>) {
        let book = self.question.book;
        let mut told: Vec<Told<'q>> = Vec::new();
        for (number, list) in self.lists.iter().enumerate() {
            let Some(Ok(meeting)) = self.grounds.get(list.ground).map(|it| &it.meeting) else {
                continue;
            };
            let before = told.len();
            let mut each = |advisory, id, aliases: &[&'q str]| {
                let aliases = aliases.to_vec();
                told.push(Told { list: number, advisory, id, aliases });
            };
            if !book.glance(&meeting.space, &list.name, &mut each) {
                told.truncate(before);
                let rows = self.rows_of(list).iter();
                told.extend(rows.map(|row| Told {
                    list: number,
                    advisory: row.advisory,
                    id: row.id,
                    aliases: row.aliases.clone(),
                }));
            }
        }
        let wanted = about(told, flaws, self.lists.len());
        for (list, wanted) in self.lists.iter_mut().zip(wanted) {
            if let Some(rows) = list.rows.get_mut() {
                // What cannot be read may be about anything.
                rows.retain(|it| it.id.is_empty() || wanted.contains(&it.advisory));
                continue;
            }
            let mut rows = Vec::new();
            if !wanted.is_empty()
                && let Some(Ok(meeting)) = self.grounds.get(list.ground).map(|it| &it.meeting)
            {
                book.look_up_some(&meeting.space, &list.name, &wanted, &mut rows);
            }
            list.rows = rows.into();
        }
    }

    /// What is decided about each flaw that somebody says the package has or had. Unless `whole` is
    /// asked for, flaws that it certainly does not have may be left out.
    pub(crate) fn decisions<'w>(
        &'w self,
        subject: &'w Subject<'w>,
        whole: bool,
    ) -> Vec<Decision<'w>> {
        let Some(meeting) = self.meeting(subject) else { return Vec::new() };
        let Some(products) = self.products.get(subject.ground) else { return Vec::new() };
        let scope = Scope::of(subject.package, meeting);
        let mut heard: Vec<Heard<'w>> = Vec::new();
        for named in &subject.names {
            for row in self.rows(named).iter().filter(|it| named.takes(it.names)) {
                let (outcome, is_fallback) = outcome(subject.package, named, row, &scope, products);
                heard.push(Heard { named, row, outcome, is_fallback });
            }
        }
        if heard.is_empty() || (!whole && !heard.iter().any(Heard::matters)) {
            return Vec::new();
        }
        let rows: Vec<&Row<'_>> = heard.iter().map(|it| it.row).collect();
        let family = meeting.space.family();
        let opinion = |it: &Heard<'w>| Opinion {
            named: it.named,
            row: it.row,
            voice: authority::voice(it.row, family, meeting.is_system),
            outcome: it.outcome,
            is_fallback: it.is_fallback,
        };
        let groups = flaws::groups(&rows);
        groups
            .iter()
            .map(|group| group.iter().filter_map(|it| heard.get(*it)))
            .filter(|group| whole || group.clone().any(Heard::matters))
            .map(|group| decide(group.map(opinion).collect(), meeting.is_system))
            .collect()
    }

    /// What the grounds themselves keep from being told.
    pub(crate) fn holes(&self, tally: &mut Tally) {
        let mut is_walked = vec![false; self.grounds.len()];
        for subject in &self.subjects {
            let Some(ground) = self.grounds.get(subject.ground) else { continue };
            match (&subject.standing, &ground.meeting) {
                (Standing::NoSource, Err(why)) => {
                    tally.count(Noun::Package, &ground.label, why, brief(subject.package));
                }
                (Standing::Stranger(who), _) => {
                    let why = format!("third-party package: no advisory source for those of {who}");
                    tally.count(Noun::Package, &ground.label, &why, brief(subject.package));
                }
                (Standing::Plain, _) => {
                    if let Some(it) = is_walked.get_mut(subject.ground) {
                        *it = true;
                    }
                }
                _ => {}
            }
        }
        for (ground, _) in self.grounds.iter().zip(is_walked).filter(|(_, is_walked)| *is_walked) {
            for caution in &ground.cautions {
                tally.tell(&ground.label, caution);
            }
        }
    }
}

/// What a row means for a package, before anybody asks whose word it is.
struct Heard<'w> {
    named: &'w Named<'w>,
    row: &'w Row<'w>,
    outcome: Outcome,
    is_fallback: bool,
}

impl Heard<'_> {
    /// Does it keep the package from being sound?
    fn matters(&self) -> bool {
        matches!(self.outcome, Outcome::Affected(_) | Outcome::Blind(_) | Outcome::Investigating)
    }
}

/// A row that was not looked up: in which list, of which advisory, and the names of its flaw.
struct Told<'q> {
    list: usize,
    advisory: Handle,
    id: &'q str,
    aliases: Vec<&'q str>,
}

/// For each list, the advisories about these flaws, and about those that somebody says are the same.
fn about(told: Vec<Told<'_>>, flaws: &BTreeSet<String>, lists: usize) -> Vec<HashSet<Handle>> {
    let mut found: Vec<HashSet<Handle>> = vec![HashSet::new(); lists];
    let mut wanted: HashSet<&str> = flaws.iter().map(String::as_str).collect();
    let mut left = told;
    loop {
        let before = left.len();
        left.retain(|it| {
            let mut names = std::iter::once(&it.id).chain(&it.aliases);
            let is_about = !it.id.is_empty() && names.any(|name| wanted.contains(name));
            if is_about {
                wanted.insert(it.id);
                wanted.extend(it.aliases.iter().copied());
                if let Some(found) = found.get_mut(it.list) {
                    found.insert(it.advisory);
                }
            }
            !is_about
        });
        if left.len() == before {
            return found;
        }
    }
}

fn standing<'q>(
    package: &'q Package,
    declared: bool,
    meeting: Option<&Meeting>,
    owner: Option<&Meeting>,
    packages: &HashMap<&Purl, &Package>,
) -> Standing<'q> {
    if package.kind == PackageKind::Declared && !declared {
        return Standing::OnlyDeclared;
    }
    if let (Some(purl), Some(meeting)) = (&package.owner, owner) {
        let is_own = packages
            .get(purl)
            .is_none_or(|it| origin::stranger(it, meeting.space.family()).is_none());
        if is_own {
            return Standing::Owned(purl);
        }
    }
    let Some(meeting) = meeting else { return Standing::NoSource };
    if meeting.is_system
        && let Some(who) = origin::stranger(package, meeting.space.family())
    {
        return Standing::Stranger(who);
    }
    Standing::Plain
}
