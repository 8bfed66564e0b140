//! The heap of a command that answers and goes.

// Elsewhere nobody has measured it, and so much room may not be had for nothing.
#[cfg(target_os = "linux")]
mod room;
#[cfg(target_os = "linux")]
mod shared;

/// From now on memory comes out of one large room, for the answer to a question about flaws.
/// Findings are many small things that are made once and go with the process: handing out their
/// memory, taking it back and asking the kernel for it four kilobytes at a time is a third of what
/// they cost. What is given back is only kept for things of the same size, so this is for whoever
/// does not live long: never for a server or a worker. Where the room cannot be had, or is full, all
/// is as it was.
///
/// The question has so many bytes, as far as that is known.
pub(crate) fn for_an_answer(question: u64) {
    /// An answer takes so many times as much.
    const ANSWER: u64 = 96;
    /// More is not made ready: a question may be long and about little.
    const READY: u64 = 10 << 20;
    let soon = question.saturating_mul(ANSWER).min(READY);
    #[cfg(target_os = "linux")]
    room::open(soon as usize);
    #[cfg(not(target_os = "linux"))]
    let _ = soon;
}
