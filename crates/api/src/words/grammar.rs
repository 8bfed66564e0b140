//! What texts of the API look like, for its description: each as the server reads it, so that what
//! is described is taken and what is not is refused.

use utoipa::openapi::schema::{
    AdditionalProperties, ObjectBuilder, OneOfBuilder, SchemaType, Type,
};
use utoipa::openapi::{KnownFormat, RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::{Accepting, End};

/// What people see of a name, but for a full stop; blanks within are seen, too.
///
/// What is not seen are blanks, control characters, and those that turn or hide the text around them.
const LETTER: &str = r"[^\u0000- .\u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]";
const SEEN: &str = r"[^\u0000- \u007f-\u00a0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff]";
const WITHIN: &str =
    r"[^\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]";
/// Blanks around a name are not of it.
const BLANK: &str =
    r"[\u0009-\u000d \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";

const HOST: &str = r"(?:localhost|[A-Za-z0-9\[][A-Za-z0-9\[\]_-]*[.:][A-Za-z0-9.:\[\]_-]*)";
const COMPONENT: &str = "[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?";
const TAG: &str = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
const DIGEST: &str = "(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})";
const PLATFORM: &str = "[A-Za-z0-9._-]+/[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)?";

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

fn one_of(words: impl IntoIterator<Item = &'static str>) -> ObjectBuilder {
    text().enum_values(Some(words))
}

fn name() -> ObjectBuilder {
    let name = format!(r"(?:{LETTER}{SEEN}?|\.{LETTER}|{SEEN}{WITHIN}+{SEEN})");
    text()
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(format!("^{BLANK}*{name}{BLANK}*$")))
}

fn image(digest: &str) -> ObjectBuilder {
    let scheme = "(?:(?:docker-pullable|docker|registry|image)://)?";
    let path = format!("{COMPONENT}(?:/{COMPONENT})*");
    text().pattern(Some(format!("^{scheme}(?:{HOST}/)?{path}(?::{TAG})?{digest}$")))
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:expr;)+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $name {}
    )+ };
}

texts! {
    /// What people call something: a sane length, and nothing that nobody sees.
    Name = name();
    /// An image, a tag or a repository: `acme/web`, `ghcr.io/acme/web:v1@sha256:…`.
    ImageName = image(&format!("(?:@{DIGEST})?"));
    /// A repository or a tag: `acme/web`, `ghcr.io/acme/web:v1`.
    TagName = image("");
    /// `sha256:…`.
    DigestName = text().pattern(Some(format!("^{DIGEST}$")));
    /// `linux/amd64`.
    PlatformName = text().pattern(Some(format!("^{PLATFORM}$")));
    /// By which way a deployment is told.
    SourceName = one_of(["cli", "action", "api"]);
    /// How an export is written.
    ExportForm = one_of(["csv", "json", "cyclonedx"]);
    /// A severity.
    SeverityName = one_of(model::Level::ALL.map(model::Level::as_str));
    /// Severities, parted by commas.
    SeverityNames = text().pattern(Some({
        let levels = model::Level::ALL.map(model::Level::as_str).join("|");
        format!("^(?:{levels})(?:,(?:{levels}))*$")
    }));
    /// By what flaws are sorted.
    FlawOrder = text().pattern(Some("^-?(?:severity|flaw|score|epss|images|packages|published)$"));
    /// By what packages are sorted.
    PackageOrder = text().pattern(Some("^-?(?:package|worst|flaws)$"));
    /// A place in a list.
    Rank = text().pattern(Some("^[0-9]{1,9}$"));
    /// `sha256:…`, several, parted by commas.
    DigestNames = text().pattern(Some(format!("^{DIGEST}(?:,{DIGEST}){{0,99}}$")));
    /// What was decided about a flaw.
    ExceptionName = one_of(model::ExceptionKind::ALL.map(model::ExceptionKind::as_str));
    /// Why there is no such flaw.
    JustificationName = one_of(model::Exception::JUSTIFICATIONS);
    /// When something is due, as cron writes it.
    CronLine = text().min_length(Some(6)).max_length(Some(200));
    /// A time zone: `Europe/Berlin`.
    ZoneName = text().max_length(Some(200)).pattern(Some("^[A-Za-z0-9_+/-]+$"));
    /// Kinds of events, parted by commas.
    KindNames = text().pattern(Some({
        let kinds = model::EventKind::ALL.map(model::EventKind::as_str).join("|");
        format!("^(?:{kinds})(?:,(?:{kinds}))*$")
    }));
}

/// A field, and what it holds.
type Field = (&'static str, RefOr<Schema>);

/// All of some fields, or all of others, where nothing is said of the rest.
fn either(one: &[Field], other: &[Field], description: &str) -> RefOr<Schema> {
    let object = |said: &[Field], unsaid: &[Field]| {
        let mut object = ObjectBuilder::new();
        for (name, schema) in said {
            object = object.property(*name, schema.clone()).required(*name);
        }
        for (name, _) in unsaid {
            let nothing = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
            object = object.property(*name, nothing);
        }
        object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
    };
    let both = OneOfBuilder::new().item(object(one, other)).item(object(other, one));
    both.description(Some(description)).into()
}

impl PartialSchema for End {
    fn schema() -> RefOr<Schema> {
        let one = [("environment", Name::schema())];
        let other = [("digest", DigestName::schema())];
        either(&one, &other, "One of the two: all that runs in an environment, or one image.")
    }
}

impl ToSchema for End {}

impl PartialSchema for Accepting {
    fn schema() -> RefOr<Schema> {
        let password = SchemaFormat::KnownFormat(KnownFormat::Password);
        let password = text().format(Some(password)).min_length(Some(12));
        let both = [("name", Name::schema()), ("password", password.into())];
        let why = "Somebody accepts an invitation: newly, with a name and a password; or, with \
                   neither, as who they are already logged in as.";
        either(&both, &[], why)
    }
}

impl ToSchema for Accepting {}
