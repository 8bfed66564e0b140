//! Telling: the right people are told the right thing, once, whatever breaks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use integration::Integration;

/// Who tells in the stead of real parties, by the names of integrations.
#[derive(Default)]
pub(crate) struct Channels(Mutex<HashMap<String, Arc<dyn Integration>>>);

impl Channels {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<dyn Integration>> {
        self.0.lock().unwrap().get(name).cloned()
    }
}
