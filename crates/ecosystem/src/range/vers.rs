//! VERS: ranges of versions of packages of any type.

use std::cmp::Ordering;

use model::{Bound, Span, percent_decoded};

use crate::order::Order;

use super::{Comparator, Relation, order_of, relation, without};

/// Reads what stands behind `vers:`, as
/// <https://github.com/package-url/vers-spec/blob/main/VERSION-RANGE-SPEC.rst> says.
pub(super) fn parse(text: &str) -> Result<Vec<Span>, String> {
    let (kind, constraints) = text.split_once('/').ok_or("there is no `/` behind its type")?;
    let order = order_of(&kind.to_ascii_lowercase())?;
    let constraints: String = constraints.chars().filter(|it| !it.is_whitespace()).collect();
    if constraints == "*" {
        return Ok(vec![Span::all()]);
    }
    let mut comparators = Vec::new();
    for constraint in constraints.split('|').filter(|it| !it.is_empty()) {
        let (operator, version) = super::split_where(constraint, |it| !"<>=!".contains(it));
        let version = percent_decoded(version)
            .ok_or_else(|| format!("`{version}` is badly encoded"))?
            .into_owned();
        order.compare(&version, &version).map_err(|it| it.to_string())?;
        comparators.push(Comparator::new(relation(operator)?, version));
    }
    if comparators.is_empty() {
        return Err("there is nothing to compare with".to_owned());
    }
    // They can all be read, so each has its place.
    comparators.sort_by(|left, right| {
        order.compare(&left.version, &right.version).unwrap_or(Ordering::Equal)
    });
    for pair in comparators.windows(2) {
        if let [left, right] = pair
            && order.compare(&left.version, &right.version) == Ok(Ordering::Equal)
        {
            return Err(format!("`{}` is in it twice", right.version));
        }
    }
    spans(order, &comparators)
}

fn spans(order: &dyn Order, comparators: &[Comparator]) -> Result<Vec<Span>, String> {
    let mut spans: Vec<Span> = Vec::new();
    let mut from: Option<Bound> = None;
    // The last comparison that bounds was an end.
    let mut ended = false;
    for Comparator { relation, version } in comparators {
        let included = matches!(relation, Relation::AtLeast | Relation::AtMost);
        let bound = || Some(Bound { version: version.clone(), included });
        match relation {
            // Of several beginnings in a row the first counts, of several ends the last.
            Relation::Greater | Relation::AtLeast => {
                from = from.or_else(bound);
                ended = false;
            }
            Relation::Less | Relation::AtMost => {
                match spans.last_mut().filter(|_| ended) {
                    Some(last) => last.to = bound(),
                    None => spans.push(Span { from: from.take(), to: bound() }),
                }
                ended = true;
            }
            Relation::Is | Relation::IsNot => {}
        }
    }
    if from.is_some() {
        spans.push(Span { from, to: None });
    }
    if comparators.iter().all(|it| it.relation == Relation::IsNot) {
        spans.push(Span::all());
    }
    for Comparator { relation, version } in comparators {
        match relation {
            Relation::IsNot => spans = without(order, spans, version)?,
            Relation::Is => {
                let bound = Some(Bound { version: version.clone(), included: true });
                spans.push(Span { from: bound.clone(), to: bound });
            }
            _ => {}
        }
    }
    Ok(spans)
}
