//! What policies ask the world: registries, and the order of versions.

use std::cmp::Ordering;
use std::sync::Arc;

use attestation::{Envelope, Key, Log, Proof, Refused};
use ecosystem::order;
use engine::{Engine, Request};
use image::{Desk, ImageSignature, Papers, Progress, Settings, Silent, Stated};
use model::{Digest, Purl, Reference, Space};
use policy::Outside;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::Beside;
use crate::beside::referrer;

const OFFLINE: &str = "no registry is asked while FORETOP_OFFLINE is set";
const UNASKED: &str = "the signatures of commits are not verified here";

/// The keys that policies name, to verify signatures with.
pub trait Keys: Sync {
    /// The key in a file, or at a URL; or why it cannot be had.
    fn named(&self, name: &str) -> Result<Key, String>;
}

/// The world, as far as policies may ask it. They ask from threads that may wait.
pub struct World<'a> {
    /// Where what is asked runs.
    pub runtime: Handle,
    /// How registries are asked; `None`: none is.
    pub settings: Option<Arc<Settings>>,
    /// Whoever knows keys.
    pub keys: &'a dyn Keys,
    /// What is stated beside the image.
    pub beside: &'a Beside,
    /// Only hosts that everybody reaches are asked, and where the image is: whoever builds images names
    /// others, and is not to look around in our own network by that.
    pub guarded: bool,
}

impl World<'_> {
    /// How this host is asked: what policies ask for is often what the image names, so that it is shown
    /// nothing that is for every registry unless it is where the image is.
    fn reach(&self, host: &str) -> Result<Arc<Settings>, String> {
        let Some(settings) = &self.settings else { return Err(OFFLINE.to_owned()) };
        let own = self.beside.host();
        if own == Some(host) {
            return Ok(Arc::clone(settings));
        }
        let mut settings = settings.for_named(host, own);
        if self.guarded {
            settings.outgoing.get_or_insert_default();
        }
        Ok(Arc::new(settings))
    }

    /// The key that a policy names: in a file, at a URL, or as it is.
    fn key(&self, options: &Value) -> Result<Key, String> {
        let named = options["key_ref"].as_str().or(options["key"].as_str());
        let named = named.ok_or("its options name no key: key_ref")?;
        if named.trim_start().starts_with("-----BEGIN") {
            return Key::read(named.as_bytes()).map_err(|why| why.to_string());
        }
        self.keys.named(named)
    }

    /// What a registry has about an image.
    fn papers(&self, reference: &str, digest: &str) -> Result<(Reference, Papers, Digest), String> {
        let asked: Reference = reference.parse().map_err(|it| format!("{reference}: {it}"))?;
        let settings = self.reach(&asked.host)?;
        let digest: Digest = digest.parse().map_err(|it| format!("{digest:.100}: {it}"))?;
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let papers = Papers::of(&asked, &settings, &progress).map_err(|it| it.to_string())?;
        Ok((asked, papers, digest))
    }

    /// How an image in a registry is signed: under cosign's tag, and in bundles among its referrers.
    fn signatures(&self, reference: &str) -> Result<(Vec<ImageSignature>, Vec<Stated>), String> {
        let asked: Reference = reference.parse().map_err(|it| format!("{reference}: {it}"))?;
        let request = Request {
            subject: format!("registry://{reference}"),
            platform: None,
            reference: None,
            manifest: None,
            hearing: engine::Hearing::Nothing,
            settings: self.reach(&asked.host)?,
            progress: Arc::new(Silent),
        };
        let engine = Engine { cache: None };
        let found = self.runtime.block_on(engine.signatures(&request));
        let (tagged, bundled) = found.map_err(|error| error.to_string())?;
        match tagged.gaps.first().or(bundled.gaps.first()) {
            Some(gap) if tagged.all.is_empty() && bundled.statements.is_empty() => {
                Err(gap.to_string())
            }
            _ => Ok((tagged.all, bundled.statements)),
        }
    }
}

/// What a policy hears of a signature. Whether a transparency log has it is not known here, so that is no
/// proof for whoever wants it to be.
fn heard(options: &Value, verify: impl FnOnce(Log) -> Result<Proof, Refused>) -> Value {
    if options["ignore_tlog"].as_bool() != Some(true) {
        let why = "whether the transparency log has it cannot be checked here: `ignore_tlog` trusts \
                   the key alone";
        return json!({ "error": why });
    }
    match verify(Log::Skipped) {
        Ok(proof) => json!({ "verified": true, "key": proof.key, "algorithm": proof.algorithm }),
        Err(why) => json!({ "error": why.to_string() }),
    }
}

impl Outside for World<'_> {
    fn image_digest(&self, reference: &str) -> Result<Option<String>, String> {
        let asked: Reference = reference.parse().map_err(|it| format!("{reference}: {it}"))?;
        let settings = self.reach(&asked.host)?;
        let progress: Arc<dyn Progress> = Arc::new(Silent);
        let desk =
            Desk::registry(&asked.host, &settings, &progress).map_err(|it| it.to_string())?;
        let digest = self.runtime.block_on(async {
            let tag = match (&asked.digest, &asked.tag) {
                (Some(digest), _) => digest.to_string(),
                (None, Some(tag)) => tag.clone(),
                (None, None) => "latest".to_owned(),
            };
            desk.about(&asked.repository).digest(&asked.repository, &tag).await
        });
        match digest {
            Ok(digest) => Ok(digest.map(|it| it.to_string())),
            Err(failure) => Err(failure.error.to_string()),
        }
    }

    fn index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        let (_, papers, digest) = self.papers(reference, digest)?;
        self.runtime.block_on(papers.index(&digest)).map_err(|it| it.to_string())
    }

    fn referrer_index(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        let (_, papers, digest) = self.papers(reference, digest)?;
        self.runtime.block_on(papers.referrers(&digest)).map_err(|it| it.to_string())
    }

    fn referrer_by_digest(&self, reference: &str, digest: &str) -> Result<Option<Value>, String> {
        let (asked, papers, digest) = self.papers(reference, digest)?;
        let found = self.runtime.block_on(papers.referrer(&digest));
        let Some((manifest, attached)) = found.map_err(|it| it.to_string())? else {
            return Ok(None);
        };
        if let Some(gap) = attached.gaps.first() {
            return Err(gap.to_string());
        }
        let name = format!("{}/{}", asked.host, asked.repository);
        let mut told = json!({ "image": format!("{name}@{digest}"), "manifest": manifest });
        // The first one counts, as where a predicate type is asked for.
        if let Some(stated) = attached.statements.iter().find_map(|it| referrer(it, None)) {
            told["statement"] = stated.statement;
            if let Some(envelope) = stated.envelope {
                told["envelope"] = envelope;
            }
        }
        Ok(Some(told))
    }

    fn verify_dsse(&self, envelope: &Value, options: &Value) -> Result<Value, String> {
        let key = self.key(options)?;
        Ok(heard(options, |log| Envelope::read(envelope.to_string().as_bytes())?.verify(&key, log)))
    }

    fn verify_image(&self, reference: &str, options: &Value) -> Result<Value, String> {
        let key = self.key(options)?;
        // An attestation of this image goes by its manifest.
        let digest = reference.rsplit_once('@').map(|(_, digest)| digest);
        // What tells the base goes by its own blob: a manifest may hold several, signed and not.
        let goes_by = |of: fn(&Stated) -> &Digest| {
            self.beside.stated.iter().find(|it| digest == Some(of(it).as_str()))
        };
        if let Some(stated) = goes_by(|it| &it.blob).or_else(|| goes_by(|it| &it.manifest)) {
            return Ok(heard(options, |log| stated.verify(&key, log)));
        }
        let (tagged, bundled) = self.signatures(reference)?;
        let verify = |log: Log| {
            let tagged = tagged.iter().map(|it| it.verify(&key, log).map(|(_, proof)| proof));
            let bundled = bundled.iter().map(|it| it.verify(&key, log));
            let mut refused = Refused::Unsigned;
            for it in tagged.chain(bundled) {
                match it {
                    Ok(proof) => return Ok(proof),
                    Err(why) => refused = why,
                }
            }
            Err(refused)
        };
        Ok(heard(options, verify))
    }

    fn verify_commit(&self, _: &[Value]) -> Result<Value, String> {
        Err(UNASKED.to_owned())
    }

    fn base_image(&self) -> Result<Option<Value>, String> {
        Ok(self.beside.base())
    }

    fn newest(&self, purl: &str, versions: &[String]) -> Result<String, String> {
        let purl: Purl = purl.parse().map_err(|it| format!("{purl}: {it}"))?;
        let order = order::of(&Space::of(purl.kind()))
            .ok_or_else(|| format!("nobody knows the order of {} versions", purl.kind()))?;
        let mut newest: Option<&String> = None;
        for it in versions {
            let is_newer = match newest {
                Some(other) => order.compare(it, other).map_err(|it| it.to_string())?,
                None => Ordering::Greater,
            };
            if is_newer == Ordering::Greater {
                newest = Some(it);
            }
        }
        newest.cloned().ok_or_else(|| "there is no version".to_owned())
    }
}
