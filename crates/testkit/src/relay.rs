//! An address that is there before whoever answers at it: what comes is handed on, once it is known
//! where to.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::registry::lock;

/// It runs until the process ends. As long as nobody is behind it, it hangs up on whoever comes.
pub struct Relay {
    address: SocketAddr,
    behind: Arc<Mutex<Option<String>>>,
}

impl Relay {
    /// One with nobody behind it.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let behind: Arc<Mutex<Option<String>>> = Arc::default();
        let shared = Arc::clone(&behind);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let Some(host) = lock(&shared).clone() else { continue };
                std::thread::spawn(move || hand_on(&connection, &host));
            }
        });
        Self { address, behind }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// From now on whoever comes is handed on to `127.0.0.1:PORT`.
    pub fn lead_to(&self, host: &str) {
        *lock(&self.behind) = Some(host.to_owned());
    }
}

fn hand_on(here: &TcpStream, host: &str) {
    let Ok(there) = TcpStream::connect(host) else { return };
    let (Ok(from), Ok(to)) = (here.try_clone(), there.try_clone()) else { return };
    let _ = (here.set_nodelay(true), there.set_nodelay(true));
    let back = std::thread::spawn(move || pass(&to, &from));
    pass(here, &there);
    let _ = back.join();
}

/// Everything that comes from one goes to the other, and its end, too.
fn pass(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
