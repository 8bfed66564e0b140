//! The search: what is typed there is an image, an environment, a repository, or else a flaw or a
//! package, and leads to its page.

use api::{DeploymentQuery, Sort};
use axum::response::Response;

use crate::contract::{Found, Page};
use crate::html::path_with;
use crate::refused::Refused;
use crate::told::is_digest;
use crate::visit::{Visit, go};

pub(super) const PAGE: Page = Page {
    id: "search",
    path: "/o/{org}/search",
    title: "Search",
    about: "Leads to the page of what was typed: a digest, an environment, a vulnerability or a package.",
    found: Found::ByLink,
    show: |visit| Box::pin(show(visit)),
    take: None,
};

async fn show(visit: Visit) -> Result<Response, Refused> {
    let Some(what) = visit.asked("q") else { return Ok(go(&visit.to(&["vulnerabilities"]))) };
    if is_digest(what) {
        return Ok(go(&visit.to(&["images", what])));
    }
    if let Some((_, digest)) = what.rsplit_once('@')
        && is_digest(digest)
    {
        return Ok(go(&visit.to(&["images", digest])));
    }
    if is_flaw(what) {
        return Ok(go(&visit.to(&["vulnerabilities", what])));
    }
    match visit.client.environment(visit.organisation(), what).await {
        Ok(it) => return Ok(go(&visit.to(&["environments", &it.name]))),
        Err(error) if is_nothing(&error) => {}
        Err(error) => return Err(error.into()),
    }
    let query = DeploymentQuery {
        image: Some(what.to_owned()),
        limit: Some(1),
        ..DeploymentQuery::default()
    };
    if !what.starts_with("pkg:")
        && let Ok(some) = visit.client.deployments(visit.organisation(), &query).await
        && let Some(it) = some.items.first()
    {
        return Ok(go(&visit.to(&["repositories", &it.repository])));
    }
    Ok(go(&path_with(visit.organisation(), &["vulnerabilities"], &[("q", what)])))
}

fn is_nothing(error: &api::Error) -> bool {
    error
        .problem()
        .is_some_and(|it| matches!(it.sort, Sort::NotFound | Sort::Malformed | Sort::Refused))
}

/// Is it the name of a flaw, whoever named it?
fn is_flaw(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let heads = [
        "CVE-", "GHSA-", "RUSTSEC-", "DSA-", "DLA-", "RHSA-", "ALSA-", "GO-", "PYSEC-", "USN-",
        "OSV-",
    ];
    heads.iter().any(|it| upper.starts_with(it)) && upper.bytes().any(|it| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_told_by_their_names() {
        for it in ["CVE-2021-44228", "cve-2026-1", "GHSA-jfh8-c2jp-5v3q", "RUSTSEC-2020-0001"] {
            assert!(is_flaw(it), "{it}");
        }
        for it in ["log4j-core", "pkg:npm/lodash", "go-cmp", "acme/web"] {
            assert!(!is_flaw(it), "{it}");
        }
    }
}
