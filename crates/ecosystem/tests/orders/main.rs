//! What the orders say, against what the package managers themselves say.
//!
//! A test whose tool is not on this machine says so and leaves itself out.

mod apk;
mod dpkg;
mod generated;
mod go;
mod npm;
mod pacman;
mod rpm;
mod semver;
mod tool;
