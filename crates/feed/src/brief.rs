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

/// An erratum about many flaws in many packages says each of each: so many rows at most.
const MOST_ROWS: usize = 1 << 20;
/// And about so many flaws.
const MOST_FLAWS: usize = 10_000;

/// How many of the flaws of one erratum can be told, each with that many rows; and the hole that the
/// others leave.
pub(crate) fn tellable(flaws: usize, rows: usize) -> (usize, Option<String>) {
    let most = (MOST_ROWS / rows.max(1)).clamp(1, MOST_FLAWS);
    let hole = format!("it speaks of {flaws} flaws in {rows} packages: only {most} flaws are told");
    if flaws <= most { (flaws, None) } else { (most, Some(hole)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_erratum_is_told_as_far_as_there_is_room() {
        assert_eq!(tellable(600, 1000), (600, None));
        assert_eq!(tellable(1, 5_000_000), (1, None));
        let why = "it speaks of 1000 flaws in 10000 packages: only 104 flaws are told";
        assert_eq!(tellable(1000, 10_000), (104, Some(why.to_owned())));
        assert_eq!(tellable(100_000, 1).0, 10_000);
    }
}
