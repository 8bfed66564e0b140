//! `foretop attestation get`: one statement about an image.

use std::path::PathBuf;

use clap::ValueHint;
use image::Stated;

use super::proof::Verified;
use super::sought::{Found, Sought};
use crate::Context;
use crate::commands::{Outcome, said};
use crate::failure::Failure;
use crate::output::{Output, deliver};

/// Get one statement about an image
#[derive(clap::Args)]
pub(super) struct Get {
    #[command(flatten)]
    sought: Sought,
    /// Which statement of several: its digest, or that of the manifest that holds it
    #[arg(value_name = "DIGEST", value_parser = said())]
    digest: Option<String>,
    /// Only a statement of this type: the URI of an in-toto predicate
    #[arg(long, value_name = "URI", value_parser = said())]
    predicate_type: Option<String>,
    /// What is stated alone, without about what it is
    #[arg(long)]
    predicate: bool,
    #[command(flatten)]
    verified: Verified,
    /// Write it to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

impl Get {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let wanted = Wanted {
            digest: self.digest.as_deref(),
            predicate_type: self.predicate_type.as_deref(),
            predicate: self.predicate,
        };
        let text = wanted.get(&self.sought, &self.verified, context)?;
        deliver(&text, output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}

/// Which statement, and how much of it.
pub(crate) struct Wanted<'a> {
    /// By its digest.
    pub(crate) digest: Option<&'a str>,
    /// By its type.
    pub(crate) predicate_type: Option<&'a str>,
    /// What is stated alone.
    pub(crate) predicate: bool,
}

impl Wanted<'_> {
    /// The only statement that is meant, as it was written down.
    pub(crate) fn get(
        &self,
        sought: &Sought,
        verified: &Verified,
        context: &Context,
    ) -> anyhow::Result<String> {
        let key = verified.key(context, sought.written())?;
        let mut found = sought.find(context, self.predicate_type)?;
        let mut all = std::mem::take(&mut found.attached.statements);
        if let Some(digest) = self.digest {
            let digest = digest.rsplit('@').next().unwrap_or(digest);
            all.retain(|it| is_called(it, digest));
        }
        if all.is_empty() {
            return Err(self.nothing(sought, &found));
        }
        if let Some(key) = key {
            all = key.keep(context, &found, all)?;
        }
        let [stated] = &all[..] else {
            let image = sought.written();
            let each = all.iter().map(|it| format!("{} ({})", it.blob, it.predicate_type));
            let each: Vec<String> = each.collect();
            return Err(Failure::error(
                format!("{image}: {} statements fit: {}", all.len(), each.join(", ")),
                "name one of them by its digest: attestation get IMAGE DIGEST",
            ));
        };
        let text = String::from_utf8_lossy(&stated.bytes);
        let mut text = if self.predicate {
            let statement = attestation::Statement::read(&stated.bytes)
                .map_err(|why| anyhow::anyhow!("{}: {why}", stated.origin()))?;
            statement.predicate.get().to_owned()
        } else {
            text.into_owned()
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Ok(text)
    }

    fn nothing(&self, sought: &Sought, found: &Found) -> anyhow::Error {
        let image = sought.written();
        let what = match (self.predicate_type, self.digest) {
            (None, None) => "nothing is stated about it".to_owned(),
            (Some(kind), None) => format!("nothing is stated of type {kind}"),
            (_, Some(digest)) => format!("nothing that is stated about it is called {digest}"),
        };
        let hint = if found.attached.gaps.is_empty() {
            "`foretop attestation list` shows what is there"
        } else {
            "something could not be read, and may have been it"
        };
        Failure::error(format!("{image}: {what}"), hint)
    }
}

/// Is it called so? The first letters of a digest will do, as they do elsewhere.
fn is_called(stated: &Stated, digest: &str) -> bool {
    let begins = |it: &model::Digest| {
        it.as_str() == digest || digest.len() >= 12 && it.hex().starts_with(digest)
    };
    begins(&stated.blob) || begins(&stated.manifest)
}
