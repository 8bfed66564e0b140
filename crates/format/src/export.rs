//! All that runs in an environment, as one document for whoever audits it: one file per form, listed
//! in `ALL`. A document is written image by image, so that nobody has to hold all of it.

use std::borrow::Cow;

use model::{Analysis, Basis, Deployment};

mod csv;
mod cyclonedx;
mod json;

/// A form.
pub trait Export: Sync {
    /// What `--format` calls it, which is also its file's name.
    fn id(&self) -> &'static str;
    /// One line for help.
    fn title(&self) -> &'static str;
    /// What it is called on the wire.
    fn media_type(&self) -> &'static str;
    /// How a file of it ends.
    fn ending(&self) -> &'static str;
    /// Begins a document.
    fn begin(&self, head: Head) -> Box<dyn Writer>;
}

/// Writes a document part by part: `begin`, each image once, `end` until there is no more.
pub trait Writer: Send {
    /// What stands before the first image.
    fn begin(&mut self) -> String;
    /// An image, and as what it runs.
    fn image(&mut self, image: &Image<'_>) -> String;
    /// What stands behind the last image, or behind the former part of that.
    fn end(&mut self) -> Option<String>;
}

/// What the document is about.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Whose environment.
    pub organisation: String,
    /// Its name.
    pub environment: String,
    /// When it was made, in RFC 3339.
    pub created: String,
    /// Our own version.
    pub tool_version: String,
    /// The advisories it rests on.
    pub basis: Basis,
}

/// An image that runs there.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// As what, since when, and who says so: all of this one image.
    pub deployments: &'a [Deployment],
    /// What is inside and wrong with it; or why nobody knows.
    pub content: Result<&'a Analysis, &'a str>,
}

/// Every form. Adding one is its file, its `mod` line, and its entry here.
pub const ALL: &[&dyn Export] = &[&csv::Csv, &json::Json, &cyclonedx::CycloneDx];

/// The form with that id.
pub fn find(id: &str) -> Option<&'static dyn Export> {
    ALL.iter().copied().find(|it| it.id() == id)
}

impl Image<'_> {
    fn digest(&self) -> &str {
        self.deployments.first().map_or("", |it| it.digest.as_str())
    }

    /// `docker.io/acme/web:v1`.
    fn name(&self) -> Cow<'_, str> {
        self.deployments.first().map_or("".into(), name)
    }
}

/// With its registry, and with its tag, where there is one.
fn name(it: &Deployment) -> Cow<'_, str> {
    match &it.tag {
        Some(tag) => format!("{}:{tag}", it.repository).into(),
        None => it.repository.as_str().into(),
    }
}
