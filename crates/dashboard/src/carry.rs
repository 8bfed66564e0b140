//! What a page asks, asked in the name of whoever looks at it: their cookie, and where their request
//! is from. So whatever they may not see or do, the API itself refuses.

use std::sync::Arc;

use api::{Carrier, Pieces, Take, Trouble};
use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, header};

/// What says who asks, and by whose page.
const TOLD: [HeaderName; 5] = [
    header::COOKIE,
    header::AUTHORIZATION,
    header::HOST,
    header::ORIGIN,
    HeaderName::from_static("sec-fetch-site"),
];

/// Questions that are long enough to be sent, and change nothing.
const ASKING: [&str; 3] = ["/analysis", "/comparisons", "/policies/trials"];

/// Carries questions in somebody's name.
pub(crate) struct InName {
    carrier: Arc<dyn Carrier>,
    headers: HeaderMap,
    /// Somebody only looks: nothing may change by that, whoever made them look.
    looks: bool,
}

impl InName {
    /// In the name of whoever sent these headers.
    pub(crate) fn of(carrier: Arc<dyn Carrier>, method: &Method, sent: &HeaderMap) -> Self {
        let mut headers = HeaderMap::new();
        for name in TOLD {
            for value in sent.get_all(&name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Self { carrier, headers, looks: matches!(*method, Method::GET | Method::HEAD) }
    }

    fn named(&self, mut request: Request<Vec<u8>>) -> Result<Request<Vec<u8>>, Trouble> {
        let harmless = matches!(*request.method(), Method::GET | Method::HEAD);
        let asking = *request.method() == Method::POST
            && ASKING.iter().any(|it| request.uri().path().ends_with(it));
        if self.looks && !harmless && !asking {
            return Err(Trouble("a page that is only looked at changes nothing".to_owned()));
        }
        request.headers_mut().extend(self.headers.clone());
        if self.looks && asking {
            // Whoever made them look learns nothing of the answer, and nothing changes by it.
            let ours = HeaderValue::from_static("same-origin");
            request.headers_mut().insert("sec-fetch-site", ours);
        }
        Ok(request)
    }
}

#[async_trait]
impl Carrier for InName {
    async fn carry_in_parts(
        &self,
        request: Request<Vec<u8>>,
        take: &mut Take<'_>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        self.carrier.carry_in_parts(self.named(request)?, take).await
    }

    async fn listen(&self, request: Request<Vec<u8>>) -> Result<http::Response<Pieces>, Trouble> {
        self.carrier.listen(self.named(request)?).await
    }
}

/// Is a request made by one of our own pages? Browsers say so whenever something may change.
pub(crate) fn is_ours(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if let Some(site) = sites.next() {
        return site.as_bytes() == b"same-origin" && sites.next().is_none();
    }
    let text = |name| headers.get(name).and_then(|it: &HeaderValue| it.to_str().ok());
    let (Some(origin), Some(host)) = (text(header::ORIGIN), text(header::HOST)) else {
        return false;
    };
    let named = origin.split_once("://").map(|(_, it)| it);
    named.is_some_and(|it| it.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    #[async_trait]
    impl Carrier for Nobody {
        async fn carry_in_parts(
            &self,
            _: Request<Vec<u8>>,
            _: &mut Take<'_>,
        ) -> Result<http::Response<Vec<u8>>, Trouble> {
            Err(Trouble("nobody is there".to_owned()))
        }

        async fn listen(&self, _: Request<Vec<u8>>) -> Result<http::Response<Pieces>, Trouble> {
            Err(Trouble("nobody is there".to_owned()))
        }
    }

    fn asked(page: &Method, method: &str, path: &str) -> Result<Request<Vec<u8>>, Trouble> {
        let mut sent = HeaderMap::new();
        sent.insert(header::COOKIE, HeaderValue::from_static("foretop=fts_x"));
        sent.insert("sec-fetch-site", HeaderValue::from_static("none"));
        sent.insert("x-other", HeaderValue::from_static("x"));
        let carrier = InName::of(Arc::new(Nobody), page, &sent);
        carrier.named(Request::builder().method(method).uri(path).body(Vec::new()).unwrap())
    }

    #[test]
    fn looking_changes_nothing() {
        let told = |request: Request<Vec<u8>>| request.headers()["sec-fetch-site"].clone();
        let looked = asked(&Method::GET, "GET", "/api/v1/orgs/a/images").unwrap();
        assert_eq!(looked.headers()[header::COOKIE], "foretop=fts_x");
        assert!(!looked.headers().contains_key("x-other"));
        assert_eq!(told(looked), "none");
        let asking = asked(&Method::GET, "POST", "/api/v1/orgs/a/comparisons").unwrap();
        assert_eq!(told(asking), "same-origin");
        for (method, path) in [
            ("POST", "/api/v1/orgs/a/environments"),
            ("PUT", "/api/v1/orgs/a/exceptions/x"),
            ("DELETE", "/api/v1/orgs/a/comparisons"),
        ] {
            assert!(asked(&Method::GET, method, path).is_err(), "{method} {path}");
            // Who sends a form is held to what their browser says; the API decides.
            assert_eq!(told(asked(&Method::POST, method, path).unwrap()), "none");
        }
    }

    #[test]
    fn other_sites_are_told_from_ours() {
        let check = |lines: &[(&'static str, &'static str)], expect: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(*name, HeaderValue::from_static(value));
            }
            assert_eq!(is_ours(&headers), expect, "{lines:?}");
        };
        check(&[], false);
        check(&[("host", "a:1")], false);
        check(&[("host", "a:1"), ("origin", "http://a:1")], true);
        check(&[("host", "a:1"), ("origin", "http://a")], false);
        check(&[("host", "a:1"), ("origin", "null")], false);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "http://a"), ("host", "a")], false);
        check(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false);
    }
}
