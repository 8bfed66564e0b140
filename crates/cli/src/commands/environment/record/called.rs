//! What an image is called: as somebody wrote it, and where only its id was written.

use model::{Digest, ImageDescription, Reference};

use crate::failure::Failure;

/// What stands before the name, and the name.
pub(super) fn parts(image: &str) -> (&str, &str) {
    image.split_once("://").unwrap_or(("image", image))
}

/// An image as somebody wrote it, without what shells and files may leave around it.
pub(in crate::commands::environment) fn tidy(image: &str) -> &str {
    let image = image.trim();
    let quoted = |mark| image.strip_prefix(mark)?.strip_suffix(mark);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(image)
}

/// `sha256:…`, written out: an image of this machine, by its id.
pub(super) fn whole_id(name: &str) -> Option<&str> {
    let hex = name.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|it| it.is_ascii_hexdigit())).then_some(hex)
}

/// What an image is called that was asked for by its id; none where the name was its name. What runs
/// by an id alone would be of no repository.
pub(super) fn called(name: &str, image: &ImageDescription) -> anyhow::Result<Option<String>> {
    let id = whole_id(name).unwrap_or(name);
    let starts =
        |it: &Digest| it.as_str().strip_prefix("sha256:").is_some_and(|it| it.starts_with(id));
    if id.len() < 4 || !image.config.iter().chain(&image.digest).any(starts) {
        return Ok(None);
    }
    let mut names: Vec<Reference> = image.tags.iter().filter_map(|it| it.parse().ok()).collect();
    // Letters of an id may be a name as well.
    let word = |it: &Reference| it.repository.rsplit('/').next() == Some(name);
    if names.iter().any(word) {
        return Ok(None);
    }
    names.retain(|it| it.digest.is_none());
    names.sort();
    names.dedup();
    match names.as_slice() {
        [one] => Ok(Some(one.familiar())),
        [] => Err(Failure::error(
            format!("{name}: it is an id, and the image has no name to be recorded by"),
            format!("docker tag {name} NAME:TAG, then record NAME:TAG"),
        )),
        several => {
            let names: Vec<String> = several.iter().map(Reference::familiar).collect();
            Err(Failure::error(
                format!("{name}: it is an id, and the image has several names"),
                format!("record it by one of them: {}", names.join(", ")),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_and_shells_leave_around_a_name() {
        let check = |image: &str, expect: &str| assert_eq!(tidy(image), expect);
        check(" web:v1\n", "web:v1");
        check("\"web:v1\"", "web:v1");
        check("'web:v1'", "web:v1");
        check("\"web:v1", "\"web:v1");
        check("\"", "\"");
        check("", "");
        assert_eq!(parts("docker-pullable://a/b"), ("docker-pullable", "a/b"));
        assert_eq!(parts("a/b:c"), ("image", "a/b:c"));
    }

    #[test]
    fn what_an_id_is_called() {
        let id = "0a".repeat(32);
        let check = |name: &str, tags: &[&str], expect: &str| {
            let image = ImageDescription {
                config: format!("sha256:{id}").parse().ok(),
                tags: tags.iter().map(|it| (*it).to_owned()).collect(),
                ..ImageDescription::default()
            };
            let shown = match called(name, &image) {
                Ok(Some(name)) => name,
                Ok(None) => "as it was asked for".to_owned(),
                Err(error) => error.to_string(),
            };
            assert_eq!(shown, expect, "{name}");
        };
        let short = id.get(..12).unwrap();
        check("acme/web:v1", &["acme/web:v1"], "as it was asked for");
        check(short, &["acme/web:v1", "acme/web@sha256:0"], "acme/web:v1");
        check(&format!("sha256:{id}"), &["docker.io/library/web:v1"], "web:v1");
        check(
            short,
            &["a:1", "b:1"],
            &format!("{short}: it is an id, and the image has several names"),
        );
        let nameless = format!("{short}: it is an id, and the image has no name to be recorded by");
        check(short, &[], &nameless);
        // A name may look like an id.
        check("0a0a", &["docker.io/library/0a0a:latest"], "as it was asked for");
        check("0a", &["localhost/other:1"], "as it was asked for");
    }
}
