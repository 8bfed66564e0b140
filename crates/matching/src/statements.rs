//! Statements (VEX, exceptions): which one counts for a flaw of a package, and why others do not.

mod image;
mod product;

use std::collections::HashMap;

use model::{Package, Statement, Step};

use crate::Question;
use image::Identity;

/// All statements, found by flaw.
pub(crate) struct Sayings<'q> {
    question: &'q Question<'q>,
    image: Identity,
    by_flaw: HashMap<String, Vec<usize>>,
    /// About any flaw.
    any: Vec<usize>,
}

/// How well a statement fits; or what keeps it from counting.
type Fit = Result<u8, String>;

impl<'q> Sayings<'q> {
    pub(crate) fn new(question: &'q Question<'q>) -> Self {
        let mut by_flaw: HashMap<String, Vec<usize>> = HashMap::new();
        let mut any = Vec::new();
        for (number, statement) in question.statements.iter().enumerate() {
            for flaw in &statement.flaws {
                if flaw == "*" {
                    any.push(number);
                } else {
                    by_flaw.entry(flaw.to_ascii_uppercase()).or_default().push(number);
                }
            }
        }
        let image = Identity::of(&question.inventory.subject);
        Self { question, image, by_flaw, any }
    }

    /// The number of the statement that counts.
    pub(crate) fn decides(&self, flaw: &[String], package: &Package) -> Option<usize> {
        if self.question.statements.is_empty() {
            return None;
        }
        self.fitting(flaw, package)
            .into_iter()
            .filter_map(|(it, fit)| Some((it, fit.ok()?)))
            .fold(None, |best: Option<(usize, u8)>, (number, fit)| match best {
                Some(best) if self.rank(best) > self.rank((number, fit)) => Some(best),
                _ => Some((number, fit)),
            })
            .map(|(number, _)| number)
    }

    /// The same, with a step for each statement that names the flaw.
    pub(crate) fn told(&self, flaw: &[String], package: &Package) -> (Option<usize>, Vec<Step>) {
        let decides = self.decides(flaw, package);
        let mut fitting = self.fitting(flaw, package);
        let count = fitting.len();
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

    /// Those that name the flaw, in the order in which they were given.
    fn fitting(&self, flaw: &[String], package: &Package) -> Vec<(usize, Fit)> {
        let mut numbers = self.any.clone();
        for name in flaw {
            numbers.extend(self.by_flaw.get(&name.to_ascii_uppercase()).into_iter().flatten());
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
            .into_iter()
            .filter_map(|number| {
                let statement = self.question.statements.get(number)?;
                Some((number, self.fit(statement, package)))
            })
            .collect()
    }

    fn fit(&self, statement: &Statement, package: &Package) -> Fit {
        if let Some((expires, today)) =
            statement.expires.as_deref().zip(self.question.options.today)
            && day(expires) <= day(today)
        {
            return Err(format!("it expired on {}", day(expires)));
        }
        product::fit(&statement.products, package, &self.image, self.question.inventory)
    }

    /// What is more specific counts, then what was said later, then what was given later.
    fn rank(&self, (number, fit): (usize, u8)) -> (u8, Option<&str>, usize) {
        let said = self.question.statements.get(number).and_then(|it| it.said.as_deref());
        (fit, said, number)
    }
}

/// More statements about one flaw are counted, not told.
const MOST_TOLD: usize = 10;

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
