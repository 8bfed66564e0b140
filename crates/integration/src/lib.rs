//! The parties around us: one file per vendor, listed in `ALL`.
//!
//! What a party says (webhooks) is read by pure code; what a party is asked (its lists) goes through
//! `image`'s own client. Nothing here keeps anything, listens on anything, or follows a URL that
//! somebody sent.

mod artifactory;
mod azure;
mod contract;
mod distribution;
pub mod filter;
mod harbor;
mod nexus;
mod oci;
pub mod registry_string;
mod sender;
mod shared;
pub mod sysdig;
#[cfg(test)]
mod tests;
pub mod watch;

pub use contract::{
    Action, Age, Answer, BadSetting, Change, Check, Connect, Container, Delivery, Directory, Fact,
    Failure, Given, Heard, How, Inbox, Integration, Kind, Leftover, Listed, Message, Notice,
    Notifier, Observed, Outcome, Received, Refusal, Remedy, Repository, Role, Runtime, Secrets,
    Sender, Setting, SettingKind, Settings, Tagged, Template, Untold, Ways, receive,
};
pub use shared::names::composed;

/// Every party. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&Kind] = &[
    &artifactory::KIND,
    &azure::KIND,
    &distribution::KIND,
    &harbor::KIND,
    &nexus::KIND,
    &oci::KIND,
    &sysdig::KIND,
];

/// The party of that name.
pub fn find(id: &str) -> Option<&'static Kind> {
    ALL.iter().copied().find(|it| it.id == id || it.also.contains(&id))
}
