//! One pass of a policy over an image: what its functions may look at, and what stops it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use regorus::Value;

use crate::contract::Limits;
use crate::known::Known;
use crate::question::{Answer, Question};

/// Why a function has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stop {
    /// It cannot take its arguments: in Rego it has no value then.
    Wrong(String),
    /// It must be asked outside first; then the policy starts over.
    Ask(Question),
    /// The policy is unknown, whatever else it says.
    Unknown(String),
}

/// What a function of ours comes to.
pub(crate) type Answered = Result<Value, Stop>;

/// One pass.
pub(crate) struct Pass {
    pub(crate) known: Arc<Known>,
    pub(crate) limits: Limits,
    /// What was asked outside before.
    answers: Arc<BTreeMap<Question, Answer>>,
    /// A function that cannot take its arguments ends the pass, rather than having no value.
    strict: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: usize,
    stopped: Option<Stop>,
}

impl Pass {
    pub(crate) fn new(
        known: Arc<Known>,
        answers: Arc<BTreeMap<Question, Answer>>,
        limits: Limits,
        strict: bool,
    ) -> Self {
        Self { known, limits, answers, strict, state: Mutex::default() }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// What was answered outside.
    pub(crate) fn ask(&self, question: Question) -> Answered {
        match self.answers.get(&question) {
            Some(Ok(value)) => Ok(value.clone()),
            Some(Err(why)) => Err(Stop::Unknown(format!("{}: {why}", question.what()))),
            None => Err(Stop::Ask(question)),
        }
    }

    /// Room for so many bytes more.
    pub(crate) fn make(&self, bytes: usize) -> Result<(), Stop> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.made = state.made.saturating_add(bytes);
        if state.made > self.limits.made {
            return Err(Stop::Unknown(format!("it makes more than {} bytes", self.limits.made)));
        }
        Ok(())
    }

    /// What stopped it, if something did that must not go unsaid.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped.clone()
    }

    /// What the engine is told: a value, nothing, or that this is the end.
    pub(crate) fn tell(&self, name: &str, answered: Answered) -> Result<Value, String> {
        let stop = match answered {
            Ok(value) => return Ok(value),
            Err(Stop::Wrong(_)) if !self.strict => return Ok(Value::Undefined),
            Err(Stop::Wrong(why)) => return Err(format!("`{name}` {why}")),
            Err(stop) => stop,
        };
        let why = match &stop {
            Stop::Unknown(why) | Stop::Wrong(why) => why.clone(),
            Stop::Ask(question) => question.what(),
        };
        self.state.lock().unwrap_or_else(PoisonError::into_inner).stopped.get_or_insert(stop);
        Err(why)
    }
}
