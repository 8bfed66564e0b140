//! The heap of the whole process: the system's, and the room where it is open.

use std::alloc::{GlobalAlloc, Layout, System};

use super::room;

#[global_allocator]
static HEAP: Heap = Heap;

/// What came out of the room goes back there, and all else to the system, whichever of them gives now.
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

#[cfg(test)]
mod tests;
