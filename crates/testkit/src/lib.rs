//! Small images and fake parties for tests. A dev-dependency, never shipped.

mod cluster;
mod engine;
pub mod github;
mod image;
mod index;
mod layout;
mod mail_server;
mod mirror;
mod postgres;
mod real_registry;
mod receiver;
mod registry;
mod relay;
mod vendor;

pub use cluster::{FakeCluster, Right, Upset};
pub use engine::{Answer, EngineBuilder, EngineStandIn, engine};
pub use image::{Blobs, Compression, ImageBuilder, LayerBuilder, compress, digest, image, layer};
pub use index::{AttestationForm, IndexBuilder, index};
pub use layout::{LayoutBuilder, layout};
pub use mail_server::{Letter, MailServer, MailTls};
pub use mirror::Mirror;
pub use postgres::Postgres;
pub use real_registry::{Asked, RealRegistry};
pub use receiver::{ReceiverStandIn, Receives};
pub use registry::{FakeRegistry, Fault, Guard, Seen};
pub use relay::Relay;
pub use vendor::{
    Answered, Delivered, EventGrid, Form, Hook, Listing, Running, Sink, Subscribed, SysdigStandIn,
    Told, Vendor, VendorStandIn,
};
