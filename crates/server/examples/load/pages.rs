//! The lists that are asked for, each at many places, so that not one page is asked for over and over.

use crate::Trouble;
use crate::drive::Connection;
use crate::fill::{Company, environment_name, repository};

/// A list.
pub(crate) struct Page {
    pub(crate) name: &'static str,
    /// Paths, with lines of a head.
    pub(crate) asked: Vec<(String, String)>,
    pub(crate) status: u16,
}

/// Different places of a list that are asked for.
const PLACES: usize = 64;

/// All of them.
pub(crate) fn all(
    connection: &mut Connection,
    organisation: &str,
    company: &Company,
) -> Result<Vec<Page>, Trouble> {
    let root = format!("/orgs/{organisation}");
    let environments: Vec<String> = (0..company.environments.min(PLACES))
        .map(|it| format!("{root}/deployments?limit=100&environment={}", environment_name(it)))
        .collect();
    let repositories = |path: &str| -> Vec<String> {
        (0..company.services.min(PLACES))
            .map(|it| format!("{root}/{path}image={}", repository(it)))
            .collect()
    };
    let of_repository = repositories("deployments?limit=100&");
    let tags = repositories("tags?");
    let mut pages = Vec::new();
    let mut page = |name, paths: &[String]| {
        // Whoever says so is answered from the database, whatever was answered before.
        let line = |it: &String| (it.clone(), "Cache-Control: no-cache\r\n".to_owned());
        pages.push(Page { name, asked: paths.iter().map(line).collect(), status: 200 });
    };
    page("me", &["/me".to_owned()]);
    let mut everywhere = |path: &str| places(connection, &format!("{root}/{path}"));
    page("deployments of an environment", &environments);
    page("deployments", &everywhere("deployments?limit=100")?);
    page("deployments of a repository", &of_repository);
    page("history", &everywhere("deployments?history=true&limit=100")?);
    let of_one = format!("deployments?history=true&limit=100&environment={}", environment_name(1));
    page("history of an environment", &everywhere(&of_one)?);
    page("environments", &everywhere("environments?limit=100")?);
    page("images", &everywhere("images?limit=100")?);
    page("repositories", &everywhere("repositories?limit=100")?);
    page("tags of a repository", &tags);
    page("events", &everywhere("events?limit=100")?);
    let of_one = format!("events?limit=100&environment={}", environment_name(1));
    page("events of an environment", &everywhere(&of_one)?);
    let mut known = Vec::new();
    for path in &environments {
        let tag = connection.ask("GET", path, "", "")?.tag.ok_or("an answer has no tag")?;
        known.push((path.clone(), format!("If-None-Match: {tag}\r\n")));
    }
    pages.push(Page {
        name: "deployments of an environment, as tagged",
        asked: known,
        status: 304,
    });
    let again = environments.into_iter().map(|it| (it, String::new())).collect();
    pages.push(Page { name: "deployments of an environment, again", asked: again, status: 200 });
    Ok(pages)
}

/// The first page of a list, and such as begin far in.
fn places(connection: &mut Connection, path: &str) -> Result<Vec<String>, Trouble> {
    let mut places = vec![path.to_owned()];
    let far = path.replace("limit=100", "limit=1000");
    let mut after = String::new();
    while places.len() < PLACES {
        let answer = connection.ask("GET", &format!("{far}{after}"), "", "")?;
        let page: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let Some(next) = page.get("next").and_then(serde_json::Value::as_str) else { break };
        let next = serde_urlencoded::to_string([("after", next)])?;
        after = format!("&{next}");
        places.push(format!("{path}{after}"));
    }
    Ok(places)
}
