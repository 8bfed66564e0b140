//! Tests of what is told, where it is too much.

use std::collections::BTreeMap;

use super::*;
use crate::contract::Container;
use api::Workload;

struct Nobody;

impl Voice for Nobody {
    fn inform(&self, _: &str) {}
    fn warn(&self, _: &str) {}
    fn advise(&self, _: &str) {}
    fn debug(&self, _: &str) {}
}

#[async_trait]
impl Door for Nobody {
    async fn open(&self) -> Result<(Client, String), Trouble> {
        Err(Trouble::passing("open", "there is no door"))
    }
}

#[test]
fn too_much_is_a_gap() {
    let health = Health::default();
    let reporter = Reporter {
        door: &Nobody,
        name: "eu1",
        agent: "a",
        pace: Pace::default(),
        create: false,
        voice: &Nobody,
        health: &health,
    };
    let container = |number: usize| Container {
        workload: Workload { name: number.to_string(), ..Workload::default() },
        image: "a".to_owned(),
        digest: "b".to_owned(),
        platform: None,
    };
    let many: BTreeSet<Container> = (0..=CONTAINERS).map(container).collect();
    let gaps = (0..200).map(|it| format!("gap {it:03}")).collect();
    let sight =
        Sight { running: BTreeMap::from([("e".to_owned(), many)]), gaps, ..Sight::default() };
    let snapshot = reporter.written("kubernetes", &sight);
    assert_eq!(snapshot.environments[0].running.len(), CONTAINERS);
    assert_eq!(snapshot.gaps.len(), GAPS);
    assert_eq!(snapshot.gaps[0], "e: 20001 run; 20000 are told");
    assert_eq!(snapshot.gaps[GAPS - 1], "102 more");
    assert_eq!(snapshot.every, 30);
}

#[test]
fn names_in_a_line() {
    let names: Vec<String> = (0..12).map(|it| it.to_string()).collect();
    assert_eq!(listed(names.iter()), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more");
    assert_eq!(listed(names[..2].iter()), "0, 1");
}
