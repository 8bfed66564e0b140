//! Whether an image may go further: what policies are told of it, and what they say, on paper.

mod beside;
mod facts;
mod keys;
mod paper;
mod world;

pub use beside::Beside;
pub use facts::facts;
pub use keys::OnlyBrought;
pub use paper::on_paper;
pub use world::{Keys, World};
