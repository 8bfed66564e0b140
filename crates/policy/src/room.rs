//! Room for functions that call themselves: a thread whose stack has a known size.

/// What the deepest policy that is let in takes, several times over; only what is touched is there.
const STACK: usize = 256 << 20;

/// A thread with that room.
pub(crate) fn thread(name: &str) -> std::thread::Builder {
    std::thread::Builder::new().name(name.to_owned()).stack_size(STACK)
}

/// Runs it there and waits for it; `None`: there is no thread, or it broke off.
pub(crate) fn with<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| thread("policy").spawn_scoped(scope, work).ok()?.join().ok())
}
