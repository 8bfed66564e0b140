//! What an agent tells that runs: a snapshot is refused, or kept within its bounds and in one way.

use std::collections::BTreeSet;

/// Runs it once: as the body that a server is sent.
pub fn run(input: &[u8]) {
    let Ok(snapshot) = server::snapshot(input) else { return };
    let again = server::snapshot(input).expect("it was read before");
    assert_eq!(snapshot.mark, again.mark);
    assert!(snapshot.environments.len() <= 1_000 && snapshot.gaps.len() <= 100);
    assert!((1..=86_400).contains(&snapshot.every));
    let is_shown = |it: &String, most: usize| {
        it.chars().count() <= most && !it.contains(|it: char| it.is_control())
    };
    assert!(snapshot.gaps.iter().all(|it| is_shown(it, 500)));
    for it in &snapshot.environments {
        assert!(it.running.len() <= 20_000);
        // By what they are told apart when they are kept, each is there once.
        let keys: BTreeSet<String> = it.running.iter().map(store::Container::canonical).collect();
        assert_eq!(keys.len(), it.running.len());
        for container in &it.running {
            let of = &container.workload;
            for part in [&of.namespace, &of.kind, &of.name, &of.container] {
                assert!(is_shown(part, 253), "{part:?}");
            }
            assert!(is_shown(&container.image, 500), "{:?}", container.image);
            // A tag without a repository would say of no image that it is that one.
            assert!(container.repository.is_some() || container.tag.is_none(), "{container:?}");
        }
    }
}
