//! The dashboard, over the very paths that everybody else asks.

use std::sync::Arc;

use api::Carrier;
use axum::Router;
use axum::http::Extensions;
use axum::http::request::Parts;
use dashboard::Door;
use model::Moment;

use crate::app::App;
use crate::body::Room;
use crate::here::here_as;
use crate::peer;
use crate::rate::Shown;
use crate::visiting::NOTICE;

/// Every page; what they ask, `api` answers.
pub(crate) fn pages(app: App, api: Router) -> Router {
    dashboard::router(Arc::new(Inside { app, api }))
}

struct Inside {
    app: App,
    api: Router,
}

impl Door for Inside {
    /// From where they ask is handed on, so that whoever tries passwords is slowed down by a page as by
    /// the API; and the room, for a page takes none of its own.
    fn open(&self, parts: &Parts) -> Arc<dyn Carrier> {
        let mut known = Extensions::new();
        peer::hand_on(&parts.extensions, &mut known);
        if let Some(shown) = parts.extensions.get::<Shown>() {
            known.insert(shown.clone());
        }
        if let Some(room) = parts.extensions.get::<Arc<Room>>() {
            known.insert(Arc::clone(room));
        }
        here_as(self.api.clone(), known)
    }

    fn now(&self) -> Moment {
        self.app.now()
    }

    fn notice(&self) -> Option<&'static str> {
        self.app.visiting.get().map(|_| NOTICE)
    }
}
