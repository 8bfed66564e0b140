//! Whether a package is loaded where it runs, by what was seen there: it is, it is not, or nobody can tell.

use std::collections::HashMap;

use model::{Analysis, InUse, Loaded, Profile, Purl};

/// What was seen being loaded of one image in one place.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Who looked, and when.
    pub looked: InUse,
    /// What they saw, as far as that still says something.
    pub profiles: Vec<Profile>,
}

impl Evidence {
    /// Says of each finding whether one of its packages is loaded there, and who looked.
    pub fn note(self, analysis: &mut Analysis) {
        if let Some(usage) = Usage::of(self.profiles) {
            mark(analysis, &usage);
        }
        analysis.basis.in_use = Some(self.looked);
    }
}

/// What the containers of one image load, to be asked.
#[derive(Clone, Debug, Default)]
pub struct Usage {
    by_name: HashMap<String, Vec<Loaded>>,
    is_whole: bool,
}

impl Usage {
    /// What was seen by one or several; `None`, where nobody looked.
    pub fn of(profiles: impl IntoIterator<Item = Profile>) -> Option<Self> {
        Self::about(profiles, |_| true)
    }

    /// The same of packages whose names `wanted` takes, spelled as [`key`] spells them.
    pub fn about(
        profiles: impl IntoIterator<Item = Profile>,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let mut usage: Option<Self> = None;
        for profile in profiles {
            let fresh = Self { is_whole: true, ..Self::default() };
            let usage = usage.get_or_insert(fresh);
            usage.is_whole &= profile.is_whole;
            for loaded in profile.packages {
                for name in keys(&loaded) {
                    if wanted(&name) {
                        usage.by_name.entry(name).or_default().push(loaded.clone());
                    }
                }
            }
        }
        usage
    }

    /// Are any of these packages loaded, which were built from a source of that name? One that is seen
    /// under the source's name, or in another version, may be one of them.
    pub fn loads<'a>(
        &self,
        packages: impl IntoIterator<Item = &'a Purl>,
        source: &str,
    ) -> Option<bool> {
        let mut is_doubtful = !self.is_whole;
        for purl in packages {
            match self.loads_one(purl) {
                Some(true) => return Some(true),
                Some(false) => is_doubtful |= self.named(&key(source), purl).next().is_some(),
                None => is_doubtful = true,
            }
        }
        (!is_doubtful).then_some(false)
    }

    fn loads_one(&self, purl: &Purl) -> Option<bool> {
        let mut is_doubtful = false;
        for name in names(purl) {
            for loaded in self.named(&name, purl) {
                if is_version(&loaded.version, purl.version().unwrap_or_default()) {
                    return Some(true);
                }
                // In one image there is seldom more than one: whoever looked may write versions
                // otherwise.
                is_doubtful = true;
            }
        }
        (!is_doubtful).then_some(false)
    }

    /// What was seen under that name, of the same kind as the package, as far as that is told.
    fn named<'a>(&'a self, name: &str, purl: &'a Purl) -> impl Iterator<Item = &'a Loaded> {
        let all = self.by_name.get(name).map_or(&[][..], Vec::as_slice);
        all.iter().filter(move |it| is_kind(it, purl))
    }
}

/// Says of each finding whether one of its packages is loaded.
fn mark(analysis: &mut Analysis, usage: &Usage) {
    let packages = &analysis.inventory.packages;
    for finding in &mut analysis.findings {
        let purls = finding.packages.iter().filter_map(|at| packages.get(*at)).map(|it| &it.purl);
        finding.in_use = usage.loads(purls, &finding.name);
    }
}

/// How names are compared: letters large and small, and what pypi takes for the same.
pub fn key(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

/// Every name that a package that was seen may be meant by.
fn keys(loaded: &Loaded) -> Vec<String> {
    let purl = loaded.purl.as_deref().and_then(|it| it.parse::<Purl>().ok());
    let mut all = purl.as_ref().map(names).unwrap_or_default();
    all.push(key(&loaded.name));
    // Maven's coordinates: `org.example:thing`.
    all.extend(loaded.name.rsplit_once(':').map(|it| key(it.1)));
    all.sort();
    all.dedup();
    all
}

/// Every name that a package goes by.
fn names(purl: &Purl) -> Vec<String> {
    let mut all = vec![key(purl.name()), key(&purl.full_name())];
    all.extend(purl.namespace().map(|it| key(&format!("{it}:{}", purl.name()))));
    all.sort();
    all.dedup();
    all
}

/// May it be a package of that kind?
fn is_kind(loaded: &Loaded, purl: &Purl) -> bool {
    let is_system = matches!(purl.kind(), "deb" | "rpm" | "apk" | "alpm");
    let told = loaded.purl.as_deref().and_then(|it| it.parse::<Purl>().ok());
    if let Some(told) = &told {
        return told.kind() == purl.kind();
    }
    if loaded.is_system || is_system {
        return loaded.is_system && is_system;
    }
    match loaded.kind.as_deref() {
        Some("java" | "maven") => purl.kind() == "maven",
        Some("python" | "pypi") => purl.kind() == "pypi",
        Some("javascript" | "nodejs" | "node" | "npm") => purl.kind() == "npm",
        Some("golang" | "go") => purl.kind() == "golang",
        Some("ruby" | "gem") => purl.kind() == "gem",
        Some("php" | "composer") => purl.kind() == "composer",
        Some("rust" | "cargo") => purl.kind() == "cargo",
        Some("c#" | ".net" | "dotnet" | "nuget") => purl.kind() == "nuget",
        _ => true,
    }
}

/// The same version, as far as an epoch and a `v` before it go.
fn is_version(one: &str, other: &str) -> bool {
    let bare = |it: &str| {
        let it = it.trim();
        let it = match it.split_once(':') {
            Some((epoch, rest)) if epoch.bytes().all(|it| it.is_ascii_digit()) => rest,
            _ => it,
        };
        it.strip_prefix('v').unwrap_or(it).to_owned()
    };
    bare(one) == bare(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let mut parts = text.split(' ');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let (name, version, kind, purl) = (part(), part(), part(), part());
        Loaded {
            name,
            version,
            is_system: kind == "os",
            kind: Some(kind).filter(|it| !it.is_empty() && it != "os"),
            purl: Some(purl).filter(|it| !it.is_empty()),
        }
    }

    /// What is seen, and a package with the name of its source: is it loaded?
    #[track_caller]
    fn check(seen: &[&str], is_whole: bool, purl: &str, source: &str, expect: Option<bool>) {
        let packages = seen.iter().map(|it| loaded(it)).collect();
        let usage = Usage::of([Profile { packages, is_whole }]).unwrap();
        let purl: Purl = purl.parse().unwrap();
        assert_eq!(usage.loads([&purl], source), expect, "{seen:?} {purl}");
    }

    #[test]
    fn three_answers() {
        let deb = "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64";
        let (yes, no) = (Some(true), Some(false));
        check(&["libssl3 3.0.11-1 os"], true, deb, "openssl", yes);
        check(&["libssl3 3.0.11-1 os"], false, deb, "openssl", yes);
        check(&["zlib1g 1.2 os"], true, deb, "openssl", no);
        check(&["zlib1g 1.2 os"], false, deb, "openssl", None);
        check(&[], true, deb, "openssl", no);
        // Others write epochs or leave them out.
        check(&["libssl3 1:3.0.11-1 os"], true, deb, "openssl", yes);
        // In another version, or under its source's name: it may be that one.
        check(&["libssl3 3.0.11 os"], true, deb, "openssl", None);
        check(&["openssl 3.0.11-1 os"], true, deb, "openssl", None);
        // What has its name elsewhere is another one.
        check(&["libssl3 3.0.11-1 python"], true, deb, "openssl", no);
        let maven = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
        check(&["log4j-core 2.14.1 java"], true, maven, "log4j-core", yes);
        check(&["org.apache.logging.log4j:log4j-core 2.14.1 java"], true, maven, "x", yes);
        let told = "core 2.14.1 java pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
        check(&[told], true, maven, "x", yes);
        check(&["log4j-core 2.17.0 java"], true, maven, "x", None);
        check(&["log4j-core 2.14.1 os"], true, maven, "x", no);
        check(&["log4j-core 2.14.1 whatever"], true, maven, "x", yes);
        check(&["Zope.Interface 5.4 python"], true, "pkg:pypi/zope-interface@5.4", "x", yes);
        check(&["@babel/core v7.0.0 javascript"], true, "pkg:npm/%40babel/core@7.0.0", "x", yes);
        check(&["core 7.0.0 javascript"], true, "pkg:npm/%40babel/core@7.0.0", "x", yes);
    }

    #[test]
    fn several_look_and_nobody_does() {
        assert!(Usage::of([]).is_none());
        let profile = |text: &str, is_whole| Profile {
            packages: [loaded(text)].into_iter().collect(),
            is_whole,
        };
        let usage = Usage::of([profile("a 1 os", true), profile("b 1 os", true)]).unwrap();
        let purl = |it: &str| it.parse::<Purl>().unwrap();
        let (a, b, c) = (purl("pkg:deb/x/a@1"), purl("pkg:deb/x/b@1"), purl("pkg:deb/x/c@1"));
        assert_eq!(usage.loads([&a], "s"), Some(true));
        assert_eq!(usage.loads([&c, &b], "s"), Some(true));
        assert_eq!(usage.loads([&c], "s"), Some(false));
        let torn = Usage::of([profile("a 1 os", true), profile("b 1 os", false)]).unwrap();
        assert_eq!(torn.loads([&c], "s"), None);
        let few = Usage::about([profile("a 1 os", true)], |it| it == "b").unwrap();
        assert!(few.by_name.is_empty());
    }
}
