//! Figures from real advisories, where they are at hand: others' labels for Maven, others' statements.

use std::collections::BTreeMap;
use std::path::Path;

use almanac::{Almanac, Book as _, Builder};
use engine::{Asked, Lookout};
use feed::Document;
use feed::walk::{File, Limits, files, walk_file};
use model::{Inventory, Package, Purl, Space, Subject, Verdict};

/// All of them, in lines.
#[expect(clippy::print_stdout, reason = "what it finds is what it is for")]
pub(crate) fn print(kit: &Path) -> anyhow::Result<()> {
    println!("{}", maven(kit)?);
    for line in statements(kit) {
        println!("{line}");
    }
    Ok(())
}

/// What is reviewed by hand in SAP's project "KB", against what all others say of the same flaws.
fn maven(kit: &Path) -> anyhow::Result<String> {
    let Some(feed) = feed::find("osv") else { anyhow::bail!("there is no feed osv") };
    let mut builder = Builder::new("osv", "Maven");
    each(&kit.join("osv/Maven"), &mut |path, bytes| {
        let parsed = feed.parse("Maven", &Document { path, bytes });
        let others = parsed.advisories.into_iter().filter(|it| !it.id.starts_with("SAPKB"));
        others.for_each(|it| builder.add(it));
    });
    let almanac = Almanac::in_memory(builder.finish()?.sheets);
    let mut labels: BTreeMap<(Purl, String), bool> = BTreeMap::new();
    each(&kit.join("maven/sap-project-kb-statements.tar.xz"), &mut |_, bytes| {
        read_labels(&String::from_utf8_lossy(bytes), &mut labels);
    });
    let all = labels.len();
    let space = Space::of("maven");
    labels.retain(|(purl, flaw), _| {
        let mut rows = Vec::new();
        almanac.look_up(&space, &purl.full_name(), &mut rows);
        rows.iter().any(|it| it.id == flaw || it.aliases.contains(&flaw.as_str()))
    });
    let lookout = Lookout::new(almanac, "2026-01-01");
    let (mut right, mut over, mut under, mut gaps) = (0, 0, 0, 0);
    let mut differences: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for ((purl, flaw), is_affected) in &labels {
        let inventory = Inventory {
            subject: Subject::Document { name: "label".to_owned() },
            distro: None,
            packages: vec![Package::new(purl.clone())],
            statements: Vec::new(),
            gaps: Vec::new(),
        };
        let judged = lookout.explain(&inventory, Asked::Flaw(flaw));
        let verdict = judged.first().map_or(Verdict::Unheard, |it| it.verdict);
        match (verdict, is_affected) {
            (Verdict::CannotTell, _) => gaps += 1,
            (Verdict::Affected, true) | (Verdict::NotInRange, false) => right += 1,
            (Verdict::Affected, false) => {
                over += 1;
                differences.entry(flaw).or_default().0 += 1;
            }
            _ => {
                under += 1;
                differences.entry(flaw).or_default().1 += 1;
            }
        }
    }
    let mut most: Vec<(&str, (usize, usize))> = differences.into_iter().collect();
    most.sort_by_key(|(_, (over, under))| std::cmp::Reverse(over + under));
    let most: Vec<String> = most
        .iter()
        .take(8)
        .map(|(flaw, (over, under))| format!("{flaw} +{over} −{under}"))
        .collect();
    Ok(format!(
        "maven, by SAP's labels: {all} labels, {} of flaws that somebody else tells of that package: \
         {right} alike, {over} only we find, {under} only SAP finds, {gaps} gaps\n  most of them: {}",
        labels.len(),
        most.join(", "),
    ))
}

/// `- id: pkg:maven/…` and below it `affected: true`, with `vulnerability_id:` on top.
fn read_labels(text: &str, labels: &mut BTreeMap<(Purl, String), bool>) {
    let mut flaw = String::new();
    let mut purl: Option<Purl> = None;
    for line in text.lines() {
        let line = line.trim_start_matches(['-', ' ']);
        if let Some(id) = line.strip_prefix("vulnerability_id: ") {
            id.trim().clone_into(&mut flaw);
        } else if let Some(id) = line.strip_prefix("id: pkg:") {
            purl = format!("pkg:{}", id.trim()).parse().ok();
        } else if let Some(word) = line.strip_prefix("affected: ")
            && let Some(purl) = purl.take()
            && flaw.starts_with("CVE-")
        {
            labels.insert((purl, flaw.clone()), word.trim() == "true");
        }
    }
}

/// How much of others' statements can be read.
fn statements(kit: &Path) -> Vec<String> {
    let hubs = ["aquasecurity-vexhub", "rancher-vexhub", "docker-hardened-images"];
    let mut lines = Vec::new();
    for hub in hubs {
        let (mut documents, mut statements, mut gaps, mut unreadable) = (0, 0, 0, 0);
        each(&kit.join(format!("vex/{hub}.tar.xz")), &mut |path, bytes| {
            let is_vex = memchr::memmem::find(bytes, b"openvex.dev/ns").is_some();
            if !is_vex {
                return;
            }
            documents += 1;
            match statement::read(path, bytes) {
                Ok(read) => {
                    statements += read.statements.len();
                    gaps += read.gaps.len();
                }
                Err(_) => unreadable += 1,
            }
        });
        lines.push(format!(
            "{hub}: {documents} documents, {statements} statements, {gaps} gaps, {unreadable} unreadable"
        ));
    }
    lines
}

/// Each document at `place`, containers unpacked.
fn each(place: &Path, take: &mut dyn FnMut(&str, &[u8])) {
    let (all, _): (Vec<File>, _) = files(place, &Limits::default());
    for file in &all {
        walk_file(file, &Limits::default(), take);
    }
}
