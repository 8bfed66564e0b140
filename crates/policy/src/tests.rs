//! Whole policies over whole images.
