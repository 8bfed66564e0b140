//! Laws that every feed keeps.
