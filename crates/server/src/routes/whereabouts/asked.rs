//! What is looked for: a flaw or a package, said plainly or as people type it.

use almanac::Almanac;
use api::WhereQuery;
use model::Purl;

use crate::refusal::Refusal;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Flaw(String),
    Named(String, Option<String>),
    Purl(Purl, Option<String>),
}

/// How names of flaws begin that need no almanac to be known for what they are.
const FLAWS: [&str; 15] = [
    "CVE-", "GHSA-", "GO-", "RUSTSEC-", "PYSEC-", "OSV-", "MAL-", "DSA-", "DLA-", "USN-", "RHSA-",
    "RHBA-", "ALAS-", "ALAS2-", "ELSA-",
];

impl Asked {
    pub(super) fn read(query: &WhereQuery, almanac: &Almanac) -> Result<Self, Refusal> {
        match (&query.what, &query.flaw, &query.package, &query.range) {
            (Some(what), None, None, None) => Self::typed(what.trim(), almanac),
            (None, Some(flaw), None, None) => Ok(Self::Flaw(flaw.trim().to_owned())),
            (None, None, Some(package), range) => Self::package(package.trim(), range.clone()),
            _ => {
                let why = "say `what`, or `flaw`, or `package` with or without `range`";
                Err(Refusal::malformed("query", why))
            }
        }
    }

    /// By which names the packages go that it can be in.
    pub(super) fn names(&self, almanac: &Almanac) -> Vec<String> {
        let named: Vec<String> = match self {
            Self::Flaw(flaw) => {
                let concerned = almanac.concerned_by(flaw);
                concerned.packages.into_iter().map(|(_, name)| name.to_owned()).collect()
            }
            Self::Named(name, _) => vec![name.clone()],
            Self::Purl(purl, _) => vec![purl.full_name()],
        };
        named.iter().flat_map(|it| portfolio::filed_under(it)).collect()
    }

    /// As people type it: a flaw by its form, or because somebody knows it; else a package.
    fn typed(what: &str, almanac: &Almanac) -> Result<Self, Refusal> {
        if what.is_empty() {
            return Err(Refusal::malformed("what", "it is empty"));
        }
        if what.starts_with("pkg:") {
            return Self::purl(what);
        }
        let is_flaw = FLAWS.iter().any(|start| {
            // A package may well be called `go-redis` or `temp-dir`: numbers tell them apart.
            let rest = what.get(start.len()..).unwrap_or_default();
            what.get(..start.len()).is_some_and(|it| it.eq_ignore_ascii_case(start))
                && (*start == "GHSA-" || rest.starts_with(|it: char| it.is_ascii_digit()))
        });
        if is_flaw || !almanac.concerned_by(what).packages.is_empty() {
            return Ok(Self::Flaw(what.to_owned()));
        }
        // The first letter of `@babel/core` parts nothing.
        let second = what.char_indices().nth(1).map_or(what.len(), |(at, _)| at);
        let (first, rest) = what.split_at(second);
        match rest.split_once('@') {
            Some((name, range)) => Self::package(&format!("{first}{name}"), exact(range)),
            None => Self::package(what, None),
        }
    }

    fn package(package: &str, range: Option<String>) -> Result<Self, Refusal> {
        if !package.starts_with("pkg:") {
            return Ok(Self::Named(package.to_owned(), range));
        }
        let purl = package.parse().map_err(|it| Refusal::malformed("package", it))?;
        Ok(Self::Purl(purl, range))
    }

    /// `pkg:npm/lodash@4.17.20` is a purl with its version, `pkg:npm/lodash@<4.17.21` one with a range.
    fn purl(text: &str) -> Result<Self, Refusal> {
        if let Some((name, range)) = text.rsplit_once('@')
            && range.starts_with(['<', '>', '=', '^', '~', '!'])
        {
            return Self::package(name, exact(range));
        }
        Self::package(text, None)
    }
}

/// A bare version is that version, also where it would mean others in such ranges; nothing is any.
fn exact(range: &str) -> Option<String> {
    let range = range.trim();
    if range.is_empty() {
        return None;
    }
    let is_range = range.starts_with("vers:")
        || range.contains(['<', '>', '=', '^', '~', '*', '|', ',', ' ', '!']);
    Some(if is_range { range.to_owned() } else { format!("={range}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(what: &str, expect: &str) {
        let almanac = Almanac::in_memory(Vec::new());
        let query = WhereQuery { what: Some(what.to_owned()), ..WhereQuery::default() };
        let shown = match Asked::read(&query, &almanac) {
            Ok(Asked::Flaw(flaw)) => format!("flaw {flaw}"),
            Ok(Asked::Named(name, range)) => format!("{name} {}", range.unwrap_or_default()),
            Ok(Asked::Purl(purl, range)) => format!("purl {purl} {}", range.unwrap_or_default()),
            Err(refusal) => refusal.0.detail,
        };
        assert_eq!(shown.trim_end(), expect);
    }

    #[test]
    fn what_people_type() {
        check("cve-2021-44228", "flaw cve-2021-44228");
        check("GHSA-jfh8-c2jp-5v3q", "flaw GHSA-jfh8-c2jp-5v3q");
        check("RHSA-2024:1234", "flaw RHSA-2024:1234");
        check("ALAS2-2024-1", "flaw ALAS2-2024-1");
        check("log4j-core", "log4j-core");
        check("go-redis", "go-redis");
        check("log4j-core@<2.17.1", "log4j-core <2.17.1");
        check("lodash@4.17.20", "lodash =4.17.20");
        check("lodash@", "lodash");
        check("@babel/core@^7.0", "@babel/core ^7.0");
        check("@babel/core", "@babel/core");
        check("openssl@1:1.1.1k-7.el8", "openssl =1:1.1.1k-7.el8");
        check("pkg:npm/lodash@4.17.20", "purl pkg:npm/lodash@4.17.20");
        check("pkg:npm/lodash@<4.17.21", "purl pkg:npm/lodash <4.17.21");
        check("pkg:npm/%40babel/core", "purl pkg:npm/%40babel/core");
        check(" ", "what: it is empty");
    }
}
