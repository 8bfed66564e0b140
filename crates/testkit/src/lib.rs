//! Small images and fake parties for tests. A dev-dependency, never shipped.

mod engine;
mod image;
mod layout;

pub use engine::{Answer, EngineBuilder, EngineStandIn, engine};
pub use image::{Blobs, Compression, ImageBuilder, LayerBuilder, compress, digest, image, layer};
pub use layout::{LayoutBuilder, layout};
