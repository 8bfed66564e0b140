//! Small pieces of pages: the one place where markup is put together by hand, and all that is not
//! ours is escaped on its way in.

use std::fmt;

use askama::filters::HtmlSafe;

/// Behind these a name may break.
pub(crate) const SIGNS: [char; 3] = ['/', '@', '_'];

/// A piece of a page, in which nothing is markup but ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl HtmlSafe for Html {}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Html {
    /// A text, of whoever wrote it.
    pub(crate) fn text(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        escape(text, &mut html);
        Self(html)
    }

    /// A name, of whoever gave it: where it is too long for its place it breaks behind a sign that is in it,
    /// and not within a word.
    pub(crate) fn name(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        for part in text.split_inclusive(SIGNS) {
            if !html.is_empty() {
                html.push_str("<wbr>");
            }
            escape(part, &mut html);
        }
        Self(html)
    }

    /// An element with these attributes, and that inside.
    pub(crate) fn tag(
        name: &'static str,
        attributes: &[(&'static str, &str)],
        inside: Self,
    ) -> Self {
        let (mut html, Self(inside)) = (Self::opened(name, attributes), inside);
        html.push_str(&inside);
        html.push_str("</");
        html.push_str(name);
        html.push('>');
        Self(html)
    }

    fn opened(name: &'static str, attributes: &[(&'static str, &str)]) -> String {
        let mut html = String::from("<");
        html.push_str(name);
        for (name, value) in attributes {
            // A class of nothing says nothing.
            if *name == "class" && value.is_empty() {
                continue;
            }
            html.push(' ');
            html.push_str(name);
            html.push_str("=\"");
            escape(value, &mut html);
            html.push('"');
        }
        html.push('>');
        html
    }

    /// A way to another page of ours, or to somewhere else on the web. What leads nowhere of the sort is
    /// only a text: addresses in advisories are anybody's.
    pub(crate) fn link(href: &str, text: Self) -> Self {
        if href.starts_with('/') && !href.starts_with("//") && !href.starts_with("/\\") {
            return Self::tag("a", &[("href", href)], text);
        }
        if is_web(href) {
            let rel = "noopener noreferrer nofollow";
            return Self::tag("a", &[("href", href), ("rel", rel)], text);
        }
        text
    }

    /// All of them, one after the other.
    pub(crate) fn all(pieces: impl IntoIterator<Item = Self>) -> Self {
        let mut html = String::new();
        for it in pieces {
            html.push_str(&it.0);
        }
        Self(html)
    }

    /// All of them, with that between them.
    pub(crate) fn joined(pieces: impl IntoIterator<Item = Self>, between: &str) -> Self {
        let mut html = String::new();
        for (at, it) in pieces.into_iter().enumerate() {
            if at > 0 {
                escape(between, &mut html);
            }
            html.push_str(&it.0);
        }
        Self(html)
    }

    /// With that behind it.
    #[must_use]
    pub(crate) fn and(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    /// Is there anything?
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Does it lead to a page on the web?
fn is_web(href: &str) -> bool {
    let scheme = |it: &str| {
        href.get(..it.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(it))
            && href.len() > it.len()
    };
    (scheme("https://") || scheme("http://")) && !href.chars().any(char::is_control)
}

fn escape(text: &str, html: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            // They turn around what follows: a name must not look like another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => html.push('\u{fffd}'),
            other => html.push(other),
        }
    }
}

/// The path of something of an organisation: `/o/acme/images/sha256:…`.
pub fn path(organisation: &str, parts: &[&str]) -> String {
    let mut text = format!("/o/{}", api::segment(organisation));
    for part in parts {
        text.push('/');
        text.push_str(&api::segment(part));
    }
    text
}

/// The same, with something asked of it.
pub(crate) fn path_with(organisation: &str, parts: &[&str], query: &[(&str, &str)]) -> String {
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    format!("{}?{query}", path(organisation, parts))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_break_behind_their_signs() {
        let html = Html::name("registry.example/shop/<b>:2.1@sha256:0");
        let expect = "registry.example/<wbr>shop/<wbr>&lt;b&gt;:2.1@<wbr>sha256:0";
        assert_eq!(html.to_string(), expect);
        assert_eq!(Html::name("debian/").to_string(), "debian/");
        assert!(Html::name("").is_empty());
    }

    #[test]
    fn links_lead_to_pages_alone() {
        let check = |href: &str, expect: &str| {
            assert_eq!(Html::link(href, Html::text("x")).to_string(), expect, "{href}");
        };
        check("/o/acme", "<a href=\"/o/acme\">x</a>");
        let rel = "rel=\"noopener noreferrer nofollow\"";
        check(
            "https://a.example/?b&c",
            &format!("<a href=\"https://a.example/?b&amp;c\" {rel}>x</a>"),
        );
        check("HTTP://a", &format!("<a href=\"HTTP://a\" {rel}>x</a>"));
        for it in [
            "javascript:alert(1)",
            " https://a",
            "data:text/html,x",
            "//evil.example",
            "/\\evil",
            "https://",
            "",
            "java\nscript:x",
            "https://a\n.example",
            "ftp://a",
            "é",
        ] {
            check(it, "x");
        }
    }

    proptest! {
        #[test]
        fn nobody_elses_text_is_markup(text in any::<String>(), href in any::<String>()) {
            let html = Html::tag("p", &[("title", &text)], Html::link(&href, Html::text(&text)));
            let html = html.to_string();
            let (open, close) = (html.matches('<').count(), html.matches('>').count());
            prop_assert!(open == close && (open == 2 || open == 4), "{}", html);
            prop_assert!(html.matches('"').count().is_multiple_of(2));
            prop_assert!(!html.contains('\''));
        }
    }
}
