//! The result file: every policy's whole answer, as JSON.

use serde_json::{Map, Value, json};

use crate::contract::{Outcome, Verdict};

/// `{id: {pass, violations, bindings, metrics}}`. Where nobody can tell, `pass` is null and
/// `unknown` says why.
pub fn result(verdicts: &[Verdict]) -> Value {
    let one = |verdict: &Verdict| {
        let details: Vec<&Value> = verdict.violations.iter().map(|it| &it.detail).collect();
        let took = u64::try_from(verdict.took.as_nanos()).unwrap_or(u64::MAX);
        let mut told = json!({
            "pass": match verdict.outcome {
                Outcome::Met => json!(true),
                Outcome::NotMet => json!(false),
                Outcome::Unknown { .. } => Value::Null,
            },
            "violations": details,
            "bindings": verdict.bindings.json(),
            "metrics": {
                "timer_rego_query_eval_ns": took,
                "counter_violations": verdict.count,
            },
        });
        if let Outcome::Unknown { why } = &verdict.outcome {
            told["unknown"] = json!(why);
        }
        if !verdict.prints.is_empty() {
            told["prints"] = json!(verdict.prints);
        }
        (verdict.id.clone(), told)
    };
    Value::Object(verdicts.iter().map(one).collect::<Map<_, _>>())
}
