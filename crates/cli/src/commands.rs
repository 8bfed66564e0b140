//! The verbs, one file each, listed in `ALL`.

mod almanac;
mod cache;
mod compare;
mod completion;
mod config;
mod cves;
mod enroll;
mod environment;
mod explain;
mod man;
mod plugin;
mod push;
mod quickview;
mod repo;
mod sbom;
mod version;

use clap::ArgMatches;

use crate::Context;

/// Every verb. Adding one is its file, its `mod` line, and its entry here.
pub(crate) const ALL: &[Entry] = &[
    entry::<quickview::Quickview>(),
    entry::<cves::Cves>(),
    entry::<compare::Compare>(),
    entry::<explain::Explain>(),
    entry::<sbom::Sbom>(),
    entry::<environment::Environment>(),
    entry::<push::Push>(),
    entry::<enroll::Enroll>(),
    entry::<repo::Repo>(),
    entry::<config::Config>(),
    entry::<almanac::Almanac>(),
    entry::<cache::Cache>(),
    entry::<plugin::Plugin>(),
    entry::<version::Version>(),
    entry::<completion::Completion>(),
    entry::<man::Man>(),
];

/// A verb: its flags, and what it does.
pub(crate) trait Verb: clap::Parser {
    /// Does it.
    fn run(self, context: &Context) -> anyhow::Result<Outcome>;
}

/// How a verb ended that did what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is done: exit code 0.
    Done,
    /// It was also to be a gate, and the gate is shut: exit code 2.
    Shut,
}

/// A verb as a value.
pub(crate) struct Entry {
    /// Its name, its help and its flags.
    pub(crate) tree: fn() -> clap::Command,
    run: fn(&ArgMatches, &Context) -> anyhow::Result<Outcome>,
}

const fn entry<V: Verb>() -> Entry {
    Entry { tree: V::command, run: |matches, context| V::from_arg_matches(matches)?.run(context) }
}

/// Runs the verb called `name`.
pub(crate) fn run(name: &str, matches: &ArgMatches, context: &Context) -> anyhow::Result<Outcome> {
    let entry = ALL.iter().find(|it| (it.tree)().get_name() == name);
    (entry.expect("clap only lets through what is in the tree").run)(matches, context)
}
