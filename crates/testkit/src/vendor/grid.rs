//! A stand-in for Azure's Event Grid: it shakes hands, delivers, and tries again when it should.
//!
//! It does not wait: it says for how long Event Grid would have.
//! <https://learn.microsoft.com/azure/event-grid/delivery-and-retry>

use super::{Answered, Hook};

/// One subscription: where events go.
pub struct EventGrid {
    host: String,
    path: String,
}

/// What came of asking whether somebody is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// They are.
    Active,
    /// They took the question and did not answer it: somebody would have to follow a link.
    AwaitingManualAction,
    /// They are not; why.
    Failed(String),
}

/// What came of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken, after so many seconds of waiting between attempts.
    Taken(Vec<u64>),
    /// It was given up, after so many attempts.
    DeadLetter(usize),
}

/// Seconds between attempts; the last goes on and on until a day is over.
const WAITS: [u64; 10] = [10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200];
/// Attempts of a subscription, as the template sets them.
const ATTEMPTS: usize = 30;
/// Seconds that an event is worth telling.
const LIFETIME: u64 = 86_400;

impl EventGrid {
    /// Events are to go to `http://host/path`.
    pub fn new(host: &str, path: &str) -> Self {
        Self { host: host.to_owned(), path: path.to_owned() }
    }

    /// Asks whether somebody is there, in its own schema. Only 200 with the very code will do; it asks
    /// once more, five seconds later.
    pub fn subscribe(&self, code: &str) -> Subscribed {
        let mut why = String::new();
        for _ in 0..2 {
            let Some(answer) = Hook::validation(code).send(&self.host, &self.path) else {
                "no answer".clone_into(&mut why);
                continue;
            };
            let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            match (answer.status, body["validationResponse"].as_str()) {
                (200, Some(given)) if given == code => return Subscribed::Active,
                (200, None) => return Subscribed::AwaitingManualAction,
                (status, _) => why = format!("status {status}"),
            }
        }
        Subscribed::Failed(why)
    }

    /// Asks the same as CloudEvents do.
    pub fn subscribe_with_cloud_events(&self) -> Subscribed {
        let origin = "eventgrid.azure.net";
        let Some(answer) = Hook::options(origin).send(&self.host, &self.path) else {
            return Subscribed::Failed("no answer".to_owned());
        };
        match (answer.status, answer.header("webhook-allowed-origin")) {
            (200, Some(allowed)) if allowed == origin || allowed == "*" => Subscribed::Active,
            (status, _) => Subscribed::Failed(format!("status {status}")),
        }
    }

    /// Delivers until it is taken, or is not worth it any more.
    pub fn deliver(&self, hook: &Hook) -> Delivered {
        let mut waited = Vec::new();
        for attempt in 0..ATTEMPTS {
            let mut hook = hook.clone();
            hook.headers.retain(|it| it.0 != "aeg-delivery-count");
            hook.headers.push(("aeg-delivery-count".to_owned(), attempt.to_string()));
            let status = hook.send(&self.host, &self.path).map_or(0, |it: Answered| it.status);
            match status {
                200..=204 => return Delivered::Taken(waited),
                // These it believes.
                400 | 401 | 413 => return Delivered::DeadLetter(attempt + 1),
                _ => waited.push(WAITS.get(attempt).copied().unwrap_or(WAITS[WAITS.len() - 1])),
            }
            if waited.iter().sum::<u64>() > LIFETIME {
                break;
            }
        }
        Delivered::DeadLetter(waited.len())
    }
}
