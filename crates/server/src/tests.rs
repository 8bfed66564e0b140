//! The router, asked as a client asks it.

mod between;
mod dashboard;
mod described;
mod evaluate;
mod export;
mod fleet;
mod front;
mod identity;
mod integrations;
mod keeping;
mod live;
mod pending;
mod policies;
mod runtimes;
mod schedules;
mod story;
mod telling;

use std::sync::Arc;

use api::Client;
use engine::Engine;
use model::{Inventory, Moment, Package, Subject};
use store::Store;

use crate::{Access, App, Reach, World, here, router};

pub(crate) use telling::Channels;

/// A client of a router of its own.
async fn client() -> Client {
    Client::new(here(router(app().await)), Some("a test".to_owned()))
}

/// Everything is new, and it is always the same day.
pub(crate) async fn app() -> App {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let access = Access::Local { name: "ann".to_owned() };
    let clock = Arc::new(|| "2026-11-21T10:00:00Z".parse::<Moment>().unwrap());
    App::new(store, World::new(None), access, reach(), clock)
}

/// Nobody else is asked, and nothing is done later.
fn reach() -> Reach {
    Reach {
        engine: Engine::default(),
        settings: Arc::new(image::Settings::default()),
        jobs: false,
        offline: true,
    }
}

/// The digest whose digits are all the same.
fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

/// An image with these packages.
fn inventory(purls: &[&str]) -> Inventory {
    Inventory {
        subject: Subject::Image(Box::default()),
        distro: None,
        packages: purls.iter().map(|it| Package::new(it.parse().unwrap())).collect(),
        statements: vec![],
        gaps: vec![],
    }
}
