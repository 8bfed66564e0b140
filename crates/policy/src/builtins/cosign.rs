//! cosign: signatures of images and envelopes.

use std::collections::BTreeMap;

use regorus::Value;

use super::{Builtin, builtin, text, wrong};
use crate::pass::{Answered, Pass, Stop};
use crate::question::Question;
use crate::values;

pub(super) const FUNCTIONS: &[Builtin] = &[
    builtin("cosign.verify_dsse", 2, verify_dsse),
    builtin("cosign.verify_image", 2, verify_image),
    builtin("cosign.verify_images", 2, verify_images),
];

/// The largest envelope or options that are passed on.
const LARGEST: usize = 16 << 20;

fn verify_dsse(pass: &Pass, arguments: &[Value]) -> Answered {
    // An attestation without an envelope is not signed.
    if arguments.first() == Some(&Value::Null) {
        return Ok(values::of(&serde_json::json!({ "error": "there is no envelope" })));
    }
    pass.ask(Question::VerifyDsse(json(arguments, 0)?, json(arguments, 1)?))
}

fn verify_image(pass: &Pass, arguments: &[Value]) -> Answered {
    pass.ask(Question::VerifyImage(text(arguments, 0)?.to_owned(), json(arguments, 1)?))
}

/// One object with each image's answer under its reference.
fn verify_images(pass: &Pass, arguments: &[Value]) -> Answered {
    let references: Vec<&Value> = match arguments.first() {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Set(items)) => items.iter().collect(),
        other => return Err(wrong("references", other)),
    };
    let options = json(arguments, 1)?;
    let mut answers = BTreeMap::new();
    for reference in references {
        let Value::String(text) = reference else {
            return Err(wrong("references", Some(reference)));
        };
        let answer = pass.ask(Question::VerifyImage(text.to_string(), options.clone()))?;
        answers.insert(reference.clone(), answer);
    }
    Ok(Value::from(answers))
}

pub(super) fn json(arguments: &[Value], at: usize) -> Result<String, Stop> {
    let value = arguments.get(at).unwrap_or(&Value::Null);
    values::json(value, LARGEST)
        .map(|it| it.to_string())
        .ok_or_else(|| Stop::Wrong(format!("is given more than {LARGEST} bytes")))
}
