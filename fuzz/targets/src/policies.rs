//! A module of Rego, a configuration and facts: read, and judged within bounds.

use std::time::Duration;

use policy::bundle::{self, Layer, MODULE_TYPE};
use policy::{Alone, Config, Facts, Limits, Module, Outcome, Score, Set, judge};

/// The module, the configuration and the facts are parted by a zero; what is missing is empty.
pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.split('\0');
    let module = parts.next().unwrap_or_default();
    let config = parts.next().unwrap_or_default();
    let input: serde_json::Value =
        serde_json::from_str(parts.next().unwrap_or("{}")).unwrap_or_default();
    let title = module.lines().next().unwrap_or_default().to_owned();
    let layer = Layer { title, media_type: MODULE_TYPE.to_owned(), bytes: module.into() };
    if let Ok(modules) = bundle::modules("bundle", [layer]) {
        let inside =
            |it: &Module| !it.name.starts_with('/') && !it.name.split('/').any(|it| it == "..");
        assert!(modules.iter().all(inside));
        assert!(bundle::layers(&modules).is_ok());
    }
    let limits = Limits {
        time: Duration::from_millis(200),
        made: 1 << 20,
        said: 1 << 20,
        ..Limits::default()
    };
    let facts = Facts { input: input.into(), now: 1_700_000_000_000_000_000, ..Facts::default() };
    let Ok(set) = Set::read([Module::file("a.rego", module)]) else { return };
    for it in set.policies() {
        assert!(it.thresholds().iter().all(|it| !it.key.is_empty()));
    }
    let config = Config::read(config).unwrap_or_default();
    let Ok(verdicts) = judge(&set, &config, &facts, &Alone, &limits) else { return };
    for verdict in &verdicts {
        assert!(verdict.violations.len() <= verdict.count);
        if let Outcome::Unknown { why } = &verdict.outcome {
            assert!(!why.is_empty());
        }
    }
    let score = Score::of(&verdicts);
    assert!(score.earned <= score.possible && score.percent <= 100);
    policy::result(&verdicts);
}
