//! Statements (VEX, exceptions): which one counts for a flaw of a package, and why others do not.

mod image;
mod index;
mod product;

use std::collections::HashMap;

use model::{Package, Statement, Step};

use crate::Question;
use image::Identity;
pub(crate) use index::Best;
use index::{Names, Said};

/// All statements, found by flaw.
pub(crate) struct Sayings<'q> {
    question: &'q Question<'q>,
    image: Identity,
    names: Names<'q>,
    by_flaw: HashMap<String, About<'q>>,
    any: About<'q>,
}

/// What is said about one flaw, or about any.
#[derive(Default)]
struct About<'q> {
    /// Numbers of all statements, those that do not count among them.
    numbers: Vec<usize>,
    said: Said<'q>,
}

/// How well a statement fits; or what keeps it from counting.
type Fit = Result<u8, String>;

impl<'q> Sayings<'q> {
    pub(crate) fn new(question: &'q Question<'q>) -> Self {
        let image = Identity::of(&question.inventory.subject);
        // Where nothing is said, nobody is asked for.
        let names = match question.statements {
            [] => Names::default(),
            _ => Names::of(question.inventory),
        };
        let mut by_flaw: HashMap<String, About<'q>> = HashMap::new();
        let mut any = About::default();
        for (number, statement) in question.statements.iter().enumerate() {
            let has_expired = expired(statement, question.options.today).is_some();
            for flaw in &statement.flaws {
                let about = match &**flaw {
                    "*" => &mut any,
                    flaw => by_flaw.entry(flaw.to_ascii_uppercase()).or_default(),
                };
                about.numbers.push(number);
                if !has_expired {
                    about.said.add((number, statement), &image, &names);
                }
            }
        }
        Self { question, image, names, by_flaw, any }
    }

    /// The statement that counts, with its number.
    pub(crate) fn decides(&self, flaw: &[String], package: &Package) -> Option<Best<'q>> {
        if self.question.statements.is_empty() {
            return None;
        }
        let best = self.about(flaw).filter_map(|it| it.said.best(package, self.question.inventory));
        best.max_by(|left, right| left.rank().cmp(&right.rank()))
    }

    fn about<'s>(&'s self, flaw: &'s [String]) -> impl Iterator<Item = &'s About<'q>> {
        let named = flaw.iter().filter_map(|it| self.by_flaw.get(&it.to_ascii_uppercase()));
        std::iter::once(&self.any).chain(named)
    }

    /// The same, with a step for each statement that names the flaw.
    pub(crate) fn told(&self, flaw: &[String], package: &Package) -> (Option<usize>, Vec<Step>) {
        let decides = self.decides(flaw, package).map(|it| it.number);
        let mut numbers: Vec<usize> =
            self.about(flaw).flat_map(|it| &it.numbers).copied().collect();
        numbers.sort_unstable_by_key(|it| (Some(*it) != decides, *it));
        numbers.dedup();
        let count = numbers.len();
        numbers.truncate(MOST_SEEN);
        let mut fitting: Vec<(usize, Fit)> = numbers
            .into_iter()
            .filter_map(|number| {
                let statement = self.question.statements.get(number)?;
                Some((number, self.fit(statement, package)))
            })
            .collect();
        fitting.sort_by_key(|(number, _)| *number);
        // The one that counts is always told.
        fitting.sort_by_key(|(number, fit)| (Some(*number) != decides, fit.is_err()));
        let mut steps = Vec::new();
        for (number, fit) in fitting.into_iter().take(MOST_TOLD) {
            let Some(statement) = self.question.statements.get(number) else { continue };
            let status = statement.status.as_str();
            let says = format!("{} says {status}{}", who(statement), why(statement));
            steps.push(Step::new(
                "statement",
                match fit {
                    Ok(_) if Some(number) == decides && statement.status.suppresses() => says,
                    Ok(_) if Some(number) == decides => {
                        format!("{says}, which takes nothing out of the way")
                    }
                    Ok(_) => format!("{says}, but one that is more specific or later counts"),
                    Err(why) => format!("{says}, which does not apply: {why}"),
                },
            ));
        }
        if count > MOST_TOLD {
            let more = count - MOST_TOLD;
            steps.push(Step::new("statement", format!("{more} more that name this flaw")));
        }
        (decides, steps)
    }

    fn fit(&self, statement: &Statement, package: &Package) -> Fit {
        if let Some(day) = expired(statement, self.question.options.today) {
            return Err(format!("it expired on {day}"));
        }
        product::fit(
            &statement.products,
            package,
            &self.image,
            &self.names,
            self.question.inventory,
        )
    }
}

/// The day on which it expired, or the moment where it says one.
fn expired<'s>(statement: &'s Statement, today: Option<&str>) -> Option<&'s str> {
    let (expires, today) = (statement.expires.as_deref()?, today?);
    if let (Some(moment), Some(now)) = (moment(expires), moment(today)) {
        return (moment <= now).then_some(expires);
    }
    (day(expires) <= day(today)).then_some(day(expires))
}

/// The seconds of a moment by universal time, `2026-11-22T10:00:00`, which are in order as texts are.
fn moment(text: &str) -> Option<&str> {
    text.ends_with('Z').then(|| text.get(..19)).flatten()
}

/// More statements about one flaw are counted, not told.
const MOST_TOLD: usize = 10;
/// And more than these are not even held against the package, but for the one that counts.
const MOST_SEEN: usize = 200;

fn day(text: &str) -> &str {
    text.get(..10).unwrap_or(text)
}

fn who(statement: &Statement) -> String {
    match &statement.author {
        Some(author) => format!("{author} ({})", statement.origin),
        None => statement.origin.clone(),
    }
}

fn why(statement: &Statement) -> String {
    let words: Vec<&str> = [&statement.justification, &statement.note]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if words.is_empty() { String::new() } else { format!(" ({})", words.join(": ")) }
}
