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
