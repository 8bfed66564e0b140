//! What rules make of events, as text.
