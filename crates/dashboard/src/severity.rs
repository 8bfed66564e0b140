//! Severities: five words, their order, and how many there are of each, as numbers and as a bar.

use api::{Counted, FlawCounts};
use model::Level;

use crate::html::Html;

/// How many findings there are of each level, worst first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Severities(pub(crate) [u64; 5]);

impl From<&Counted> for Severities {
    fn from(it: &Counted) -> Self {
        Self([it.critical, it.high, it.medium, it.low, it.unspecified])
    }
}

impl From<&FlawCounts> for Severities {
    fn from(it: &FlawCounts) -> Self {
        Self([it.critical, it.high, it.medium, it.low, it.unspecified])
    }
}

/// The bar's width, in its own units.
const WIDTH: u64 = 1_000;
/// What there is at all is seen.
const LEAST: u64 = 12;

impl Severities {
    /// One more.
    pub(crate) fn add(&mut self, level: Level) {
        if let Some(at) = Level::ALL.iter().position(|it| *it == level) {
            self.0[at] += 1;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, it| sum.saturating_add(*it))
    }

    /// `2 critical, 1 high`, or that there is none that is known.
    pub(crate) fn told(&self) -> String {
        let some = Level::ALL.iter().zip(self.0).filter(|(_, count)| *count > 0);
        let some: Vec<String> =
            some.map(|(it, count)| format!("{count} {}", it.as_str())).collect();
        if some.is_empty() { "none that is known".to_owned() } else { some.join(", ") }
    }

    /// Each number under its word.
    pub(crate) fn numbers(&self) -> Html {
        let one = |(level, count): (&Level, u64)| {
            let class = if count == 0 { "count none" } else { "count" };
            let word = Html::tag("dt", &[], Html::text(level.as_str()));
            let number = Html::tag("dd", &[], Html::text(&count.to_string()));
            let class = format!("{class} {}", level.as_str());
            Html::tag("div", &[("class", &class)], word.and(&number))
        };
        let all = Html::all(Level::ALL.iter().zip(self.0).map(one));
        Html::tag("dl", &[("class", "counts")], all)
    }

    /// In one line, for a row among many.
    pub(crate) fn line(&self) -> Html {
        let one = |(level, count): (&Level, u64)| {
            let class = if count == 0 { "none" } else { level.as_str() };
            let title = format!("{count} {}", level.as_str());
            let text = Html::text(&count.to_string());
            Html::tag("span", &[("class", class), ("title", &title)], text)
        };
        let all = Html::all(Level::ALL.iter().zip(self.0).map(one));
        let told = self.told();
        Html::tag("span", &[("class", "severities"), ("role", "img"), ("aria-label", &told)], all)
    }

    /// As a bar. It says nothing that the numbers do not.
    pub(crate) fn bar(&self) -> Html {
        let total = self.total();
        let mut at = 0;
        let mut parts = Vec::new();
        let shown = self.0.iter().filter(|it| **it > 0).count() as u64;
        let room = WIDTH.saturating_sub(shown * LEAST);
        for (level, count) in Level::ALL.iter().zip(self.0).filter(|(_, count)| *count > 0) {
            let share = u128::from(count) * u128::from(room) / u128::from(total.max(1));
            let width = LEAST + u64::try_from(share).unwrap_or(room);
            let (x, w) = (at.to_string(), width.to_string());
            let class = format!("fill {}", level.as_str());
            let attributes =
                [("class", &*class), ("x", &x), ("y", "0"), ("width", &w), ("height", "12")];
            parts.push(Html::tag("rect", &attributes, Html::default()));
            at += width;
        }
        let attributes = [
            ("class", "bar"),
            ("viewBox", "0 0 1000 12"),
            ("preserveAspectRatio", "none"),
            ("role", "img"),
            ("aria-label", &*self.told()),
        ];
        Html::tag("svg", &attributes, Html::all(parts))
    }
}

/// A level as a word on its colour.
pub(crate) fn badge(level: &str) -> Html {
    let known = Level::ALL.iter().find(|it| it.as_str() == level);
    let class = format!("badge {}", known.map_or("unspecified", |it| it.as_str()));
    Html::tag("span", &[("class", &class)], Html::text(level))
}

/// A word that wants to be seen: `exploited`, `pending`.
pub(crate) fn mark(class: &'static str, word: &str, why: &str) -> Html {
    let class = format!("mark {class}");
    Html::tag("span", &[("class", &class), ("title", why)], Html::text(word))
}

/// What nobody can tell: never a nought, never nothing.
pub(crate) fn unknown(why: &str) -> Html {
    mark("unknown", "cannot tell", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_what_the_numbers_say() {
        let bar = Severities([1, 0, 1_000_000, 0, 0]).bar().to_string();
        assert!(bar.contains("aria-label=\"1 critical, 1000000 medium\""), "{bar}");
        assert_eq!(bar.matches("<rect").count(), 2);
        assert!(bar.contains("class=\"fill critical\" x=\"0\" y=\"0\" width=\"12\""), "{bar}");
        assert!(Severities::default().bar().to_string().contains("none that is known"));
        let huge = Severities([u64::MAX; 5]).bar().to_string();
        assert_eq!(huge.matches("<rect").count(), 5);
    }

    #[test]
    fn nobodys_word_is_a_class() {
        let odd = badge("\"><script>").to_string();
        assert_eq!(odd, "<span class=\"badge unspecified\">&quot;&gt;&lt;script&gt;</span>");
    }
}
