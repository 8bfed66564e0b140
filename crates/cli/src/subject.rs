//! The subject of a command: an image, a directory, an archive or a document, and how it is read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cache::Cache;
use engine::{Analyzed, Engine, Hearing, Origin, Request};
use image::{Attached, Settings};
use model::{Gap, Inventory, Platform, Reference};

use crate::failure::Failure;
use crate::messages::{Messages, count};
use crate::{Context, docker, trust};

/// What to look into.
#[derive(clap::Args, Clone)]
pub(crate) struct Subject {
    /// What to look into; without one, the newest image of the local engine
    #[arg(value_name = "IMAGE|DIRECTORY|ARCHIVE", value_parser = crate::commands::said())]
    subject: Option<String>,
    #[command(flatten)]
    choice: Choice,
}

/// Which image of several.
#[derive(clap::Args, Clone)]
pub(crate) struct Choice {
    /// Which image of several: os/architecture[/variant]
    #[arg(long)]
    platform: Option<Platform>,
    /// Which reference inside an archive or layout of several
    #[arg(long = "ref", value_name = "REFERENCE")]
    reference: Option<String>,
}

impl Choice {
    /// The image for that platform.
    pub(crate) fn of(platform: Option<Platform>) -> Self {
        Self { platform, reference: None }
    }
}

/// What may stand before the name of an image that runs. `docker-pullable://` is how Kubernetes writes
/// it.
pub(crate) const SCHEMES: [&str; 5] = ["image", "registry", "local", "docker", "docker-pullable"];

/// A line for each source.
pub(crate) fn subjects() -> String {
    use std::fmt::Write as _;
    let mut text = "In front of the name stands where it is (image:// unless said):\n".to_owned();
    for source in image::ALL {
        let scheme = format!("{}://", source.scheme());
        let _ = writeln!(text, "  {scheme:<12} {}", source.takes());
    }
    text
}

impl Subject {
    /// That subject, for commands whose words have another order.
    pub(crate) fn new(subject: String, choice: Choice) -> Self {
        Self { subject: Some(subject), choice }
    }

    /// The same, and what it is held against: for the same platform, wherever there is one to choose.
    pub(crate) fn and(self, other: &str, reference: Option<&str>) -> (Self, Self) {
        let takes = |subject: Option<&str>| {
            subject
                .is_none_or(|it| image::parse(it).is_ok_and(|(source, _)| source.takes_platform()))
        };
        let chosen = (takes(self.subject.as_deref()), takes(Some(other)));
        let platform = |own: bool| {
            // Where neither takes one, whoever named one is told.
            self.choice.platform.clone().filter(|_| own || chosen == (false, false))
        };
        let choice =
            Choice { platform: platform(chosen.1), reference: reference.map(str::to_owned) };
        let other = Self { subject: Some(other.to_owned()), choice };
        let choice = Choice { platform: platform(chosen.0), ..self.choice.clone() };
        (Self { choice, ..self }, other)
    }

    /// As it was written, if it was.
    pub(crate) fn written(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The repository, tag or image and the platform that are meant of what runs.
    pub(crate) fn in_environment(&self) -> anyhow::Result<(Option<&str>, Option<String>)> {
        if self.choice.reference.is_some() {
            let why = "--ref: what runs is not in an archive";
            return Err(Failure::error(why, "leave it out, and name the repository"));
        }
        let platform = self.choice.platform.as_ref().map(ToString::to_string);
        // Wherever it was to be read, what runs is told by its name.
        let image = match self.subject.as_deref().map(|it| (it, it.split_once("://"))) {
            Some((_, Some((scheme, name)))) if SCHEMES.contains(&scheme) => Some(name),
            Some((subject, Some((scheme, _)))) => {
                return Err(Failure::error(
                    format!("{subject}: `{scheme}://` names no image that runs"),
                    "name the repository, the tag or the image: acme/web, acme/web:v1",
                ));
            }
            Some((name, None)) => Some(name),
            None => None,
        };
        Ok((image, platform))
    }

    /// Is it named as registries and engines name images? An id of an engine's is no such name.
    pub(crate) fn in_a_registry(&self) -> bool {
        let scheme = self.subject.as_deref().and_then(|it| it.split_once("://"));
        let (scheme, name) =
            scheme.unwrap_or(("image", self.subject.as_deref().unwrap_or("newest")));
        matches!(scheme, "image" | "local" | "registry") && name.parse::<model::Digest>().is_err()
    }

    /// By what name it is in a registry, if it is.
    fn found_in_a_registry(&self) -> Option<Reference> {
        let name = self.written().filter(|_| self.in_a_registry())?;
        name.split_once("://").map_or(name, |(_, it)| it).parse().ok()
    }

    /// What is inside.
    pub(crate) fn inventory(&self, context: &Context) -> anyhow::Result<Inventory> {
        Ok(self.seen(context, Hearing::Nothing)?.inventory)
    }

    /// The same, with what is to be heard of what is stated beside an image.
    pub(crate) fn seen(&self, context: &Context, hearing: Hearing) -> anyhow::Result<Seen> {
        let cache = context.environment.cache()?.map(Arc::new);
        Ok(self.fetched(context, hearing, cache)?.told(context))
    }

    /// Its file, where it is a document that lies in one.
    pub(crate) fn document(&self) -> Option<&str> {
        if self.is_stdin() { None } else { self.subject.as_deref()?.strip_prefix("sbom://") }
    }

    /// What is inside both, read at the same time, with all that is stated beside images.
    pub(crate) fn both(
        one: &Self,
        other: &Self,
        context: &Context,
    ) -> anyhow::Result<(Seen, Seen)> {
        if one.is_stdin() && other.is_stdin() {
            return Err(Failure::error(
                "both sides would be read from standard input",
                "put one of them into a file",
            ));
        }
        let cache = context.environment.cache()?.map(Arc::new);
        let (one, other) = std::thread::scope(|scope| {
            let other = scope.spawn(|| other.fetched(context, Hearing::All, cache.clone()));
            (one.fetched(context, Hearing::All, cache.clone()), other.join())
        });
        let other = other.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What was done is told one after the other.
        Ok((one?.told(context), other?.told(context)))
    }

    fn fetched(
        &self,
        context: &Context,
        hearing: Hearing,
        cache: Option<Arc<Cache>>,
    ) -> anyhow::Result<Fetched> {
        let runtime =
            if self.document().is_some() { crate::runtime_for_files() } else { crate::runtime() }?;
        let fetched = runtime.block_on(self.fetch(context, hearing, cache));
        // Who still waits for bytes that are not wanted any more must not keep us.
        runtime.shutdown_background();
        fetched
    }

    fn is_stdin(&self) -> bool {
        matches!(self.subject.as_deref(), Some("sbom://" | "sbom://-" | "archive://-"))
    }

    /// What is inside, for whoever waits already.
    pub(crate) async fn read(&self, context: &Context, hearing: Hearing) -> anyhow::Result<Seen> {
        let cache = context.environment.cache()?.map(Arc::new);
        Ok(self.fetch(context, hearing, cache).await?.told(context))
    }

    async fn fetch(
        &self,
        context: &Context,
        hearing: Hearing,
        cache: Option<Arc<Cache>>,
    ) -> anyhow::Result<Fetched> {
        let Context { environment, messages, docker } = context;
        let offline = environment.offline()?;
        let scheme = self.subject.as_deref().and_then(|it| it.split_once("://"));
        let scheme = scheme.map_or("image", |(scheme, _)| scheme).to_owned();
        let settings = Arc::new(docker::settings(
            environment,
            docker,
            matches!(scheme.as_str(), "image" | "local"),
        )?);
        messages.verbose(|| format!("settings: {settings:?}"));
        let subject = match &self.subject {
            Some(subject) => subject.clone(),
            None => newest(&settings, messages).await?,
        };
        let subject = if offline { without_registry(&subject)? } else { subject };
        let restricted = offline && scheme == "image";
        messages.debug(&match &cache {
            Some(cache) => format!("cache: {}", cache.root().display()),
            None => "cache: none".to_owned(),
        });
        let request = Request {
            subject,
            platform: self.choice.platform.clone(),
            reference: self.choice.reference.clone(),
            manifest: None,
            hearing,
            settings,
            progress: Arc::new(Watcher::new(
                messages,
                if scheme == "registry" { "Pulling" } else { "Indexing" },
            )),
        };
        messages.debug(&format!("analyze start: {}", request.subject));
        let engine = Engine { cache: cache.clone() };
        let trust = trust::of(context)?;
        let analyzed = engine.inventory_trusting(&request, &trust).await.map_err(|error| {
            if restricted {
                let hint = "only the local engine was asked, because FORETOP_OFFLINE is set";
                Failure::error(error.to_string(), hint)
            } else {
                error.into()
            }
        })?;
        let (place, trouble) = (self.found_in_a_registry(), cache.and_then(|it| it.trouble()));
        Ok(Fetched { analyzed, scheme, place, trouble })
    }
}

/// What is inside, and what is stated beside it.
pub(crate) struct Seen {
    pub(crate) inventory: Inventory,
    /// All that is stated beside an image that was read here, where that was to be heard.
    pub(crate) heard: Option<Heard>,
    /// Which document was taken in place of the image's layers, if one was.
    pub(crate) attested: Option<Gap>,
}

/// What is stated beside an image.
pub(crate) struct Heard {
    /// By what name it is in a registry, if it is.
    pub(crate) place: Option<Reference>,
    /// Each, or why nobody can tell.
    pub(crate) attached: Result<Attached, String>,
}

impl Seen {
    /// What is remembered of an image that is not read here.
    pub(crate) fn remembered(inventory: Inventory) -> Self {
        Self { inventory, heard: None, attested: None }
    }
}

/// An inventory of which nobody has been told yet.
struct Fetched {
    analyzed: Analyzed,
    scheme: String,
    place: Option<Reference>,
    trouble: Option<String>,
}

impl Fetched {
    fn told(self, context: &Context) -> Seen {
        tell(&self.analyzed, &self.scheme, &context.messages);
        if let Some(trouble) = self.trouble {
            context.messages.warn(&format!("Nothing is kept for the next time: {trouble}"));
        }
        let Analyzed { inventory, beside, origin } = self.analyzed;
        let heard = beside.map(|attached| Heard { place: self.place, attached });
        let attested = match origin {
            Origin::Attested(document) => Some(document),
            _ => None,
        };
        Seen { inventory, heard, attested }
    }
}

/// Types that nothing can have are mistyped more often than meant.
pub(crate) fn warn_of_types(wanted: &[String], inventories: &[&Inventory], messages: &Messages) {
    if wanted.is_empty() {
        return;
    }
    let wanted: BTreeSet<String> = wanted.iter().map(|it| it.trim().to_ascii_lowercase()).collect();
    let mut known: BTreeSet<&str> = ecosystem::ALL.iter().map(|it| it.id()).collect();
    known.extend(inventories.iter().flat_map(|it| &it.packages).map(|it| it.purl.kind()));
    for kind in wanted.iter().filter(|it| !known.contains(it.as_str())) {
        let known: Vec<&str> = known.iter().copied().collect();
        messages.warn(&format!("No package has the type `{kind}`; there are {}", known.join(", ")));
    }
}

/// The image that was built or pulled last.
async fn newest(settings: &Settings, messages: &Messages) -> anyhow::Result<String> {
    let hint = "name one, or archive://FILE, fs://DIRECTORY, sbom://FILE";
    match image::newest(settings).await {
        Ok(Some(name)) => {
            messages.inform(&format!("No image was named, so the newest one is taken: {name}"));
            Ok(format!("local://{name}"))
        }
        Ok(None) => Err(Failure::error("no image was named: the engine holds none", hint)),
        Err(error) => Err(Failure::error(format!("no image was named: {error}"), hint)),
    }
}

/// How the source of that subject is reached; no registry is while nobody may ask one.
pub(crate) fn reach_for(context: &Context, subject: &str) -> anyhow::Result<Settings> {
    if context.environment.offline()? {
        without_registry(subject)?;
    }
    docker::settings(&context.environment, &context.docker, false)
}

/// The same subject, where no registry is asked.
pub(crate) fn without_registry(subject: &str) -> anyhow::Result<String> {
    match subject.split_once("://") {
        Some(("registry", _)) => Err(Failure::error(
            format!("{subject}: no registry is asked while FORETOP_OFFLINE is set"),
            "unset it, or name an image that is here: local://, archive://, oci-dir://",
        )),
        Some(("image", name)) => Ok(format!("local://{name}")),
        None => Ok(format!("local://{subject}")),
        Some(_) => Ok(subject.to_owned()),
    }
}

/// What was done, and what is missing.
fn tell(analyzed: &Analyzed, scheme: &str, messages: &Messages) {
    let packages = analyzed.inventory.packages.len();
    let packages = count(packages as u64, "package", "packages");
    let bytes = messages.bytes_read();
    match &analyzed.origin {
        Origin::Kept => {
            messages.debug("analyze done: the image was kept");
            messages.done(&format!("SBOM of image already cached, {packages} indexed"));
        }
        Origin::Layers { read, all } => {
            messages.debug(&format!("analyze done: {read} of {all} layers read, {bytes} bytes"));
            match scheme {
                "registry" => messages.done("Pulled"),
                "archive" => messages.done("Archive read"),
                "oci-dir" => messages.done("OCI directory read"),
                _ => {}
            }
            messages.done(&format!("Indexed {packages}"));
        }
        Origin::Directory => {
            messages.debug("analyze done: directory");
            messages.done("File system read");
            messages.done(&format!("Indexed {packages}"));
        }
        Origin::Attested(_) => {
            messages.debug("analyze done: an attested document, and no layer");
            messages.done(&format!("SBOM obtained from attestation, {packages} found"));
        }
        Origin::Document => {
            messages.debug("analyze done: document");
            messages.done(&format!("SBOM read, {packages} found"));
        }
    }
    tell_gaps(&analyzed.inventory.gaps, messages);
}

fn tell_gaps(gaps: &[Gap], messages: &Messages) {
    match gaps {
        [] => {}
        [gap] => messages.warn(&format!("1 gap: {gap}")),
        [first, ..] => {
            messages.warn(&format!("{} gaps, all in the report: {first}; …", gaps.len()));
            for gap in gaps {
                messages.debug(&format!("gap: {gap}"));
            }
        }
    }
}

/// Says that a step begins once there are bytes to wait for.
pub(crate) struct Watcher {
    messages: Arc<Messages>,
    begins: &'static str,
    begun: AtomicBool,
}

impl Watcher {
    /// Says `begins` when there is something to wait for.
    pub(crate) fn new(messages: &Arc<Messages>, begins: &'static str) -> Self {
        Self { messages: Arc::clone(messages), begins, begun: AtomicBool::new(false) }
    }
}

impl image::Progress for Watcher {
    fn expect(&self, bytes: u64) {
        if !self.begun.swap(true, Ordering::Relaxed) {
            self.messages.begin(self.begins);
        }
        self.messages.debug(&format!("expecting {bytes} bytes"));
        self.messages.expect(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.messages.advance(bytes);
    }

    fn tell(&self, line: &str) {
        self.messages.inform(line);
    }

    fn note(&self, line: &str) {
        self.messages.debug(line);
    }
}
