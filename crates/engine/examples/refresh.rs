//! scratch
struct W;
impl engine::Watch for W {
    fn expect(&self, _: usize, _: u64) {}
    fn reading(&self, p: &str, _: u64) {
        eprintln!("{p}");
    }
    fn compiling(&self, _: &str, _: &str) {}
}
fn main() {
    let t = std::time::Instant::now();
    let r = engine::refresh(
        std::path::Path::new(&std::env::args().nth(1).unwrap()),
        None,
        "2026-11-21T00:00:00Z",
        &W,
    )
    .unwrap();
    println!(
        "{:?} sheets {} bytes {} parts {} strangers {} gaps {}",
        t.elapsed(),
        r.sheets.len(),
        r.sheets.iter().map(|s| s.bytes.len()).sum::<usize>(),
        r.manifest.parts.len(),
        r.strangers,
        r.gaps.len()
    );
    for p in &r.manifest.parts {
        println!(
            "{} {} docs {} adv {} gaps {} {:?}",
            p.feed,
            p.part,
            p.documents,
            p.advisories,
            p.gaps,
            p.samples.first()
        );
    }
    for g in r.gaps.iter().take(20) {
        println!("GAP {g}");
    }
    let a = std::env::args().nth(2).unwrap();
    std::fs::create_dir_all(&a).unwrap();
    for s in &r.sheets {
        std::fs::write(format!("{a}/{}", s.entry.digest.to_string().replace(':', "-")), &s.bytes)
            .unwrap();
    }
    std::fs::write(format!("{a}/almanac.json"), r.manifest.to_bytes()).unwrap();
}
