//! What comes from the heap, before and after the room is opened, and once it is full.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, realloc};
use std::sync::mpsc;
use std::thread;

use super::room;

/// Larger than anything that the room takes.
const TOO_LARGE: usize = (32 << 20) + 1;

/// Some memory, filled with one byte, as who asks the heap itself for it has it.
struct Place {
    at: *mut u8,
    layout: Layout,
    filled: u8,
}

#[expect(unsafe_code, reason = "this is what is tested")]
// SAFETY: it is the only one that knows of its memory.
unsafe impl Send for Place {}

#[expect(unsafe_code, reason = "this is what is tested")]
impl Place {
    fn new(size: usize, align: usize, filled: u8) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: nobody asks for nothing here.
        let at = unsafe { alloc(layout) };
        assert!(!at.is_null() && at.addr().is_multiple_of(align), "{layout:?}");
        // SAFETY: so many bytes are there.
        unsafe { at.write_bytes(filled, size) };
        Self { at, layout, filled }
    }

    fn zeroed(size: usize, align: usize) -> Self {
        let layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: nobody asks for nothing here.
        let at = unsafe { alloc_zeroed(layout) };
        assert!(!at.is_null() && at.addr().is_multiple_of(align), "{layout:?}");
        Self { at, layout, filled: 0 }
    }

    /// Does it hold what was put there?
    fn is_sound(&self) -> bool {
        // SAFETY: all of it was written to.
        let bytes = unsafe { std::slice::from_raw_parts(self.at, self.layout.size()) };
        bytes.iter().all(|it| *it == self.filled)
    }

    fn is_inside(&self) -> bool {
        let inside = room::holds(self.at);
        assert_eq!(inside, room::holds(self.at.wrapping_add(self.layout.size() - 1)));
        inside
    }

    fn resize(&mut self, size: usize) {
        let before = self.layout.size();
        // SAFETY: it has that layout, and the new size is no more nothing than the old one.
        let at = unsafe { realloc(self.at, self.layout, size) };
        let align = self.layout.align();
        assert!(!at.is_null() && at.addr().is_multiple_of(align), "{:?} {size}", self.layout);
        self.at = at;
        self.layout = Layout::from_size_align(size.min(before), align).unwrap();
        assert!(self.is_sound(), "{before} {size}");
        self.layout = Layout::from_size_align(size, align).unwrap();
        // SAFETY: so many bytes are there.
        unsafe { at.write_bytes(self.filled, size) };
    }
}

#[expect(unsafe_code, reason = "this is what is tested")]
impl Drop for Place {
    fn drop(&mut self) {
        assert!(self.is_sound() || thread::panicking(), "{:?}", self.layout);
        // SAFETY: it has that layout, and nobody hears of it again.
        unsafe { dealloc(self.at, self.layout) };
    }
}

/// There is one room in a process, so its whole life is one test.
#[test]
fn whatever_comes_from_either_goes_back_there() {
    let mut early: Vec<Place> =
        sizes().map(|size| Place::new(size, 1 << (size % 8), size as u8)).collect();
    assert!(early.iter().all(|it| !it.is_inside()), "it was open before anybody asked");

    let (directory, workers, store) = embedded();

    // Of many that open it at once one does, and what it gives stays in it.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                room::open(4 << 20);
                assert!(Place::new(100, 8, 1).is_inside());
            });
        }
    });
    let first = Place::new(48, 16, 7);
    room::open(0);
    assert!(first.is_inside() && first.is_sound());

    // What was there before stays the system's, however it grows.
    for it in &mut early {
        for size in [it.layout.size() * 3, 1, it.layout.size() + 5] {
            it.resize(size);
            assert!(!it.is_inside());
        }
    }
    drop(early);

    // Who worked before works on, and goes as if nothing had been.
    workers.block_on(async {
        assert_eq!(store.organisations().await.unwrap(), []);
        store.close().await;
    });
    drop((store, workers, directory));

    alignments();
    growing_and_shrinking();
    what_is_given_back_is_given_again();
    from_thread_to_thread();
    thread::scope(|scope| {
        for seed in 0..4 {
            scope.spawn(move || churn(seed));
        }
    });
    drop(first);
    // Freed by who goes, it is nobody's any more; so this is last.
    full();
    churn(5);
}

/// What a command without a server stands on: tokio's threads, and SQLite's.
fn embedded() -> (tempfile::TempDir, tokio::runtime::Runtime, store::Store) {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", directory.path().join("foretop.db").display());
    let workers = crate::runtime().unwrap();
    let store = workers.block_on(async {
        let store = store::Store::open(&address).await.unwrap();
        assert_eq!(store.organisations().await.unwrap(), []);
        store
    });
    (directory, workers, store)
}

/// Around every bound.
fn sizes() -> impl Iterator<Item = usize> {
    let bits = if cfg!(miri) { 13 } else { 20 };
    (0..bits).flat_map(|it| {
        let size = 1_usize << it;
        [size, size + 1, size + size / 4, size + size / 2 + 1]
    })
}

fn alignments() {
    for align in (0..13).map(|it| 1 << it) {
        for size in [1, 15, 16, 17, align, align * 3, 5000] {
            let place = Place::new(size, align, 3);
            assert_eq!(place.is_inside(), align <= 16, "{size} {align}");
            assert!(Place::zeroed(size, align).is_sound());
        }
        let mut place = Place::new(align, align, 9);
        for size in [align * 2, align * 100, 1] {
            place.resize(size);
        }
    }
}

fn growing_and_shrinking() {
    let most = if cfg!(miri) { 1 << 16 } else { TOO_LARGE };
    let mut place = Place::new(1, 1, 5);
    let mut size = 1;
    while size < most {
        assert!(place.is_inside(), "{size}");
        size = (size * 2 + 3).min(most);
        place.resize(size);
    }
    assert_eq!(place.is_inside(), most < TOO_LARGE);
    // It does not come back from the system.
    let was_inside = place.is_inside();
    place.resize(20);
    assert_eq!(place.is_inside(), was_inside);
    place.resize(most / 2);
}

fn what_is_given_back_is_given_again() {
    for size in sizes() {
        let given = Place::new(size, 8, 0xff);
        let at = given.at;
        drop(given);
        let again = Place::zeroed(size, 8);
        assert_eq!(again.at, at, "{size}");
        assert!(again.is_sound(), "{size}");
    }
}

/// What one takes another gives back, and the other way round.
fn from_thread_to_thread() {
    let (send, receive) = mpsc::channel::<Place>();
    let (back, returned) = mpsc::channel::<Place>();
    let other = thread::spawn(move || {
        for mut place in receive {
            place.resize(place.layout.size() / 2 + 1);
            let another = Place::new(place.layout.size(), 8, 2);
            drop(place);
            back.send(another).unwrap();
        }
    });
    for round in 1..(if cfg!(miri) { 50 } else { 2000 }) {
        send.send(Place::new(round * 37 % 3000 + 1, 8, round as u8)).unwrap();
    }
    drop(send);
    for place in returned {
        assert!(place.is_sound());
    }
    other.join().unwrap();
}

fn churn(seed: usize) {
    let mut kept: Vec<Place> = Vec::new();
    let rounds: usize = if cfg!(miri) { 60 } else { 4000 };
    for round in 0..rounds {
        let size = (round * 7919 + seed) % 3000 + 1;
        let mut place = Place::new(size, 1 << (round % 6), round as u8);
        place.resize(size * 2);
        place.resize(size / 2 + 1);
        if round % 3 == 2 {
            kept.swap_remove(kept.len() / 2);
        }
        kept.push(place);
    }
}

/// Where it is full, the system gives.
#[expect(unsafe_code, reason = "this is what is tested")]
fn full() {
    let mut all: Vec<(*mut u8, Layout)> = Vec::new();
    for size in [16 << 20, 1 << 20, 64 << 10, 1 << 10, 16] {
        let layout = Layout::from_size_align(size, 8).unwrap();
        for round in 0.. {
            assert!(round < 1 << 20, "it has no end");
            // SAFETY: nobody asks for nothing here. It is not written to, for it is a lot.
            let place = unsafe { alloc(layout) };
            assert!(!place.is_null());
            all.push((place, layout));
            if !room::holds(place) {
                break;
            }
        }
    }
    let mut places: Vec<(usize, usize)> =
        all.iter().map(|(place, layout)| (place.addr(), layout.size())).collect();
    places.sort_unstable();
    assert!(places.windows(2).all(|it| matches!(it, [left, right] if left.0 + left.1 <= right.0)));
    for (place, layout) in all {
        // SAFETY: it has that layout, and nobody hears of it again.
        unsafe { dealloc(place, layout) };
    }
}
