//! The nouns: plain values that every other crate speaks.
//!
//! Nothing here reads a file, opens a socket or knows the time.

mod advisory;
mod analysis;
mod base;
mod comparison;
mod digest;
mod distro;
mod environment;
mod event;
mod exception;
mod gap;
mod image;
mod in_use;
mod inventory;
mod layer;
mod moment;
mod organisation;
mod package;
mod percent;
mod person;
mod platform;
mod purl;
mod rating;
mod record;
mod reference;
mod retained;
mod secret;
mod space;
mod statement;
mod topic;

pub use advisory::{Advisory, Affected, Bound, Exploited, Forecast, Names, Outlook, Span, Status};
pub use analysis::{Analysis, Basis, Finding, Fix, Judgement, Step, Threat, Verdict};
pub use base::{KnownBase, LONGEST_CHAIN, chains, chains_of, is_empty, whole_chain};
pub use comparison::{
    Aspect, Comparison, Counts, Fate, FindingChange, PackageChange, Seen, Side, SideKind, Way,
};
pub use digest::{BadDigest, Digest};
pub use distro::Distro;
pub use environment::{BadSource, Deployment, Environment, Recording, Source};
pub use event::{Act, Event, EventKind};
pub use exception::{Exception, ExceptionKind};
pub use gap::Gap;
pub use image::{Attestation, Base, ImageDescription, LayerDescription, LayerKey};
pub use in_use::{InUse, Loaded, Profile};
pub use inventory::{Inventory, Subject};
pub use layer::{Evidence, Found, LayerInventory, Link, Owned, PathHash, Remark, hash_path};
pub use moment::{BadMoment, Moment};
pub use organisation::{Organisation, OrganisationId, Repository};
pub use package::{Package, PackageKind, Place, SourcePackage};
pub use percent::percent_decoded;
pub use person::{
    BadWord, Holder, Invitation, Member, Membership, Right, Role, Scope, Session, Token, User,
    UserId,
};
pub use platform::{BadPlatform, Platform};
pub use purl::{BadPurl, Purl, filed_name};
pub use rating::{Level, Rating};
pub use record::{ImageRecord, ImageState, Outline, OutlineLayer, SaidBase, TagSpan};
pub use reference::{BadReference, Reference, is_registry_at, registry_host};
pub use retained::Retained;
pub use secret::Secret;
pub use space::Space;
pub use statement::{Product, Statement, StatementStatus};
pub use topic::{ALL_TOPICS, Topic};
