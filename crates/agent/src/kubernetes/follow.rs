//! Following all things of one kind: listed in parts, watched from there on, and listed anew when
//! anything went wrong.

use std::pin::pin;
use std::time::Instant;

use futures_util::StreamExt as _;
use kube::Api;
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::watcher::{self, Event, watcher};
use tokio::sync::watch;

use super::refused::{is_usual, trouble};
use super::shelf::Shelf;
use super::{Followed, Kubernetes, Seen};
use crate::again::{Again, spread};
use crate::contract::Voice;

/// Who follows, and who is told.
pub(super) struct Following<'a> {
    pub(super) kubernetes: &'a Kubernetes,
    pub(super) news: &'a watch::Sender<u64>,
    pub(super) voice: &'a dyn Voice,
}

impl Following<'_> {
    /// Follows all things of a kind of the core API, for ever. What counts of one is what `read`
    /// makes of it, and is kept in `place`.
    pub(super) async fn go<T: PartialEq + Send>(
        &self,
        kind: &str,
        things: &str,
        place: impl Fn(&mut Seen) -> &mut Followed<T>,
        read: impl Fn(DynamicObject) -> T,
    ) {
        let patience = &self.kubernetes.patience;
        let resource =
            ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk("", "v1", kind), things);
        let config =
            watcher::Config::default().timeout(patience.watch).page_size(patience.page.max(1));
        let mut again = Again::new(patience.again, patience.again.saturating_mul(30));
        loop {
            let api: Api<DynamicObject> = Api::all_with(self.kubernetes.client.clone(), &resource);
            let mut events = pin!(watcher(api, config.clone()));
            // What a watch may have missed is found by a list, now and then.
            let until = Instant::now() + spread(patience.anew.saturating_mul(2));
            let mut listed = Shelf::new();
            let failed = loop {
                let next = tokio::time::timeout_at(until.into(), events.next());
                let event = match next.await {
                    Err(_) | Ok(None) => break None,
                    Ok(Some(Err(error))) => break Some(error),
                    Ok(Some(Ok(event))) => event,
                };
                match event {
                    Event::Init => listed = Shelf::new(),
                    Event::InitApply(object) => {
                        let (id, version) = names(&object);
                        listed.put(id, version.as_deref(), read(object));
                    }
                    Event::InitDone => {
                        again.reset();
                        let shelf = std::mem::replace(&mut listed, Shelf::new());
                        self.change(|seen| {
                            *place(seen) = Followed { shelf: Some(shelf), trouble: None };
                            true
                        });
                        self.voice.debug(&format!("all {things} are listed"));
                    }
                    Event::Apply(object) => {
                        let (id, version) = names(&object);
                        let thing = read(object);
                        self.change(|seen| {
                            let shelf = place(seen).shelf.as_mut();
                            shelf.is_some_and(|it| it.put(id, version.as_deref(), thing))
                        });
                    }
                    Event::Delete(object) => {
                        let (id, version) = names(&object);
                        self.change(|seen| {
                            let shelf = place(seen).shelf.as_mut();
                            shelf.is_some_and(|it| it.remove(id, version.as_deref()))
                        });
                    }
                }
            };
            if let Some(error) = failed {
                let trouble = trouble(things, &error);
                let before = place(&mut self.kubernetes.seen()).trouble.replace(trouble.clone());
                // Once, until something else is wrong.
                if is_usual(&error) || before.as_ref() == Some(&trouble) {
                    self.voice.debug(&trouble.to_string());
                } else {
                    self.voice.complain(&trouble);
                }
                self.news.send_modify(|it| *it += 1);
                tokio::time::sleep(again.wait()).await;
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Seen) -> bool) {
        let changed = change(&mut self.kubernetes.seen());
        if changed {
            self.news.send_modify(|it| *it += 1);
        }
    }
}

/// By what a thing is known, and which version of it this is.
fn names(object: &DynamicObject) -> (String, Option<String>) {
    let metadata = &object.metadata;
    let by_name = || {
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        format!("{namespace}/{}", metadata.name.as_deref().unwrap_or_default())
    };
    (metadata.uid.clone().unwrap_or_else(by_name), metadata.resource_version.clone())
}
