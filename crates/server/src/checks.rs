//! Checks: is there something in an environment of what somebody looks for? The same question as
//! `cves --env`, asked by nobody and answered in brief.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::sync::Arc;

use api::{CheckQuestion, CheckVerdict, Checked, Found, Hole, Judging, Timetable, Worst};
use engine::{Filter, Lookout};
use futures_util::StreamExt as _;
use model::{Analysis, Basis, Digest, Finding, Gap, Inventory, Level, Moment, OrganisationId};
use store::{Page, Selection, When};

use crate::app::App;
use crate::exceptions::Lookouts;
use crate::refusal::Refusal;
use crate::runtimes::Doubts;
use crate::{judge, named};

/// Images that are looked into at the same time.
const AT_ONCE: usize = 2;
/// Of what is worst, and of what cannot be told, so much is kept,
const FEW: usize = 10;
/// each text of it cut after so many letters.
const LONGEST: usize = 300;
/// Questions that are answered together, so that an image is looked into once for all of them.
pub(crate) const TOGETHER: usize = 16;

/// What runs there and is meant: each image once, with a name that it runs by.
type Meant = BTreeMap<Digest, String>;

/// What makes no sense is refused before it is kept.
pub(crate) async fn understood(
    cron: &str,
    zone: Option<&str>,
    question: &CheckQuestion,
    now: Moment,
) -> Result<(Timetable, Moment), Refusal> {
    let timetable = Timetable::new(cron, zone).map_err(|error| {
        Refusal::from(api::Sort::Refused.because(error.to_string()).with_hint(error.hint()))
    })?;
    filter(question).map_err(|why| Refusal::malformed("question", why))?;
    named::selection(None, None, question.image.as_deref(), None)?;
    // What never comes is looked for long.
    let looking = tokio::task::spawn_blocking(move || (timetable.after(now), timetable)).await;
    let broken =
        |_| Refusal::from(api::Sort::Failed.because("working out the next turn broke off"));
    let (Some(next), timetable) = looking.map_err(broken)? else {
        let hint = "the day it names is in no year: write another";
        return Err(api::Sort::Refused.because("cron: it never comes").with_hint(hint).into());
    };
    Ok((timetable, next))
}

/// What is looked for, as whoever judges is told it.
pub(crate) fn filter(question: &CheckQuestion) -> Result<Filter, String> {
    let level = |it: &String| Level::parse(it).ok_or_else(|| format!("`{it}` is no severity"));
    Ok(Filter {
        levels: question.severities.iter().map(level).collect::<Result<_, _>>()?,
        fixed: question.fixed,
        exploited: question.exploited,
        ..Filter::default()
    })
}

/// Answers these questions about an environment, in their order. What cannot be told is an answer, too;
/// only where the database has none, there is none.
pub(crate) async fn check(
    app: &App,
    organisation: &OrganisationId,
    environment: &str,
    questions: &[CheckQuestion],
) -> Result<Vec<Checked>, String> {
    let now = app.now();
    let told = |why: String| questions.iter().map(|_| untold(now, &why)).collect();
    let lookout = match Lookouts::of(app, organisation, Judging::default()).await {
        Ok(mut lookouts) => lookouts.there(Some(environment)),
        Err(refusal) => return Ok(told(refusal.0.detail)),
    };
    // What nobody sees there may be what somebody looks for.
    let doubts = match Doubts::of(app, organisation, environment).await {
        Ok(doubts) => doubts,
        Err(refusal) => return Ok(told(refusal.0.detail)),
    };
    let mut asked = Vec::with_capacity(questions.len());
    let mut listed: BTreeMap<Option<&str>, Arc<Meant>> = BTreeMap::new();
    for question in questions {
        let filter = match filter(question) {
            Ok(filter) => filter,
            Err(why) => return Ok(told(why)),
        };
        let image = question.image.as_deref();
        let meant = match listed.get(&image) {
            Some(meant) => Arc::clone(meant),
            None => match meant(app, organisation, (environment, &doubts), image).await? {
                Ok(meant) => Arc::clone(listed.entry(image).or_insert(Arc::new(meant))),
                Err(why) => return Ok(told(why)),
            },
        };
        asked.push(Asked::new(filter, image.is_none(), meant));
    }
    let images: BTreeSet<&Digest> = listed.values().flat_map(|it| it.keys()).collect();
    let images: Vec<Digest> = images.into_iter().cloned().collect();
    let mut judging = futures_util::stream::iter(images)
        .map(|digest| async { judged(app, organisation, &lookout, digest).await })
        .buffer_unordered(AT_ONCE);
    let hashers: [RandomState; 2] = Default::default();
    while let Some(it) = judging.next().await {
        let it = match it? {
            Ok(it) => it,
            Err(why) => return Ok(told(why)),
        };
        for asked in &mut asked {
            asked.add(&it, &hashers);
        }
    }
    let almanac = lookout.almanac().digest().to_string();
    let basis = lookout.whole_basis();
    for asked in &mut asked {
        asked.doubt(&doubts, &hashers);
    }
    Ok(asked.into_iter().map(|it| it.answer(now, &almanac, &basis)).collect())
}

/// An image that was looked into.
struct Judged {
    digest: Digest,
    /// Unless nobody has read it.
    analysis: Option<Analysis>,
}

async fn judged(
    app: &App,
    organisation: &OrganisationId,
    lookout: &Arc<Lookout>,
    digest: Digest,
) -> Result<Result<Judged, String>, String> {
    let inventory: Option<Inventory> =
        app.store.inventory(organisation, &digest).await.map_err(|error| error.to_string())?;
    let Some(inventory) = inventory else { return Ok(Ok(Judged { digest, analysis: None })) };
    let judged = judge::on_a_core(app, lookout, move |lookout| {
        lookout.analyze_in_brief(inventory, &Filter::default())
    });
    Ok(match judged.await {
        Ok(analysis) => Ok(Judged { digest, analysis: Some(analysis) }),
        Err(refusal) => Err(refusal.0.detail),
    })
}

/// What runs there and is meant, or why there is nothing to look into. What is no image that is known here
/// is meant where all is, for nobody can tell what it is.
async fn meant(
    app: &App,
    organisation: &OrganisationId,
    (environment, doubts): (&str, &Doubts),
    image: Option<&str>,
) -> Result<Result<Meant, String>, String> {
    let selection = match named::selection(Some(environment), None, image, None) {
        Ok(it) => it,
        Err(refusal) => return Ok(Err(refusal.0.detail)),
    };
    let selection: Selection = selection;
    let mut meant = Meant::new();
    let mut page = Page { after: None, limit: 1_000 };
    loop {
        let part = app.store.deployments(organisation, &selection, When::Now, &page).await;
        let part = match part {
            Ok(part) => part,
            Err(store::Error::NotFound { .. }) => {
                return Ok(Err(format!("there is no environment {environment}")));
            }
            Err(error) => return Err(error.to_string()),
        };
        for it in part.rows {
            let digest = it.digest.clone();
            meant.entry(digest).or_insert_with(|| api::Deployment::from(it).image);
        }
        match part.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    if image.is_none() {
        for it in &doubts.lost {
            meant.entry(it.digest.clone()).or_insert_with(|| it.digest.to_string());
        }
    }
    if meant.is_empty() {
        let what = image.map_or("nothing".to_owned(), |it| format!("no image of {it}"));
        return Ok(Err(format!("{what} is recorded to environment {environment}")));
    }
    Ok(Ok(meant))
}

/// By which what is worst is ordered: used in attacks, then by its level, then by its name.
type Rank = (bool, std::cmp::Reverse<Level>, String, String, String);

/// A question, and what is known of its answer so far.
struct Asked {
    filter: Filter,
    /// Is all that runs there meant?
    all: bool,
    meant: Arc<Meant>,
    /// The worst level of each flaw of each package.
    found: HashMap<u128, Level>,
    worst: BTreeMap<Rank, Worst>,
    dark: BTreeSet<Digest>,
    /// Why something else may run there than is known, the first reason of it.
    doubt: Option<String>,
    gaps: HashSet<u128>,
    holes: BTreeSet<Hole>,
    warnings: BTreeSet<String>,
}

impl Asked {
    fn new(filter: Filter, all: bool, meant: Arc<Meant>) -> Self {
        Self {
            filter,
            all,
            meant,
            found: HashMap::new(),
            worst: BTreeMap::new(),
            dark: BTreeSet::new(),
            doubt: None,
            gaps: HashSet::new(),
            holes: BTreeSet::new(),
            warnings: BTreeSet::new(),
        }
    }

    fn add(&mut self, judged: &Judged, hashers: &[RandomState; 2]) {
        let Some(image) = self.meant.get(&judged.digest).cloned() else { return };
        let Some(analysis) = &judged.analysis else {
            self.dark.insert(judged.digest.clone());
            self.hole(&Gap::new(&*image, "it is not analysed yet"), hashers);
            return;
        };
        if format::report::is_dark(analysis) {
            self.dark.insert(judged.digest.clone());
        }
        for gap in analysis.gaps.iter().chain(&analysis.inventory.gaps) {
            self.hole(gap, hashers);
        }
        for warning in analysis.basis.warnings.iter().take(FEW) {
            if self.warnings.len() < FEW {
                self.warnings.insert(cut(warning));
            }
        }
        for finding in &analysis.findings {
            if !finding.suppressed() && self.filter.wants(finding) {
                self.finding(finding, &image, hashers);
            }
        }
    }

    fn finding(&mut self, finding: &Finding, image: &str, hashers: &[RandomState; 2]) {
        let key = (&finding.id, &finding.space, &finding.name, &finding.version);
        let level = self.found.entry(mark(hashers, &key)).or_insert(finding.level);
        *level = (*level).max(finding.level);
        let rank: Rank = (
            finding.exploited.is_none(),
            std::cmp::Reverse(finding.level),
            finding.id.clone(),
            finding.name.clone(),
            finding.version.clone(),
        );
        let is_full = self.worst.len() >= FEW;
        if is_full && self.worst.last_key_value().is_some_and(|(last, _)| *last <= rank) {
            return;
        }
        self.worst.entry(rank).or_insert_with(|| Worst {
            id: cut(&finding.id),
            severity: finding.level.as_str().to_owned(),
            package: cut(&finding.name),
            version: cut(&finding.version),
            fix: finding.fixed().map(cut),
            exploited: finding.exploited.is_some(),
            image: cut(image),
        });
        if self.worst.len() > FEW {
            self.worst.pop_last();
        }
    }

    /// What runs there and nobody sees.
    fn doubt(&mut self, doubts: &Doubts, hashers: &[RandomState; 2]) {
        let unseen = doubts.of_runtimes().flat_map(|(_, holes)| holes).cloned();
        let lost = doubts.lost.first().filter(|_| !self.all).map(|it| {
            let why = format!("{} images that nobody knows here may be of it", doubts.lost.len());
            Gap::new(format!("environment {}", it.environment), why)
        });
        for gap in unseen.chain(lost) {
            self.hole(&gap, hashers);
            self.doubt.get_or_insert_with(|| cut(&gap.to_string()));
        }
    }

    fn hole(&mut self, gap: &Gap, hashers: &[RandomState; 2]) {
        if self.gaps.insert(mark(hashers, gap)) && self.holes.len() < FEW {
            self.holes.insert(Hole { at: cut(&gap.at), why: cut(&gap.why) });
        }
    }

    fn answer(self, at: Moment, almanac: &str, basis: &Basis) -> Checked {
        let mut found = Found::default();
        for level in self.found.values() {
            *match level {
                Level::Critical => &mut found.critical,
                Level::High => &mut found.high,
                Level::Medium => &mut found.medium,
                Level::Low => &mut found.low,
                Level::Unspecified => &mut found.unspecified,
            } += 1;
        }
        let dark = self.dark.len() as u64;
        let (verdict, why) = if found.all() > 0 {
            (CheckVerdict::Failed, None)
        } else if dark > 0 {
            let images = if dark == 1 { "1 image".to_owned() } else { format!("{dark} images") };
            (CheckVerdict::Unknown, Some(format!("nothing is known of {images}")))
        } else if let Some(why) = self.doubt {
            (CheckVerdict::Unknown, Some(why))
        } else if basis.starter {
            let why = "there is no almanac: only the best-known flaws are known";
            (CheckVerdict::Unknown, Some(why.to_owned()))
        } else if let Some(threat) = self.filter.untold(basis).next() {
            (CheckVerdict::Unknown, Some(threat.untold().to_owned()))
        } else {
            (CheckVerdict::Passed, None)
        };
        Checked {
            at: at.to_string(),
            verdict,
            why,
            almanac: almanac.to_owned(),
            images: self.meant.len() as u64,
            dark,
            found,
            worst: self.worst.into_values().collect(),
            gaps: self.gaps.len() as u64,
            holes: self.holes.into_iter().collect(),
            warnings: self.warnings.into_iter().collect(),
        }
    }
}

/// Nothing is known.
pub(crate) fn untold(at: Moment, why: &str) -> Checked {
    Checked {
        at: at.to_string(),
        verdict: CheckVerdict::Unknown,
        why: Some(cut(why)),
        almanac: String::new(),
        images: 0,
        dark: 0,
        found: Found::default(),
        worst: Vec::new(),
        gaps: 1,
        holes: Vec::new(),
        warnings: Vec::new(),
    }
}

/// A hash that nobody can foresee, too long for two things to have the same.
fn mark(hashers: &[RandomState; 2], it: &impl Hash) -> u128 {
    let [left, right] = hashers.each_ref().map(|hasher| u128::from(hasher.hash_one(it)));
    left << 64 | right
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}
