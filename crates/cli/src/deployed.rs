//! What runs in an environment, judged: for the verbs that take one in place of an image.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use api::{
    Deployment, DeploymentQuery, EventQuery, Judging, Runtime, RuntimeQuery, Sort, Unplaced,
};
use engine::in_use::Evidence;
use engine::{Filter, Part};
use format::shown;
use futures_util::StreamExt as _;
use model::{Analysis, Basis, Gap, ImageDescription, InUse, Inventory, Loaded, Profile, Statement};
use policy::Judge;

use crate::Context;
use crate::asking::{Asking, PART, Whose, ask_with, is, whole};
use crate::bases;
use crate::commands::said;
use crate::exceptions;
use crate::failure::Failure;
use crate::findings::Advice;
use crate::policies::Policies;
use crate::subject::Subject;

/// What runs, in place of an image.
#[derive(clap::Args)]
pub(crate) struct Deployed {
    /// Look into what runs in this environment: all of it, or only the repository, tag or image that
    /// is named
    #[arg(long = "env", value_name = "ENVIRONMENT", alias = "stream", value_parser = said())]
    environment: Option<String>,
    #[command(flatten)]
    whose: Whose,
}

/// What is wanted of each image.
pub(crate) struct Wanted<'a> {
    pub(crate) filter: &'a Filter,
    /// Without texts.
    pub(crate) brief: bool,
    /// Only this part of it, of so many layers of its base.
    pub(crate) part: Option<fn(usize) -> Part>,
}

/// What an image loads in an environment; `None`: nobody looked, or it is none of an image.
pub(crate) async fn in_use(
    (asking, environment): (&Asking, &str),
    inventory: Option<&Inventory>,
) -> anyhow::Result<Option<Evidence>> {
    let image = inventory.and_then(|it| it.subject.image());
    let Some(digest) = image.and_then(|it| it.digest.as_ref().or(it.config.as_ref())) else {
        return Ok(None);
    };
    let seen = asking.client.in_use(&asking.organisation, environment, digest.as_str()).await?;
    let Some(at) = seen.seen else { return Ok(None) };
    let packages = seen.packages.into_iter().map(|it| Loaded {
        name: it.name,
        version: it.version,
        purl: it.purl,
        kind: it.kind,
        is_system: it.is_system,
    });
    let profile = Profile { packages: packages.collect(), is_whole: seen.is_whole };
    let looked = InUse { by: seen.by, seen: at, is_old: seen.is_old };
    let profiles = if looked.is_old { Vec::new() } else { vec![profile] };
    Ok(Some(Evidence { looked, profiles }))
}

impl Deployed {
    /// Is it asked for?
    pub(crate) fn wanted(&self) -> bool {
        self.environment.is_some()
    }

    /// For whom.
    pub(crate) fn whose(&self) -> &Whose {
        &self.whose
    }

    /// The policies that are in force there, unless others are brought.
    pub(crate) fn judge(&self, policies: &Policies, context: &Context) -> anyhow::Result<Judge> {
        policies.judge_for(self.environment.as_deref(), &self.whose, context)
    }

    /// What the organisation decided about flaws, where an image is read here instead.
    pub(crate) fn exceptions(&self, context: &Context) -> anyhow::Result<Vec<Statement>> {
        exceptions::of(context, &self.whose)
    }

    /// Takes each image that runs there and is meant, judged, by its name: a few are held at a time,
    /// however many there are. One that nobody has analysed yet is a hole, and is told as one. How many
    /// there are is said before the first. Says as well whether something may run there that nobody sees.
    pub(crate) fn judged<T>(
        &self,
        context: &Context,
        subject: &Subject,
        advice: &Advice,
        wanted: &Wanted<'_>,
        begin: impl FnOnce(usize) -> anyhow::Result<T>,
        mut take: impl FnMut(&mut T, Analysis) -> anyhow::Result<()>,
    ) -> anyhow::Result<(T, bool)> {
        let environment = self.environment.as_deref().unwrap_or_default();
        let (image, platform) = subject.in_environment()?;
        let mut judging = advice.judging(context, wanted.brief)?;
        judging.environment.clone_from(&self.environment);
        ask_with(context, &self.whose, advice.directory(), async |asking| {
            sound(asking, advice, context)?;
            let mut doubts = Doubts::of(asking, environment, image.is_none()).await?;
            let mut lost = std::mem::take(&mut doubts.lost);
            let running = running(asking, environment, image, platform).await?;
            doubts.tell(context);
            if running.is_empty() && lost.is_empty() {
                return Err(nothing(asking, environment, image));
            }
            let mut taken = begin(running.len() + lost.len())?;
            // Of what is not seen there is no image to tell it of: the first one has it.
            let mut unseen = doubts.beside(&running);
            if running.is_empty()
                && let Some((_, first)) = lost.first_mut()
            {
                first.gaps.append(&mut unseen);
            }
            let judge = |it: Running| {
                let mut gaps = doubts.about(&it);
                gaps.append(&mut unseen);
                let judged = judge(asking, it.name, it.deployment, &judging, wanted);
                async move {
                    let mut judged = judged.await?;
                    judged.analysis.gaps.extend(gaps);
                    anyhow::Ok(judged)
                }
            };
            let mut judged = futures_util::stream::iter(running).map(judge).buffered(AT_ONCE);
            // Images of which nothing is known rest on what the first one does of which something is.
            let mut basis: Option<Basis> = None;
            let mut waiting: Vec<Judged> = Vec::new();
            let mut tell = |it: Judged, basis: &Basis| {
                if let Some(image) = &it.unread {
                    let line = format!("{image} is not analysed yet: foretop push {image}");
                    context.messages.warn(&line);
                }
                if let Some(line) = &it.parted {
                    context.messages.inform(line);
                }
                let basis = match it.unread {
                    // Nobody looked what that one loads.
                    Some(_) => Basis { in_use: None, ..basis.clone() },
                    None => it.analysis.basis,
                };
                take(&mut taken, Analysis { basis, ..it.analysis })
            };
            while let Some(next) = judged.next().await {
                let next = next?;
                if basis.is_none() && next.unread.is_none() {
                    basis = Some(next.analysis.basis.clone());
                }
                waiting.push(next);
                if let Some(basis) = &basis {
                    waiting.drain(..).try_for_each(|it| tell(it, basis))?;
                }
            }
            let basis = basis.unwrap_or_default();
            waiting.into_iter().try_for_each(|it| tell(it, &basis))?;
            for (name, analysis) in lost {
                tell(Judged { analysis, unread: Some(name), parted: None }, &basis)?;
            }
            Ok((taken, doubts.is_any()))
        })
    }

    /// The image that was analysed last, judged.
    pub(crate) fn latest(
        &self,
        context: &Context,
        advice: &Advice,
        filter: &Filter,
    ) -> anyhow::Result<Analysis> {
        let judging = advice.judging(context, true)?;
        ask_with(context, &self.whose, advice.directory(), async |asking| {
            sound(asking, advice, context)?;
            let kinds = Some(model::EventKind::ImageAnalysed.as_str().to_owned());
            let mut query = EventQuery { kinds, limit: Some(PART), ..EventQuery::default() };
            loop {
                let page = asking.client.events(&asking.organisation, &query).await?;
                for event in page.items {
                    let client = &asking.client;
                    let organisation = &asking.organisation;
                    match client.analysis(organisation, &event.about, &judging).await {
                        Ok(analysis) => {
                            let name = named(asking, &event.about).await?;
                            return Ok(filter.apply(called(analysis, name)));
                        }
                        // It was deleted since.
                        Err(error) if is(&error, Sort::NotFound) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                if page.next.is_none() || page.next == query.after {
                    return Err(Failure::error(
                        format!("no image is analysed in organization {}", asking.organisation),
                        "foretop push IMAGE reads one and sends what is inside",
                    ));
                }
                query.after = page.next;
            }
        })
    }
}

/// What a server rests on is its own affair; here, an almanac must be whole.
pub(crate) fn sound(asking: &Asking, advice: &Advice, context: &Context) -> anyhow::Result<()> {
    if asking.embedded() {
        return advice.sound(context);
    }
    match advice.directory() {
        None => Ok(()),
        Some(_) => Err(Failure::error(
            "--almanac: what runs is judged by the server, by its own almanac",
            "leave it out",
        )),
    }
}

/// An image that runs.
struct Running {
    /// A name that no other one has.
    name: String,
    /// One of those that run it.
    deployment: Deployment,
    /// Who says so, all of them.
    sources: BTreeSet<String>,
}

/// What runs there, each image once, under names that differ.
async fn running(
    asking: &Asking,
    environment: &str,
    image: Option<&str>,
    platform: Option<String>,
) -> anyhow::Result<Vec<Running>> {
    let organisation = &asking.organisation;
    // An environment that nobody has heard of is not an empty one.
    asking.client.environment(organisation, environment).await?;
    let found = whole(async |after| {
        let query = DeploymentQuery {
            environment: Some(environment.to_owned()),
            image: image.map(str::to_owned),
            platform: platform.clone(),
            after,
            limit: Some(PART),
            ..DeploymentQuery::default()
        };
        asking.client.deployments(organisation, &query).await
    });
    let mut sources: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut by_digest: BTreeMap<String, Deployment> = BTreeMap::new();
    for it in found.await? {
        sources.entry(it.digest.clone()).or_default().insert(it.source.clone());
        by_digest.insert(it.digest.clone(), it);
    }
    let name = |it: &Deployment| it.image.split('@').next().unwrap_or(&it.image).to_owned();
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for it in by_digest.values() {
        if !seen.insert(name(it)) {
            twice.insert(name(it));
        }
    }
    let mut all: Vec<Running> = by_digest
        .into_values()
        .map(|it| Running {
            name: Some(name(&it)).filter(|it| !twice.contains(it)).unwrap_or(it.image.clone()),
            sources: sources.remove(&it.digest).unwrap_or_default(),
            deployment: it,
        })
        .collect();
    all.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(all)
}

/// That nothing runs there that is meant.
fn nothing(asking: &Asking, environment: &str, image: Option<&str>) -> anyhow::Error {
    let organisation = &asking.organisation;
    let what = image.map_or("nothing".to_owned(), |it| format!("no image of {it}"));
    Failure::error(
        format!("{what} is recorded to environment {environment} in organization {organisation}"),
        format!("`foretop env {environment}` lists what is"),
    )
}

/// The runtimes that run something in an environment. A server that knows of none has none.
pub(crate) async fn runtimes(asking: &Asking, environment: &str) -> anyhow::Result<Vec<Runtime>> {
    let all = whole(async |after| {
        let environment = Some(environment.to_owned());
        let query = RuntimeQuery { environment, after, limit: None };
        asking.client.runtimes(&asking.organisation, &query).await
    });
    match all.await {
        Ok(all) => Ok(all),
        Err(error) if is(&error, Sort::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Why nobody can tell what a digest is that a runtime told of.
pub(crate) fn unplaced(it: &Unplaced) -> String {
    let of = &it.workload;
    let parts = [&of.namespace, &of.kind, &of.name, &of.container];
    let parts: Vec<&str> =
        parts.into_iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
    format!("{} runs it, and no image that is known here goes by that digest", parts.join("/"))
}

/// What nobody can tell of an environment because of its runtimes.
struct Doubts {
    /// Of each runtime, by the source that its deployments have.
    holes: BTreeMap<String, Vec<Gap>>,
    /// What is no image that is known here.
    lost: Vec<(String, Analysis)>,
    /// That there is such, where only some images are meant: it may be one of them.
    some: Option<Gap>,
}

impl Doubts {
    async fn of(asking: &Asking, environment: &str, all_meant: bool) -> anyhow::Result<Self> {
        let mut doubts = Self { holes: BTreeMap::new(), lost: Vec::new(), some: None };
        let mut lost: BTreeMap<String, Analysis> = BTreeMap::new();
        for it in runtimes(asking, environment).await? {
            let at = format!("runtime {}", it.name);
            let holes = it.gaps.into_iter().map(|why| Gap::new(at.clone(), why)).collect();
            doubts.holes.insert(format!("runtime:{}", it.name), holes);
            for one in it.unplaced.into_iter().filter(|it| it.environment == environment) {
                let why = unplaced(&one);
                let image = ImageDescription {
                    name: one.digest.clone(),
                    digest: one.digest.parse().ok(),
                    ..ImageDescription::default()
                };
                lost.insert(one.digest.clone(), blank(image, Gap::new(one.digest, why)));
            }
        }
        if all_meant {
            doubts.lost = lost.into_iter().collect();
        } else if !lost.is_empty() {
            let what = if lost.len() == 1 { "image that is" } else { "images that are" };
            let why = format!("{} {what} not known here may be of it: cannot tell", lost.len());
            doubts.some = Some(Gap::new(format!("environment {environment}"), why));
        }
        Ok(doubts)
    }

    /// Those about an image that runs.
    fn about(&self, it: &Running) -> Vec<Gap> {
        let holes = it.sources.iter().filter_map(|it| self.holes.get(it)).flatten();
        holes.chain(&self.some).cloned().collect()
    }

    /// Those of runtimes that run none of these.
    fn beside(&self, running: &[Running]) -> Vec<Gap> {
        let is_there = |source: &String| running.iter().any(|it| it.sources.contains(source));
        let others = self.holes.iter().filter(|(source, _)| !is_there(source));
        others.flat_map(|(_, holes)| holes).cloned().collect()
    }

    /// May something run there that nobody sees?
    fn is_any(&self) -> bool {
        self.some.is_some() || self.holes.values().any(|it| !it.is_empty())
    }

    /// A line for each.
    fn tell(&self, context: &Context) {
        for gap in self.holes.values().flatten().chain(&self.some) {
            context.messages.warn(&shown(&gap.to_string()));
        }
    }
}

/// Images that are judged at the same time: while one is told, the next is looked into.
const AT_ONCE: usize = 2;

/// An image that runs.
struct Judged {
    analysis: Analysis,
    /// By this name, nobody has analysed it yet.
    unread: Option<String>,
    /// Which part of it is told, where that is not all.
    parted: Option<String>,
}

async fn judge(
    asking: &Asking,
    name: String,
    it: Deployment,
    judging: &Judging,
    wanted: &Wanted<'_>,
) -> anyhow::Result<Judged> {
    match asking.client.analysis(&asking.organisation, &it.digest, judging).await {
        Ok(analysis) => {
            let mut analysis = called(analysis, name);
            let mut filter = Cow::Borrowed(wanted.filter);
            let mut parted = None;
            if let Some(part) = wanted.part {
                let (found, said) = which(asking, &mut analysis, part).await?;
                filter.to_mut().part = found;
                parted = said;
            }
            Ok(Judged { analysis: filter.apply(analysis), unread: None, parted })
        }
        Err(error) if is(&error, Sort::NotFound) => {
            let why = unread(asking, &it).await;
            let analysis = unknown(name, &it, why);
            Ok(Judged { analysis, unread: Some(it.image), parted: None })
        }
        Err(error) => Err(error.into()),
    }
}

/// The part of an image that is wanted, and what is said of it. Where nobody can tell what its base image
/// brought, nothing is left out on a guess, and that is a hole.
async fn which(
    asking: &Asking,
    analysis: &mut Analysis,
    part: fn(usize) -> Part,
) -> anyhow::Result<(Option<Part>, Option<String>)> {
    let found = bases::remembered(asking, &analysis.inventory).await?;
    let name = shown(analysis.inventory.subject.name()).into_owned();
    match found.layers() {
        Ok(layers) => {
            let part = part(layers);
            let base = found.base().map_or_else(|| "none".to_owned(), base::BaseImage::name);
            let base = shown(&base).into_owned();
            let said = match part {
                Part::Rest(_) => format!("{name}: without what base image {base} brought"),
                Part::Base(_) => format!("{name}: only what base image {base} brought"),
            };
            Ok((Some(part), Some(said)))
        }
        Err(why) => {
            let why = format!("what its base image brought is not known, so all is told: {why}");
            analysis.gaps.push(Gap::new(name, why));
            Ok((None, None))
        }
    }
}

/// Why nobody knows what is inside.
async fn unread(asking: &Asking, it: &Deployment) -> String {
    match asking.client.image(&asking.organisation, &it.digest).await.map(|it| it.why) {
        Ok(Some(why)) => format!("reading it failed: {why}"),
        _ => "it is not analysed yet".to_owned(),
    }
}

/// The same under the name that it runs by.
fn called(mut analysis: Analysis, name: String) -> Analysis {
    if let model::Subject::Image(image) = &mut analysis.inventory.subject {
        image.name = name;
    }
    analysis
}

/// All that is known of an image that nobody has read.
fn unknown(name: String, it: &Deployment, why: String) -> Analysis {
    let image = ImageDescription {
        name,
        digest: it.digest.parse().ok(),
        platform: it.platform.parse().unwrap_or_default(),
        ..ImageDescription::default()
    };
    blank(image, Gap::new(it.image.clone(), why))
}

/// An image of which nothing else is known.
fn blank(image: ImageDescription, gap: Gap) -> Analysis {
    Analysis {
        inventory: Inventory {
            subject: model::Subject::Image(Box::new(image)),
            distro: None,
            packages: vec![],
            statements: vec![],
            gaps: vec![],
        },
        findings: vec![],
        gaps: vec![gap],
        basis: Basis::default(),
    }
}

/// A name of the image, as people write it.
async fn named(asking: &Asking, digest: &str) -> anyhow::Result<String> {
    let image = asking.client.image(&asking.organisation, digest).await?;
    let name = image.repositories.first().map(|it| it.parse::<model::Reference>());
    Ok(match name {
        Some(Ok(it)) => {
            let name = it.familiar();
            name.strip_suffix(":latest").unwrap_or(&name).to_owned()
        }
        _ => digest.to_owned(),
    })
}
