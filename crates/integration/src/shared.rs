//! What several parties have in common.

pub(crate) mod asked;
pub(crate) mod chat;
pub(crate) mod fit;
pub(crate) mod links;
pub(crate) mod names;
pub(crate) mod pages;
pub(crate) mod receiver;
pub(crate) mod said;
pub(crate) mod settings;
pub(crate) mod template;
