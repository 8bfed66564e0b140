//! People and programs: logging in, tokens, members and invitations.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::number::whole;
use super::{Role, grammar};

impl From<model::Role> for Role {
    fn from(it: model::Role) -> Self {
        match it {
            model::Role::Member => Self::Member,
            model::Role::Editor => Self::Editor,
            model::Role::Owner => Self::Owner,
        }
    }
}

impl From<Role> for model::Role {
    fn from(it: Role) -> Self {
        match it {
            Role::Member => Self::Member,
            Role::Editor => Self::Editor,
            Role::Owner => Self::Owner,
        }
    }
}

/// How much of its holder's rights a token has.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Those of a member.
    Read,
    /// Those of an editor.
    Write,
    /// All.
    Admin,
}

impl From<model::Scope> for Scope {
    fn from(it: model::Scope) -> Self {
        match it {
            model::Scope::Read => Self::Read,
            model::Scope::Write => Self::Write,
            model::Scope::Admin => Self::Admin,
        }
    }
}

impl From<Scope> for model::Scope {
    fn from(it: Scope) -> Self {
        match it {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
}

/// Somebody wants to log in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoggingIn {
    /// Their name.
    pub name: String,
    /// Their password.
    #[schema(format = Password)]
    pub password: String,
}

/// Somebody has logged in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LoggedIn {
    /// Their name, as it is spelt here.
    pub name: String,
    /// What to send as `Authorization: Bearer …` from now on; it is not shown again.
    pub token: String,
    /// What is known of the session.
    pub session: Session,
}

/// That one is logged in somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its own; of no use to whoever wants to speak in the session's name.
    pub id: String,
    /// From where.
    pub origin: String,
    /// Since when.
    #[schema(format = DateTime)]
    pub created: String,
    /// Until when.
    #[schema(format = DateTime)]
    pub expires: String,
    /// When it last spoke, to the minute.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// Is it the one that asks?
    #[serde(default)]
    pub current: bool,
}

impl From<model::Session> for Session {
    fn from(it: model::Session) -> Self {
        Self {
            id: it.id,
            origin: it.origin,
            created: it.created.to_string(),
            expires: it.expires.to_string(),
            last_used: it.last_used.map(|it| it.to_string()),
            current: false,
        }
    }
}

/// One wants another password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangingPassword {
    /// The one that is good until now.
    #[schema(format = Password)]
    pub old: String,
    /// The one that is to be good from now on.
    #[schema(format = Password, min_length = 12)]
    pub new: String,
}

/// A token to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What people will call it: `ci of web`.
    #[schema(value_type = grammar::Name)]
    pub name: String,
    /// How much it may.
    pub scope: Scope,
    /// Until when it is good; without, until it is revoked.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
}

/// What a program shows to speak in the name of a person or an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its own; of no use to whoever wants to speak in the token's name.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How its secret begins, to tell it from others.
    pub prefix: String,
    /// How much it may.
    pub scope: Scope,
    /// Since when it is here.
    #[schema(format = DateTime)]
    pub created: String,
    /// Who made it.
    pub created_by: String,
    /// Until when it is good; nothing is until it is revoked.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it last spoke, to the minute.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// Since when it is good no more.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<String>,
}

impl From<model::Token> for Token {
    fn from(it: model::Token) -> Self {
        Self {
            id: it.id,
            name: it.name,
            prefix: it.prefix,
            scope: it.scope.into(),
            created: it.created.to_string(),
            created_by: it.created_by,
            expires: it.expires.map(|it| it.to_string()),
            last_used: it.last_used.map(|it| it.to_string()),
            revoked: it.revoked.map(|it| it.to_string()),
        }
    }
}

/// A token that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeToken {
    /// What is known of it.
    pub token: Token,
    /// What to send as `Authorization: Bearer …`, or as the password of `docker login`; it is not
    /// shown again.
    pub secret: String,
}

/// Another secret for what a token is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotating {
    /// Until when the new one is good; without, for as long as the former was.
    #[schema(format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// For so many hours more the former one is good too.
    #[schema(minimum = 0, maximum = 720, default = 0)]
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub overlap_hours: Option<u32>,
}

/// Who chooses another password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reset {
    /// Their name.
    pub name: String,
}

/// Somebody who forgot their password chooses another.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resetting {
    /// What they will log in with.
    #[schema(format = Password, min_length = 12)]
    pub password: String,
}

/// Somebody in an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Their name.
    pub name: String,
    /// As what they are here.
    pub role: Role,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// May they not log in?
    #[serde(default)]
    pub disabled: bool,
}

impl From<model::Member> for Member {
    fn from(it: model::Member) -> Self {
        Self {
            name: it.user.name,
            role: it.role.into(),
            since: it.since.to_string(),
            disabled: it.user.disabled.is_some(),
        }
    }
}

/// What somebody is to be in an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assigning {
    /// As what.
    pub role: Role,
}

/// Whether somebody may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Disabling {
    /// May they not?
    pub disabled: bool,
}

/// An invitation to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// As what whoever uses it will be here.
    pub role: Role,
    /// For how many days it is good.
    #[schema(minimum = 1, maximum = 30, default = 7)]
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

/// That whoever has its secret may join an organisation, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Its own; of no use to whoever wants to join.
    pub id: String,
    /// Where to.
    pub organisation: String,
    /// As what.
    pub role: Role,
    /// Since when it is good.
    #[schema(format = DateTime)]
    pub created: String,
    /// Who invites.
    pub created_by: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    pub expires: String,
}

impl From<model::Invitation> for Invitation {
    fn from(it: model::Invitation) -> Self {
        Self {
            id: it.id,
            organisation: it.organisation.name,
            role: it.role.into(),
            created: it.created.to_string(),
            created_by: it.created_by,
            expires: it.expires.to_string(),
        }
    }
}

/// An invitation that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MadeInvitation {
    /// Its own.
    pub id: String,
    /// What whoever is invited shows; it is not shown again.
    pub secret: String,
    /// Where it is used with a browser, below the server's address: `/join/…`.
    pub path: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    pub expires: String,
}

/// Somebody accepts an invitation: newly, with a name and a password; or, with neither, as who they
/// are already logged in as.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepting {
    /// What they want to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What they will log in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Somebody has joined an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// Their name, as it is spelt here.
    pub name: String,
    /// Where.
    pub organisation: String,
}

/// Which tokens are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TokenQuery {
    /// Those too that are good no more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// `next` of the part before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// At most so many are looked through for one part.
    #[param(minimum = 1, maximum = 1000, default = 100)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

macro_rules! unseen {
    ($($kind:ident)*) => { $(
        impl std::fmt::Debug for $kind {
            /// Nothing of it, for it has a secret.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($kind), "(***)"))
            }
        }
    )* };
}

unseen! { LoggingIn LoggedIn ChangingPassword MadeToken MadeInvitation Accepting Resetting }
