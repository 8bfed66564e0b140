//! gpg: signatures of commits.

use regorus::Value;

use super::cosign::json;
use super::{Arity, Builtin};
use crate::pass::{Answered, Pass};
use crate::question::Question;

/// What its arguments are is nowhere published, so they go to whoever verifies as they are.
pub(super) const FUNCTIONS: &[Builtin] =
    &[Builtin { name: "gpg.verify_commit", arity: Arity::UpTo(4), call: verify_commit }];

fn verify_commit(pass: &Pass, arguments: &[Value]) -> Answered {
    let arguments = Value::from(arguments.to_vec());
    pass.ask(Question::VerifyCommit(json(&[arguments], 0)?))
}
