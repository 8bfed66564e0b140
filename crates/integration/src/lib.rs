//! The parties around us: one file each, registries and who is told something, listed in `ALL`.
//!
//! What a party says (webhooks) is read by pure code; what a party is asked (its lists) goes through
//! `image`'s own client. Nothing here keeps anything, listens on anything, or follows a URL that
//! somebody sent.

mod artifactory;
mod azure;
mod contract;
mod distribution;
mod email;
pub mod filter;
mod harbor;
mod nexus;
mod oci;
pub mod registry_string;
mod sender;
mod shared;
mod slack;
pub mod sysdig;
mod tags;
mod teams;
#[cfg(test)]
mod tests;
pub mod watch;
mod webhook;

pub use contract::{
    Action, Age, Answer, BadSetting, Change, Check, Connect, Container, Delivery, Directory, Fact,
    Failure, Given, Heard, How, Inbox, Integration, Kind, Leftover, Listed, Message, Notice,
    Notifier, Observed, Outcome, Received, Refusal, Remedy, Repository, Role, Runtime, Secrets,
    Sender, Setting, SettingKind, Settings, Tagged, Template, Untold, Ways, host, receive,
};
pub use shared::names::composed;
pub use tags::tags;

/// Every party. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&Kind] = &[
    &artifactory::KIND,
    &azure::KIND,
    &distribution::KIND,
    &email::KIND,
    &harbor::KIND,
    &nexus::KIND,
    &oci::KIND,
    &slack::KIND,
    &sysdig::KIND,
    &teams::KIND,
    &webhook::KIND,
];

/// The party of that name.
pub fn find(id: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|it| it.id == id || it.also.contains(&id))
}
