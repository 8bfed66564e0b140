//! What the fuzz targets do with an input: run by libFuzzer in `fuzz`, and over their seeds by a test.

pub mod almanac_files;
pub mod archives;
pub mod attestations;
pub mod catalogers;
pub mod containers;
pub mod documents;
pub mod feeds;
pub mod forms;
pub mod hooks;
pub mod layers;
pub mod matching;
pub mod names;
pub mod orders;
pub mod policies;
pub mod pull_secrets;
pub mod ranges;
pub mod reports;
pub mod running;
pub mod runtimes;
pub mod sheets;
pub mod snapshots;
pub mod statements;
pub mod templates;
pub mod world;

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const ALL: &[Target] = &[
    ("almanac_files", almanac_files::run),
    ("archives", archives::run),
    ("attestations", attestations::run),
    ("catalogers", catalogers::run),
    ("containers", containers::run),
    ("documents", documents::run),
    ("feeds", feeds::run),
    ("forms", forms::run),
    ("hooks", hooks::run),
    ("layers", layers::run),
    ("matching", matching::run),
    ("names", names::run),
    ("orders", orders::run),
    ("policies", policies::run),
    ("pull_secrets", pull_secrets::run),
    ("ranges", ranges::run),
    ("reports", reports::run),
    ("running", running::run),
    ("runtimes", runtimes::run),
    ("sheets", sheets::run),
    ("snapshots", snapshots::run),
    ("statements", statements::run),
    ("templates", templates::run),
];
