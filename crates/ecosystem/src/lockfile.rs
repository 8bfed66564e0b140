//! Whole small files: lock files and manifests, as text.

use std::borrow::Cow;

use model::Gap;

use crate::File;

/// No lock file that people keep is larger.
const LARGEST: u64 = 64 << 20;

/// The text of `file`, or the gap to answer with.
pub(crate) fn text<'a>(file: &File<'a>) -> Result<Cow<'a, str>, Gap> {
    let gap = |why: String| Gap::new(file.path(), why);
    let bytes = file.bytes(LARGEST).map_err(|error| gap(format!("cannot be read: {error}")))?;
    let text = match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed),
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map(Cow::Owned).map_err(|error| error.utf8_error())
        }
    };
    let text = text.map_err(|error| gap(format!("is no text: {error}")))?;
    // A byte order mark is no part of the text.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => Cow::Owned(rest.to_owned()),
        None => text,
    })
}
