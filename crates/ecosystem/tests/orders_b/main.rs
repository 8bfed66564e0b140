//! Version orders against the tools whose decision it is, and against what those tools document.

mod generator;
mod tool;
mod tools;
mod vectors;
