//! Every page, a file each.

mod compare;
mod environment;
mod environments;
mod events;
mod exceptions;
mod image;
mod images;
mod integrations;
mod log_in;
mod log_out;
mod notifications;
mod organisations;
mod overview;
mod repository;
mod search;
mod settings;
mod vulnerabilities;
mod vulnerability;

use crate::contract::Page;

/// Every page, in the order of the menu.
pub const ALL: &[&Page] = &[
    &overview::PAGE,
    &environments::PAGE,
    &images::PAGE,
    &compare::PAGE,
    &vulnerabilities::PAGE,
    &exceptions::PAGE,
    &integrations::PAGE,
    &notifications::PAGE,
    &events::PAGE,
    &settings::PAGE,
    &environment::PAGE,
    &image::PAGE,
    &repository::PAGE,
    &vulnerability::PAGE,
    &search::PAGE,
    &organisations::PAGE,
    &log_in::PAGE,
    &log_out::PAGE,
];
