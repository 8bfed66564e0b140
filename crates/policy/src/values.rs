//! Values of Rego: how much they are, and as JSON.

use regorus::Value;
use serde::Deserialize as _;
use serde_json::Value as Json;

/// How many bytes a value would have as JSON, about; `None`: more than `most`. A value may hold
/// another one many times over without being large itself, so it is walked no further than that.
pub(crate) fn weight(value: &Value, most: usize) -> Option<usize> {
    let mut left = most;
    weigh(value, &mut left).then_some(most - left)
}

fn weigh(value: &Value, left: &mut usize) -> bool {
    let own = match value {
        Value::String(text) => text.len() + 2,
        // A number may have any number of digits, and there is no cheaper way to count them.
        Value::Number(number) if number.as_f64().is_none() => number.format_decimal().len(),
        Value::Number(_) => 8,
        _ => 4,
    };
    let Some(rest) = left.checked_sub(own) else { return false };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|it| weigh(it, left)),
        Value::Set(items) => items.iter().all(|it| weigh(it, left)),
        Value::Object(fields) => {
            fields.iter().all(|(key, value)| weigh(key, left) && weigh(value, left))
        }
        _ => true,
    }
}

/// As JSON; `None`: it is larger than `most` bytes.
pub(crate) fn json(value: &Value, most: usize) -> Option<Json> {
    weight(value, most)?;
    serde_json::to_value(value).ok()
}

/// From JSON.
pub(crate) fn of(json: &Json) -> Value {
    Value::deserialize(json).unwrap_or(Value::Undefined)
}

/// The field of an object.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.as_object().ok()?.get(&Value::from(name))
}

/// The text of a field; an empty one is none.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let text = field(value, name)?.as_string().ok()?;
    (!text.is_empty()).then_some(&**text)
}
