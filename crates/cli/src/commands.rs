//! The verbs, one file each, listed in `ALL`.

mod action;
mod admin;
mod agent;
mod almanac;
mod attestation;
mod base;
mod cache;
mod compare;
mod completion;
mod config;
mod cves;
mod enroll;
mod environment;
mod events;
mod exception;
mod explain;
mod image;
mod integration;
mod login;
mod logout;
mod man;
mod member;
mod notification;
mod organization;
mod password;
mod plugin;
mod policy;
mod push;
mod quickview;
mod recommendations;
mod repo;
mod retention;
mod rule;
mod runtime;
mod sbom;
mod schedule;
mod serve;
mod session;
mod token;
mod version;
mod vex;
mod watch;
mod r#where;
mod whoami;
mod worker;

use clap::ArgMatches;

use crate::Context;

/// Every verb. Adding one is its file, its `mod` line, and its entry here.
pub(crate) const ALL: &[Entry] = &[
    entry::<quickview::Quickview>("quickview"),
    entry::<cves::Cves>("cves"),
    entry::<compare::Compare>("compare"),
    entry::<recommendations::Recommendations>("recommendations"),
    entry::<policy::Policy>("policy"),
    entry::<explain::Explain>("explain"),
    entry::<sbom::Sbom>("sbom"),
    entry::<base::Base>("base"),
    entry::<attestation::Attestation>("attestation"),
    entry::<vex::Vex>("vex"),
    entry::<environment::Environment>("environment"),
    entry::<events::Events>("events"),
    entry::<r#where::Where>("where"),
    entry::<push::Push>("push"),
    entry::<watch::Watch>("watch"),
    entry::<enroll::Enroll>("enroll"),
    entry::<repo::Repo>("repo"),
    entry::<image::Image>("image"),
    entry::<integration::Integration>("integration"),
    entry::<exception::Exception>("exception"),
    entry::<schedule::Schedule>("schedule"),
    entry::<rule::Rule>("rule"),
    entry::<notification::Notification>("notification"),
    entry::<runtime::Runtime>("runtime"),
    entry::<organization::Organization>("organization"),
    entry::<retention::Retention>("retention"),
    entry::<config::Config>("config"),
    entry::<login::Login>("login"),
    entry::<logout::Logout>("logout"),
    entry::<whoami::Whoami>("whoami"),
    entry::<password::Password>("password"),
    entry::<session::Session>("session"),
    entry::<token::Token>("token"),
    entry::<member::Member>("member"),
    entry::<serve::Serve>("serve"),
    entry::<worker::Worker>("worker"),
    entry::<agent::Agent>("agent"),
    entry::<admin::Admin>("admin"),
    entry::<almanac::Almanac>("almanac"),
    entry::<cache::Cache>("cache"),
    entry::<action::Action>("action"),
    entry::<plugin::Plugin>("plugin"),
    entry::<version::Version>("version"),
    entry::<completion::Completion>("completion"),
    entry::<man::Man>("man"),
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
    /// It could not do it, and has said why: exit code 1.
    Failed,
    /// It was also to be a gate, and the gate is shut: exit code 2.
    Shut,
    /// It would have gone on and on, and somebody interrupted it: exit code 130.
    Interrupted,
}

/// A verb as a value.
pub(crate) struct Entry {
    /// What it is called in its tree, which takes a while to grow.
    name: &'static str,
    /// Its name, its help and its flags.
    pub(crate) tree: fn() -> clap::Command,
    run: fn(&ArgMatches, &Context) -> anyhow::Result<Outcome>,
}

const fn entry<V: Verb>(name: &'static str) -> Entry {
    Entry {
        name,
        tree: V::command,
        run: |matches, context| V::from_arg_matches(matches)?.run(context),
    }
}

/// Text that says something: an unset variable of a script is no name.
pub(crate) fn said() -> impl clap::builder::TypedValueParser<Value = String> {
    clap::builder::NonEmptyStringValueParser::new()
}

/// The verb called `name`.
pub(crate) fn called(name: &str) -> Option<&'static Entry> {
    ALL.iter().find(|it| it.name == name)
}

/// Runs the verb called `name`.
pub(crate) fn run(name: &str, matches: &ArgMatches, context: &Context) -> anyhow::Result<Outcome> {
    (called(name).expect("clap only lets through what is in the tree").run)(matches, context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_called_as_its_tree_is() {
        for it in ALL {
            assert_eq!((it.tree)().get_name(), it.name);
        }
    }
}
