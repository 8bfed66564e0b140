//! What documents about environments look like, by example.
