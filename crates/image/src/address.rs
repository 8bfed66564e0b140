//! An address: what people type to say what shall be read, `scheme://rest`.

use crate::contract::{Error, ImageSource};

/// The source that `text` names, and what is left for it. Without a scheme it is `image://`.
pub fn parse(text: &str) -> Result<(&'static dyn ImageSource, String), Error> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("image", text));
    match crate::ALL.iter().find(|source| source.scheme() == scheme) {
        Some(source) => Ok((*source, rest.to_owned())),
        None => Err(unknown(text, scheme, rest)),
    }
}

fn unknown(text: &str, scheme: &str, rest: &str) -> Error {
    let shown: String = text.chars().take(200).collect();
    let hint = if matches!(scheme, "http" | "https" | "docker" | "oci") {
        format!("to ask a registry: registry://{}", rest.chars().take(200).collect::<String>())
    } else {
        let schemes: Vec<String> =
            crate::ALL.iter().map(|source| format!("{}://", source.scheme())).collect();
        format!("one of {}", schemes.join(", "))
    };
    let scheme: String = scheme.chars().take(40).collect();
    Error::invalid(shown, format!("there is no source `{scheme}://`")).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::shown;

    fn check(text: &str, expect: &str) {
        let shown = match parse(text) {
            Ok((source, rest)) => format!("{} `{rest}`", source.scheme()),
            Err(error) => shown(&error),
        };
        assert_eq!(shown, expect);
    }

    #[test]
    fn schemes() {
        check("debian:12", "image `debian:12`");
        check("localhost:5000/a", "image `localhost:5000/a`");
        check("image://debian", "image `debian`");
        check("oci-dir://a/b", "oci-dir `a/b`");
        check("archive:///a.tar", "archive `/a.tar`");
        check("sbom://", "sbom ``");
        check("fs://a://b", "fs `a://b`");
    }

    #[test]
    fn unknown_ones() {
        check(
            "ftp://a",
            "Invalid: ftp://a: there is no source `ftp://`\n  hint: one of image://, local://, \
             registry://, oci-dir://, archive://, fs://, sbom://",
        );
        check(
            "https://quay.io/a",
            "Invalid: https://quay.io/a: there is no source `https://`\n  \
             hint: to ask a registry: registry://quay.io/a",
        );
    }
}
