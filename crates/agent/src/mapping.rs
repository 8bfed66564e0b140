//! Which environment a namespace or a project belongs to.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

/// What belongs where, as it was asked for.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    rules: Vec<Rule>,
    /// The label of a namespace whose value is its environment.
    label: Option<String>,
    /// Where all the rest belongs.
    rest: Option<String>,
}

#[derive(Clone, Debug)]
struct Rule {
    /// As it was written.
    text: String,
    matcher: GlobMatcher,
    environment: String,
}

/// Why a text is no mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}`: {why}")]
pub struct BadMapping {
    text: String,
    why: String,
}

/// Namespaces of the cluster itself; those that end in `*` are all that begin so.
const INTERNAL: &[&str] =
    &["kube-system", "kube-public", "kube-node-lease", "openshift", "openshift-*"];

impl Mapping {
    /// `NAMESPACE=ENVIRONMENT` each, where a namespace may have `*` and `?` in it; the label that
    /// tells; and where all the rest belongs.
    pub fn new(
        rules: &[String],
        label: Option<&str>,
        rest: Option<&str>,
    ) -> Result<Self, BadMapping> {
        let rules = rules.iter().map(|it| rule(it)).collect::<Result<_, _>>()?;
        Ok(Self { rules, label: label.map(str::to_owned), rest: rest.map(str::to_owned) })
    }

    /// Is anything mapped at all?
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.label.is_none() && self.rest.is_none()
    }

    /// Do labels of namespaces matter?
    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Where what is called `name` and has these labels belongs: what is said of it by its name goes
    /// first, then what fits it, then its label. What is `internal` belongs somewhere only if it is
    /// named or labelled.
    pub(crate) fn of<'a>(
        &'a self,
        name: &str,
        labels: Option<&'a BTreeMap<String, String>>,
        is_internal: bool,
    ) -> Option<&'a str> {
        if let Some(rule) = self.rules.iter().find(|it| it.text == name) {
            return Some(&rule.environment);
        }
        let fitting = || self.rules.iter().find(|it| it.matcher.is_match(name));
        if !is_internal && let Some(rule) = fitting() {
            return Some(&rule.environment);
        }
        let labelled = || labels?.get(self.label.as_ref()?).filter(|it| !it.is_empty());
        if let Some(environment) = labelled() {
            return Some(environment);
        }
        self.rest.as_deref().filter(|_| !is_internal)
    }
}

/// Is it of the cluster itself?
pub(crate) fn is_internal(namespace: &str) -> bool {
    INTERNAL.iter().any(|it| match it.strip_suffix('*') {
        Some(start) => namespace.starts_with(start),
        None => namespace == *it,
    })
}

fn rule(text: &str) -> Result<Rule, BadMapping> {
    let bad = |why: &str| BadMapping { text: text.chars().take(200).collect(), why: why.into() };
    let (pattern, environment) =
        text.split_once('=').ok_or_else(|| bad("there is no `=` between the two"))?;
    let (pattern, environment) = (pattern.trim(), environment.trim());
    if pattern.is_empty() || environment.is_empty() {
        return Err(bad("one of the two is empty"));
    }
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|error| bad(&error.kind().to_string()))?;
    Ok(Rule {
        text: pattern.to_owned(),
        matcher: glob.compile_matcher(),
        environment: environment.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mapping: &Mapping, name: &str, label: &str, expect: &str) {
        let labels = BTreeMap::from([("env".to_owned(), label.to_owned())]);
        assert_eq!(
            mapping.of(name, Some(&labels), is_internal(name)).unwrap_or("-"),
            expect,
            "{name} {label}"
        );
    }

    fn mapping(rules: &[&str], label: Option<&str>, rest: Option<&str>) -> Mapping {
        let rules: Vec<String> = rules.iter().map(|it| (*it).to_owned()).collect();
        Mapping::new(&rules, label, rest).unwrap()
    }

    #[test]
    fn what_says_more_goes_first() {
        let all = mapping(&["shop-*=staging", "shop-eu=production", "?=x"], Some("env"), Some("z"));
        check(&all, "shop-eu", "labelled", "production");
        check(&all, "shop-us", "labelled", "staging");
        check(&all, "a", "", "x");
        check(&all, "other", "labelled", "labelled");
        check(&all, "other", "", "z");
        let none = mapping(&["shop=staging"], None, None);
        check(&none, "other", "labelled", "-");
    }

    #[test]
    fn the_clusters_own_is_left_out_unless_named() {
        let all = mapping(&["*=production"], Some("env"), Some("z"));
        check(&all, "kube-system", "", "-");
        check(&all, "openshift-dns", "", "-");
        check(&all, "kube-system", "tools", "tools");
        check(&all, "kube-prometheus", "", "production");
        check(&mapping(&["kube-system=ops"], None, None), "kube-system", "", "ops");
    }

    #[test]
    fn refusals() {
        let check = |text: &str, expect: &str| {
            let error = Mapping::new(&[text.to_owned()], None, None).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check("shop", "`shop`: there is no `=` between the two");
        check("=x", "`=x`: one of the two is empty");
        check("a= ", "`a= `: one of the two is empty");
        check("[=x", "`[=x`: unclosed character class; missing ']'");
    }
}
