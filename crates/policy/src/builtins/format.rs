//! sprintf, which can make a text of any length out of two words: here it has bounds.
//! <https://pkg.go.dev/fmt>

use std::fmt::Write as _;

use regorus::Value;

use super::{Builtin, builtin, text, wrong};
use crate::pass::{Answered, Pass, Stop};
use crate::values;

pub(super) const FUNCTIONS: &[Builtin] = &[builtin("sprintf", 2, sprintf)];

/// The widest that one value is padded to, and the most digits behind a point.
const WIDEST: usize = 1_000;

/// The longest that one value is written out.
const LONGEST: usize = 4 << 20;

/// What stands between `%` and its verb.
#[derive(Default)]
struct Flags {
    left: bool,
    plus: bool,
    space: bool,
    zeros: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
}

fn sprintf(pass: &Pass, arguments: &[Value]) -> Answered {
    let pattern = text(arguments, 0)?;
    let values = match arguments.get(1) {
        Some(Value::Array(values)) => values.to_vec(),
        other => return Err(wrong("an array", other)),
    };
    let mut out = String::with_capacity(pattern.len() + 16 * values.len());
    let mut given = values.iter();
    let mut rest = pattern.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(flag) = rest.peek().copied() {
            match flag {
                '-' => flags.left = true,
                '+' => flags.plus = true,
                ' ' => flags.space = true,
                '0' => flags.zeros = true,
                '#' => flags.sharp = true,
                _ => break,
            }
            rest.next();
        }
        flags.width = digits(&mut rest)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            flags.precision = Some(digits(&mut rest)?.unwrap_or(0));
        }
        match rest.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match given.next() {
                None => out.extend(["%!", verb.encode_utf8(&mut [0; 4]), "(MISSING)"]),
                Some(value) => {
                    pass.make(flags.width + flags.precision.unwrap_or(0))?;
                    let written = one(verb, value, &flags)?;
                    pass.make(written.len())?;
                    out.push_str(&padded(written, &flags, value));
                }
            },
        }
    }
    let extra: Vec<&Value> = given.collect();
    if !extra.is_empty() {
        let extra: Result<Vec<String>, Stop> =
            extra.into_iter().map(|it| Ok(format!("{}={}", kind(it), shown(it)?))).collect();
        out.extend(["%!(EXTRA ", &extra?.join(", "), ")"]);
    }
    super::made(pass, out)
}

fn digits(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Option<usize>, Stop> {
    let mut number = None;
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        let digit = digit as usize - '0' as usize;
        number = Some(number.unwrap_or(0) * 10 + digit);
        if number > Some(WIDEST) {
            return Err(Stop::Wrong(format!("pads to more than {WIDEST} letters")));
        }
    }
    Ok(number)
}

fn one(verb: char, value: &Value, flags: &Flags) -> Result<String, Stop> {
    let cut = |text: &str| match flags.precision {
        Some(letters) => text.chars().take(letters).collect(),
        None => text.to_owned(),
    };
    let mismatch = || Ok(format!("%!{verb}({}={})", kind(value), shown(value)?));
    Ok(match (verb, value) {
        ('v' | 's', Value::String(text)) => cut(text),
        ('v', Value::Number(number)) => signed(shown(&Value::Number(number.clone()))?, flags),
        ('v' | 's', other) => shown(other)?,
        ('q', Value::String(text)) => quoted(&cut(text)),
        ('q', other) => quoted(&shown(other)?),
        ('t', Value::Bool(it)) => it.to_string(),
        ('T', other) => kind(other).to_owned(),
        ('x' | 'X', Value::String(text)) => {
            let mut hex = String::new();
            for byte in text.bytes() {
                let _ = write!(hex, "{byte:02x}");
            }
            if verb == 'X' { hex.to_uppercase() } else { hex }
        }
        ('d' | 'x' | 'X' | 'o' | 'b' | 'c', Value::Number(number)) if number.is_integer() => {
            match (verb, number.as_i128()) {
                ('d', _) => signed(shown(value)?, flags),
                ('c', Some(code)) => {
                    u32::try_from(code).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').into()
                }
                (_, None) => return mismatch(),
                (_, Some(number)) => {
                    let digits = number.unsigned_abs();
                    let digits = match verb {
                        'x' => format!("{}{digits:x}", if flags.sharp { "0x" } else { "" }),
                        'X' => format!("{}{digits:X}", if flags.sharp { "0X" } else { "" }),
                        'o' => format!("{digits:o}"),
                        _ => format!("{digits:b}"),
                    };
                    signed(if number < 0 { format!("-{digits}") } else { digits }, flags)
                }
            }
        }
        ('f' | 'F' | 'e' | 'E' | 'g' | 'G', Value::Number(number)) => {
            let Some(number) = number.as_f64() else { return mismatch() };
            let written = match verb {
                'f' | 'F' => format!("{number:.*}", flags.precision.unwrap_or(6)),
                'e' | 'E' => exponent(number, flags.precision.unwrap_or(6), verb),
                _ => number.to_string(),
            };
            signed(written, flags)
        }
        _ => mismatch()?,
    })
}

/// What `%.Nf` makes of a value.
pub(super) fn fixed(value: &Value, digits: usize) -> Result<String, Stop> {
    one('f', value, &Flags { precision: Some(digits), ..Flags::default() })
}

/// Go's exponents have a sign and at least two digits.
fn exponent(number: f64, precision: usize, verb: char) -> String {
    let written = format!("{number:.precision$e}");
    let (digits, power) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |it| ('-', it));
    format!("{digits}{verb}{sign}{power:0>2}")
}

fn signed(written: String, flags: &Flags) -> String {
    match written.starts_with('-') {
        false if flags.plus => format!("+{written}"),
        false if flags.space => format!(" {written}"),
        _ => written,
    }
}

fn padded(written: String, flags: &Flags, value: &Value) -> String {
    let missing = flags.width.saturating_sub(written.chars().count());
    if missing == 0 {
        return written;
    }
    if flags.left {
        return written + &" ".repeat(missing);
    }
    if flags.zeros {
        let number = matches!(value, Value::Number(_));
        let (sign, rest) = match written.strip_prefix(['-', '+']) {
            Some(rest) if number => written.split_at(written.len() - rest.len()),
            _ => ("", &*written),
        };
        return format!("{sign}{}{rest}", "0".repeat(missing));
    }
    " ".repeat(missing) + &written
}

/// As Go quotes.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            _ if letter.is_ascii_control() => {
                let _ = write!(out, "\\x{:02x}", letter as u32);
            }
            _ if letter.is_control() => {
                let _ = write!(out, "\\u{:04x}", letter as u32);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

/// A value as Rego writes it.
pub(super) fn shown(value: &Value) -> Result<String, Stop> {
    if values::weight(value, LONGEST).is_none() {
        return Err(Stop::Unknown(format!("it writes out a value of more than {LONGEST} bytes")));
    }
    let mut out = String::new();
    show(value, false, &mut out);
    Ok(out)
}

fn show(value: &Value, inner: bool, out: &mut String) {
    let mut list = |items: &mut dyn Iterator<Item = &Value>, [open, close]: [char; 2]| {
        out.push(open);
        for (number, item) in items.enumerate() {
            if number > 0 {
                out.push_str(", ");
            }
            show(item, true, out);
        }
        out.push(close);
    };
    match value {
        Value::Array(items) => list(&mut items.iter(), ['[', ']']),
        Value::Set(items) if items.is_empty() => out.push_str("set()"),
        Value::Set(items) => list(&mut items.iter(), ['{', '}']),
        Value::Object(fields) => {
            out.push('{');
            for (number, (key, value)) in fields.iter_sorted().enumerate() {
                if number > 0 {
                    out.push_str(", ");
                }
                show(key, true, out);
                out.push_str(": ");
                show(value, true, out);
            }
            out.push('}');
        }
        Value::String(text) if inner => {
            out.push_str(&serde_json::to_string(&**text).unwrap_or_default());
        }
        Value::String(text) => out.push_str(text),
        Value::Number(number) => out.push_str(&number.format_decimal()),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Null => out.push_str("null"),
        Value::Undefined => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_integer() => "int",
        Value::Number(_) => "float64",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use crate::builtins::tests::called;

    #[test]
    fn as_go_writes() {
        let check = |pattern: &str, values: &str, expect: &str| {
            let shown = called("sprintf", &format!("[{}, {values}]", serde_json::json!(pattern)));
            assert_eq!(shown, serde_json::json!(expect).to_string(), "{pattern} {values}");
        };
        check("a %s b %s", r#"["x", "y"]"#, "a x b y");
        check("%q", r#"["a\"b"]"#, r#""a\"b""#);
        check("%.1f %.2f%%", "[9.84, 100]", "9.8 100.00%");
        check("%v %v %v", r#"[7, ["a", 1], {"k": null}]"#, r#"7 ["a", 1] {"k": null}"#);
        check("%d|%5d|%-5d|%05d", "[3, 3, 3, -3]", "3|    3|3    |-0003");
        check("%x %X %o %b", "[255, 255, 8, 5]", "ff FF 10 101");
        check("%s", "[]", "%!s(MISSING)");
        check("%d", r#"["x"]"#, "%!d(string=x)");
        check("a", "[1]", "a%!(EXTRA int=1)");
        check("%t %v", "[true, false]", "true false");
        check("%e", "[12345.678]", "1.234568e+04");
        check("%.3s", r#"["abcdef"]"#, "abc");
        check("100%", "[]", "100%!(NOVERB)");
        check("%s", "[5]", "5");
    }

    #[test]
    fn what_is_too_wide() {
        let check = |pattern: &str| {
            let shown = called("sprintf", &format!("[{}, [1]]", serde_json::json!(pattern)));
            assert_eq!(shown, "wrong: pads to more than 1000 letters");
        };
        check("%999999999999d");
        check("%.999999999999f");
    }
}
