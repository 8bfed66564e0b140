//! Small files at URLs that the user names: keys, policies. Nothing of them is kept.

use std::sync::Arc;

use crate::failure::Failure;
use crate::{Context, asking, docker};

/// Is it at a URL, rather than in a file?
pub(crate) fn is_url(name: &str) -> bool {
    matches!(name.split_once("://"), Some(("http" | "https", _)))
}

/// What is there, which is a `what`. Whoever can change it is as trusted as the user.
pub(crate) fn bytes(
    context: &Context,
    what: &str,
    url: &str,
    most: u64,
) -> anyhow::Result<Vec<u8>> {
    let Context { environment, docker, .. } = context;
    let failed = |why: String| {
        let what = format!("{what} {}: {why}", shown(url));
        Failure::error(what, "fetch it yourself, and name the file")
    };
    if environment.offline()? {
        return Err(failed("nobody is asked while FORETOP_OFFLINE is set".to_owned()));
    }
    let settings = Arc::new(docker::settings(environment, docker, false)?);
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = address.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(failed("it has a user or a password in it".to_owned()));
    }
    if url.starts_with("http://") && !asking::near(address) {
        return Err(failed("without TLS anybody on the way may have changed it".to_owned()));
    }
    let client = image::reach(url, &settings)?;
    crate::runtime()?.block_on(async {
        let response = client.get(url).send().await;
        // The client tells the whole address, in which there may be a secret.
        let mut response = response.map_err(|why| failed(why.without_url().to_string()))?;
        if !response.status().is_success() {
            return Err(failed(format!("the answer is {}", response.status())));
        }
        let mut bytes = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|why| failed(why.without_url().to_string()))?;
            let Some(chunk) = chunk else { return Ok(bytes) };
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > most {
                return Err(failed(format!("it is over {most} bytes")));
            }
        }
    })
}

/// The address without what may be a secret in it: a user, a password, a query.
pub(crate) fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return plain.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    path.map_or(format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_secrets() {
        let check = |url: &str, expect: &str| assert_eq!(shown(url), expect);
        check("https://tea.example/a.rego", "https://tea.example/a.rego");
        check(
            "https://me:secret@tea.example/a@b.rego?token=secret#x",
            "https://tea.example/a@b.rego",
        );
        check("https://me@tea.example", "https://tea.example");
        assert!(is_url("https://tea.example") && is_url("http://tea.example"));
        assert!(!is_url("a.rego") && !is_url("ftp://tea.example") && !is_url("./https:/x"));
    }
}
