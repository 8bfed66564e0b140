//! oci: attestations and registries.

use model::Reference;
use regorus::Value;

use super::{Builtin, builtin, text};
use crate::pass::{Answered, Pass, Stop};
use crate::question::Question;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("oci.referrer", 1, referrer),
    builtin("oci.canonical_name", 1, canonical_name),
    builtin("oci.image_digest", 1, image_digest),
    builtin("oci.index", 2, index),
    builtin("oci.referrer_index", 2, referrer_index),
    builtin("oci.referrer_by_digest", 2, referrer_by_digest),
];

fn referrer(pass: &Pass, arguments: &[Value]) -> Answered {
    let kind = text(arguments, 0)?;
    match (pass.known.referrer(kind), &pass.known.referrers_unread) {
        (Some(referrer), _) => Ok(referrer.clone()),
        // What was not read may be there.
        (None, Some(why)) => Err(Stop::Unknown(format!(
            "cannot tell whether there is an attestation `{kind}`: {why}"
        ))),
        (None, None) => Ok(Value::Null),
    }
}

fn canonical_name(_: &Pass, arguments: &[Value]) -> Answered {
    let reference: Reference = text(arguments, 0)?
        .parse()
        .map_err(|error| Stop::Wrong(format!("cannot read it: {error}")))?;
    Ok(Value::from(format!("{}/{}", reference.host, reference.repository)))
}

fn image_digest(pass: &Pass, arguments: &[Value]) -> Answered {
    pass.ask(Question::ImageDigest(text(arguments, 0)?.to_owned()))
}

fn index(pass: &Pass, arguments: &[Value]) -> Answered {
    let (reference, digest) = of_digest(arguments)?;
    pass.ask(Question::Index(reference, digest))
}

fn referrer_index(pass: &Pass, arguments: &[Value]) -> Answered {
    let (reference, digest) = of_digest(arguments)?;
    pass.ask(Question::ReferrerIndex(reference, digest))
}

fn referrer_by_digest(pass: &Pass, arguments: &[Value]) -> Answered {
    let (reference, digest) = of_digest(arguments)?;
    pass.ask(Question::ReferrerByDigest(reference, digest))
}

fn of_digest(arguments: &[Value]) -> Result<(String, String), Stop> {
    Ok((text(arguments, 0)?.to_owned(), text(arguments, 1)?.to_owned()))
}
