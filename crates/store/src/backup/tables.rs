//! Which tables a backup has, those first that others lean on, and what is in them.

use super::Section;
use super::lines::damaged;
use crate::contract::Error;

/// What a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bytes,
}

/// A table: its columns, a letter before each for its kind, and those that order it.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    columns: &'static str,
    order: &'static str,
}

const fn table(name: &'static str, order: &'static str, columns: &'static str) -> Table {
    Table { name, columns, order }
}

/// All of them, but for the version of the schema and the turns of events, which are a database's
/// own.
pub(crate) const TABLES: &[Table] = &[
    table("organisations", "id", "t:id t:name n:created_at n:deleting"),
    table("users", "id", "t:id t:name t:password n:created_at n:disabled_at"),
    table("members", "organisation, person", "t:organisation t:person t:role n:since_at"),
    table("sessions", "id", "t:id t:hash t:person t:origin n:created_at n:expires_at n:used_at"),
    table(
        "tokens",
        "id",
        "t:id t:hash t:organisation t:person t:name t:prefix t:scope n:created_at t:created_by \
         n:expires_at n:used_at n:revoked_at",
    ),
    table(
        "invitations",
        "id",
        "t:id t:hash t:organisation t:role n:created_at t:created_by n:expires_at",
    ),
    table("resets", "id", "t:id t:hash t:person n:created_at t:created_by n:expires_at"),
    table(
        "idempotency_keys",
        "holder, key",
        "t:holder t:key t:organisation t:person t:request t:claim n:begun_at n:status b:body",
    ),
    table("settings", "organisation, key", "t:organisation t:key t:value"),
    table(
        "secrets",
        "organisation, name",
        "t:organisation t:name t:key b:sealed n:kept_at t:kept_by",
    ),
    table(
        "integrations",
        "id",
        "t:id t:organisation t:kind t:name t:settings t:hook t:state t:why n:state_since \
         n:begun_at n:next_look n:revision n:address_since n:scope_since n:waiting n:deleting \
         n:created_at t:created_by n:refused n:refused_of n:refused_at t:refused_why",
    ),
    table(
        "notices",
        "id",
        "t:id t:integration n:since t:slot n:lasting t:about t:repository t:payload t:state \
         n:attempts t:trouble n:heard_at n:ready_at n:ended_at",
    ),
    table(
        "watched_tags",
        "integration, since, registry, repository, tag",
        "t:integration n:since t:registry t:repository t:tag t:digest",
    ),
    table(
        "awaited_repositories",
        "integration, since, registry, repository",
        "t:integration n:since t:registry t:repository n:is_met",
    ),
    table("watched_images", "integration, since, digest", "t:integration n:since t:digest"),
    table(
        "rules",
        "id",
        "t:id t:organisation t:name t:integration t:definition n:created_at t:created_by \
         n:changed_at t:changed_by",
    ),
    table(
        "outbox",
        "id",
        "t:id t:organisation t:integration t:rule t:key t:about t:body t:state n:attempts \
         t:trouble n:created_at n:due_at n:ready_at n:ended_at",
    ),
    table("told", "rule, what", "t:rule t:what n:severity n:at"),
    table(
        "schedules",
        "id",
        "t:id t:organisation t:name t:environment t:cron t:zone t:question n:revision n:next_at \
         n:turned_at n:due_at n:checked_at t:verdict t:outcome n:created_at t:created_by",
    ),
    table(
        "exceptions",
        "id",
        "t:id t:organisation t:name t:definition n:expires_at n:expired_at n:created_at \
         t:created_by n:changed_at t:changed_by",
    ),
    table(
        "bases",
        "id",
        "t:id t:organisation t:name t:platform t:digest t:config t:chain n:depth n:learned_at \
         t:learned_by",
    ),
    table("stale_feeds", "organisation, feed", "t:organisation t:feed n:since_at"),
    table("repositories", "organisation, name", "t:organisation t:name n:enabled n:created_at"),
    table(
        "images",
        "id",
        "n:id t:organisation t:digest t:platform t:state t:why t:outline n:packages n:first_seen \
         n:analysed_at t:chain n:depth",
    ),
    table("image_repositories", "image, repository", "n:image t:repository"),
    table("image_names", "image, digest", "n:image t:digest n:is_config"),
    table(
        "tags",
        "id",
        "t:id t:organisation t:repository t:tag t:platform t:digest n:from_at n:until_at",
    ),
    table("inventories", "image", "n:image b:head t:distro"),
    table("package_sets", "id", "n:id t:hash b:body"),
    table("image_sets", "image, position", "n:image n:position n:package_set"),
    table("packages", "id", "n:id t:hash t:purl t:source t:kind t:source_version t:author t:owner"),
    table("package_names", "name, package", "t:name n:package"),
    table("set_packages", "package_set, package", "n:package_set n:package"),
    table("environments", "id", "t:id t:organisation t:name n:created_at t:created_by"),
    table(
        "environment_counts",
        "environment, at",
        "t:environment n:at t:almanac n:critical n:high n:medium n:low n:unspecified n:images \
         n:pending n:gaps",
    ),
    table(
        "policy_sets",
        "id",
        "t:id t:organisation t:environment n:version n:in_force t:digest t:summary t:modules t:config \
         n:bytes n:set_at t:set_by",
    ),
    table(
        "policy_verdicts",
        "organisation, stance, digest",
        "t:organisation t:stance t:digest t:ground t:mark t:states t:verdicts n:judged_at n:looked_at",
    ),
    table(
        "policy_judgings",
        "environment",
        "t:environment n:revision t:stance t:basis n:judged_at",
    ),
    table("policy_states", "environment, application", "t:environment t:application t:states"),
    table("policy_samples", "environment, day", "t:environment n:day t:sample"),
    table("evaluations", "organisation, position", "t:organisation n:position t:almanac n:at"),
    table(
        "deployments",
        "id",
        "t:id t:organisation t:environment t:slot t:application t:platform t:repository t:tag \
         t:digest t:source t:recorded_by t:recorded_from n:from_at n:until_at",
    ),
    table(
        "runtimes",
        "id",
        "t:id t:organisation t:name t:kind t:agent n:seen_at n:heard_at n:every t:mark t:gaps \
         n:changed_at n:silent_since t:other n:other_heard_at n:other_differs",
    ),
    table("runtime_environments", "runtime, environment", "t:runtime t:environment t:called"),
    table(
        "runtime_containers",
        "runtime, environment, key",
        "t:runtime t:environment t:key t:namespace t:kind t:workload t:container t:image \
         t:repository t:tag t:digest t:platform t:application t:placed",
    ),
    table(
        "in_use",
        "runtime, environment, digest",
        "t:runtime t:environment t:digest n:seen_at b:packages t:mark",
    ),
    table(
        "events",
        "id",
        "t:id t:organisation n:at t:who t:origin t:kind t:environment_id t:environment t:about \
         t:detail",
    ),
    table(
        "jobs",
        "id",
        "t:id t:kind t:payload t:key t:state n:attempt n:attempts n:ready_at t:claim \
         n:leased_until t:trouble n:ended_at n:asked_at",
    ),
];

impl Table {
    pub(crate) fn columns(&self) -> impl Iterator<Item = (&'static str, Kind)> {
        self.columns.split_whitespace().filter_map(|it| match it.split_once(':')? {
            ("t", name) => Some((name, Kind::Text)),
            ("n", name) => Some((name, Kind::Number)),
            ("b", name) => Some((name, Kind::Bytes)),
            _ => None,
        })
    }

    pub(super) fn kind(&self, column: &str) -> Option<Kind> {
        self.columns().find(|(name, _)| *name == column).map(|(_, kind)| kind)
    }

    /// Does the database give out its numbers?
    pub(super) fn is_numbered(&self) -> bool {
        self.columns.starts_with("n:id ")
    }

    pub(super) fn select(&self) -> String {
        let columns: Vec<&str> = self.columns().map(|(name, _)| name).collect();
        format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), self.name, self.order)
    }
}

/// The table that a section is about.
pub(super) fn find(section: &Section) -> Result<&'static Table, Error> {
    let found = TABLES.iter().find(|it| it.name == section.table);
    found.ok_or_else(|| damaged("it has an unknown table"))
}
