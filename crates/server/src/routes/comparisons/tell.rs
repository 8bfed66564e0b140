//! What is different in each pair: both images judged by the same almanac, and what cannot be told.

use std::sync::Arc;

use api::{Comparing, Difference, Hole, Pair, PairOutcome, Running};
use engine::{Filter, Lookout, compare_wanted};
use model::{
    Analysis, Comparison, Deployment, Digest, Fate, Gap, ImageDescription, Inventory,
    OrganisationId, Subject,
};
use tokio::try_join;

use super::Known;
use super::pairs::Met;
use crate::app::App;
use crate::exceptions::Lookouts;
use crate::judge;
use crate::refusal::Refusal;

/// Tells of pairs.
pub(super) struct Teller {
    app: App,
    organisation: OrganisationId,
    lookouts: Lookouts,
    filter: Arc<Filter>,
    brief: bool,
    /// What is the same on both sides is not told.
    changed: bool,
}

/// A side of a pair: the image under the name it runs by, and what is known of it.
struct Half {
    running: Running,
    digest: Digest,
    platform: String,
    application: Option<String>,
}

/// A pair that is to be told of, and by what each of its sides is judged.
pub(super) struct Begun {
    from: Option<Half>,
    to: Option<Half>,
    lookouts: [Arc<Lookout>; 2],
}

impl Half {
    fn deployed(it: Deployment) -> Self {
        let (digest, platform) = (it.digest.clone(), it.platform.to_string());
        let application = Some(it.application.clone());
        let deployment = api::Deployment::from(it);
        let running = Running {
            image: deployment.image.clone(),
            digest: deployment.digest.clone(),
            deployment: Some(deployment),
        };
        Self { running, digest, platform, application }
    }

    fn known(it: &Known) -> Self {
        let digest = it.record.digest.clone();
        let image = match it.repositories.first() {
            Some(name) => {
                let short = name.strip_prefix("docker.io/").unwrap_or(name);
                format!("{short}@{digest}")
            }
            None => digest.to_string(),
        };
        let running = Running { image, digest: digest.to_string(), deployment: None };
        let platform = it.record.platform.to_string();
        Self { running, digest, platform, application: None }
    }

    /// Where it runs, if it does.
    fn environment(&self) -> Option<&str> {
        self.running.deployment.as_ref().map(|it| &*it.environment)
    }

    /// `acme/web:v1`; without a tag, with the digest.
    fn name(&self) -> String {
        let image = &self.running.image;
        let tagged = self.running.deployment.as_ref().is_some_and(|it| it.tag.is_some());
        let short = image.split('@').next().filter(|_| tagged);
        short.unwrap_or(image).to_owned()
    }
}

impl Teller {
    pub(super) async fn new(
        app: App,
        organisation: OrganisationId,
        asked: &Comparing,
        filter: Filter,
    ) -> Result<Self, Refusal> {
        let lookouts = Lookouts::of(&app, &organisation, asked.judging.clone()).await?;
        let filter = Arc::new(filter);
        let (brief, changed) = (asked.judging.brief, asked.only.changed);
        Ok(Self { app, organisation, lookouts, filter, brief, changed })
    }

    /// What a pair rests on.
    pub(super) fn begin(&mut self, met: Met) -> Begun {
        let (from, to) = match met {
            Met::Application(from, to) => (from.map(Half::deployed), to.map(Half::deployed)),
            Met::Image(image, other, true) => {
                (Some(Half::known(&image)), other.map(Half::deployed))
            }
            Met::Image(image, other, false) => {
                (other.map(Half::deployed), Some(Half::known(&image)))
            }
            Met::Images(both) => {
                let [one, other] = both.each_ref().map(Half::known);
                (Some(one), Some(other))
            }
        };
        // What runs nowhere yet is meant for where the other one runs.
        let places = [&from, &to].map(|it| it.as_ref().and_then(Half::environment));
        let before_in = places[1].or(places[0]);
        let after_in = places[0].or(places[1]);
        let lookouts = [before_in, after_in].map(|it| self.lookouts.there(it));
        Begun { from, to, lookouts }
    }

    /// What is different in it.
    pub(super) async fn pair(&self, begun: Begun) -> Result<Pair, Refusal> {
        let Begun { from, to, lookouts } = begun;
        let either = from.as_ref().or(to.as_ref());
        let mut pair = Pair {
            application: [&from, &to].into_iter().flatten().find_map(|it| it.application.clone()),
            platform: either.map(|it| it.platform.clone()).unwrap_or_default(),
            from: from.as_ref().map(|it| it.running.clone()),
            to: to.as_ref().map(|it| it.running.clone()),
            outcome: PairOutcome::Unchanged,
            gaps: Vec::new(),
            difference: Difference { applications: 1, ..Difference::default() },
            comparison: None,
        };
        let same =
            from.as_ref().zip(to.as_ref()).is_some_and(|(it, other)| it.digest == other.digest);
        if same {
            pair.difference.unchanged = 1;
            return Ok(pair);
        }
        let Some(from) = from else {
            pair.outcome = PairOutcome::Removed;
            pair.difference.removed = 1;
            return Ok(pair);
        };
        let against = async {
            match &to {
                Some(to) => self.inventory(to).await.map(Some),
                None => Ok(None),
            }
        };
        let (after, before) = match try_join!(self.inventory(&from), against)? {
            (Ok(after), None) => {
                let before = nothing(&after);
                (after, before)
            }
            (Ok(after), Some(Ok(before))) => (after, before),
            (after, before) => {
                pair.outcome = PairOutcome::Unknown;
                pair.difference.unknown = 1;
                let gaps = [after.err(), before.and_then(Result::err)].into_iter().flatten();
                pair.gaps = gaps.map(Hole::from).collect();
                return Ok(pair);
            }
        };
        let mut comparison = self.compared((before, after), lookouts, to.is_none()).await?;
        if self.changed {
            comparison.findings.retain(|it| it.fate != Fate::Unchanged);
            comparison.packages.retain(|it| it.way != model::Way::Unchanged);
        }
        if to.is_some() {
            pair.outcome = PairOutcome::Compared;
        } else {
            pair.outcome = PairOutcome::Added;
            pair.difference.added = 1;
        }
        let count = |fate| {
            let of = comparison.findings_that(fate);
            of.filter(|it| it.seen().is_some_and(|it| !it.suppressed)).count() as u64
        };
        pair.difference.introduced = count(Fate::Introduced);
        pair.difference.fixed = count(Fate::Fixed);
        pair.difference.unclear = count(Fate::Unclear);
        let others = comparison.packages.iter().filter(|it| it.way != model::Way::Unchanged);
        pair.difference.packages = others.count() as u64;
        let sides = [&comparison.after.gaps, &comparison.before.gaps];
        let mut all: Vec<Gap> = sides.into_iter().flatten().cloned().collect();
        all.sort();
        all.dedup();
        pair.gaps = all.into_iter().map(Hole::from).collect();
        pair.comparison = Some(comparison);
        Ok(pair)
    }

    /// What is inside; where nobody knows, why not.
    async fn inventory(&self, half: &Half) -> Result<Result<Inventory, Gap>, Refusal> {
        let store = &self.app.store;
        if let Some(mut it) = store.inventory(&self.organisation, &half.digest).await? {
            if let Subject::Image(image) = &mut it.subject {
                image.name = half.name();
            }
            return Ok(Ok(it));
        }
        let state = store.image(&self.organisation, &half.digest).await?.map(|it| it.state);
        let why = judge::why_unread(state);
        Ok(Err(Gap::new(half.running.image.clone(), format!("{why}: cannot tell"))))
    }

    async fn compared(
        &self,
        (before, after): (Inventory, Inventory),
        [before_by, after_by]: [Arc<Lookout>; 2],
        alone: bool,
    ) -> Result<Comparison, Refusal> {
        let (filter, brief) = (Arc::clone(&self.filter), self.brief);
        let compared = judge::on_a_core(&self.app, &after_by, move |lookout| {
            let all = Filter::default();
            let after = lookout.analyze_in_brief(after, &all);
            let before: Analysis = if alone {
                let basis = after.basis.clone();
                Analysis { inventory: before, findings: vec![], gaps: vec![], basis }
            } else {
                before_by.analyze_in_brief(before, &all)
            };
            let mut comparison = compare_wanted(&before, &after, &filter);
            if !brief {
                lookout.put_titles(&before, &after, &mut comparison);
            }
            comparison
        });
        compared.await
    }
}

/// What an application is held against that runs on one side alone.
fn nothing(after: &Inventory) -> Inventory {
    let platform = after.subject.image().map(|it| it.platform.clone()).unwrap_or_default();
    let name = "nothing".to_owned();
    let image = ImageDescription { name, platform, ..ImageDescription::default() };
    Inventory {
        subject: Subject::Image(Box::new(image)),
        distro: None,
        packages: vec![],
        statements: vec![],
        gaps: vec![],
    }
}
