//! A cluster's pull secret: refused, or a login for the image that is asked about.

/// Runs it once: as either kind of secret, for an image of a hub and of a registry.
pub fn run(input: &[u8]) {
    for is_legacy in [false, true] {
        for (host, repository) in [("docker.io", "library/web"), ("eu.r.example:5000", "team/web")]
        {
            if let Err(error) = image::in_pull_secret("it", input, is_legacy, host, repository) {
                // Nothing of it is quoted: it may be the secret.
                assert!(error.to_string().len() < 200, "{error}");
            }
        }
    }
}
