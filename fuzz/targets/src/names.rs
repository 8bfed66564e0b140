//! Everything with a grammar: what is read prints, and reads back to the same.

use api::Timetable;
use model::{Digest, Moment, Platform, Purl, Reference};

/// Runs it once.
pub fn run(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    if let Ok(purl) = input.parse::<Purl>() {
        assert_eq!(purl.to_string().parse::<Purl>().expect("it was printed by us"), purl);
    }
    if let Ok(reference) = input.parse::<Reference>() {
        let again: Reference = reference.to_string().parse().expect("it was printed by us");
        assert_eq!(again, reference);
    }
    // Tags, one a line: each is taken apart, and none that is chosen is one that nobody listed.
    let tags: Vec<&str> = input.lines().take(200).collect();
    if let Some(current) = tags.first() {
        for choice in base::choose(current, tags.iter().copied()) {
            assert!(tags.contains(&choice.tag.as_str()) && choice.tag != *current);
            assert!(!choice.steps.is_empty());
        }
    }
    let _ = input.parse::<Platform>();
    let _ = input.parse::<Digest>();
    // A line of cron, and behind a bar a zone.
    let (cron, zone) = input.split_once('|').map_or((input, None), |it| (it.0, Some(it.1)));
    if let Ok(timetable) = Timetable::new(cron, zone) {
        let now = Moment::from_micros(1_774_742_400_000_000);
        assert!(timetable.after(now).is_none_or(|next| next > now));
    }
}
