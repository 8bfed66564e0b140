//! A room for many things that go with the process: taken from end to end, by each thread a piece at a
//! time; what is given back waits for something of the same size.

use std::alloc::{GlobalAlloc as _, Layout, System};
use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All of it. Nothing of it is memory before it is used.
const ROOM: usize = 124 << 20;
const LARGE_PAGE: usize = 2 << 20;
/// What a thread takes at once.
const PIECE: usize = 128 << 10;
/// Larger things are better off elsewhere.
const LARGEST: usize = 1 << LARGEST_BITS;
const LARGEST_BITS: usize = 25;
/// Every place begins at a multiple of this, and small ones are a multiple of it.
const GRAIN: usize = 16;
const SMALL: usize = 1 << SMALL_BITS;
const SMALL_BITS: usize = 10;
const SIZES: usize = SMALL / GRAIN + 4 * (LARGEST_BITS - SMALL_BITS);

/// Where the room begins; 0: it is closed.
static BEGIN: AtomicUsize = AtomicUsize::new(0);
/// How much of it is taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACES: Places = const { Places {
        next: Cell::new(null_mut()),
        left: Cell::new(0),
        free: [const { Cell::new(null_mut()) }; SIZES],
    } };
}

/// What one thread has of it.
struct Places {
    next: Cell<*mut u8>,
    left: Cell<usize>,
    /// For each size what was given back; each begins with the address of another.
    free: [Cell<*mut u8>; SIZES],
}

/// Opens it, once; so much of it is sure to be used soon.
pub(super) fn open(soon: usize) {
    if BEGIN.load(Ordering::Relaxed) != 0 || addresses_are_scarce() {
        return;
    }
    let Ok(layout) = Layout::from_size_align(ROOM + LARGE_PAGE, GRAIN) else { return };
    #[expect(unsafe_code, reason = "there is no other way to so much memory")]
    // SAFETY: the room is not of size zero.
    let space = unsafe { System.alloc(layout) };
    if space.is_null() {
        return;
    }
    let begin = space.expose_provenance().next_multiple_of(LARGE_PAGE);
    // There is one: whoever forgot the first would give what lies in it to the system.
    if BEGIN.compare_exchange(0, begin, Ordering::Release, Ordering::Relaxed).is_err() {
        #[expect(unsafe_code, reason = "it was had that way")]
        // SAFETY: it is the system's, with this layout, and nobody else has heard of it.
        unsafe {
            System.dealloc(space, layout);
        }
        return;
    }
    pages::prefer_large(begin, ROOM);
    pages::have_ready(begin, soon.min(ROOM));
}

/// A place for that; none where the room is closed or full, or this is nothing for it.
pub(super) fn take(layout: Layout) -> Option<*mut u8> {
    let begin = BEGIN.load(Ordering::Acquire);
    if begin == 0 || layout.size() > LARGEST || layout.align() > GRAIN {
        return None;
    }
    let (number, size) = sized(layout.size());
    PLACES.with(|it| {
        if let Some(place) = first_of(it.free.get(number)?) {
            return Some(place);
        }
        if it.left.get() < size {
            // For something large what is left of the last piece is not given up.
            if size > PIECE / 4 {
                return piece(begin, size);
            }
            let (piece, size) = match it.spare() {
                Some(spare) => spare,
                None => (piece(begin, PIECE)?, PIECE),
            };
            it.have(piece, size);
        }
        let place = it.next.get();
        it.next.set(place.wrapping_add(size));
        it.left.set(it.left.get() - size);
        Some(place)
    })
}

/// Does that place lie in the room? Whoever was given one there has seen it open.
pub(super) fn holds(place: *mut u8) -> bool {
    let begin = BEGIN.load(Ordering::Relaxed);
    begin != 0 && place.addr().wrapping_sub(begin) < ROOM
}

/// Does the place of something of that layout have room for so many bytes, and not for many more?
pub(super) fn fits(layout: Layout, size: usize) -> bool {
    size <= LARGEST && sized(layout.size()) == sized(size)
}

#[expect(unsafe_code, reason = "only who knows that nobody uses it may say so")]
/// Keeps it for something else of its size.
///
/// # Safety
/// It was taken for this layout, and nobody uses it any more.
pub(super) unsafe fn give_back(place: *mut u8, layout: Layout) {
    let (number, _) = sized(layout.size());
    PLACES.with(|it| {
        let Some(free) = it.free.get(number) else { return };
        // SAFETY: the smallest place has room for an address.
        unsafe { beginning(place).write(free.get()) };
        free.set(place);
    });
}

/// One of the places that are free, which is so no more.
fn first_of(free: &Cell<*mut u8>) -> Option<*mut u8> {
    let place = free.get();
    if place.is_null() {
        return None;
    }
    #[expect(unsafe_code, reason = "what is free tells what else is")]
    // SAFETY: what was given back begins with the address of another.
    free.set(unsafe { beginning(place).read() });
    Some(place)
}

/// Where a free place tells of another; every place is aligned for that.
fn beginning(place: *mut u8) -> *mut *mut u8 {
    place.cast()
}

impl Places {
    /// Something large that was given back is as good as a new piece, and it is memory already.
    fn spare(&self) -> Option<(*mut u8, usize)> {
        let (enough, _) = sized(PIECE / 2);
        let mut free = self.free.iter().enumerate().skip(enough);
        free.find_map(|(number, free)| Some((first_of(free)?, size_numbered(number))))
    }

    fn have(&self, piece: *mut u8, size: usize) {
        // Where nobody else took one in between, the piece goes on where the last one ends.
        let goes_on = piece == self.next.get().wrapping_add(self.left.get());
        if !goes_on {
            self.next.set(piece);
            self.left.set(0);
        }
        self.left.set(self.left.get() + size);
    }
}

/// The next piece of the room.
fn piece(begin: usize, size: usize) -> Option<*mut u8> {
    // Looked at before, so that the number cannot grow for ever once it is full.
    if TAKEN.load(Ordering::Relaxed) > ROOM - size {
        return None;
    }
    let at = TAKEN.fetch_add(size, Ordering::Relaxed);
    (at <= ROOM - size).then(|| std::ptr::with_exposed_provenance_mut(begin + at))
}

/// The number of a size, and the size: multiples of the grain, then quarters between powers of two.
fn sized(size: usize) -> (usize, usize) {
    let last = size.saturating_sub(1);
    if size <= SMALL {
        let number = last / GRAIN;
        return (number, (number + 1) * GRAIN);
    }
    let bits = last.ilog2() as usize;
    let quarter = last >> (bits - 2) & 3;
    (SMALL / GRAIN + 4 * (bits - SMALL_BITS) + quarter, (quarter + 5) << (bits - 2))
}

/// The size that has this number, of those that are not small.
fn size_numbered(number: usize) -> usize {
    let number = number.saturating_sub(SMALL / GRAIN);
    (number % 4 + 5) << (number / 4 + SMALL_BITS - 2)
}

/// Somebody bounded the addresses of this process, or the memory that it may ask for; and room is both.
fn addresses_are_scarce() -> bool {
    [libc::RLIMIT_AS, libc::RLIMIT_DATA].into_iter().any(|which| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        #[expect(unsafe_code, reason = "there is no other way to ask")]
        // SAFETY: the place is ours to write to.
        let told = unsafe { libc::getrlimit(which, &raw mut limit) };
        told != 0 || limit.rlim_cur != libc::RLIM_INFINITY
    })
}

mod pages {
    use super::LARGE_PAGE;

    /// The fewer pages, the less the kernel has to do.
    pub(super) fn prefer_large(begin: usize, length: usize) {
        advise(begin, length, libc::MADV_HUGEPAGE);
    }

    /// Has the pages made on another core, for to wipe a large page takes a while. Where nobody does,
    /// each is made when it is needed.
    pub(super) fn have_ready(begin: usize, length: usize) {
        if length == 0 {
            return;
        }
        let make = move || {
            // One at a time, for nothing else can be mapped meanwhile; the first is needed at once.
            for at in (begin..begin + length).step_by(LARGE_PAGE).skip(1) {
                advise(at, LARGE_PAGE, libc::MADV_POPULATE_WRITE);
            }
        };
        let _ = std::thread::Builder::new().spawn(make);
    }

    fn advise(begin: usize, length: usize, advice: libc::c_int) {
        let begin = std::ptr::with_exposed_provenance_mut(begin);
        #[expect(unsafe_code, reason = "there is no other way to tell the kernel")]
        // SAFETY: it lies within the room, and no advice given here changes what is there.
        unsafe {
            libc::madvise(begin, length, advice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_a_place_that_is_large_enough_and_not_much_larger() {
        let mut before = sized(0);
        assert_eq!(before, (0, GRAIN));
        for size in (1..70_000).chain((17..=LARGEST_BITS).flat_map(|it| [(1 << it) - 1, 1 << it])) {
            let (number, room) = sized(size);
            assert!(number < SIZES && room >= size && room.is_multiple_of(GRAIN), "{size}");
            assert!(room <= (size + GRAIN).max(size + size / 4), "{size}");
            assert!(size <= SMALL || size_numbered(number) == room, "{size}");
            assert!(number >= before.0 && (number == before.0) == (room == before.1), "{size}");
            before = (number, room);
        }
    }
}
