//! The walk: from each package through its space, names and rows to what is decided about each flaw.

use std::collections::HashMap;

use almanac::Row;
use model::{Package, PackageKind, Purl, Status, Verdict};

use crate::authority::{self, Voice};
use crate::compare::{Blind, Place};
use crate::gaps::{Noun, Tally};
use crate::names::{self, Named, brief};
use crate::scope::{Elsewhere, Fit, Products, Scope};
use crate::spaces::{Ground, Grounds, Meeting};
use crate::statements::Sayings;
use crate::{Question, flaws, harmless, origin};

/// All that is needed to judge each package.
pub(crate) struct Walk<'q> {
    pub(crate) question: &'q Question<'q>,
    pub(crate) grounds: Vec<Ground>,
    pub(crate) subjects: Vec<Subject<'q>>,
    pub(crate) sayings: Sayings<'q>,
    lists: Vec<Vec<Row<'q>>>,
    /// For each ground.
    products: Vec<Products>,
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

/// What one row means for one package.
pub(crate) struct Opinion<'w> {
    pub(crate) named: &'w Named<'w>,
    pub(crate) row: &'w Row<'w>,
    pub(crate) voice: Voice<'w>,
    pub(crate) outcome: Outcome,
    /// It counts only where the same voice says nothing that fits better.
    is_fallback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By the stretch of that number, or because the version is listed.
    Affected(Option<usize>),
    NotAffected,
    Investigating,
    Outside,
    Withdrawn,
    Harmless(&'static str),
    Elsewhere(Elsewhere),
    /// What it says is only about other versions.
    OtherVersions,
    Blind(Blind),
}

/// What is decided about one flaw of one package.
pub(crate) struct Decision<'w> {
    /// All names of the flaw, the one it goes by first.
    pub(crate) flaw: Vec<String>,
    pub(crate) verdict: Verdict,
    /// Those with most say first.
    pub(crate) opinions: Vec<Opinion<'w>>,
    /// Numbers of those that decided; at least one.
    pub(crate) deciding: Vec<usize>,
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
        let mut lists: Vec<Vec<Row<'q>>> = Vec::new();
        let mut known: HashMap<(usize, String), usize> = HashMap::new();
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
                    let key = (*ground, named.name.clone().into_owned());
                    named.rows = *known.entry(key).or_insert_with(|| {
                        let mut rows = Vec::new();
                        question.book.look_up(&meeting.space, &named.name, &mut rows);
                        lists.push(rows);
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
        let mut opinions: Vec<Opinion<'w>> = Vec::new();
        for named in &subject.names {
            let rows = self.lists.get(named.rows).map_or(&[][..], Vec::as_slice);
            for row in rows.iter().filter(|it| named.takes(it.names)) {
                let (outcome, is_fallback) = outcome(subject.package, named, row, &scope, products);
                let voice = authority::voice(row, meeting.space.family(), meeting.is_system);
                opinions.push(Opinion { named, row, voice, outcome, is_fallback });
            }
        }
        let matters = |it: &Opinion<'_>| {
            matches!(
                it.outcome,
                Outcome::Affected(_) | Outcome::Blind(_) | Outcome::Investigating
            )
        };
        if opinions.is_empty() || (!whole && !opinions.iter().any(matters)) {
            return Vec::new();
        }
        let rows: Vec<&Row<'_>> = opinions.iter().map(|it| it.row).collect();
        let groups = flaws::groups(&rows);
        let mut opinions: Vec<Option<Opinion<'w>>> = opinions.into_iter().map(Some).collect();
        groups
            .into_iter()
            .map(|group| -> Vec<Opinion<'w>> {
                group.iter().filter_map(|it| opinions.get_mut(*it)?.take()).collect()
            })
            .filter(|group| whole || group.iter().any(matters))
            .map(|group| decide(group, meeting.is_system))
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
            if let Some(caution) = &ground.caution {
                tally.tell(&ground.label, caution);
            }
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

/// What the row means for the package, and whether only as a fallback.
fn outcome(
    package: &Package,
    named: &Named<'_>,
    row: &Row<'_>,
    scope: &Scope<'_>,
    products: &Products,
) -> (Outcome, bool) {
    let fit = scope.fit(row, products);
    if let Fit::No(why) = fit {
        return (Outcome::Elsewhere(why), false);
    }
    let is_fallback = fit == Fit::Fallback;
    if row.withdrawn {
        return (Outcome::Withdrawn, is_fallback);
    }
    if named.is_source
        && !named.is_own
        && let Some(why) = harmless::reason(package.purl.kind(), &named.name, package.purl.name())
    {
        return (Outcome::Harmless(why), is_fallback);
    }
    let place = match fit {
        Fit::Unversioned(blind) => {
            let all = row.stretches.iter().position(|it| it.from.is_none() && it.to.is_none());
            all.map_or(Place::Unknown(blind), |it| Place::In(Some(it)))
        }
        _ => named.version.place(row),
    };
    let outcome = match (place, row.status) {
        (Place::In(at), Status::Affected) => Outcome::Affected(at),
        // A row that says more than could be read may say otherwise.
        _ if row.torn.is_some() => Outcome::Blind(Blind::Torn),
        (Place::In(_), Status::NotAffected) => Outcome::NotAffected,
        (Place::In(_), Status::UnderInvestigation) => Outcome::Investigating,
        (Place::Out, Status::Affected) => Outcome::Outside,
        (Place::Out, _) => Outcome::OtherVersions,
        // Whoever speaks of other versions as sound says nothing against this one.
        (Place::Unknown(_), Status::NotAffected) => Outcome::OtherVersions,
        (Place::Unknown(blind), _) => Outcome::Blind(blind),
    };
    (outcome, is_fallback)
}

/// Who decides: each voice says one thing, and the first that knows counts.
fn decide(mut opinions: Vec<Opinion<'_>>, is_system: bool) -> Decision<'_> {
    opinions.sort_by(|left, right| {
        (left.voice, left.row.id, &left.named.name, left.row.advisory)
            .cmp(&(right.voice, right.row.id, &right.named.name, right.row.advisory))
    });
    let mut said: Vec<(Verdict, Vec<usize>)> = Vec::new();
    let mut start = 0;
    for voice in opinions.chunk_by(|left, right| left.voice == right.voice) {
        let (verdict, deciding) = said_by(voice);
        said.push((verdict, deciding.into_iter().map(|it| it + start).collect()));
        start += voice.len();
    }
    const KNOWN: &[Verdict] = &[Verdict::Affected, Verdict::NotAffected, Verdict::NotInRange];
    const UNKNOWN: &[Verdict] = &[
        Verdict::CannotTell,
        Verdict::UnderInvestigation,
        Verdict::Harmless,
        Verdict::Withdrawn,
        Verdict::Elsewhere,
    ];
    // All who publish for a system speak for its vendor, and "not affected" is said with care.
    let vendors = said.iter().position(|it| is_system && it.0 == Verdict::NotAffected);
    let at = vendors
        .or_else(|| said.iter().position(|it| KNOWN.contains(&it.0)))
        .or_else(|| UNKNOWN.iter().find_map(|what| said.iter().position(|it| it.0 == *what)))
        .unwrap_or_default();
    let (verdict, deciding) = said.into_iter().nth(at).unwrap_or((Verdict::Unheard, Vec::new()));
    let flaw = match deciding.first().and_then(|it| opinions.get(*it)) {
        Some(first) => flaws::called(opinions.iter().map(|it| it.row), first.row),
        None => Vec::new(),
    };
    Decision { flaw, verdict, opinions, deciding }
}

/// What one voice says, and by which of its rows.
fn said_by(voice: &[Opinion<'_>]) -> (Verdict, Vec<usize>) {
    const SPEAKING: [(Verdict, fn(Outcome) -> bool); 5] = [
        (Verdict::NotAffected, |it| it == Outcome::NotAffected),
        (Verdict::Affected, |it| matches!(it, Outcome::Affected(_))),
        (Verdict::CannotTell, |it| matches!(it, Outcome::Blind(_))),
        (Verdict::UnderInvestigation, |it| it == Outcome::Investigating),
        (Verdict::NotInRange, |it| it == Outcome::Outside),
    ];
    const SILENT: [(Verdict, fn(Outcome) -> bool); 3] = [
        (Verdict::Harmless, |it| matches!(it, Outcome::Harmless(_))),
        (Verdict::Withdrawn, |it| it == Outcome::Withdrawn),
        (Verdict::Elsewhere, |_| true),
    ];
    let numbers = |is: fn(Outcome) -> bool, is_fallback: Option<bool>| -> Vec<usize> {
        let fits = |it: &Opinion<'_>| {
            is(it.outcome) && is_fallback.is_none_or(|wanted| it.is_fallback == wanted)
        };
        (0..).zip(voice).filter(|(_, it)| fits(it)).map(|(number, _)| number).collect()
    };
    for is_fallback in [false, true] {
        for (verdict, is) in SPEAKING {
            let deciding = numbers(is, Some(is_fallback));
            if !deciding.is_empty() {
                return (verdict, deciding);
            }
        }
    }
    for (verdict, is) in SILENT {
        let deciding = numbers(is, None);
        if !deciding.is_empty() {
            return (verdict, deciding);
        }
    }
    (Verdict::Elsewhere, Vec::new())
}
