//! Who may do what: people, their roles in organisations, and what speaks in their name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Moment, Organisation, OrganisationId};

/// What a person is called inside the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserId(pub String);

/// A person who may log in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never changes, never used again.
    pub id: UserId,
    /// What the person logs in with: `ann`.
    pub name: String,
    /// Since when they are here.
    pub created: Moment,
    /// Since when they may not log in, if so.
    pub disabled: Option<Moment>,
}

/// What somebody is in an organisation; whoever is more may do all that the lesser may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Reads.
    Member,
    /// Changes what is recorded.
    Editor,
    /// Decides who and what there is.
    Owner,
}

/// Something that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// See all that an organisation has, but for its people's tokens and its secrets.
    Read,
    /// Enrol repositories, and switch them on and off.
    EnableRepositories,
    /// Record, copy and end deployments, in environments that are there.
    RecordDeployments,
    /// Send inventories of images.
    PushImages,
    /// Say that a finding does not count.
    MakeExceptions,
    /// Make, rename and delete environments.
    ManageEnvironments,
    /// Set up and remove integrations, and the secrets they need.
    ManageIntegrations,
    /// Invite and remove people, give them roles, and make the organisation's own tokens.
    ManageMembers,
    /// Settings, retention, and deletion that nothing brings back: of images, of the organisation.
    ManageOrganisation,
}

impl Role {
    /// All of them, least first.
    pub const ALL: [Self; 3] = [Self::Member, Self::Editor, Self::Owner];

    /// May whoever has this role do that?
    pub fn may(self, right: Right) -> bool {
        self >= right.needs()
    }

    /// `member`, `editor`, `owner`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::EnableRepositories,
        Self::RecordDeployments,
        Self::PushImages,
        Self::MakeExceptions,
        Self::ManageEnvironments,
        Self::ManageIntegrations,
        Self::ManageMembers,
        Self::ManageOrganisation,
    ];

    /// The least role that has it.
    pub fn needs(self) -> Role {
        match self {
            Self::Read => Role::Member,
            Self::EnableRepositories
            | Self::RecordDeployments
            | Self::PushImages
            | Self::MakeExceptions => Role::Editor,
            Self::ManageEnvironments
            | Self::ManageIntegrations
            | Self::ManageMembers
            | Self::ManageOrganisation => Role::Owner,
        }
    }

    /// What it is in a sentence: `only an owner may {manage environments}`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Read => "see what an organisation has",
            Self::EnableRepositories => "enable repositories",
            Self::RecordDeployments => "record deployments",
            Self::PushImages => "push images",
            Self::MakeExceptions => "make exceptions",
            Self::ManageEnvironments => "manage environments",
            Self::ManageIntegrations => "manage integrations",
            Self::ManageMembers => "manage members",
            Self::ManageOrganisation => "manage the organisation",
        }
    }
}

/// How much of its owner's rights a token has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Those of a member.
    Read,
    /// Those of an editor.
    Write,
    /// All.
    Admin,
}

impl Scope {
    /// All of them, least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// The role that a token of this scope has at most.
    pub fn role(self) -> Role {
        match self {
            Self::Read => Role::Member,
            Self::Write => Role::Editor,
            Self::Admin => Role::Owner,
        }
    }

    /// `read`, `write`, `admin`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// Why a text is none of a few words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of {1}")]
pub struct BadWord(String, &'static str);

impl BadWord {
    pub(crate) fn new(text: &str, words: &'static str) -> Self {
        Self(text.chars().take(60).collect(), words)
    }
}

macro_rules! words {
    ($($kind:ty: $words:literal;)*) => { $(
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = BadWord;

            fn from_str(text: &str) -> Result<Self, BadWord> {
                let found = Self::ALL.into_iter().find(|it| it.as_str() == text);
                found.ok_or_else(|| BadWord::new(text, $words))
            }
        }
    )* };
}

words! {
    Role: "member, editor, owner";
    Scope: "read, write, admin";
}

/// Somebody in an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
    /// Since when.
    pub since: Moment,
}

/// An organisation that somebody is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// Where.
    pub organisation: Organisation,
    /// As what.
    pub role: Role,
}

/// Whose something is that is not an organisation's alone: tokens, keys of requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// A person's.
    User(UserId),
    /// An organisation's.
    Organisation(OrganisationId),
}

/// That somebody is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its own; of no use to whoever wants to speak in the session's name.
    pub id: String,
    /// Who.
    pub user: UserId,
    /// From where.
    pub origin: String,
    /// Since when.
    pub created: Moment,
    /// Until when.
    pub expires: Moment,
    /// When it last spoke, to the minute.
    pub last_used: Option<Moment>,
}

/// What a program shows to speak in the name of a person or an organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its own; of no use to whoever wants to speak in the token's name.
    pub id: String,
    /// In whose name.
    pub holder: Holder,
    /// What people call it: `ci of web`.
    pub name: String,
    /// How its secret begins, to tell it from others.
    pub prefix: String,
    /// How much it may.
    pub scope: Scope,
    /// Since when it is here.
    pub created: Moment,
    /// Who made it.
    pub created_by: String,
    /// Until when it is good; none is until it is revoked.
    pub expires: Option<Moment>,
    /// When it last spoke, to the minute.
    pub last_used: Option<Moment>,
    /// Since when it is good no more.
    pub revoked: Option<Moment>,
}

/// That whoever has its secret may join an organisation, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Its own; of no use to whoever wants to join.
    pub id: String,
    /// Where to.
    pub organisation: Organisation,
    /// As what.
    pub role: Role,
    /// Since when it is good.
    pub created: Moment,
    /// Who invites.
    pub created_by: String,
    /// Until when it is good.
    pub expires: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_more_may_more() {
        for right in Right::ALL {
            assert!(Role::Owner.may(right));
            assert!(!Role::Member.may(right) || Role::Editor.may(right));
        }
        assert!(Role::Editor.may(Right::RecordDeployments));
        assert!(!Role::Editor.may(Right::ManageEnvironments));
        let of_members: Vec<_> = Right::ALL.iter().filter(|it| Role::Member.may(**it)).collect();
        assert_eq!(of_members, [&Right::Read]);
    }

    #[test]
    fn words_read_back() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        let error = "Owner".parse::<Role>().unwrap_err();
        assert_eq!(error.to_string(), "`Owner` is none of member, editor, owner");
    }
}
