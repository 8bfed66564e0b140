//! A sink: an address that takes every request, keeps it, and answers as it is told to.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{Answered, Hook};
use crate::registry::http::{Reply, read_request, write_reply};
use crate::registry::lock;

/// It runs until the process ends.
pub struct Sink {
    address: SocketAddr,
    kept: Arc<(Mutex<Vec<Hook>>, Condvar)>,
}

impl Sink {
    /// One that answers 200, always.
    pub fn start() -> Self {
        Self::answering(|_| Answered::status(200))
    }

    /// One that answers like this.
    pub fn answering(answer: impl Fn(&Hook) -> Answered + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let kept: Arc<(Mutex<Vec<Hook>>, Condvar)> = Arc::default();
        let shared = Arc::clone(&kept);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                let (shared, answer) = (Arc::clone(&shared), Arc::clone(&answer));
                std::thread::spawn(move || {
                    while let Ok(Some(request)) = read_request(&mut connection) {
                        let hook = Hook {
                            method: request.method.clone(),
                            path: request.path.clone(),
                            headers: request.all_headers().to_vec(),
                            body: request.bytes,
                        };
                        let answered = answer(&hook);
                        lock(&shared.0).push(hook);
                        shared.1.notify_all();
                        let reply = Reply::new(answered.status, "application/json", &answered.body);
                        let reply = answered
                            .headers
                            .iter()
                            .fold(reply, |reply, (name, value)| reply.header(name, value));
                        if !matches!(write_reply(&mut connection, &reply, false), Ok(true)) {
                            return;
                        }
                    }
                });
            }
        });
        Self { address, kept }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// What has come, once there is enough of it for `enough`; what there is after two minutes.
    pub fn wait(&self, enough: impl Fn(&[Hook]) -> bool) -> Vec<Hook> {
        let kept = lock(&self.kept.0);
        let patience = Duration::from_mins(2);
        let waited = self.kept.1.wait_timeout_while(kept, patience, |it| !enough(it));
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}
