//! An event: something changed, when, by whom, from where.

use serde::{Deserialize, Serialize};

use crate::Moment;

/// Who changes something, from where, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// Who.
    pub who: String,
    /// From where: a machine, a CI run, a cluster.
    pub origin: String,
    /// When, by the clock of whoever was told.
    pub at: Moment,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its own; sorts by the time it was written down.
    pub id: String,
    /// Who, from where, when.
    #[serde(flatten)]
    pub act: Act,
    /// What kind of change.
    pub kind: EventKind,
    /// The environment it is about, by its name at that time.
    pub environment: Option<String>,
    /// What it is about: an application, an image, a repository, a name.
    pub about: String,
    /// In numbers and names, as far as the kind has any: `{"from": …, "to": …}`.
    pub detail: serde_json::Value,
}

/// The kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// An organisation was made.
    OrganisationCreated,
    /// A repository was switched on.
    RepositoryEnabled,
    /// A repository was switched off.
    RepositoryDisabled,
    /// A repository is gone, with its tags and the images that were seen in it alone.
    RepositoryDeleted,
    /// The content of an image became known.
    ImageAnalysed,
    /// The content of an image could not be read.
    ImageFailed,
    /// An image and all that was known of it is gone.
    ImageDeleted,
    /// A tag leads to another image than before.
    TagMoved,
    /// A tag leads to no image any more.
    TagGone,
    /// An environment was made.
    EnvironmentCreated,
    /// An environment has another name.
    EnvironmentRenamed,
    /// An environment and its history are gone.
    EnvironmentDeleted,
    /// An application runs that did not.
    DeploymentStarted,
    /// An application runs another image than before.
    DeploymentReplaced,
    /// An application runs no more.
    DeploymentEnded,
    /// What an application runs is known by its own digest, and not any more by another one of it.
    DeploymentIdentified,
    /// A person may not log in any more.
    UserDisabled,
    /// A person may log in again.
    UserEnabled,
    /// A person is gone.
    UserDeleted,
    /// A person has another password.
    PasswordChanged,
    /// A person who forgot their password may choose another.
    PasswordResetOffered,
    /// A person is in the organisation.
    MemberAdded,
    /// A person has another role.
    MemberChanged,
    /// A person is in the organisation no more.
    MemberRemoved,
    /// Somebody may join.
    InvitationCreated,
    /// Somebody joined who was invited.
    InvitationUsed,
    /// An invitation is good no more.
    InvitationRevoked,
    /// A person logged in.
    SessionStarted,
    /// A person logged out, or was logged out.
    SessionEnded,
    /// A program may speak in somebody's name.
    TokenCreated,
    /// A token is good no more.
    TokenRevoked,
    /// A setting has another value.
    SettingChanged,
    /// All that the server remembers was written into a file.
    BackedUp,
    /// A party is spoken with, or is told something else than before.
    IntegrationConfigured,
    /// It works, or does not any more.
    IntegrationChanged,
    /// It is spoken with no more.
    IntegrationDeleted,
    /// A secret is kept, or another in its stead.
    SecretKept,
    /// A secret is gone.
    SecretDeleted,
    /// Something that runs has a flaw that it was not known to have.
    FindingNew,
    /// Something that runs is not known to have a flaw any more.
    FindingGone,
    /// A flaw of something that runs is rated otherwise than before.
    FindingSeverityChanged,
    /// A flaw of something that runs can be mended by now.
    FindingFixAvailable,
    /// The fix of a flaw of something that runs is none, or is not to be had any more.
    FindingFixWithdrawn,
    /// A flaw of something that runs is known to be exploited by now.
    FindingExploited,
    /// What a new almanac changes for something that runs could not be told.
    EvaluationIncomplete,
    /// A cluster or host that says what runs in it is not heard of any more.
    RuntimeSilent,
    /// It is heard of again.
    RuntimeHeard,
    /// What is known of the world is older than it is to be.
    AlmanacStale,
    /// It is as new as it is to be again.
    AlmanacFresh,
    /// Something is to be checked again and again.
    ScheduleSet,
    /// It is checked no more.
    ScheduleDeleted,
    /// Something that is checked again and again found what it looks for, or could not tell.
    CheckFailed,
    /// It found nothing of what it looks for.
    CheckPassed,
    /// Somebody is to be told of something.
    RuleSet,
    /// They are told of it no more.
    RuleDeleted,
    /// A flaw is out of the way, as somebody decided.
    ExceptionSet,
    /// It is not any more, as somebody decided.
    ExceptionDeleted,
    /// It is not any more, because the time is over for which that was decided.
    ExceptionExpired,
    /// Other policies are in force somewhere.
    PoliciesSet,
    /// No policies of one's own are in force there any more.
    PoliciesUnset,
    /// Something that runs meets a policy that it did not, or does not any more, or nobody can tell.
    PolicyFlipped,
    /// Somebody taught that images are bases of others.
    BaseLearned,
    /// They are not looked for any more.
    BaseForgotten,
    /// What was older than it is to be kept is gone.
    Expired,
}

impl EventKind {
    /// What evaluations tell of: what another almanac changes for what runs.
    pub const OF_EVALUATIONS: [Self; 7] = [
        Self::FindingNew,
        Self::FindingGone,
        Self::FindingSeverityChanged,
        Self::FindingFixAvailable,
        Self::FindingFixWithdrawn,
        Self::FindingExploited,
        Self::EvaluationIncomplete,
    ];

    /// All of them.
    pub const ALL: [Self; 64] = [
        Self::OrganisationCreated,
        Self::RepositoryEnabled,
        Self::RepositoryDisabled,
        Self::RepositoryDeleted,
        Self::ImageAnalysed,
        Self::ImageFailed,
        Self::ImageDeleted,
        Self::TagMoved,
        Self::TagGone,
        Self::EnvironmentCreated,
        Self::EnvironmentRenamed,
        Self::EnvironmentDeleted,
        Self::DeploymentStarted,
        Self::DeploymentReplaced,
        Self::DeploymentEnded,
        Self::DeploymentIdentified,
        Self::UserDisabled,
        Self::UserEnabled,
        Self::UserDeleted,
        Self::PasswordChanged,
        Self::PasswordResetOffered,
        Self::MemberAdded,
        Self::MemberChanged,
        Self::MemberRemoved,
        Self::InvitationCreated,
        Self::InvitationUsed,
        Self::InvitationRevoked,
        Self::SessionStarted,
        Self::SessionEnded,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::SettingChanged,
        Self::BackedUp,
        Self::IntegrationConfigured,
        Self::IntegrationChanged,
        Self::IntegrationDeleted,
        Self::SecretKept,
        Self::SecretDeleted,
        Self::FindingNew,
        Self::FindingGone,
        Self::FindingSeverityChanged,
        Self::FindingFixAvailable,
        Self::FindingFixWithdrawn,
        Self::FindingExploited,
        Self::EvaluationIncomplete,
        Self::RuntimeSilent,
        Self::RuntimeHeard,
        Self::AlmanacStale,
        Self::AlmanacFresh,
        Self::ScheduleSet,
        Self::ScheduleDeleted,
        Self::CheckFailed,
        Self::CheckPassed,
        Self::RuleSet,
        Self::RuleDeleted,
        Self::ExceptionSet,
        Self::ExceptionDeleted,
        Self::ExceptionExpired,
        Self::PoliciesSet,
        Self::PoliciesUnset,
        Self::PolicyFlipped,
        Self::BaseLearned,
        Self::BaseForgotten,
        Self::Expired,
    ];

    /// `deployment-started`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrganisationCreated => "organisation-created",
            Self::RepositoryEnabled => "repository-enabled",
            Self::RepositoryDisabled => "repository-disabled",
            Self::RepositoryDeleted => "repository-deleted",
            Self::ImageAnalysed => "image-analysed",
            Self::ImageFailed => "image-failed",
            Self::ImageDeleted => "image-deleted",
            Self::TagMoved => "tag-moved",
            Self::TagGone => "tag-gone",
            Self::EnvironmentCreated => "environment-created",
            Self::EnvironmentRenamed => "environment-renamed",
            Self::EnvironmentDeleted => "environment-deleted",
            Self::DeploymentStarted => "deployment-started",
            Self::DeploymentReplaced => "deployment-replaced",
            Self::DeploymentEnded => "deployment-ended",
            Self::DeploymentIdentified => "deployment-identified",
            Self::UserDisabled => "user-disabled",
            Self::UserEnabled => "user-enabled",
            Self::UserDeleted => "user-deleted",
            Self::PasswordChanged => "password-changed",
            Self::PasswordResetOffered => "password-reset-offered",
            Self::MemberAdded => "member-added",
            Self::MemberChanged => "member-changed",
            Self::MemberRemoved => "member-removed",
            Self::InvitationCreated => "invitation-created",
            Self::InvitationUsed => "invitation-used",
            Self::InvitationRevoked => "invitation-revoked",
            Self::SessionStarted => "session-started",
            Self::SessionEnded => "session-ended",
            Self::TokenCreated => "token-created",
            Self::TokenRevoked => "token-revoked",
            Self::SettingChanged => "setting-changed",
            Self::BackedUp => "backed-up",
            Self::IntegrationConfigured => "integration-configured",
            Self::IntegrationChanged => "integration-changed",
            Self::IntegrationDeleted => "integration-deleted",
            Self::SecretKept => "secret-kept",
            Self::SecretDeleted => "secret-deleted",
            Self::FindingNew => "finding-new",
            Self::FindingGone => "finding-gone",
            Self::FindingSeverityChanged => "finding-severity-changed",
            Self::FindingFixAvailable => "finding-fix-available",
            Self::FindingFixWithdrawn => "finding-fix-withdrawn",
            Self::FindingExploited => "finding-exploited",
            Self::EvaluationIncomplete => "evaluation-incomplete",
            Self::RuntimeSilent => "runtime-silent",
            Self::RuntimeHeard => "runtime-heard",
            Self::AlmanacStale => "almanac-stale",
            Self::AlmanacFresh => "almanac-fresh",
            Self::ScheduleSet => "schedule-set",
            Self::ScheduleDeleted => "schedule-deleted",
            Self::CheckFailed => "check-failed",
            Self::CheckPassed => "check-passed",
            Self::RuleSet => "rule-set",
            Self::RuleDeleted => "rule-deleted",
            Self::ExceptionSet => "exception-set",
            Self::ExceptionDeleted => "exception-deleted",
            Self::ExceptionExpired => "exception-expired",
            Self::PoliciesSet => "policies-set",
            Self::PoliciesUnset => "policies-unset",
            Self::PolicyFlipped => "policy-flipped",
            Self::BaseLearned => "base-learned",
            Self::BaseForgotten => "base-forgotten",
            Self::Expired => "expired",
        }
    }

    /// The kind with that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
