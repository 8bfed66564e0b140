//! What each path needs of whoever asks it, so that nobody sends a document to where they may not.

use axum::http::Method;
use model::Right;

/// The least right that one needs in the organisation that a path is about. Who has it may still be
/// refused, for a reason that only the path itself knows.
pub(crate) fn needs(method: &Method, route: &str) -> Right {
    listed(method, route).unwrap_or(Right::Read)
}

/// What only owners change.
const OWNERS: [&str; 4] = ["/retention/", "/schedules/", "/exceptions/", "/bases/"];

fn listed(method: &Method, route: &str) -> Option<Right> {
    let (_, path) = route.split_once("/{org}")?;
    let asks = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let right = match path {
        "/metrics" => Right::ManageIntegrations,
        _ if ["/tokens", "/invitations"].into_iter().any(|it| path.starts_with(it)) => {
            Right::ManageMembers
        }
        // It tells where webhooks go.
        "/integrations/{kind}/{name}"
        | "/integrations/{kind}/{name}/clusters"
        | "/integrations/{kind}/{name}/template" => Right::ManageIntegrations,
        _ if asks => Right::Read,
        _ if ["/integrations/", "/rules/", "/notifications/"]
            .iter()
            .any(|it| path.starts_with(it)) =>
        {
            Right::ManageIntegrations
        }
        // Whoever watches for the organisation says what it saw.
        "/tags" | "/bases" => Right::PushImages,
        // They change nothing.
        "/analysis"
        | "/comparisons"
        | "/layers"
        | "/where"
        | "/images/{digest}/analysis"
        | "/environments/{environment}/export" => Right::Read,
        // Whoever wants to go may.
        "/members/{user}" if method == Method::DELETE => Right::Read,
        "/members/{user}" => Right::ManageMembers,
        "/tags/looks"
        | "/environments/{environment}/deployments"
        | "/environments/{environment}/promotions"
        | "/environments/{environment}/runtimes/{runtime}"
        | "/runtimes/{runtime}"
        | "/runtimes/{runtime}/heartbeats" => Right::RecordDeployments,
        "/policies" | "/policies/trials" | "/environments/{environment}/policies" => {
            Right::ManageOrganisation
        }
        "/environments" | "/environments/{environment}" => Right::ManageEnvironments,
        "/images/{digest}" if method == Method::PUT => Right::PushImages,
        "/repositories/{repository}" if method == Method::PUT => Right::EnableRepositories,
        "" | "/images/{digest}" | "/repositories/{repository}" => Right::ManageOrganisation,
        _ if OWNERS.into_iter().any(|it| path.starts_with(it)) => Right::ManageOrganisation,
        _ => return None,
    };
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_that_changes_something_is_listed() {
        let document = serde_json::to_value(crate::openapi()).unwrap();
        let mut seen = 0;
        for (path, ways) in document["paths"].as_object().unwrap() {
            for method in ways.as_object().unwrap().keys().map(|it| it.to_ascii_uppercase()) {
                let Ok(method) = method.parse::<Method>() else { continue };
                if path.contains("/{org}") {
                    assert!(listed(&method, path).is_some(), "{method} {path}");
                    seen += 1;
                }
            }
        }
        assert!(seen > 40, "{seen}");
    }

    #[test]
    fn what_paths_need() {
        let check = |method: Method, route: &str, expect: Right| {
            assert_eq!(needs(&method, route), expect, "{method} {route}");
        };
        check(Method::PUT, "/api/v1/orgs/{org}/images/{digest}", Right::PushImages);
        check(Method::GET, "/api/v1/orgs/{org}/images/{digest}", Right::Read);
        check(Method::POST, "/api/v1/orgs/{org}/comparisons", Right::Read);
        check(Method::GET, "/v1/exporter/org/{org}/metrics", Right::ManageIntegrations);
        check(Method::DELETE, "/api/v1/orgs/{org}", Right::ManageOrganisation);
    }
}
