//! How bad it is: the vendor's word first, others beside it.

use model::{Level, Rating};

/// Ratings in the order in which they count, each source's best first; and the level they make.
/// They come in the order of their sources' say.
pub(crate) fn weigh(ratings: Vec<Rating>, malicious: bool) -> (Level, Vec<Rating>) {
    let mut sources: Vec<(String, Vec<Rating>)> = Vec::new();
    for rating in ratings {
        match sources.iter_mut().find(|(source, _)| *source == rating.source) {
            Some((_, known)) if known.contains(&rating) => {}
            Some((_, known)) => known.push(rating),
            None => sources.push((rating.source.clone(), vec![rating])),
        }
    }
    let mut ordered: Vec<Rating> = Vec::new();
    for (_, mut ratings) in sources {
        // A word about this very package came first and stays there; CVSS 4 before 3 before 2.
        let words = ratings.iter().take_while(|it| it.vector.is_none()).count();
        if let Some(scored) = ratings.get_mut(words..) {
            scored.sort_by_key(|it| std::cmp::Reverse(generation(it)));
        }
        ordered.extend(ratings);
    }
    let decides = ordered.iter().position(|it| level(it) != Level::Unspecified);
    let mut result = Level::Unspecified;
    if let Some(at) = decides {
        let rating = ordered.remove(at);
        result = level(&rating);
        ordered.insert(0, rating);
    } else if malicious {
        // Nobody rates an attack.
        result = Level::Critical;
    }
    (result, ordered)
}

fn level(rating: &Rating) -> Level {
    match (rating.level, rating.score) {
        (Level::Unspecified, Some(score)) => Level::of_score(score),
        (level, _) => level,
    }
}

fn generation(rating: &Rating) -> u8 {
    match rating.vector.as_deref() {
        Some(it) if it.starts_with("CVSS:4") => 4,
        Some(it) if it.starts_with("CVSS:3") => 3,
        Some(_) => 2,
        None => 0,
    }
}
