//! What a cluster or an engine tells that runs: an image's id, a pod, a list of containers.

use agent::kubernetes::Running;
use model::{Digest, Reference};

/// Runs it once: as a pod, as a list of containers, and its lines as what a node tells of an image.
pub fn run(input: &[u8]) {
    let (running, gaps) = agent::kubernetes::containers(input);
    assert_eq!((&running, &gaps), (&agent::kubernetes::containers(input).0, &gaps));
    for (_, it) in &running {
        check(it);
    }
    let (containers, _) = agent::docker::containers(input);
    for it in containers {
        let digest = it.digest.parse().expect("it is a digest");
        check(&Running { image: it.image, digest });
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (id, told, asked) = (line(), line(), line());
    if let Some(it) = agent::kubernetes::running(id, told, asked) {
        assert!(id.contains(it.digest.hex()));
        check(&it);
    }
}

/// What runs goes by a name that can be asked for, or by its digest.
fn check(it: &Running) {
    let is_name = it.image.parse::<Reference>().is_ok();
    assert!(is_name || it.image.parse::<Digest>().is_ok(), "{}", it.image);
}
