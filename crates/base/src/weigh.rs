//! Whether one image is better to stand on than another, and why, in words.

use std::collections::BTreeSet;

use model::{Analysis, Level};

/// Findings by level, the worst first.
pub type Counts = [u64; 5];

/// What counts of an image that others may stand on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// How many findings there are of each level that nothing takes out of the way.
    pub counts: Counts,
    /// Which flaws, of what.
    pub flaws: BTreeSet<(String, String)>,
    /// How many packages there are.
    pub packages: u64,
    /// Bytes of all layers as stored.
    pub size: u64,
    /// When it was made, in RFC 3339.
    pub created: Option<String>,
    /// Its distribution: `debian 12`.
    pub system: Option<String>,
    /// What is not known of it.
    pub gaps: u64,
}

impl Weight {
    /// Of an image that was looked into.
    pub fn of(analysis: &Analysis) -> Self {
        let open = || analysis.findings.iter().filter(|it| !it.suppressed());
        let count = |level: Level| open().filter(|it| it.level == level).count() as u64;
        let levels = [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Unspecified];
        let image = analysis.inventory.subject.image();
        let distro = analysis.inventory.distro.as_ref();
        Self {
            counts: levels.map(count),
            flaws: open().map(|it| (it.id.clone(), it.name.clone())).collect(),
            packages: analysis.inventory.packages.len() as u64,
            size: image.map_or(0, |it| it.size),
            created: image.and_then(|it| it.created.clone()),
            system: distro.map(|it| {
                let version = it.version.as_deref().unwrap_or_default();
                format!("{} {version}", it.id).trim().to_owned()
            }),
            gaps: analysis.all_gaps().count() as u64,
        }
    }

    /// Flaws that it has and `other` has not.
    pub fn adds(&self, other: &Self) -> usize {
        self.flaws.difference(&other.flaws).count()
    }
}

/// Is it better to stand on? Fewer flaws of the worst level that differs; or the same, and less in it; or,
/// for a later build of the same, later. Of what is less known nobody can tell.
pub fn is_better(now: &Weight, then: &Weight, is_refresh: bool) -> bool {
    if then.gaps > now.gaps {
        return false;
    }
    match then.counts.cmp(&now.counts) {
        std::cmp::Ordering::Less => true,
        std::cmp::Ordering::Greater => false,
        std::cmp::Ordering::Equal => {
            is_refresh || then.packages < now.packages && then.size <= now.size
        }
    }
}

/// Why it is better, a line each.
pub fn benefits(now: &Weight, then: &Weight) -> Vec<String> {
    let mut all = Vec::new();
    let flaws = |number: usize| many(number as u64, "vulnerability", "vulnerabilities");
    let (added, removed) = (then.adds(now), now.adds(then));
    all.push(match (added, removed) {
        (0, 0) => "it has the same vulnerabilities".to_owned(),
        (0, removed) => format!("it introduces no vulnerability and removes {}", flaws(removed)),
        (added, removed) => {
            format!("it introduces {} and removes {}", flaws(added), flaws(removed))
        }
    });
    if let (Some(here), Some(there)) = (&now.created, &then.created)
        && here < there
    {
        all.push("it was built later".to_owned());
    }
    if then.size < now.size && now.size > 0 {
        all.push(format!("it is smaller by {}", shown(now.size - then.size)));
    }
    if then.packages < now.packages {
        let fewer = now.packages - then.packages;
        all.push(format!("it contains {} fewer", many(fewer, "package", "packages")));
    }
    match (&now.system, &then.system) {
        (Some(here), Some(there)) if here == there => {
            all.push("it has the same operating system".to_owned());
        }
        (Some(here), Some(there)) => {
            all.push(format!("its operating system is {there}, not {here}"));
        }
        _ => {}
    }
    all
}

fn many(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Bytes, as people read them.
fn shown(bytes: u64) -> String {
    match bytes {
        0..1_000 => many(bytes, "byte", "bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(counts: Counts, packages: u64, size: u64) -> Weight {
        Weight { counts, packages, size, ..Weight::default() }
    }

    #[test]
    fn nothing_that_is_not_better() {
        let now = weight([1, 2, 3, 0, 0], 100, 1_000);
        let check = |then: Weight, expect: bool, refreshed: bool| {
            assert_eq!(is_better(&now, &then, false), expect, "{then:?}");
            assert_eq!(is_better(&now, &then, true), refreshed, "{then:?}");
        };
        check(now.clone(), false, true);
        check(weight([0, 9, 9, 9, 9], 900, 9_000), true, true);
        check(weight([1, 2, 3, 1, 0], 1, 1), false, false);
        check(weight([1, 2, 3, 0, 0], 99, 1_000), true, true);
        check(weight([1, 2, 3, 0, 0], 99, 1_001), false, true);
        // What nobody could read hides what it has.
        check(Weight { gaps: 1, ..weight([0; 5], 1, 1) }, false, false);
    }

    #[test]
    fn benefits_are_told() {
        let flaws = |ids: &str| ids.chars().map(|it| (it.to_string(), String::new())).collect();
        let now = Weight {
            flaws: flaws("abc"),
            created: Some("2026-01-01T00:00:00Z".to_owned()),
            system: Some("debian 11".to_owned()),
            ..weight([3, 0, 0, 0, 0], 10, 5_600_000)
        };
        let then = Weight {
            flaws: flaws("cd"),
            created: Some("2026-02-01T00:00:00Z".to_owned()),
            system: Some("debian 12".to_owned()),
            ..weight([2, 0, 0, 0, 0], 9, 3_000_000)
        };
        let expect = [
            "it introduces 1 vulnerability and removes 2 vulnerabilities",
            "it was built later",
            "it is smaller by 2.6 MB",
            "it contains 1 package fewer",
            "its operating system is debian 12, not debian 11",
        ];
        assert_eq!(benefits(&now, &then), expect);
        let expect = ["it has the same vulnerabilities", "it has the same operating system"];
        assert_eq!(benefits(&now, &now), expect);
    }
}
