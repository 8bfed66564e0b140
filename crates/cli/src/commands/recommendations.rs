//! `foretop recommendations`: what an image would stand on better.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use attestation::From as Built;
use base::{BaseImage, Choice, Standing, Tag, Way, Weight, benefits, choose, is_better};
use clap::ValueHint;
use engine::{Engine, Filter, Hearing, Lookout, Part, Request};
use format::recommendations::{
    self as paper, Candidate, Change, Counts, LeftOut, Recommendations as Paper, Stand,
};
use format::report;
use image::{Desk, Progress, Silent};
use model::{Analysis, Digest, Gap, Platform, Reference};

use super::{Outcome, Verb, said};
use crate::Context;
use crate::asking::Whose;
use crate::bases::{Ground, TEACH};
use crate::failure::Failure;
use crate::findings::{Advice, answered};
use crate::formats;
use crate::output::deliver;
use crate::subject::{Seen, Subject, reach_for, subjects};

/// Recommend another base image: the same tag as it is now, or a better one of the same repository
#[derive(clap::Parser)]
#[command(name = "recommendations", after_help = AFTER.to_owned() + &subjects())]
pub(crate) struct Recommendations {
    #[command(flatten)]
    subject: Subject,
    /// Look as if this tag of the base image were used
    #[arg(long, value_name = "TAG", value_parser = said())]
    tag: Option<String>,
    /// Only whether the same tag leads to a better image by now
    #[arg(long, conflicts_with = "only_update")]
    only_refresh: bool,
    /// Only other tags
    #[arg(long)]
    only_update: bool,
    /// How to write it: text, markdown, json; several times for several reports, `FORMAT=FILE` writes one
    /// to a file
    #[arg(long, value_name = "FORMAT[=FILE]", default_value = "text")]
    format: Vec<String>,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    advice: Advice,
}

const AFTER: &str = "\
The registry of the base image is asked for its tags; a few of the same family are read and
judged, and those are recommended that have fewer vulnerabilities, or the same and less in them.

";

/// Tags that are read and judged at most.
const CANDIDATES: usize = 8;

#[derive(Clone, Copy)]
enum Form {
    Text,
    Markdown,
    Json,
}

impl Verb for Recommendations {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let known = [("text", Form::Text), ("markdown", Form::Markdown), ("json", Form::Json)];
        let reports = formats::wanted(&self.format, self.output.as_deref(), &known)?;
        if let Some(tag) = self.tag.as_deref().filter(|it| Tag::read(it).is_none()) {
            let what = format!("--tag {}: it is no tag", format::shown(tag));
            return Err(Failure::error(what, "tags are words: 3.12-slim"));
        }
        let (lookout, Seen { inventory, heard, .. }) =
            self.advice.about(&self.subject, Hearing::All, context)?;
        let ground = Ground::of(context, &self.whose, heard, &inventory);
        let own = lookout.analyze_in_brief(inventory, &Filter::default());
        let asked = Asked {
            tag: self.tag.as_deref(),
            refresh: !self.only_update,
            update: !self.only_refresh,
        };
        let told = asked.told(context, &lookout, &own, &ground)?;
        answered(&lookout)?;
        for (form, output) in reports {
            let options = formats::drawn(context, output.as_ref());
            let text = match form {
                Form::Text => paper::write_text(&told, &options),
                Form::Markdown => paper::write_markdown(&told),
                Form::Json => paper::write_json(&told),
            };
            let text = match output {
                None => context.messages.as_typed(&text),
                Some(_) => text.as_str().into(),
            };
            deliver(&text, output.as_ref(), &context.messages)?;
        }
        Ok(Outcome::Done)
    }
}

/// What is looked for.
pub(super) struct Asked<'a> {
    /// As if this tag were used.
    tag: Option<&'a str>,
    /// Whether the same tag leads to a better image by now.
    refresh: bool,
    /// Other tags.
    update: bool,
}

impl Asked<'_> {
    /// All there is to recommend.
    pub(super) const ALL: Self = Self { tag: None, refresh: true, update: true };

    /// What `own`, which stands on that ground, would stand on better.
    pub(super) fn told(
        &self,
        context: &Context,
        lookout: &Lookout,
        own: &Analysis,
        ground: &Ground,
    ) -> anyhow::Result<Paper> {
        let subject = &own.inventory.subject;
        let name = subject.name().to_owned();
        let (base, reference) = named(&name, ground)?;
        let tag =
            self.tag.map(str::to_owned).or_else(|| reference.tag.clone()).ok_or_else(|| {
                let what = format!("{}: which tag of it is used is not known", base.name());
                Failure::error(what, "--tag says which: --tag 3.12-slim")
            })?;
        // Whoever names another tag wants to hear of that one: it is not what is used, so it is not refreshed.
        let is_supposed = reference.tag.as_ref().is_some_and(|it| *it != tag);
        if is_supposed && !self.update {
            let what = format!("--only-refresh: {tag} is not the tag that is used");
            return Err(Failure::error(what, "leave one of --tag and --only-refresh out"));
        }
        let platform = subject.image().map(|it| it.platform.clone());
        // What only the image says is no word of who asks.
        let from: Option<Reference> = name.parse().ok();
        let is_said = matches!(base.way, Way::Provenance | Way::Label);
        let from = is_said.then(|| from.map(|it| it.host).unwrap_or_default());
        let at = Repository::of(context, lookout, (&reference, from), platform)?;

        let mut paper = Paper {
            target: name,
            how: base.says.clone(),
            doubts: ground.found.doubts.clone(),
            asked_refresh: self.refresh && !is_supposed,
            asked_update: self.update,
            basis: own.basis.clone(),
            ..Paper::default()
        };
        let current = at.tagged(&tag);
        paper.is_current = match &current {
            Ok(_) if is_supposed => None,
            Ok(current) => is_same(own, base, current),
            Err(why) => {
                paper.gaps.push(Gap::new(at.called(&tag), why.clone()));
                None
            }
        };
        let used = match (&current, paper.is_current) {
            (Ok(current), Some(true)) => Some(current.clone()),
            (Ok(current), _) if is_supposed => Some(current.clone()),
            _ => base.digest.as_ref().and_then(|it| at.digested(it).ok()),
        };
        let now = match used {
            Some(used) => {
                if report::is_dark(&used) {
                    let why = "what is in it is not known, so nothing is known to be better";
                    paper.gaps.push(Gap::new(at.called(&tag), why));
                }
                paper.base = stand(&at.called(&tag), &used);
                Weight::of(&used)
            }
            None => below(own, base, &at.called(&tag), &mut paper)?,
        };
        let change = change(ground, base);
        if paper.asked_refresh
            && paper.is_current != Some(true)
            && let Ok(current) = &current
        {
            at.weigh(&now, &paper.base, (&tag, &[]), true, current).put(
                &mut paper.refresh,
                &mut paper.left_out,
                change.as_ref(),
            );
        }
        if paper.asked_update {
            update(context, &at, &tag, &now, change.as_ref(), &mut paper)?;
        }
        Ok(paper)
    }
}

/// Looks at other tags.
fn update(
    context: &Context,
    at: &Repository<'_>,
    tag: &str,
    now: &Weight,
    change: Option<&Line>,
    paper: &mut Paper,
) -> anyhow::Result<()> {
    let listed = at.tags()?;
    context.messages.debug(&format!("{} tags are listed", listed.all.len()));
    paper.gaps.extend(listed.gaps);
    let mut choices = choose(tag, listed.all.iter().map(String::as_str));
    choices.truncate(CANDIDATES);
    // Tags that lead to one image are one.
    let mut seen: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    let mut looked: Vec<(Choice, Analysis)> = Vec::new();
    for choice in choices {
        context.messages.begin(&format!("Looking into {}", at.called(&choice.tag)));
        let analysis = match at.tagged(&choice.tag) {
            Ok(it) => it,
            Err(why) => {
                paper.gaps.push(Gap::new(at.called(&choice.tag), why));
                continue;
            }
        };
        let digest = analysis.inventory.subject.image().and_then(|it| it.digest.clone());
        if let Some(digest) = digest {
            let tags = seen.entry(digest).or_default();
            tags.push(at.called(&choice.tag));
            if tags.len() > 1 {
                continue;
            }
        }
        looked.push((choice, analysis));
    }
    let mut updates = Vec::new();
    for (choice, analysis) in &looked {
        let digest = analysis.inventory.subject.image().and_then(|it| it.digest.as_ref());
        let also = digest.and_then(|it| seen.get(it)).map_or(&[][..], |it| &it[1..]);
        let mut found = None;
        let mut weighed = at.weigh(now, &paper.base, (&choice.tag, also), false, analysis);
        if let Weighed::Better(candidate) = &mut weighed {
            candidate.steps = choice.steps.iter().map(|it| it.as_str().to_owned()).collect();
        }
        weighed.put(&mut found, &mut paper.left_out, change);
        updates.extend(found);
    }
    updates.sort_by_key(|it| {
        let of = it.stand.vulnerabilities;
        let counts = [of.critical, of.high, of.medium, of.low, of.unspecified];
        (counts, it.stand.size, it.stand.packages, it.stand.name.clone())
    });
    paper.updates = updates;
    Ok(())
}

/// The base that has a name, or why there is none to look for.
fn named<'a>(name: &str, ground: &'a Ground) -> anyhow::Result<(&'a BaseImage, Reference)> {
    let refuse = |why: &str, hint: &str| {
        Failure::error(format!("{name}: image has no base image{why}"), hint)
    };
    match &ground.found.standing {
        Standing::Scratch => {
            let hint = "nothing stands below it: `foretop cves --only-fixed` lists what has a fix";
            Err(refuse(": it was built from scratch", hint))
        }
        Standing::Unknown(why) => Err(refuse(&format!(" that is known: {why}"), TEACH)),
        Standing::On(all) => {
            let base =
                all.iter().find(|it| it.reference.as_ref().is_some_and(|it| it.tag.is_some()));
            let base = base.or(all.first());
            base.and_then(|it| Some((it, it.reference.clone()?))).ok_or_else(|| {
                refuse(" whose name is known", "foretop base learn NAME says what it is called")
            })
        }
    }
}

/// Does the tag lead to the image that is used? Digests differ where layers do not, so these are asked.
fn is_same(own: &Analysis, base: &BaseImage, current: &Analysis) -> Option<bool> {
    let own = own.inventory.subject.image()?;
    let current = current.inventory.subject.image()?;
    if let Some(digest) = &base.digest
        && [&current.digest, &current.index].into_iter().flatten().any(|it| it == digest)
    {
        return Some(true);
    }
    match base.layers {
        Some(layers) => {
            let below = own.layers.get(..layers)?.iter().map(|it| &it.diff_id);
            let same = current.layers.len() == layers
                && below.eq(current.layers.iter().map(|it| &it.diff_id));
            Some(same)
        }
        None => base.digest.as_ref().map(|_| false),
    }
}

/// What the base brought, told by the image itself, where the base is not to be had any more.
fn below(
    own: &Analysis,
    base: &BaseImage,
    name: &str,
    paper: &mut Paper,
) -> anyhow::Result<Weight> {
    let Some(layers) = base.layers else {
        let what = format!("{name}: the image that is used cannot be read, nor told by layers");
        return Err(Failure::error(what, TEACH));
    };
    let filter = Filter { part: Some(Part::Base(layers)), ..Filter::default() };
    let brought = filter.apply(own.clone());
    let image = own.inventory.subject.image();
    let sizes: Option<u64> = image
        .and_then(|it| it.layers.get(..layers))
        .and_then(|all| all.iter().map(|it| it.size).sum());
    let mut weight = Weight::of(&brought);
    weight.size = sizes.unwrap_or_default();
    weight.created = None;
    paper.base = Stand {
        digest: base.digest.as_ref().map(ToString::to_string),
        size: sizes,
        created: None,
        ..stand(name, &brought)
    };
    let why = "it cannot be read any more, so it is told as it is in the image";
    paper.gaps.push(Gap::new(name, why));
    Ok(weight)
}

fn stand(name: &str, analysis: &Analysis) -> Stand {
    let weight = Weight::of(analysis);
    let image = analysis.inventory.subject.image();
    Stand {
        name: name.to_owned(),
        digest: image.and_then(|it| it.digest.as_ref()).map(ToString::to_string),
        vulnerabilities: Counts::of(weight.counts),
        size: image.map(|it| it.size),
        packages: weight.packages,
        created: weight.created,
        system: weight.system,
    }
}

/// Where a Dockerfile says what an image stands on.
struct Line {
    file: String,
    number: usize,
    written: String,
}

fn change(ground: &Ground, base: &BaseImage) -> Option<Line> {
    let built = ground.beside.built().filter(|_| base.way == Way::Provenance)?;
    let dockerfile = built.dockerfile.as_ref().ok()?;
    let stage = dockerfile.bottom(dockerfile.target(built.target.as_deref())?);
    matches!(stage.from, Built::Image(_)).then(|| Line {
        file: built.file.clone().unwrap_or_else(|| "Dockerfile".to_owned()),
        number: *stage.lines.start(),
        written: stage.written.clone(),
    })
}

/// What came of weighing a tag.
enum Weighed {
    Better(Box<Candidate>),
    Not(LeftOut),
}

impl Weighed {
    fn put(
        self,
        better: &mut Option<Candidate>,
        left_out: &mut Vec<LeftOut>,
        change: Option<&Line>,
    ) {
        match self {
            Self::Better(mut candidate) => {
                candidate.change = change.map(|it| Change {
                    file: it.file.clone(),
                    line: it.number,
                    from: format!("FROM {}", it.written),
                    to: format!("FROM {}", candidate.stand.name),
                });
                *better = Some(*candidate);
            }
            Self::Not(it) => left_out.push(it),
        }
    }
}

/// The repository of a base image.
struct Repository<'a> {
    reference: Reference,
    platform: Option<Platform>,
    lookout: &'a Lookout,
    settings: Arc<image::Settings>,
    engine: Engine,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Repository<'a> {
    fn of(
        context: &Context,
        lookout: &'a Lookout,
        (reference, from): (&Reference, Option<String>),
        platform: Option<Platform>,
    ) -> anyhow::Result<Self> {
        let name = Reference { digest: None, ..reference.clone() }.familiar();
        let settings = reach_for(context, &format!("registry://{name}"))?;
        let settings = match from {
            Some(from) => settings.for_named(&reference.host, Some(&from)),
            None => settings,
        };
        let settings = Arc::new(settings);
        Ok(Self {
            reference: reference.clone(),
            platform: platform.filter(|it| !it.os.is_empty()),
            lookout,
            settings,
            engine: Engine { cache: context.environment.cache()?.map(Arc::new) },
            runtime: crate::runtime()?,
        })
    }

    /// The name of a tag, as people write it.
    fn called(&self, tag: &str) -> String {
        let tag = Some(tag.to_owned());
        Reference { tag, digest: None, ..self.reference.clone() }.familiar()
    }

    fn tagged(&self, tag: &str) -> Result<Analysis, String> {
        let tag = Some(tag.to_owned());
        self.judged(&Reference { tag, digest: None, ..self.reference.clone() })
    }

    fn digested(&self, digest: &Digest) -> Result<Analysis, String> {
        let digest = Some(digest.clone());
        self.judged(&Reference { tag: None, digest, ..self.reference.clone() })
    }

    fn judged(&self, reference: &Reference) -> Result<Analysis, String> {
        let request = Request {
            subject: format!("registry://{reference}"),
            platform: self.platform.clone(),
            reference: None,
            manifest: None,
            hearing: Hearing::Nothing,
            settings: Arc::clone(&self.settings),
            progress: Arc::new(Silent),
        };
        let found = self.runtime.block_on(self.engine.inventory(&request));
        let found = found.map_err(|error| error.to_string())?;
        Ok(self.lookout.analyze_in_brief(found.inventory, &Filter::default()))
    }

    fn tags(&self) -> anyhow::Result<integration::Listed<String>> {
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let desk = Desk::registry(&self.reference.host, &self.settings, &progress)?;
        Ok(self.runtime.block_on(integration::tags(&desk, &self.reference.repository))?)
    }

    fn weigh(
        &self,
        now: &Weight,
        base: &Stand,
        (tag, also): (&str, &[String]),
        is_refresh: bool,
        analysis: &Analysis,
    ) -> Weighed {
        let name = self.called(tag);
        let then = Weight::of(analysis);
        let left_out =
            |why: &str| Weighed::Not(LeftOut { name: name.clone(), why: why.to_owned() });
        if report::is_dark(analysis) {
            return left_out("what is in it is not known");
        }
        if then.gaps > now.gaps {
            return left_out("less is known of it");
        }
        if !is_better(now, &then, is_refresh) {
            return left_out(&format!("it is not better: {}", benefits(now, &then)[0]));
        }
        let stand = stand(&name, analysis);
        Weighed::Better(Box::new(Candidate {
            delta: stand.vulnerabilities.less(base.vulnerabilities),
            stand,
            also: also.to_vec(),
            benefits: benefits(now, &then),
            ..Candidate::default()
        }))
    }
}
