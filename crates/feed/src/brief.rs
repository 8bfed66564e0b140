//! Texts from outside, made short enough to be repeated.

/// No text is longer, in characters.
const LONGEST: usize = 300;

/// The text, or as much of it as anybody would read.
pub(crate) fn brief(text: &str) -> String {
    match text.len() {
        0..=LONGEST => text.to_owned(),
        _ => match text.char_indices().nth(LONGEST) {
            Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
            None => text.to_owned(),
        },
    }
}
