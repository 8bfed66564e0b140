//! `foretop attestation list`: what is stated about an image.

use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};
use image::{Seal, Stated};
use serde::Serialize;

use super::sought::Sought;
use crate::Context;
use crate::commands::{Outcome, said};
use crate::output::{Output, deliver};
use crate::table::columns;

/// List what is stated about an image
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    sought: Sought,
    /// Only statements of this type: the URI of an in-toto predicate
    #[arg(long, value_name = "URI", value_parser = said())]
    predicate_type: Option<String>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Form::List)]
    format: Form,
    /// Write the report to this file instead of stdout
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    List,
    /// For programs
    Json,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    image: &'a str,
    digest: Option<&'a model::Digest>,
    attestations: Vec<Row<'a>>,
    gaps: &'a [model::Gap],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    predicate_type: &'a str,
    name: String,
    digest: &'a model::Digest,
    statement: &'a model::Digest,
    about: &'a model::Digest,
    place: &'static str,
    signed: &'static str,
}

impl List {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let output = self.output.as_deref().map(Output::to).transpose()?;
        let found = self.sought.find(context, self.predicate_type.as_deref())?;
        let (all, gaps) = (&found.attached.statements, &found.attached.gaps);
        let rows: Vec<Row<'_>> = all.iter().map(row).collect();
        let text = match self.format {
            Form::Json => {
                let image = &found.image;
                let (image, digest) = (image.name.as_str(), image.digest.as_ref());
                let listed = Listed { image, digest, attestations: rows, gaps };
                format!("{}\n", serde_json::to_string_pretty(&listed)?)
            }
            Form::List if rows.is_empty() => {
                format!("Nothing is stated about {}\n", format::shown(self.sought.written()))
            }
            Form::List => table(&rows),
        };
        deliver(&text, output.as_ref(), &context.messages)?;
        Ok(Outcome::Done)
    }
}

fn row(stated: &Stated) -> Row<'_> {
    Row {
        predicate_type: &stated.predicate_type,
        name: attestation::kind(&stated.predicate_type).into_owned(),
        digest: &stated.manifest,
        statement: &stated.blob,
        about: &stated.beside,
        place: stated.place.name(),
        signed: signed(stated),
    }
}

/// What it is signed with, as far as that is seen without a key.
fn signed(stated: &Stated) -> &'static str {
    let keyless = match &stated.seal {
        None => return "no",
        Some(Seal::Envelope { certificate, .. }) => *certificate,
        Some(Seal::Bundle(bytes)) => {
            attestation::Bundle::read(bytes).is_ok_and(|it| it.certificate)
        }
    };
    if keyless { "keyless" } else { "key" }
}

/// A statement is named by its own digest: a manifest may hold several.
fn table(rows: &[Row<'_>]) -> String {
    let cells = rows.iter().map(|it| {
        let (name, kind) = (it.name.clone(), it.predicate_type.to_owned());
        vec![name, kind, it.place.to_owned(), it.signed.to_owned(), it.statement.to_string()]
    });
    columns(&["Name", "Predicate type", "Where", "Signed", "Digest"], cells.collect())
}
