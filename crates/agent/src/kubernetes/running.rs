//! Which image runs, by what a node tells of a container: names and digests in all their forms.

use model::{Digest, Reference};

/// An image that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// As it was deployed, or its digest by itself where nobody knows that.
    pub image: String,
    /// What runs: of a manifest, an index or a configuration.
    pub digest: Digest,
}

/// Longest text of a node that is looked into.
const LONGEST: usize = 4096;

/// What runs, where a node tells `id` (`status…imageID`) and `told` (`status…image`), and `asked`
/// (`spec…image`) is what somebody deployed. Nothing, where no digest is told.
///
/// Nodes tell ids in many forms: `docker-pullable://repo@sha256:…`, `repo@sha256:…`,
/// `docker://sha256:…`, `sha256:…`, and the hexadecimal digits by themselves. Without a repository
/// it is mostly the digest of an image's configuration, and nobody can tell from the text.
pub fn running(id: &str, told: &str, asked: &str) -> Option<Running> {
    let (repository, digest) = parted(id)?;
    // What somebody asked for is what runs under that name; what the node tells may be another name
    // of the same image.
    let names = [asked, told].into_iter().filter_map(named);
    let own = repository.map(|it| format!("{it}@{digest}"));
    let image = names.chain(own.as_deref().and_then(named)).next();
    Some(Running { image: image.unwrap_or_else(|| digest.to_string()), digest })
}

/// What an image volume runs by: it has no status, so only a name with a digest tells.
pub(crate) fn pinned(reference: &str) -> Option<Running> {
    let (_, digest) = reference.rsplit_once('@')?;
    Some(Running { image: named(reference)?, digest: digest.parse().ok()? })
}

/// The repository and the digest of an id.
fn parted(id: &str) -> Option<(Option<&str>, Digest)> {
    if id.len() > LONGEST {
        return None;
    }
    let id = id.trim();
    let rest = match id.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => id,
    };
    if let Some((repository, digest)) = rest.rsplit_once('@') {
        return Some((Some(repository), digest.parse().ok()?));
    }
    let bare = || format!("sha256:{rest}").parse().ok();
    Some((None, rest.parse().ok().or_else(bare)?))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-')
}

/// A name as it was written, if it is one: digests by themselves and texts that are no names are none.
fn named(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || parted(text).is_some_and(|it| it.0.is_none()) {
        return None;
    }
    text.parse::<Reference>().ok().map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn check(id: &str, told: &str, asked: &str, expect: &str) {
        let (id, told, asked) =
            (id.replace("AAA", A), told.replace("AAA", A), asked.replace("AAA", A));
        let shown = running(&id, &told, &asked)
            .map_or("-".to_owned(), |it| format!("{} {}", it.image, it.digest));
        assert_eq!(shown.replace(A, "AAA"), expect, "{id} {told} {asked}");
    }

    #[test]
    fn ids_in_all_their_forms() {
        let all = "shop/web:v1 sha256:AAA";
        for id in [
            "docker.io/shop/web@sha256:AAA",
            "docker-pullable://shop/web@sha256:AAA",
            "docker://sha256:AAA",
            "cri-o://sha256:AAA",
            "sha256:AAA",
            "AAA",
            " AAA ",
        ] {
            check(id, "docker.io/shop/web:v1", "shop/web:v1", all);
        }
        for id in
            ["", "sha256:", "web@", "web@sha256:00", "docker://", "AAAA", "web:v1", "sha1:AAA"]
        {
            check(id, "shop/web:v1", "shop/web:v1", "-");
        }
    }

    #[test]
    fn names_from_who_asked_then_from_who_tells() {
        let id = "ghcr.io/acme/web@sha256:AAA";
        check(id, "ghcr.io/acme/web:v1", "acme.example/web:v2", "acme.example/web:v2 sha256:AAA");
        check(id, "ghcr.io/acme/web:v1", "", "ghcr.io/acme/web:v1 sha256:AAA");
        check(id, "sha256:AAA", "", "ghcr.io/acme/web@sha256:AAA sha256:AAA");
        check(id, "x", "x@sha256:AAA", "x@sha256:AAA sha256:AAA");
        check(id, "", "x:1@sha256:AAA", "x:1@sha256:AAA sha256:AAA");
        check("AAA", "sha256:AAA", "AAA", "sha256:AAA sha256:AAA");
        check("sha256:AAA", "Not A Name", "", "sha256:AAA sha256:AAA");
        check("Not A Name@sha256:AAA", "", "", "sha256:AAA sha256:AAA");
    }

    #[test]
    fn volumes_run_by_their_digest_alone() {
        assert_eq!(pinned("shop/model:v1"), None);
        let text = format!("shop/model:v1@sha256:{A}");
        assert_eq!(pinned(&text).map(|it| it.image), Some(text));
    }

    proptest! {
        #[test]
        fn junk_is_nothing_or_a_digest(id in ".{0,300}", told in ".{0,80}", asked in ".{0,80}") {
            if let Some(it) = running(&id, &told, &asked) {
                prop_assert!(id.contains(it.digest.hex()));
            }
        }

        #[test]
        fn whatever_runs_has_a_name_or_a_digest(
            scheme in "([a-z][a-z0-9-]{0,8}://)?",
            repository in "([a-z]{1,6}(/[a-z]{1,6}){0,2}@)?",
            hex in "[0-9a-f]{64}",
            told in "[ -~]{0,40}",
            asked in "[ -~]{0,40}",
        ) {
            let it = running(&format!("{scheme}{repository}sha256:{hex}"), &told, &asked)
                .expect("it is one of the forms");
            prop_assert_eq!(it.digest.hex(), hex);
            let is_name = it.image.parse::<Reference>().is_ok();
            prop_assert!(is_name || it.image.parse::<Digest>().is_ok(), "{}", it.image);
        }
    }
}
