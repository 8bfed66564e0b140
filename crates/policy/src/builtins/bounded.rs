//! Functions of Rego that could make much out of little: here each pays for what it makes.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regorus::{Engine, Value};

use super::{Builtin, builtin, made, text, whole, wrong};
use crate::pass::{Answered, Pass, Stop};
use crate::{reading, values};

/// The largest arguments of one call, and the largest value that one call makes.
const LARGEST: usize = 32 << 20;

/// What a value takes at least where it is kept.
const EACH: usize = 48;

const OWN: &[Builtin] = &[
    builtin("array.concat", 2, array_concat),
    builtin("concat", 2, concat),
    builtin(reading::SEARCHED, 1, items),
    builtin("lower", 1, lower),
    builtin("numbers.range", 2, range),
    builtin("numbers.range_step", 3, range_step),
    builtin("replace", 3, replace),
    builtin("split", 2, split),
    builtin("trim_prefix", 2, trim_prefix),
    builtin("trim_space", 1, trim_space),
    builtin("trim_suffix", 2, trim_suffix),
    builtin("upper", 1, upper),
    builtin("walk", 1, walk),
];

pub(super) const FUNCTIONS: &[Builtin] = &joined();

/// Functions that are Rego's own, between what is paid before and after.
macro_rules! rego {
    ($($call:ident $name:literal $arity:literal)*) => {
        const REGO: &[Builtin] = &[$(builtin($name, $arity, $call)),*];
        $(fn $call(pass: &Pass, arguments: &[Value]) -> Answered { by_rego(pass, $name, arguments) })*
    };
}

rego! {
    array_reverse "array.reverse" 1
    array_slice "array.slice" 3
    base64_decode "base64.decode" 1
    base64_encode "base64.encode" 1
    base64url_decode "base64url.decode" 1
    base64url_encode "base64url.encode" 1
    base64url_encode_no_pad "base64url.encode_no_pad" 1
    bits_lsh "bits.lsh" 2
    format_int "format_int" 2
    graph_reachable "graph.reachable" 2
    hex_decode "hex.decode" 1
    hex_encode "hex.encode" 1
    json_filter "json.filter" 2
    json_marshal "json.marshal" 1
    json_marshal_with_options "json.marshal_with_options" 2
    json_patch "json.patch" 2
    json_remove "json.remove" 2
    json_unmarshal "json.unmarshal" 1
    object_filter "object.filter" 2
    object_keys "object.keys" 1
    object_remove "object.remove" 2
    object_union "object.union" 2
    object_union_n "object.union_n" 1
    regex_find_n "regex.find_n" 3
    regex_replace "regex.replace" 3
    regex_split "regex.split" 2
    sort "sort" 1
    indexof_n "indexof_n" 2
    intersection "intersection" 1
    replace_n "strings.replace_n" 2
    reverse "strings.reverse" 1
    substring "substring" 3
    trim "trim" 2
    trim_left "trim_left" 2
    trim_right "trim_right" 2
    union "union" 1
}

const fn joined() -> [Builtin; OWN.len() + REGO.len()] {
    let mut all = [const { builtin("", 0, array_concat) }; OWN.len() + REGO.len()];
    let mut at = 0;
    while at < all.len() {
        let from = if at < OWN.len() { &OWN[at] } else { &REGO[at - OWN.len()] };
        all[at] = Builtin { name: from.name, arity: from.arity, call: from.call };
        at += 1;
    }
    all
}

fn too_much() -> Stop {
    Stop::Unknown(format!("it makes a value of more than {LARGEST} bytes"))
}

fn list(arguments: &[Value], at: usize) -> Result<Vec<Value>, Stop> {
    match arguments.get(at) {
        Some(Value::Array(items)) => Ok(items.to_vec()),
        other => Err(wrong("an array", other)),
    }
}

fn array_concat(pass: &Pass, arguments: &[Value]) -> Answered {
    let (Some(Value::Array(left)), Some(Value::Array(right))) =
        (arguments.first(), arguments.get(1))
    else {
        list(arguments, 0)?;
        return Err(wrong("an array", arguments.get(1)));
    };
    let bytes = (left.len() + right.len()) * size_of::<Value>();
    if bytes > LARGEST {
        return Err(too_much());
    }
    pass.make(bytes)?;
    Ok(Value::from(left.iter().chain(right.iter()).cloned().collect::<Vec<_>>()))
}

fn concat(pass: &Pass, arguments: &[Value]) -> Answered {
    let between = text(arguments, 0)?;
    let parts: Vec<&Value> = match arguments.get(1) {
        Some(Value::Array(parts)) => parts.iter().collect(),
        Some(Value::Set(parts)) => parts.iter().collect(),
        other => return Err(wrong("texts", other)),
    };
    let mut out = String::new();
    for (number, part) in parts.into_iter().enumerate() {
        let Value::String(part) = part else { return Err(wrong("texts", Some(part))) };
        if number > 0 {
            out.push_str(between);
        }
        out.push_str(part);
        if out.len() > LARGEST {
            return Err(too_much());
        }
    }
    made(pass, out)
}

/// What can be looked through; of anything else, there is nothing to be seen.
#[expect(clippy::unnecessary_wraps, reason = "it is what every function gives back")]
fn items(_: &Pass, arguments: &[Value]) -> Answered {
    Ok(match arguments.first() {
        Some(it @ (Value::Array(_) | Value::Set(_) | Value::Object(_))) => it.clone(),
        _ => Value::Undefined,
    })
}

fn lower(pass: &Pass, arguments: &[Value]) -> Answered {
    made(pass, text(arguments, 0)?.to_lowercase())
}

fn upper(pass: &Pass, arguments: &[Value]) -> Answered {
    made(pass, text(arguments, 0)?.to_uppercase())
}

fn trim_prefix(pass: &Pass, arguments: &[Value]) -> Answered {
    let (whole, prefix) = (text(arguments, 0)?, text(arguments, 1)?);
    made(pass, whole.strip_prefix(prefix).unwrap_or(whole).to_owned())
}

fn trim_space(pass: &Pass, arguments: &[Value]) -> Answered {
    made(pass, text(arguments, 0)?.trim().to_owned())
}

fn trim_suffix(pass: &Pass, arguments: &[Value]) -> Answered {
    let (whole, suffix) = (text(arguments, 0)?, text(arguments, 1)?);
    made(pass, whole.strip_suffix(suffix).unwrap_or(whole).to_owned())
}

fn replace(pass: &Pass, arguments: &[Value]) -> Answered {
    let (whole, old, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let times = whole.matches(old).count();
    if times.saturating_mul(new.len()).saturating_add(whole.len()) > LARGEST {
        return Err(too_much());
    }
    made(pass, whole.replace(old, new))
}

fn split(pass: &Pass, arguments: &[Value]) -> Answered {
    let (whole, between) = (text(arguments, 0)?, text(arguments, 1)?);
    let count = if between.is_empty() { whole.len() } else { whole.matches(between).count() + 1 };
    let bytes = count.saturating_mul(EACH).saturating_add(whole.len());
    if bytes > LARGEST {
        return Err(too_much());
    }
    pass.make(bytes)?;
    let parts: Vec<Value> = if between.is_empty() {
        whole.chars().map(|it| Value::from(it.to_string())).collect()
    } else {
        whole.split(between).map(Value::from).collect()
    };
    Ok(Value::from(parts))
}

fn range(pass: &Pass, arguments: &[Value]) -> Answered {
    steps(pass, whole(arguments, 0)?, whole(arguments, 1)?, 1)
}

fn range_step(pass: &Pass, arguments: &[Value]) -> Answered {
    let step = whole(arguments, 2)?;
    if step <= 0 {
        return Err(Stop::Wrong("wants a step above 0".to_owned()));
    }
    steps(pass, whole(arguments, 0)?, whole(arguments, 1)?, step)
}

fn steps(pass: &Pass, from: i64, to: i64, step: i64) -> Answered {
    let (from, to, step) = (i128::from(from), i128::from(to), i128::from(step));
    let count = (from - to).abs() / step + 1;
    let bytes = usize::try_from(count).unwrap_or(usize::MAX).saturating_mul(size_of::<Value>());
    if bytes > LARGEST {
        return Err(too_much());
    }
    pass.make(bytes)?;
    let step = if from <= to { step } else { -step };
    let numbers = (0..count).filter_map(|it| i64::try_from(from + it * step).ok());
    Ok(Value::from(numbers.map(Value::from).collect::<Vec<_>>()))
}

/// Every value below one, each with its path. A value that holds another one twice is walked twice.
fn walk(pass: &Pass, arguments: &[Value]) -> Answered {
    let mut found = Vec::new();
    let mut path = Vec::new();
    if let Some(value) = arguments.first() {
        step(pass, value, &mut path, &mut found)?;
    }
    Ok(Value::from(found))
}

fn step(
    pass: &Pass,
    value: &Value,
    path: &mut Vec<Value>,
    found: &mut Vec<Value>,
) -> Result<(), Stop> {
    pass.make(2 * EACH + path.len() * size_of::<Value>())?;
    found.push(Value::from(vec![Value::from(path.clone()), value.clone()]));
    let mut below = |key: Value, value: &Value| {
        path.push(key);
        let done = step(pass, value, path, found);
        path.pop();
        done
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(at, it)| below(Value::from(at as u64), it))
        }
        Value::Set(items) => items.iter().try_for_each(|it| below(it.clone(), it)),
        Value::Object(fields) => {
            fields.iter_sorted().try_for_each(|(key, it)| below(key.clone(), it))
        }
        _ => Ok(()),
    }
}

thread_local! {
    /// A copy of it for each thread.
    static REGO_ITSELF: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// An engine that calls Rego's own functions; a copy knows all that was worked out here.
static REGO_READY: LazyLock<Result<Engine, String>> = LazyLock::new(rego_itself);

/// Lets Rego's own function work, within bounds.
fn by_rego(pass: &Pass, name: &str, arguments: &[Value]) -> Answered {
    let given = arguments.iter().map(|it| values::weight(it, LARGEST)).sum::<Option<usize>>();
    let Some(given) = given else {
        return Err(Stop::Unknown(format!("it gives `{name}` more than {LARGEST} bytes")));
    };
    let most = match name {
        // The shift is the size.
        "bits.lsh" => match whole(arguments, 1)? {
            bits @ 0..=1024 => usize::try_from(bits).unwrap_or(0),
            _ => return Err(Stop::Wrong("shifts by more than 1024 bits".to_owned())),
        },
        // Any letter may become the whole of the other text.
        "regex.replace" => text(arguments, 2)?.len().saturating_mul(text(arguments, 0)?.len() + 1),
        "strings.replace_n" => most_replaced(arguments)?,
        _ => 0,
    };
    if most > LARGEST {
        return Err(too_much());
    }
    pass.make(given)?;
    let value = REGO_ITSELF.with_borrow_mut(|engine| {
        let engine = match engine {
            Some(engine) => engine,
            none => none.insert(REGO_READY.clone().map_err(Stop::Unknown)?),
        };
        engine.set_input(Value::from(arguments.to_vec()));
        engine.eval_rule(rule(name)).map_err(|error| {
            let why = reading::plain(&error.to_string());
            let why = why.split_once(": ").map_or(&*why, |(_, why)| why).to_owned();
            Stop::Wrong(format!("cannot take its arguments: {why}"))
        })
    })?;
    match values::weight(&value, LARGEST) {
        Some(bytes) => pass.make(bytes * 4)?,
        None => return Err(too_much()),
    }
    Ok(value)
}

fn most_replaced(arguments: &[Value]) -> Result<usize, Stop> {
    let Some(Value::Object(patterns)) = arguments.first() else {
        return Err(wrong("an object", arguments.first()));
    };
    let mut most = text(arguments, 1)?.len() + 1;
    for (_, new) in patterns.iter() {
        if let Value::String(new) = new {
            most = most.saturating_mul(new.len().max(1));
        }
    }
    Ok(most)
}

fn rule(name: &str) -> String {
    format!("data.itself.{}", name.replace('.', "_"))
}

fn rego_itself() -> Result<Engine, String> {
    let mut text = "package itself\nimport rego.v1\n".to_owned();
    for function in REGO {
        let super::Arity::Of(arity) = function.arity else { continue };
        let arguments: Vec<String> = (0..arity).map(|it| format!("input[{it}]")).collect();
        let name = function.name;
        let _ = writeln!(text, "{} := {name}({})", name.replace('.', "_"), arguments.join(", "));
    }
    let mut engine = reading::engine();
    engine.add_policy("itself".to_owned(), text).map_err(|error| error.to_string())?;
    // A question about nothing makes it ready.
    engine.eval_query("true".to_owned(), false).map_err(|error| error.to_string())?;
    Ok(engine)
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::called;

    fn check(name: &str, arguments: &str, expect: &str) {
        assert_eq!(called(name, arguments), expect, "{name} {arguments:.80}");
    }

    #[test]
    fn as_rego_has_them() {
        check("array.concat", "[[1], [2]]", "[1,2]");
        check("concat", r#"[", ", ["a", "b"]]"#, r#""a, b""#);
        check("concat", r#"[", ", ["a", 1]]"#, "wrong: wants texts, and was given a number");
        check("upper", r#"["straße"]"#, r#""STRASSE""#);
        check("lower", "[null]", "wrong: wants a text, and was given `null`");
        check("numbers.range", "[3, 1]", "[3,2,1]");
        check("numbers.range_step", "[1, 6, 2]", "[1,3,5]");
        check("numbers.range_step", "[1, 6, 0]", "wrong: wants a step above 0");
        check("replace", r#"["a-b-c", "-", "+"]"#, r#""a+b+c""#);
        check("split", r#"["a,b", ","]"#, r#"["a","b"]"#);
        check("split", r#"["ab", ""]"#, r#"["a","b"]"#);
        check("walk", r#"[{"a": [1]}]"#, r#"[[[],{"a":[1]}],[["a"],[1]],[["a",0],1]]"#);
        check("json.marshal", r#"[{"a": 1}]"#, r#""{\"a\":1}""#);
        check("json.unmarshal", r#"["[1]"]"#, "[1]");
        check("trim_space", r#"[" a "]"#, r#""a""#);
        check("trim_prefix", r#"["aab", "a"]"#, r#""ab""#);
        check("trim_suffix", r#"["abb", "b"]"#, r#""ab""#);
        check("trim_suffix", r#"["ab", ""]"#, r#""ab""#);
        check("trim_left", r#"["aab", "a"]"#, r#""b""#);
        check("substring", r#"["abc", 1, -1]"#, r#""bc""#);
        check("sort", "[[2, 1]]", "[1,2]");
        check("regex.replace", r#"["a1b2", "[0-9]", "x"]"#, r#""axbx""#);
        check("object.union", r#"[{"a": 1}, {"b": 2}]"#, r#"{"a":1,"b":2}"#);
        check("bits.lsh", "[1, 4]", "16");
        check("strings.replace_n", r#"[{"a": "b"}, "aa"]"#, r#""bb""#);
        check("format_int", "[255, 16]", r#""ff""#);
        check("hex.encode", r#"["a"]"#, r#""61""#);
    }

    #[test]
    fn what_would_be_too_much() {
        let long = "a".repeat(40_000);
        let ends = "unknown: it makes a value of more than 33554432 bytes";
        check("numbers.range", "[0, 1000000000000000000]", ends);
        check("numbers.range", "[-9223372036854775807, 9223372036854775807]", ends);
        check("replace", &format!(r#"["{long}", "a", "{long}"]"#), ends);
        check("replace", &format!(r#"["{long}", "", "{long}"]"#), ends);
        check("regex.replace", &format!(r#"["{long}", "a", "{long}"]"#), ends);
        check("strings.replace_n", &format!(r#"[{{"a": "{long}"}}, "{long}"]"#), ends);
        check("bits.lsh", "[1, 4000000000]", "wrong: shifts by more than 1024 bits");
    }
}
