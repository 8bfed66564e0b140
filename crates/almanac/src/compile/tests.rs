//! What one record can cost is bounded, and what is left out is told.

use model::{Span, Status};

use super::*;

fn affected(space: &str, package: &str, fix: usize) -> Affected {
    Affected {
        spans: vec![Span::before(fix.to_string())],
        ..Affected::new(Space::from(space), package)
    }
}

#[test]
fn a_package_with_too_many_rows_says_so() {
    let mut builder = Builder::new("osv", "npm");
    builder.add(Advisory {
        id: "CVE-1".to_owned(),
        aliases: (0..4000).map(|it| format!("A-{it}")).collect(),
        affected: (0..1100).map(|it| affected("npm", "a", it)).collect(),
        ..Advisory::default()
    });
    let compiled = builder.finish().unwrap();
    let sheet = Sheet::of_bytes(compiled.sheets[0].bytes.clone()).unwrap();
    assert_eq!(sheet.walk(), Ok(()));
    let mut rows = Vec::new();
    sheet.look_up(0, "a", &mut rows);
    assert!(rows.iter().all(|it| it.torn.is_none()));
    let told = rows.iter().filter(|it| it.status == Status::Affected).count() as u64;
    let open: Vec<_> = rows.iter().filter(|it| it.status == Status::UnderInvestigation).collect();
    assert!(told > 1000, "{told}");
    assert_eq!(open.len(), 1);
    assert!(open[0].stretches[0].from.is_none() && open[0].stretches[0].to.is_none());
    assert_eq!(compiled.gaps, 1100 - told);
    assert!(compiled.samples[0].why.starts_with("left out: "), "{}", compiled.samples[0]);
}

#[test]
fn a_part_with_too_many_spaces_says_so() {
    let mut builder = Builder::new("osv", "Debian");
    let spaces = (0..MOST_SPACES + 50).map(|it| affected(&format!("debian:{it}"), "a", 1));
    builder.add(Advisory {
        id: "CVE-1".to_owned(),
        affected: spaces.collect(),
        ..Advisory::default()
    });
    builder.add(Advisory {
        id: "CVE-2".to_owned(),
        affected: vec![affected("debian:0", "a", 1)],
        ..Advisory::default()
    });
    let compiled = builder.finish().unwrap();
    assert_eq!((compiled.sheets.len(), compiled.gaps), (MOST_SPACES, 50));
    assert!(compiled.sheets.iter().any(|it| it.entry.space.as_str() == "debian:0"));
    assert!(compiled.samples[0].why.contains("49 more spaces"), "{}", compiled.samples[0]);
}
