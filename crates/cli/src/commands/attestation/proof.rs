//! Whether a statement is verified before it is shown, and with which key.

use attestation::{Key, Log, Proof, Refused};
use image::{Place, Seal, Stated};

use super::sought::Found;
use crate::commands::said;
use crate::failure::Failure;
use crate::{Context, keys};

/// What is verified.
#[derive(clap::Args)]
pub(crate) struct Verified {
    /// Verify its signature, and print the cosign command that does the same
    #[arg(long)]
    verify: bool,
    /// The public key, in PEM: a file, or a URL
    #[arg(long, value_name = "FILE|URL", requires = "verify", value_parser = said())]
    key: Option<String>,
    /// Trust the key alone: do not ask whether the transparency log has the signature, which cannot be
    /// checked here
    #[arg(long, requires = "verify")]
    skip_tlog: bool,
}

/// A key, and how it was named.
pub(crate) struct Named {
    name: String,
    key: Key,
}

impl Verified {
    /// The key to verify with; none, where nothing is to be verified. Whatever is missing is told before
    /// anything is read.
    pub(crate) fn key(&self, context: &Context, image: &str) -> anyhow::Result<Option<Named>> {
        if !self.verify {
            return Ok(None);
        }
        let refuse = |why: &str, hint: &str| {
            Err(Failure::error(format!("cannot verify {image}: {why}"), hint))
        };
        let Some(name) = &self.key else {
            let hint =
                "--key FILE|URL names it; cosign.pub say. There is none that is trusted by default";
            return refuse("no public key is given", hint);
        };
        if !self.skip_tlog {
            let why = "whether the transparency log has its signature cannot be checked here";
            return refuse(why, "--skip-tlog trusts the key alone");
        }
        let key = keys::named(context, name)?;
        Ok(Some(Named { name: name.clone(), key }))
    }
}

impl Named {
    /// Those of `all` that the key signed. If there is none, it is told why of each.
    pub(crate) fn keep(
        &self,
        context: &Context,
        found: &Found,
        all: Vec<Stated>,
    ) -> anyhow::Result<Vec<Stated>> {
        let mut kept: Vec<(Stated, Proof)> = Vec::new();
        let mut refused: Vec<(Stated, Refused)> = Vec::new();
        for stated in all {
            match stated.verify(&self.key, Log::Skipped) {
                Ok(proof) => kept.push((stated, proof)),
                Err(why) => refused.push((stated, why)),
            }
        }
        if kept.is_empty() {
            let whys = refused.iter().map(|(it, why)| format!("{}: {why}", it.blob));
            let whys: Vec<String> = whys.collect();
            let hint = refused.iter().find_map(|(_, why)| why.hint());
            let why = format!("nothing is verified by {}: {}", self.name, whys.join("; "));
            return Err(Failure::error(
                why,
                hint.unwrap_or("`foretop attestation list` shows what is signed"),
            ));
        }
        for (stated, proof) in &kept {
            let name = attestation::kind(&stated.predicate_type);
            context.messages.done(&format!(
                "{name} verified: signed with the {} key sha256:{}",
                proof.algorithm, proof.key
            ));
            context.messages.inform(&self.command(found, stated));
        }
        Ok(kept.into_iter().map(|(stated, _)| stated).collect())
    }

    /// What to type to have the same verified by cosign.
    fn command(&self, found: &Found, stated: &Stated) -> String {
        let Some((_, name)) = found.subject.split_once("registry://") else {
            return "cosign verifies what is in registries alone".to_owned();
        };
        let repository = match name.parse::<model::Reference>() {
            Ok(reference) => model::Reference { tag: None, digest: None, ..reference }.to_string(),
            Err(_) => name.to_owned(),
        };
        let bundle = match (&stated.seal, stated.place) {
            (Some(Seal::Bundle(_)), _) => " --new-bundle-format",
            (_, Place::Tag) => "",
            // cosign finds envelopes under its own tags alone.
            _ => return "cosign does not find it where it is kept".to_owned(),
        };
        format!(
            "The same by cosign: cosign verify-attestation --key {} --insecure-ignore-tlog=true{bundle} \
             --type {} {repository}@{}",
            self.name, stated.predicate_type, stated.beside
        )
    }
}
