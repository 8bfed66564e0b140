//! Settings that several parties share.

use crate::contract::{Setting, SettingKind};

/// Where images are pulled from.
pub(crate) const REGISTRY: Setting = Setting {
    key: "registry",
    label: "Registry host",
    kind: SettingKind::Host,
    required: true,
    help: "the host that images are pulled from",
    example: "registry.example:5000",
    ..Setting::NONE
};

/// The interface beside it.
pub(crate) const API: Setting = Setting {
    key: "api",
    label: "API base URL",
    kind: SettingKind::Url,
    required: true,
    help: "the address of its REST interface",
    example: "https://registry.example",
    ..Setting::NONE
};

/// Which repositories; what else may be asked for is up to each.
pub(crate) const REPOSITORY: Setting = Setting {
    key: "repository",
    also: &["repositories"],
    label: "Repositories",
    kind: SettingKind::Words,
    help: "the repositories to watch, with commas between them",
    example: "team/app,team/web",
    ..Setting::NONE
};

/// Repositories to take.
pub(crate) const INCLUDE: Setting = Setting {
    key: "include",
    also: &["includes"],
    label: "Include",
    kind: SettingKind::Patterns,
    help: "globs of repositories to take; without any, all are taken",
    example: "*/frontend*",
    ..Setting::NONE
};

/// Repositories to leave.
pub(crate) const EXCLUDE: Setting = Setting {
    key: "exclude",
    also: &["excludes"],
    label: "Exclude",
    kind: SettingKind::Patterns,
    help: "globs of repositories to leave out, whatever else is said",
    example: "*/legacy/*",
    ..Setting::NONE
};

/// Tags to take.
pub(crate) const TAG: Setting = Setting {
    key: "tag",
    also: &["tags"],
    label: "Tags",
    kind: SettingKind::Expressions,
    help: "regular expressions of tags to take, one a line; without any, all are taken",
    example: "^v[0-9]+",
    ..Setting::NONE
};

/// Where webhooks come in.
pub(crate) const PORT: Setting = Setting {
    key: "port",
    label: "Webhook port",
    kind: SettingKind::Port,
    help: "the local port on which webhooks come in; 0 is any that is free",
    example: "9000",
    watch_only: true,
    ..Setting::NONE
};

/// Who we are.
pub(crate) const USER: Setting = Setting {
    key: "user",
    label: "User",
    help: "a user that may read, and nothing else",
    example: "foretop",
    ..Setting::NONE
};

/// The proof of it.
pub(crate) const PASSWORD: Setting = Setting {
    key: "password",
    label: "Password or token",
    kind: SettingKind::Secret,
    help: "its password; without a user, an access token",
    example: "an access token",
    ..Setting::NONE
};

/// What webhooks prove themselves with.
pub(crate) const WEBHOOK_SECRET: Setting = Setting {
    key: "webhook-secret",
    label: "Webhook secret",
    kind: SettingKind::Secret,
    help: "what its webhooks prove themselves with: 64 to 128 characters by chance",
    example: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ..Setting::NONE
};

/// Where it is told. Whoever knows it can tell something there, too.
pub(crate) const URL: Setting = Setting {
    key: "url",
    also: &["webhook-url"],
    label: "Webhook URL",
    kind: SettingKind::Secret,
    required: true,
    help: "the address that messages are posted to, whole",
    example: "https://receiver.example/hooks/0123456789abcdef",
    ..Setting::NONE
};

/// What messages say.
pub(crate) const TEMPLATE: Setting = Setting {
    key: "template",
    label: "Template",
    kind: SettingKind::Template,
    help: "what messages say, instead of what they say by themselves",
    example: "{{ title }} in {{ environments|join(\", \") }}",
    ..Setting::NONE
};
