//! The front: one HTTP API behind everything.
