//! Small images and fake parties for tests. A dev-dependency, never shipped.

mod image;
mod index;
mod registry;

pub use image::{Blobs, Compression, ImageBuilder, LayerBuilder, image, layer};
pub use index::{AttestationForm, IndexBuilder, index};
pub use registry::{FakeRegistry, Fault, Guard, Seen};
