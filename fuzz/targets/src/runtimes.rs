//! What a runtime answers when it is asked what runs there: Sysdig's lists and details.

use integration::sysdig;

/// Runs it once.
pub fn run(input: &[u8]) {
    let observed = sysdig::read(input);
    assert_eq!(observed, sysdig::read(input));
    for container in &observed.containers {
        assert!(container.digest.parse::<model::Digest>().is_ok(), "{}", container.digest);
        let image = container.image.as_deref().map(str::parse::<model::Reference>);
        assert!(image.is_none_or(|it| it.is_ok()), "{:?}", container.image);
        let words = [&container.namespace, &container.kind, &container.workload, &container.name];
        assert!(words.iter().all(|it| !it.contains(char::is_control)), "{container:?}");
    }
    for profile in observed.loaded.values() {
        assert!(profile.packages.iter().all(|it| !it.name.is_empty() && !it.version.is_empty()));
    }
}
