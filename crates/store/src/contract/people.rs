//! What the store answers about people: who asks, and what they may.

use model::{
    Membership, Moment, OrganisationId, Role, Scope, Secret, Session, Token, User, UserId,
};

/// A token that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// The SHA-256 of its secret.
    pub hash: [u8; 32],
    /// How its secret begins: 16 characters at most are kept.
    pub prefix: String,
    /// How much it may.
    pub scope: Scope,
    /// Until when it is good.
    pub expires: Option<Moment>,
}

/// Another secret for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// How it begins: 16 characters at most are kept.
    pub prefix: String,
    /// Until when it is good; none is for as long as the former was.
    pub expires: Option<Moment>,
}

/// Who uses an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newcomer {
    /// Somebody who was not here before.
    New {
        /// What they want to be called.
        name: String,
        /// The hash of their password, as whoever checks it writes it.
        password: Secret,
    },
    /// Somebody who is here already.
    Known(UserId),
}

/// Who it is that asks something of us, and what they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person; none is an organisation by its own token.
    pub user: Option<User>,
    /// The organisations they are in, by name, each with the role that they have there as they
    /// speak now: a token makes it less.
    pub memberships: Vec<Membership>,
    /// By what we know.
    pub speaker: Speaker,
    /// The role that they have at most, whatever they are.
    pub most: Role,
}

/// By what we know who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// They logged in.
    Session(Session),
    /// They showed a token.
    Token(Token),
}

impl Caller {
    /// What they are in an organisation; none is what strangers are.
    pub fn role_in(&self, organisation: &OrganisationId) -> Option<Role> {
        self.memberships.iter().find(|it| it.organisation.id == *organisation).map(|it| it.role)
    }

    /// How events tell of them: the person's name, or that of the token.
    pub fn name(&self) -> String {
        match (&self.user, &self.speaker) {
            (Some(user), _) => user.name.clone(),
            (None, Speaker::Token(token)) => format!("token {}", token.name),
            (None, Speaker::Session(session)) => session.user.0.clone(),
        }
    }
}
