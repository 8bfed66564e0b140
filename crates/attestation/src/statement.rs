//! An in-toto statement: a sentence about something that is known by its digest.
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>

use std::collections::BTreeMap;

use model::Digest;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::bounded::{Digests, list, object, shown};
use crate::verdict::Unreadable;
use crate::{LARGEST, OPENVEX};

const TYPE: &str = "https://in-toto.io/Statement/";

/// A statement: what it is about, and what it says of that.
#[derive(Clone, Debug)]
pub struct Statement {
    /// `https://in-toto.io/Statement/v1`.
    pub kind: String,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// What sort of sentence it is.
    pub predicate_type: String,
    /// The sentence, as it was written.
    pub predicate: Box<RawValue>,
}

/// Something that is spoken about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// What whoever spoke calls it.
    pub name: String,
    /// Its digests, by algorithm.
    pub digests: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(default, deserialize_with = "list")]
    subject: Vec<SubjectJson>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    #[serde(default)]
    predicate: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct SubjectJson {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    digest: Digests,
}

impl Statement {
    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LARGEST {
            return Err(Unreadable(format!("it is longer than {LARGEST} bytes")));
        }
        let file: File = object(bytes)
            .map_err(|why| Unreadable(format!("it is no in-toto statement: {why}")))?;
        if !file.kind.starts_with(TYPE) {
            let kind = shown(&file.kind);
            return Err(Unreadable(format!("it is no in-toto statement: its type is `{kind}`")));
        }
        let subject =
            |it: SubjectJson| Subject { name: it.name.unwrap_or_default(), digests: it.digest.0 };
        Ok(Self {
            kind: file.kind,
            subjects: file.subject.into_iter().map(subject).collect(),
            predicate_type: file.predicate_type,
            predicate: file.predicate.unwrap_or_default(),
        })
    }

    /// A new one, in the present form.
    pub fn about(subject: Subject, predicate_type: &str, predicate: Box<RawValue>) -> Self {
        Self {
            kind: format!("{TYPE}v1"),
            subjects: vec![subject],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// As it is written down: the predicate byte by byte as it came.
    pub fn to_json(&self) -> String {
        let subjects: Vec<Value> =
            self.subjects.iter().map(|it| json!({"name": it.name, "digest": it.digests})).collect();
        format!(
            "{{\"_type\":{},\"predicateType\":{},\"subject\":{},\"predicate\":{}}}",
            Value::from(self.kind.as_str()),
            Value::from(self.predicate_type.as_str()),
            Value::from(subjects),
            self.predicate.get(),
        )
    }

    /// Is it about something with that digest?
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|it| it.is(digest))
    }

    /// The digests that it is about, for messages.
    pub fn named(&self) -> String {
        let first = self.subjects.iter().find_map(|it| {
            let (algorithm, hex) = it.digests.iter().next()?;
            Some(shown(&format!("{algorithm}:{hex}")))
        });
        match (first, self.subjects.len()) {
            (None, 0) => "nothing".to_owned(),
            (None, _) => "something without a digest".to_owned(),
            (Some(first), 1) => first,
            (Some(first), count) => format!("{first} and {} more", count - 1),
        }
    }

    /// Does it carry an OpenVEX document?
    pub fn is_openvex(&self) -> bool {
        crate::kind(&self.predicate_type) == crate::kind(OPENVEX)
    }
}

impl Subject {
    /// What has that digest.
    pub fn of(name: &str, digest: &Digest) -> Self {
        let digests = [(digest.algorithm().to_owned(), digest.hex().to_owned())];
        Self { name: name.to_owned(), digests: digests.into() }
    }

    fn is(&self, digest: &Digest) -> bool {
        let same = |hex: &String| hex.eq_ignore_ascii_case(digest.hex());
        self.digests.get(digest.algorithm()).is_some_and(same)
    }
}
