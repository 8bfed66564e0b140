//! Small images and fake parties for tests. A dev-dependency, never shipped.

mod image;

pub use image::{Blobs, Compression, ImageBuilder, LayerBuilder, image, layer};
