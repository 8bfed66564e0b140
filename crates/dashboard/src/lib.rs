//! The dashboard: what people are shown in a browser. It has no rule of its own: every page asks the
//! API, in the name of whoever looks at it, and draws the answer.
//!
//! A file of `pages` is a page, and [`ALL`] lists them: the menu, the documentation and the tests that
//! walk through every page follow from it.

mod assets;
mod carry;
mod chart;
mod columns;
mod contract;
mod draft;
mod html;
mod layout;
mod open;
mod pages;
mod places;
mod refused;
mod severity;
mod standing;
mod table;
mod told;
mod trouble;
mod typed;
mod visit;
mod when;
mod wizard;

pub use contract::{Door, Found, Page};
pub use html::path;
pub use open::router;
pub use pages::ALL;
