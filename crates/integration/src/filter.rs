//! Which repositories and tags are of interest.

use globset::{GlobBuilder, GlobMatcher};
use regex::{Regex, RegexBuilder};

use crate::contract::{Kind, Repository, Settings};

/// Bytes that a compiled expression may take.
const COMPILED_LIMIT: usize = 1 << 20;

/// What to take; what nobody speaks of is taken.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Repositories, projects or keys that are asked for by name.
    words: Vec<String>,
    has_projects: bool,
    include: Vec<GlobMatcher>,
    exclude: Vec<GlobMatcher>,
    tags: Vec<Regex>,
}

impl Filter {
    /// What the settings `repository`, `include`, `exclude` and `tag` of such a party ask for.
    pub fn of(kind: &Kind, settings: &Settings) -> Self {
        // They were checked when they were settled.
        let globs = |key: &str| settings.all(key).iter().filter_map(|it| glob(it).ok()).collect();
        let tags = settings.all("tag").iter().filter_map(|it| expression(it).ok());
        Self {
            words: settings.all("repository").to_vec(),
            has_projects: kind.has_projects,
            include: globs("include"),
            exclude: globs("exclude"),
            tags: tags.collect(),
        }
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

    /// Is this repository asked for by its name, or that of where it lies?
    fn names(&self, repository: &Repository) -> bool {
        let project = repository.name.split_once('/').filter(|_| self.has_projects).map(|it| it.0);
        let is_asked_for = |it: &str| self.words.iter().any(|word| word == it);
        self.words.is_empty()
            || project.is_some_and(is_asked_for)
            || repository.names().iter().chain(&repository.keys).any(|it| is_asked_for(it))
    }

    /// Is this repository one of those?
    pub fn takes(&self, repository: &Repository) -> bool {
        let names = repository.names();
        let any = |globs: &[GlobMatcher]| {
            globs.iter().any(|glob| names.iter().any(|it| glob.is_match(it)))
        };
        self.names(repository)
            && (self.include.is_empty() || any(&self.include))
            && !any(&self.exclude)
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

/// Names that are meant: as they are written, or by globs.
#[derive(Clone, Debug, Default)]
pub struct Names(Vec<(String, GlobMatcher)>);

impl Names {
    /// Those that are written so; none says that all are meant.
    pub fn new(texts: &[String]) -> Result<Self, String> {
        let one = |text: &String| {
            let why = |why| {
                let shown: String = text.chars().take(100).collect();
                format!("`{}` is no glob: {why}", shown.escape_debug())
            };
            Ok((text.clone(), glob(text).map_err(why)?))
        };
        texts.iter().map(one).collect::<Result<_, String>>().map(Self)
    }

    /// Are all meant?
    pub fn is_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Is that one meant?
    pub fn takes(&self, name: &str) -> bool {
        self.is_all() || self.0.iter().any(|(text, glob)| text == name || glob.is_match(name))
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
        Filter { include: globs(include), exclude: globs(exclude), ..Filter::default() }
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
    fn names() {
        let check = |kind: &str, word: &str, expect: &str| {
            let kind = crate::find(kind).unwrap();
            let has_projects = kind.has_projects;
            let filter = Filter { words: vec![word.to_owned()], has_projects, ..Filter::default() };
            super::tests::check(&filter, expect);
        };
        let (web, dta) = ("docker-local/frontend-web", "docker-local/team/dta/frontend");
        check("artifactory", "docker-local", &format!("{web} {dta}"));
        check("artifactory", "team/dta/frontend", dta);
        check("oci", "tools/legacy/a", "tools/legacy/a");
        check("oci", "tools/legacy", "");
        check("oci", "tools", "");
        check("harbor", "tools", "tools/legacy/a");
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
