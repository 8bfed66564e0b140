//! One policy over one image, once: no clock but the one that stops it, and nobody is asked.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regorus::utils::limits::ExecutionTimerConfig;
use regorus::{Engine, Value};

use crate::builtins;
use crate::contract::{Bindings, Limits, Outcome, Violation};
use crate::known::Known;
use crate::pass::{Pass, Stop};
use crate::question::{Answer, Question};
use crate::{reading, values};

/// How much is done between two looks at the clock.
const STEPS: NonZeroU32 = NonZeroU32::new(256).expect("it is not zero");

/// A policy that is ready for any image.
pub(crate) struct Ready {
    pub(crate) id: String,
    pub(crate) file: String,
    pub(crate) query: String,
    pub(crate) calls: BTreeMap<&'static str, u8>,
    pub(crate) looks_inside: bool,
    pub(crate) debug: bool,
    /// Or why it never is.
    pub(crate) engine: Result<Engine, String>,
}

/// What comes of it.
pub(crate) enum Came {
    /// To its end.
    To(Box<Report>),
    /// To where it must be told something first.
    Asking(Question, Duration),
}

#[derive(Default)]
pub(crate) struct Report {
    pub(crate) outcome: Option<Outcome>,
    /// The policy says itself that it is about something else.
    pub(crate) aside: bool,
    pub(crate) violations: Vec<Violation>,
    pub(crate) count: usize,
    pub(crate) prints: Vec<String>,
    pub(crate) bindings: Bindings,
    pub(crate) took: Duration,
}

pub(crate) fn evaluate(
    ready: &Ready,
    known: &Arc<Known>,
    answers: &Arc<BTreeMap<Question, Answer>>,
    limits: &Limits,
) -> Came {
    let begun = Instant::now();
    let engine = match &ready.engine {
        Ok(engine) => engine,
        Err(why) => return Came::To(Box::new(unknown(why.clone(), Duration::ZERO))),
    };
    let once = |strict: bool| {
        let pass = Pass::new(Arc::clone(known), Arc::clone(answers), *limits, strict);
        let pass = Arc::new(pass);
        let (told, prints) = run(ready, engine.clone(), &pass);
        match pass.stopped() {
            Some(Stop::Ask(question)) => Err(Came::Asking(question, begun.elapsed())),
            Some(Stop::Unknown(why) | Stop::Wrong(why)) => {
                Err(Came::To(Box::new(Report { prints, ..unknown(why, begun.elapsed()) })))
            }
            None => Ok((told, prints)),
        }
    };
    let (mut told, mut prints) = match once(true) {
        Ok(it) => it,
        Err(came) => return came,
    };
    // In Rego, a function that cannot take its arguments has no value, and what rests on it is
    // simply not so. That may not turn into a policy that is met, unless what it was given is null:
    // what is not there is null in many a document.
    let mut complaint = None;
    if let Err(why) = &told
        && !is_time(why)
    {
        complaint = (!why.contains("`null`")).then(|| why.clone());
        (told, prints) = match once(false) {
            Ok(it) => it,
            Err(came) => return came,
        };
    }
    let took = begun.elapsed();
    let document = match told {
        Ok(document) => document,
        Err(why) if is_time(&why) => {
            let why = format!("it takes longer than {:?}", limits.time);
            return Came::To(Box::new(Report { prints, ..unknown(why, took) }));
        }
        Err(why) => {
            return Came::To(Box::new(Report {
                prints,
                ..unknown(complaint.unwrap_or(why), took)
            }));
        }
    };
    Came::To(Box::new(Report { prints, took, ..report(&document, complaint, limits) }))
}

fn is_time(why: &str) -> bool {
    why.contains("execution exceeded time limit")
}

fn unknown(why: String, took: Duration) -> Report {
    Report { outcome: Some(Outcome::Unknown { why }), took, ..Report::default() }
}

/// The policy's document, and what it printed.
fn run(
    ready: &Ready,
    mut engine: Engine,
    pass: &Arc<Pass>,
) -> (Result<Value, String>, Vec<String>) {
    for builtin in builtins::all() {
        let Some(arity) = ready.calls.get(builtin.name) else { continue };
        let pass = Arc::clone(pass);
        let call = move |arguments: Vec<Value>| {
            let answered = (builtin.call)(&pass, &arguments);
            pass.tell(builtin.name, answered).map_err(Failed::from)
        };
        let call = move |arguments: Vec<Value>| Ok(call(arguments)?);
        if let Err(error) = engine.add_extension(builtin.name.to_owned(), *arity, Box::new(call)) {
            return (Err(error.to_string()), Vec::new());
        }
    }
    // It is strict unless it is told otherwise, and to be told costs a copy of all it knows.
    if !pass.is_strict() {
        engine.set_strict_builtin_errors(false);
    }
    engine.set_execution_timer_config(ExecutionTimerConfig {
        limit: pass.limits.time,
        check_interval: STEPS,
    });
    engine.set_input(pass.known.input(ready.looks_inside).clone());
    let told = engine.eval_query(ready.query.clone(), false);
    let told = match told {
        Ok(told) => {
            let expression =
                told.result.into_iter().next().and_then(|it| it.expressions.into_iter().next());
            Ok(expression.map_or(Value::Undefined, |it| it.value))
        }
        Err(error) => Err(reading::plain(&error.to_string())),
    };
    let prints =
        if ready.debug { prints(ready, &mut engine, pass.limits.prints) } else { Vec::new() };
    (told, prints)
}

/// Why a function of ours has no value.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Failed(String);

impl From<String> for Failed {
    fn from(why: String) -> Self {
        Self(why)
    }
}

/// What it printed, under its id.
fn prints(ready: &Ready, engine: &mut Engine, most: usize) -> Vec<String> {
    let all = engine.take_prints().unwrap_or_default();
    let more = all.len().saturating_sub(most);
    let mut lines: Vec<String> = all
        .into_iter()
        .take(most)
        .map(|line| {
            let own = line.strip_prefix(&ready.file).and_then(|it| it.strip_prefix(':'));
            let line = own.map_or(line.clone(), |rest| format!("{}#{rest}", ready.id));
            line.chars().take(4096).collect()
        })
        .collect();
    if more > 0 {
        lines.push(format!("{}: and {more} lines more", ready.id));
    }
    lines
}

/// Reads what the policy says.
fn report(document: &Value, complaint: Option<String>, limits: &Limits) -> Report {
    let rule = |name: &str| values::field(document, name);
    let listed = |name: &str| -> Vec<&Value> {
        match rule(name) {
            Some(Value::Set(items)) => items.iter_sorted().collect(),
            Some(Value::Array(items)) => items.iter().collect(),
            _ => Vec::new(),
        }
    };
    let said = listed("violation");
    let count = said.len();
    let too_much = || unknown(format!("it says more than {} bytes", limits.said), Duration::ZERO);
    let Some(whole) = values::weight(document, limits.said.saturating_mul(4)) else {
        return Report { count, ..too_much() };
    };
    let mut left = limits.said;
    let mut violations = Vec::new();
    for value in said.into_iter().take(limits.violations) {
        let Some(weight) = values::weight(value, left) else {
            return Report { count, ..too_much() };
        };
        left -= weight;
        violations.push(violation(value));
    }
    let aside = listed("not_applicable").into_iter().find_map(|it| it.as_string().ok());
    let aside = aside.filter(|_| count == 0 && complaint.is_none());
    if let Some(why) = &aside {
        let why: String = why.chars().take(500).collect();
        let why = format!("it does not apply: {why}");
        let bindings = Bindings((whole <= limits.said).then(|| document.clone()));
        return Report { aside: true, bindings, ..unknown(why, Duration::ZERO) };
    }
    let unknown = listed("unknown").into_iter().find_map(|it| it.as_string().ok());
    let unknown = unknown.map(|it| it.chars().take(500).collect::<String>());
    let outcome = match (rule("pass"), unknown, complaint) {
        (_, Some(why), _) if count == 0 => Outcome::Unknown { why },
        (Some(Value::Bool(true)), _, Some(why)) => Outcome::Unknown { why },
        (Some(Value::Bool(true)), ..) => Outcome::Met,
        (Some(Value::Bool(false)), ..) => Outcome::NotMet,
        // As of `pass if count(violation) == 0`, which says nothing where there are some.
        (None | Some(Value::Undefined), ..) if count > 0 => Outcome::NotMet,
        (None | Some(Value::Undefined), _, None) => Outcome::unknown("it has no `pass`"),
        (None | Some(Value::Undefined), _, Some(why)) => Outcome::Unknown { why },
        (Some(_), ..) => Outcome::unknown("its `pass` is neither true nor false"),
    };
    let bindings = Bindings((whole <= limits.said).then(|| document.clone()));
    Report { outcome: Some(outcome), violations, count, bindings, ..Report::default() }
}

fn violation(value: &Value) -> Violation {
    let json = |value: &Value| values::plain(value).unwrap_or_default();
    if let Value::String(message) = value {
        return Violation { message: message.to_string(), ..Violation::default() };
    }
    let message = values::text(value, "message")
        .map_or_else(|| json(value).to_string().chars().take(500).collect(), str::to_owned);
    Violation {
        message,
        detail: values::field(value, "detail").map(json).unwrap_or_default(),
        remediation: values::text(value, "remediation").map(str::to_owned),
    }
}
