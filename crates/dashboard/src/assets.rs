//! The style sheet, the script and the icon, under names that change with what is in them: whoever has
//! one keeps it for ever.

use std::sync::LazyLock;

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use sha2::{Digest as _, Sha256};

/// A file that pages are drawn with.
pub(crate) struct Asset {
    bytes: &'static str,
    kind: &'static str,
    path: String,
}

impl Asset {
    fn new(name: &str, kind: &'static str, bytes: &'static str) -> Self {
        use std::fmt::Write as _;
        let mut mark = String::new();
        for byte in Sha256::digest(bytes).iter().take(8) {
            let _ = write!(mark, "{byte:02x}");
        }
        let (stem, end) = name.split_once('.').unwrap_or((name, ""));
        Self { bytes, kind, path: format!("/assets/{stem}-{mark}.{end}") }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// How it looks.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("dashboard.css", "text/css; charset=utf-8", include_str!("../assets/dashboard.css"))
});
/// What needs a script; all works without it.
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let kind = "text/javascript; charset=utf-8";
    Asset::new("dashboard.js", kind, include_str!("../assets/dashboard.js"))
});
/// The sign in a browser's tab.
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("foretop.svg", "image/svg+xml", include_str!("../assets/foretop.svg"))
});

/// Sends the one of that path.
pub(crate) fn answer(path: &str) -> Response {
    let all = [&*STYLE, &*SCRIPT, &*ICON];
    let Some(asset) = all.into_iter().find(|it| it.path == path) else {
        return (StatusCode::NOT_FOUND, "there is no such file\n").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (headers, asset.bytes).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_small_and_bring_nothing_from_elsewhere() {
        for asset in [&*STYLE, &*SCRIPT, &*ICON] {
            assert!(asset.bytes.len() < 24 << 10, "{}: {}", asset.path, asset.bytes.len());
            let foreign = asset.bytes.replace("http://www.w3.org/2000/svg", "");
            for it in ["http:", "https:", "@import", "eval(", "innerHTML", "url(//"] {
                assert!(!foreign.contains(it), "{}: {it}", asset.path);
            }
            assert_eq!(answer(&asset.path).status(), StatusCode::OK);
        }
        assert_eq!(answer("/assets/dashboard-0.css").status(), StatusCode::NOT_FOUND);
    }
}
