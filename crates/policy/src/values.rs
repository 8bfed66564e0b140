//! Values of Rego: how much they are, and as JSON.

use std::collections::{BTreeMap, HashMap};

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
    plain(value)
}

/// As the engine writes it down, without its detours; `None`: JSON has no word for something in it.
/// Whoever asks knows how large it is.
pub(crate) fn plain(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(it) => Json::Bool(*it),
        Value::String(text) => Json::from(&**text),
        Value::Number(_) | Value::Undefined => serde_json::to_value(value).ok()?,
        Value::Array(items) => Json::Array(items.iter().map(plain).collect::<Option<_>>()?),
        Value::Set(items) => Json::Array(items.iter_sorted().map(plain).collect::<Option<_>>()?),
        Value::Object(fields) => {
            let field = |(name, it): (&Value, &Value)| {
                let name = match name {
                    Value::String(text) => text.to_string(),
                    other => serde_json::to_string(other).ok()?,
                };
                Some((name, plain(it)?))
            };
            Json::Object(fields.iter_sorted().map(field).collect::<Option<_>>()?)
        }
    })
}

/// From JSON.
pub(crate) fn of(json: &Json) -> Value {
    Maker::default().value(json)
}

/// Makes values of JSON. The names of fields, which many an object has in common, are made once.
#[derive(Default)]
pub(crate) struct Maker<'a> {
    names: HashMap<&'a str, Value>,
}

impl<'a> Maker<'a> {
    pub(crate) fn value(&mut self, json: &'a Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(it) => Value::Bool(*it),
            Json::String(text) => Value::from(text.as_str()),
            // How many digits count is the engine's to know.
            Json::Number(_) => Value::deserialize(json).unwrap_or(Value::Undefined),
            Json::Array(items) => {
                Value::from(items.iter().map(|it| self.value(it)).collect::<Vec<_>>())
            }
            Json::Object(fields) => {
                let fields = fields.iter().map(|(name, it)| (self.name(name), self.value(it)));
                Value::from(fields.collect::<BTreeMap<_, _>>())
            }
        }
    }

    /// The same for what many have in common.
    pub(crate) fn shared(&mut self, json: &'a Json) -> Value {
        match json {
            Json::String(text) => self.name(text),
            other => self.value(other),
        }
    }

    pub(crate) fn name(&mut self, name: &'a str) -> Value {
        self.names.entry(name).or_insert_with(|| Value::from(name)).clone()
    }
}

/// The field of an object.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let fields = value.as_object().ok()?;
    if fields.len() > FEW {
        return fields.get(&Value::from(name));
    }
    // To make a value of the name takes longer than to look at a few.
    let is_it = |key: &Value| matches!(key, Value::String(key) if **key == *name);
    fields.iter().find_map(|(key, it)| is_it(key).then_some(it))
}

/// So many fields are looked through one by one.
const FEW: usize = 24;

/// The text of a field; an empty one is none.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    let text = field(value, name)?.as_string().ok()?;
    (!text.is_empty()).then_some(&**text)
}
