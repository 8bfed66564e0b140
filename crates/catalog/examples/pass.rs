//! Measures one pass: `pass matcher`, `pass millions`, `pass zeros`, `pass blobs FILE…`
//! (layers, bottom first).
#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use catalog::{Claims, ReadOptions, read_layer, read_tar, stack};
use model::LayerInventory;
use tarball::{Limits, TarReader, decompress};

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).skip(1).collect::<Vec<_>>()[..] {
        ["matcher"] => matcher(),
        ["millions"] => millions(),
        ["zeros"] => zeros(),
        ["blobs", ref paths @ ..] => blobs(paths),
        _ => println!("pass matcher|millions|zeros|blobs FILE…"),
    }
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = run();
    let took = start.elapsed();
    drop(result);
    println!("{what}: {took:.2?}");
    took
}

fn matcher() {
    timed("compile", Claims::all);
    let paths: Vec<String> = (0..1_000_000)
        .map(|it| format!("usr/share/locale/l{}/LC_MESSAGES/file-{it}.mo", it % 97))
        .collect();
    let mut owners = Vec::new();
    let mut claimed = 0;
    let took = timed("a million paths", || {
        for path in &paths {
            Claims::all().claimants(path, &mut owners);
            claimed += owners.len();
        }
    });
    println!("{} ns each, {claimed} claimed", took.as_nanos() / 1_000_000);
}

/// Three million empty files, made while they are read.
fn millions() {
    let mut number = 0_u32;
    let headers = Blocks::new(move |block| {
        number += 1;
        (number <= 3_000_000).then(|| header(block, &format!("d/{number}"), 0)).is_some()
    });
    let limits = Limits::default();
    timed("three million files", || {
        read_tar(headers, &limits, &ReadOptions::default()).expect("a layer")
    });
    memory();
}

fn zeros() {
    let mut head = [0; 512];
    header(&mut head, "zeros", 4 << 30);
    let tar = head.chain(io::repeat(0).take(4 << 30));
    timed("4 GB of zeros", || {
        read_tar(tar, &Limits::default(), &ReadOptions::default()).expect("a layer")
    });
    memory();
}

fn blobs(paths: &[&str]) {
    let (limits, options) = (Limits::default(), ReadOptions::default());
    for path in paths {
        let open = || fs_err::File::open(path).expect("a file");
        let inflate = timed("inflate", || {
            let mut stream = decompress(open(), &limits).expect("a stream");
            let mut buffer = vec![0; 256 << 10];
            while stream.read(&mut buffer).expect("a whole stream") > 0 {}
        });
        let one = timed("one thread", || {
            let stream = decompress(open(), &limits).expect("a stream");
            read_layer(&mut TarReader::new(stream, &limits), &options).expect("a layer")
        });
        let two = timed("two threads", || {
            let stream = decompress(open(), &limits).expect("a stream");
            read_tar(stream, &limits, &options).expect("a layer")
        });
        let ratio = |it: Duration| it.as_secs_f64() / inflate.as_secs_f64();
        println!("one {:.2}, two {:.2} times inflating", ratio(one), ratio(two));
    }
    let layers: Vec<LayerInventory> = paths
        .iter()
        .map(|path| {
            let file = fs_err::File::open(path).expect("a file");
            let stream = decompress(file, &limits).expect("a stream");
            read_tar(stream, &limits, &options).expect("a layer")
        })
        .collect();
    let layers: Vec<Option<&LayerInventory>> = layers.iter().map(Some).collect();
    timed("stack", || stack(&layers, &[]));
    let stacked = stack(&layers, &[]);
    println!("{:?}", stacked.distro.map(|it| it.qualifier()));
    let mut kinds: BTreeMap<(String, &str, bool), usize> = BTreeMap::new();
    for package in &stacked.packages {
        let key = (package.purl.kind().to_owned(), package.kind.as_str(), package.owner.is_some());
        *kinds.entry(key).or_default() += 1;
    }
    for ((kind, evidence, owned), count) in kinds {
        println!("{count} {kind} {evidence}{}", if owned { ", owned" } else { "" });
    }
    println!("{} gaps, {} missing", stacked.gaps.len(), stacked.missing.len());
    for gap in stacked.gaps.iter().take(20) {
        println!("  {gap}");
    }
    memory();
}

fn header(block: &mut [u8; 512], name: &str, size: u64) {
    block.fill(0);
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[156] = b'0';
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|it| u32::from(*it)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

/// Blocks made one by one, until there are no more.
struct Blocks<F> {
    next: F,
    block: [u8; 512],
    at: usize,
}

impl<F: FnMut(&mut [u8; 512]) -> bool> Blocks<F> {
    fn new(next: F) -> Self {
        Self { next, block: [0; 512], at: 512 }
    }
}

impl<F: FnMut(&mut [u8; 512]) -> bool> Read for Blocks<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == 512 {
            if !(self.next)(&mut self.block) {
                return Ok(0);
            }
            self.at = 0;
        }
        let count = buffer.len().min(512 - self.at);
        buffer[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// The most memory this process has had, where the system tells.
fn memory() {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = status.lines().find(|it| it.starts_with("VmHWM")) {
        println!("{line}");
    }
}
