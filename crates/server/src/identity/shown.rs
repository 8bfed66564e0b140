//! What a request shows: a token or a session, in the header for it or in a cookie.
//!
//! Three ways: `Authorization: Bearer SECRET`; `Authorization: Basic`, where the user is the name of
//! the secret's holder and the password is the secret, as `docker login` sends it; and the cookie of
//! a browser. Passwords of people are taken at log-in alone. A header that is there decides by itself.
//!
//! A browser sends its cookie whoever made the page that asks. So with a cookie a method that may
//! change something is taken from our own pages alone: the browser says where they are from in
//! `Sec-Fetch-Site`, or, where it does not, in `Origin`, which must name the host that is asked.

use api::Sort;
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Holder, Secret};
use store::{Caller, Speaker};

use super::People;
use crate::refusal::Refusal;

/// What says who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credential {
    pub(crate) secret: Secret,
    /// Whose it is said to be.
    holder: Option<String>,
}

impl Credential {
    /// Is it that one's, as far as it says whose it is?
    pub(super) fn is_of(&self, caller: &Caller) -> bool {
        let Some(said) = &self.holder else { return true };
        let name = match (&caller.user, &caller.speaker) {
            (Some(user), _) => Some(&user.name),
            (None, Speaker::Token(token)) => match &token.holder {
                Holder::Organisation(id) => {
                    let mut all = caller.memberships.iter().map(|it| &it.organisation);
                    all.find(|it| it.id == *id).map(|it| &it.name)
                }
                Holder::User(_) => None,
            },
            (None, Speaker::Session(_)) => None,
        };
        name.is_some_and(|it| *it == store::normal_name(said))
    }
}

/// What a request shows; none is nothing at all.
pub(crate) fn shown(
    people: &People,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Option<Credential>, Refusal> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    if let Some(value) = said.next() {
        if said.next().is_some() {
            return Err(unreadable("it is there more than once"));
        }
        let text = value.to_str().map_err(|_| unreadable("it is not plain text"))?;
        return authorization(text).map(Some);
    }
    let Some(secret) = cookie(headers, people.cookie()) else { return Ok(None) };
    let harmless = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !harmless && !from_our_pages(headers) {
        return Err(foreign());
    }
    Ok(Some(Credential { secret: Secret::new(secret), holder: None }))
}

/// Is the request made by somebody else's page? Whoever is no browser is none.
pub(crate) fn cross_site(headers: &HeaderMap) -> Result<(), Refusal> {
    let told = headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN);
    if told && !from_our_pages(headers) { Err(foreign()) } else { Ok(()) }
}

fn authorization(text: &str) -> Result<Credential, Refusal> {
    let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        if rest.is_empty() {
            return Err(unreadable("a token follows `Bearer`"));
        }
        return Ok(Credential { secret: Secret::new(rest), holder: None });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(unreadable("it is neither `Bearer` nor `Basic`"));
    }
    let bytes =
        STANDARD.decode(rest).map_err(|_| unreadable("what follows `Basic` is no Base64"))?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8"))?;
    // No secret of ours has a colon, but names may.
    let Some((holder, secret)) = text.rsplit_once(':') else {
        return Err(unreadable("a name and a token follow `Basic`, with a colon between"));
    };
    Ok(Credential { secret: Secret::new(secret), holder: Some(holder.to_owned()) })
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let texts = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut pairs = texts.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    pairs.find(|(name, value)| *name == wanted && !value.is_empty()).map(|(_, value)| value)
}

fn from_our_pages(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if let Some(site) = sites.next() {
        return site.as_bytes() == b"same-origin" && sites.next().is_none();
    }
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    let named = origin.split_once("://").map(|(_, it)| it);
    named.is_some_and(|it| it.eq_ignore_ascii_case(host))
}

fn unreadable(why: &str) -> Refusal {
    let problem = Sort::Unauthenticated.because(format!("authorization: {why}"));
    problem.with_hint("send it as `Authorization: Bearer TOKEN`").into()
}

fn foreign() -> Refusal {
    let problem = Sort::Forbidden.because("request: another site's page makes it");
    problem.with_hint("programs send a token, `Authorization: Bearer TOKEN`, and no cookie").into()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        lines.iter().map(pair).collect()
    }

    #[track_caller]
    fn check(method: &Method, lines: &[(&'static str, &str)], expect: &str) {
        let shown = match shown(&People::new(false), method, &headers(lines)) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(it)) => {
                format!("{} of {}", it.secret.expose(), it.holder.as_deref().unwrap_or("-"))
            }
            Err(refusal) => format!("{} {}", refusal.0.status, refusal.0.detail),
        };
        assert_eq!(shown, expect, "{lines:?}");
    }

    fn get(line: &str, expect: &str) {
        check(&Method::GET, &[("authorization", line)], expect);
    }

    #[test]
    fn authorizations() {
        check(&Method::GET, &[], "nothing");
        get("Bearer abc", "abc of -");
        get("bEARER   abc ", "abc of -");
        get("Basic YW5uOmFiYw==", "abc of ann");
        get("basic YTpiOmM=", "c of a:b");
        get("Basic OmM=", "c of ");
        get("Basic YTo=", " of a");
    }

    #[test]
    fn what_makes_no_sense() {
        let neither = "401 authorization: it is neither `Bearer` nor `Basic`";
        for line in ["", " ", "abc", "Digest a=b", "Bearerabc", "Bearer\tabc", ",", "Basic:"] {
            get(line, neither);
        }
        get("Bearer", "401 authorization: a token follows `Bearer`");
        get("Bearer  ", "401 authorization: a token follows `Bearer`");
        get("Bearer \u{e9}", "401 authorization: it is not plain text");
        let base64 = "401 authorization: what follows `Basic` is no Base64";
        for line in ["Basic =", "Basic YW5uOmFiYw", "Basic a b", "Basic ***", "Basic YTo=YTo="] {
            get(line, base64);
        }
        get("Basic /w==", "401 authorization: it is not UTF-8");
        let colon = "401 authorization: a name and a token follow `Basic`, with a colon between";
        get("Basic", colon);
        get("Basic YW5u", colon);
        check(
            &Method::GET,
            &[("authorization", "Bearer a"), ("authorization", "Bearer b")],
            "401 authorization: it is there more than once",
        );
    }

    #[test]
    fn cookies() {
        let get = |line: &str, expect: &str| check(&Method::GET, &[("cookie", line)], expect);
        get("foretop=abc", "abc of -");
        get("a=b;foretop=abc; c=d", "abc of -");
        get("__Host-foretop=abc", "nothing");
        get("foretop=", "nothing");
        get("xforetop=a; foretop", "nothing");
        check(&Method::GET, &[("cookie", "foretop=abc"), ("authorization", "Bearer x")], "x of -");
    }

    #[test]
    fn other_sites_pages_change_nothing() {
        let foreign = "403 request: another site's page makes it";
        let post = |lines: &[(&'static str, &str)], expect: &str| {
            let mut lines = lines.to_vec();
            lines.extend([("cookie", "foretop=abc"), ("host", "foretop.example:8080")]);
            check(&Method::POST, &lines, expect);
            check(&Method::DELETE, &lines, expect);
            check(&Method::GET, &lines, "abc of -");
        };
        post(&[], foreign);
        post(&[("sec-fetch-site", "same-origin")], "abc of -");
        for site in ["cross-site", "same-site", "none", "", "same-origin, cross-site"] {
            post(&[("sec-fetch-site", site)], foreign);
        }
        post(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], foreign);
        post(&[("origin", "http://foretop.example:8080")], "abc of -");
        for origin in ["null", "", "http://foretop.example", "https://evil.example:8080", "://"] {
            post(&[("origin", origin)], foreign);
        }
        let both = [("origin", "http://foretop.example:8080"), ("sec-fetch-site", "cross-site")];
        post(&both, foreign);
        // With a token it is nobody's browser.
        check(
            &Method::POST,
            &[("authorization", "Bearer x"), ("sec-fetch-site", "cross-site")],
            "x of -",
        );
    }
}
