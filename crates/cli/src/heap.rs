//! The heap of a command that answers and goes.

mod room;

use std::alloc::{GlobalAlloc, Layout, System};

#[global_allocator]
static HEAP: Heap = Heap;

/// From now on memory comes out of one large room, for the answer to a question about flaws.
/// Findings are many small things that are made once and go with the process: handing out their
/// memory, taking it back and asking the kernel for it four kilobytes at a time is a third of what
/// they cost. What is given back is only kept for things of the same size, so this is for whoever
/// does not live long. Where the room cannot be had, or is full, all is as it was.
///
/// The question has so many bytes, as far as that is known.
pub(crate) fn for_an_answer(question: u64) {
    /// An answer takes so many times as much.
    const ANSWER: u64 = 96;
    /// More is not made ready: a question may be long and about little.
    const READY: u64 = 10 << 20;
    room::open(question.saturating_mul(ANSWER).min(READY) as usize);
}

/// The system's heap, and the room where it is open.
struct Heap;

#[expect(unsafe_code, reason = "there is no safe way to be a heap")]
// SAFETY: whatever lies in the room came from there, with the same layout; all else is the system's.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what our caller promises is what is asked of it.
        room::take(layout).unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        match room::take(layout) {
            Some(place) => {
                // SAFETY: so many bytes are there and nobody else's.
                unsafe { place.write_bytes(0, layout.size()) };
                place
            }
            // SAFETY: what our caller promises is what is asked of it.
            None => unsafe { System.alloc_zeroed(layout) },
        }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        if room::holds(place) {
            // SAFETY: it came from the room with this layout, and nobody uses it any more.
            unsafe { room::give_back(place, layout) };
        } else {
            // SAFETY: it came from the system.
            unsafe { System.dealloc(place, layout) };
        }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !room::holds(place) {
            // SAFETY: it came from the system.
            return unsafe { System.realloc(place, layout, size) };
        }
        if room::fits(layout, size) {
            return place;
        }
        // SAFETY: our caller promises that `size` can be, the old place has so many bytes as are
        // copied, and so has the new one, which is another.
        unsafe {
            let other = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !other.is_null() {
                other.copy_from_nonoverlapping(place, layout.size().min(size));
                self.dealloc(place, layout);
            }
            other
        }
    }
}
