//! Policies as people write them, from the published contract alone: together they use every function.
