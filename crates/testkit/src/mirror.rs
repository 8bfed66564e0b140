//! A mirror of feeds, which publishes what it is told to, and misbehaves where it is told to.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::Fault;
use crate::registry::http::{Reply, Request, read_request, write_reply};
use crate::registry::lock;

/// One that runs until it is dropped.
pub struct Mirror {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    documents: Mutex<BTreeMap<String, (String, Option<Fault>)>>,
    asked: Mutex<BTreeMap<String, usize>>,
    stopped: AtomicBool,
}

impl Mirror {
    /// Starts one that has nothing.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(connection));
            }
        });
        Self { address, state }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this document says that.
    pub fn says(&self, path: &str, text: &str) {
        let said = (text.to_owned(), None);
        lock(&self.state.documents).insert(path.to_owned(), said);
    }

    /// From now on this document is answered so, instead of what it said.
    pub fn spoils(&self, path: &str, fault: Fault) {
        lock(&self.state.documents).entry(path.to_owned()).or_default().1 = Some(fault);
    }

    /// How often a document was asked for.
    pub fn asked(&self, path: &str) -> usize {
        lock(&self.state.asked).get(path).copied().unwrap_or_default()
    }
}

impl State {
    fn serve(&self, mut connection: TcpStream) {
        while let Ok(Some(request)) = read_request(&mut connection) {
            if !matches!(write_reply(&mut connection, &self.answer(&request), false), Ok(true)) {
                return;
            }
        }
    }

    fn answer(&self, request: &Request) -> Reply {
        *lock(&self.asked).entry(request.path.clone()).or_default() += 1;
        let Some((text, fault)) = lock(&self.documents).get(&request.path).cloned() else {
            return Reply::new(404, "text/plain", b"");
        };
        let tag = format!("\"{}\"", crate::digest(text.as_bytes()));
        if let Some(fault) = fault {
            return fault.apply(Reply::ok("application/json", text.as_bytes()));
        }
        if request.header("if-none-match") == Some(&tag) {
            return Reply::new(304, "application/json", b"");
        }
        Reply::ok("application/json", text.as_bytes()).header("ETag", &tag)
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        // So that it wakes up and sees.
        let _ = TcpStream::connect(self.address);
    }
}
