//! Stand-ins for who is told something: they take what Slack, Microsoft Teams and receivers of
//! Standard Webhooks take, written after their documents, and refuse what those refuse.
//!
//! None of them is that vendor's program.

mod shape;

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::registry::http::{Reply, read_request, write_reply};
use crate::registry::lock;
use crate::{Fault, Hook};

/// Whom it stands in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receives {
    /// A Slack incoming webhook.
    Slack,
    /// A workflow of Microsoft Teams.
    Teams,
    /// A receiver of Standard Webhooks with this secret, as it is written (`whsec_…`).
    Webhook(String),
    /// Anybody who takes any body.
    Anything,
}

/// One that runs until it is dropped.
pub struct ReceiverStandIn {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    receives: Receives,
    faults: Mutex<VecDeque<Fault>>,
    heard: Mutex<Vec<Hook>>,
    complaints: Mutex<Vec<String>>,
    stopped: AtomicBool,
}

impl ReceiverStandIn {
    /// The secret part of its address.
    pub const SECRET: &'static str = "T0S3CRET0/B0S3CRET0/vErYs3cReTvErYs3cReT";

    /// Starts one.
    pub fn start(receives: Receives) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State {
            receives,
            faults: Mutex::default(),
            heard: Mutex::default(),
            complaints: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(mut connection) = connection else { continue };
                let _ = connection.set_nodelay(true);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    while let Ok(Some(request)) = read_request(&mut connection) {
                        let hook = Hook {
                            method: request.method.clone(),
                            path: request.path.clone(),
                            headers: request.all_headers().to_vec(),
                            body: request.bytes,
                        };
                        let mut reply = shared.answer(&hook);
                        lock(&shared.heard).push(hook);
                        if let Some(fault) = lock(&shared.faults).pop_front() {
                            reply = fault.apply(reply);
                        }
                        if !matches!(write_reply(&mut connection, &reply, false), Ok(true)) {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, state }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The address that it gives to who may tell it something.
    pub fn url(&self) -> String {
        format!("http://{}/services/{}", self.address, Self::SECRET)
    }

    /// What is told next meets this.
    pub fn plan(&self, fault: Fault) {
        lock(&self.state.faults).push_back(fault);
    }

    /// Everything that came.
    pub fn heard(&self) -> Vec<Hook> {
        lock(&self.state.heard).clone()
    }

    /// What was wrong with what came.
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.state.complaints).clone()
    }
}

impl Drop for ReceiverStandIn {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // So that it wakes up and sees.
        let _ = std::net::TcpStream::connect(self.address);
    }
}

impl State {
    fn answer(&self, hook: &Hook) -> Reply {
        let judged = if hook.method != "POST" {
            Err("it is no POST".to_owned())
        } else if hook.path != format!("/services/{}", ReceiverStandIn::SECRET) {
            Err("no_service".to_owned())
        } else {
            match &self.receives {
                Receives::Slack => shape::slack(hook),
                Receives::Teams => shape::teams(hook),
                Receives::Webhook(secret) => shape::webhook(hook, secret),
                Receives::Anything => Ok(()),
            }
        };
        let plain = "text/plain; charset=utf-8";
        match (judged, &self.receives) {
            (Ok(()), Receives::Slack) => Reply::ok(plain, b"ok"),
            (Ok(()), Receives::Teams) => Reply::new(202, plain, b""),
            (Ok(()), _) => Reply::ok(plain, b""),
            (Err(why), receives) => {
                lock(&self.complaints).push(why.clone());
                match (why.as_str(), receives) {
                    ("no_service", _) => Reply::new(404, plain, b"no_service"),
                    (_, Receives::Slack) => Reply::new(400, plain, b"invalid_payload"),
                    _ => Reply::new(400, plain, why.as_bytes()),
                }
            }
        }
    }
}
