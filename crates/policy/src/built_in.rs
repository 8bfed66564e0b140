//! Our own policies: the seven that the score is made of, and those that a configuration enables.

use std::sync::LazyLock;

use crate::contract::{Module, Origin};
use crate::set::Set;

/// Every file in `builtin`, by name.
const ALL: &[(&str, &str)] = &[
    ("approved-base-images.rego", include_str!("builtin/approved-base-images.rego")),
    ("copyleft-license.rego", include_str!("builtin/copyleft-license.rego")),
    ("default-non-root-user.rego", include_str!("builtin/default-non-root-user.rego")),
    ("end-of-life-distribution.rego", include_str!("builtin/end-of-life-distribution.rego")),
    ("exploit-probability.rego", include_str!("builtin/exploit-probability.rego")),
    ("fixable-vulnerabilities.rego", include_str!("builtin/fixable-vulnerabilities.rego")),
    ("gaps.rego", include_str!("builtin/gaps.rego")),
    (
        "high-profile-vulnerabilities.rego",
        include_str!("builtin/high-profile-vulnerabilities.rego"),
    ),
    ("known-exploited.rego", include_str!("builtin/known-exploited.rego")),
    ("maximum-age.rego", include_str!("builtin/maximum-age.rego")),
    ("no-stale-base-images.rego", include_str!("builtin/no-stale-base-images.rego")),
    ("supply-chain-attestations.rego", include_str!("builtin/supply-chain-attestations.rego")),
];

/// Ours, as modules: what is published when nothing else is given.
pub fn modules() -> Vec<Module> {
    let module = |(name, text): &(&str, &str)| Module {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        origin: Origin::BuiltIn,
    };
    ALL.iter().map(module).collect()
}

pub(crate) fn set() -> Set {
    static SET: LazyLock<Set> =
        LazyLock::new(|| Set::read(modules()).expect("a test reads every one of them"));
    SET.clone()
}
