//! Which repositories and tags are of interest.

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};

use crate::contract::{Repository, Settings};

/// Bytes that a compiled expression may take.
const COMPILED_LIMIT: usize = 1 << 20;

/// What to take; what nobody speaks of is taken.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    include: Vec<GlobMatcher>,
    exclude: Vec<GlobMatcher>,
    tags: Vec<Regex>,
}

impl Filter {
    /// The filter that the settings `include`, `exclude` and `tag` ask for.
    pub fn of(settings: &Settings) -> Self {
        // They were checked when they were settled.
        let globs = |key: &str| settings.all(key).iter().filter_map(|it| glob(it).ok()).collect();
        let tags = settings.all("tag").iter().filter_map(|it| expression(it).ok());
        Self { include: globs("include"), exclude: globs("exclude"), tags: tags.collect() }
    }

    /// The same, with these expressions for tags beside its own.
    pub fn with_tags<'a>(
        mut self,
        expressions: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, String> {
        for text in expressions {
            let shown: String = text.chars().take(100).collect();
            let why = |why| format!("`{shown}` is no regular expression: {why}");
            self.tags.push(expression(text).map_err(why)?);
        }
        Ok(self)
    }

    /// Is this repository one of those?
    pub fn takes(&self, repository: &Repository) -> bool {
        let names = repository.names();
        let any = |globs: &[GlobMatcher]| {
            globs.iter().any(|glob| names.iter().any(|it| glob.is_match(it)))
        };
        (self.include.is_empty() || any(&self.include)) && !any(&self.exclude)
    }

    /// Are only some tags taken?
    pub(crate) fn has_tags(&self) -> bool {
        !self.tags.is_empty()
    }

    /// Is this tag one of those?
    pub fn takes_tag(&self, tag: &str) -> bool {
        self.tags.is_empty() || self.tags.iter().any(|it| it.is_match(tag))
    }
}

/// A glob over names of repositories, in which `*` stands for slashes, too.
pub(crate) fn glob(text: &str) -> Result<GlobMatcher, String> {
    let built = GlobBuilder::new(text).literal_separator(false).build();
    built.map(|it| it.compile_matcher()).map_err(|why| why.kind().to_string())
}

/// An expression that is found anywhere in a tag.
pub(crate) fn expression(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).size_limit(COMPILED_LIMIT).build().map_err(|why| match why {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        // The last line is the reason; those before it draw where.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let globs = |texts: &[&str]| texts.iter().map(|it| glob(it).unwrap()).collect();
        Filter { include: globs(include), exclude: globs(exclude), tags: Vec::new() }
    }

    fn check(filter: &Filter, expect: &str) {
        let shown: Vec<String> = [
            ("docker-local", "frontend-web"),
            ("docker-local", "team/dta/frontend"),
            ("", "tools/legacy/a"),
        ]
        .into_iter()
        .map(|(key, image)| Repository {
            registry: "r.example".to_owned(),
            name: format!("{key}/{image}").trim_start_matches('/').to_owned(),
            keys: Some(key.to_owned()).filter(|it| !it.is_empty()).into_iter().collect(),
            image: image.to_owned(),
        })
        .filter(|it| filter.takes(it))
        .map(|it| it.name)
        .collect();
        assert_eq!(shown.join(" "), expect);
    }

    #[test]
    fn patterns() {
        let (web, dta, legacy) =
            ("docker-local/frontend-web", "docker-local/team/dta/frontend", "tools/legacy/a");
        check(&filter(&[], &[]), &format!("{web} {dta} {legacy}"));
        check(&filter(&["*/frontend*"], &[]), &format!("{web} {dta}"));
        check(&filter(&["*/frontend*"], &["*/dta/*"]), web);
        check(&filter(&[], &["*/legacy/*"]), &format!("{web} {dta}"));
        check(&filter(&["frontend-web", "tools/**"], &[]), &format!("{web} {legacy}"));
    }

    #[test]
    fn tags() {
        let filter = Filter::default().with_tags(["^v[0-9]+", "latest"]).unwrap();
        assert!(filter.takes_tag("v1") && filter.takes_tag("my-latest") && !filter.takes_tag("1"));
        assert!(Filter::default().takes_tag("x"));
        let why = Filter::default().with_tags(["("]).unwrap_err();
        assert_eq!(why, "`(` is no regular expression: unclosed group");
        assert!(Filter::default().with_tags(["((((a{100}){100}){100}){100})"]).is_err());
    }
}
