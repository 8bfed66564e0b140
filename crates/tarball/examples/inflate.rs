//! Inflates files and forgets what comes out, one thread for each core: the floor that reading an
//! image is measured against.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tarball::{Limits, decompress};

fn main() {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let next = AtomicUsize::new(0);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let file = fs_err::File::open(file).expect("the file is there");
                    let limits = Limits { ratio: u64::MAX, ..Limits::default() };
                    let mut content = decompress(file, &limits).expect("it is compressed");
                    let mut buffer = vec![0; 256 << 10];
                    while io::Read::read(&mut content, &mut buffer).expect("it is whole") > 0 {}
                }
            });
        }
    });
}
