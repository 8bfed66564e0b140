//! Who is asking, and what they may.

use api::{Membership, ORIGIN, Role, Sort};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use model::{Holder, OrganisationId, Right, Scope, User};
use store::{Page, Speaker};

use crate::app::App;
use crate::identity::{Known, People, shown};
use crate::needs::needs;
use crate::peer;
use crate::rate::Shown;
use crate::refusal::Refusal;

/// Most owners that are named to whoever needs one.
const NAMED: usize = 5;

/// Letters that are taken of what somebody says about from where they ask.
const LONGEST_ORIGIN: usize = 200;

/// Who may ask.
#[derive(Clone, Debug)]
pub enum Access {
    /// Whoever runs this process, and they own everything: embedded mode.
    Local {
        /// Their name.
        name: String,
    },
    /// People who have logged in, and programs that show a token.
    People(People),
}

/// Who is asking.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Their name.
    pub(crate) name: String,
    /// By which way they proved it.
    pub(crate) by: &'static str,
    /// From where they ask.
    pub(crate) origin: String,
    /// As whom we know them; none is whoever runs this process.
    pub(crate) known: Option<Known>,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        // The gate has asked already.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let origin = origin(parts);
        let people = match &app.access {
            Access::Local { name } => {
                return Ok(Self { name: name.clone(), by: "local", origin, known: None });
            }
            Access::People(people) => people,
        };
        let Some(credential) = shown(people, &parts.method, &parts.headers)? else {
            let problem = Sort::Unauthenticated.because("request: nobody says who is asking");
            return Err(problem.with_hint("foretop login SERVER, or show a token").into());
        };
        match people.known(&app.store, &credential, app.now()).await? {
            Some(known) => {
                if let Some(shown) = parts.extensions.get::<Shown>() {
                    shown.good();
                }
                Ok(Self::of(known, origin))
            }
            None => Err(unknown()),
        }
    }
}

/// From where a request comes: as it says itself, and from which address. Whoever asks from another
/// machine says what they like, and never in place of their address.
pub(crate) fn origin(parts: &Parts) -> String {
    let said = parts.headers.get(ORIGIN).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let said: String = said.chars().take(LONGEST_ORIGIN).collect();
    match peer::of(&parts.extensions) {
        Some(address) if said.is_empty() => address.to_string(),
        Some(address) if !address.is_loopback() => format!("{said} ({address})"),
        _ => said,
    }
}

fn unknown() -> Refusal {
    let why = "authorization: what is shown is not good here, or is good no more";
    let hint = "foretop login SERVER, or show another token; the user of `docker login` is the \
                token's holder";
    Sort::Unauthenticated.because(why).with_hint(hint).into()
}

impl Caller {
    fn of(known: Known, origin: String) -> Self {
        let by = match known.caller.speaker {
            Speaker::Session(_) => "password",
            Speaker::Token(_) => "token",
        };
        Self { name: known.caller.name(), by, origin, known: Some(known) }
    }

    /// Whose their keys and rations are; none is nobody whom we know.
    pub(crate) fn holder(&self) -> Option<Holder> {
        let caller = &self.known.as_ref()?.caller;
        match (&caller.user, caller.memberships.first()) {
            (Some(user), _) => Some(Holder::User(user.id.clone())),
            (None, Some(it)) => Some(Holder::Organisation(it.organisation.id.clone())),
            (None, None) => None,
        }
    }

    /// The organisation of that name, in which the caller has that right.
    ///
    /// Of one they do not belong to they learn nothing: not even that it is there.
    pub(crate) async fn within(
        &self,
        app: &App,
        organisation: &str,
        right: Right,
    ) -> Result<OrganisationId, Refusal> {
        let (Some(known), Access::People(people)) = (&self.known, &app.access) else {
            return Ok(app.store.organisation(organisation).await?.id);
        };
        if let Some((id, role)) = role(known, organisation)
            && role.may(right)
        {
            return Ok(id);
        }
        // What was remembered may be a second old, and refuses nobody.
        let known = people.anew(&app.store, known, app.now()).await?.ok_or_else(unknown)?;
        match role(&known, organisation) {
            Some((id, role)) if role.may(right) => Ok(id),
            Some((id, role)) => Err(self.forbidden(app, &known, &id, role, right).await?),
            None => Err(stranger(&known, organisation)),
        }
    }

    /// Are they, as far as was known within the last second, still in that organisation?
    pub(crate) async fn still_in(
        &self,
        app: &App,
        organisation: &OrganisationId,
    ) -> Result<bool, Refusal> {
        let (Some(known), Access::People(people)) = (&self.known, &app.access) else {
            return Ok(true);
        };
        let known = people.still(&app.store, known, app.now()).await?;
        let role = known.and_then(|it| it.caller.role_in(organisation));
        Ok(role.is_some_and(|it| it.may(Right::Read)))
    }

    /// Why they may not, and who may.
    async fn forbidden(
        &self,
        app: &App,
        known: &Known,
        organisation: &OrganisationId,
        role: model::Role,
        right: Right,
    ) -> Result<Refusal, Refusal> {
        let needs = right.needs();
        let may = format!("only {} may {}", article(needs), right.words());
        if known.caller.most < needs {
            let scope = Scope::ALL.into_iter().find(|it| it.role() >= needs);
            let scope = scope.map_or("admin", Scope::as_str);
            let why = format!("{may}, and this token may no more than {}", article(role));
            let hint = format!("use a token of somebody who may, with the scope `{scope}`");
            return Ok(Sort::Forbidden
                .because(format!("{}: {why}", self.name))
                .with_hint(hint)
                .into());
        }
        let members = app.store.members(organisation, &Page::first(1000)).await?.rows;
        let able =
            |it: &&model::Member| it.role >= model::Role::Owner && it.user.disabled.is_none();
        let owners = members.iter().filter(able).take(NAMED).map(|it| it.user.name.as_str());
        let owners: Vec<&str> = owners.collect();
        let hint = match &*owners {
            [] => "ask whoever runs the server".to_owned(),
            [one] => format!("ask {one}, who owns it"),
            several => format!("ask one who owns it: {}", several.join(", ")),
        };
        let why = format!("{}: {may}, and you are {}", self.name, article(role));
        Ok(Sort::Forbidden.because(why).with_hint(hint).into())
    }

    /// What they belong to.
    pub(crate) async fn memberships(&self, app: &App) -> Result<Vec<Membership>, Refusal> {
        let (Some(known), Access::People(people)) = (&self.known, &app.access) else {
            let all = app.store.organisations().await?;
            let owner =
                |it: model::Organisation| Membership { organisation: it.name, role: Role::Owner };
            return Ok(all.into_iter().map(owner).collect());
        };
        let known = people.anew(&app.store, known, app.now()).await?.ok_or_else(unknown)?;
        let word = |it: &model::Membership| Membership {
            organisation: it.organisation.name.clone(),
            role: it.role.into(),
        };
        Ok(known.caller.memberships.iter().map(word).collect())
    }

    /// The person, who decides about what is their own: `what`. A token does so only where it may
    /// all that they may.
    pub(crate) fn person(&self, what: &str) -> Result<&User, Refusal> {
        let caller = match &self.known {
            Some(known) => &known.caller,
            None => return Err(nobodys(what)),
        };
        let Some(user) = &caller.user else {
            let why = format!("{what}: an organization's token is not a person");
            return Err(Sort::Forbidden.because(why).with_hint("foretop login SERVER").into());
        };
        if caller.most < model::Role::Owner {
            let why = format!("{what}: this token may not decide about {}", user.name);
            let hint = "foretop login SERVER, or use a token with the scope `admin`";
            return Err(Sort::Forbidden.because(why).with_hint(hint).into());
        }
        Ok(user)
    }

    /// The person and the session in which they logged in: what a lost token must not be enough for.
    pub(crate) fn session(&self, what: &str) -> Result<(&User, &str), Refusal> {
        let user = self.person(what)?;
        let speaker = self.known.as_ref().map(|it| &it.caller.speaker);
        if let Some(Speaker::Session(session)) = speaker {
            return Ok((user, &session.id));
        }
        let why = format!("{what}: it takes somebody who logged in with their password");
        let hint = format!("foretop login SERVER -u {}", user.name);
        Err(Sort::Forbidden.because(why).with_hint(hint).into())
    }
}

/// Where nobody logs in, nobody has anything of the sort.
pub(crate) fn nobodys(what: &str) -> Refusal {
    let problem = Sort::Refused.because(format!("{what}: nobody needs to log in here"));
    problem.with_hint("whoever runs this owns everything in it").into()
}

/// The organisation of that name, and what they are in it.
fn role(known: &Known, organisation: &str) -> Option<(OrganisationId, model::Role)> {
    let name = store::normal_name(organisation);
    let mut all = known.caller.memberships.iter();
    all.find(|it| it.organisation.name == name).map(|it| (it.organisation.id.clone(), it.role))
}

/// Of an organisation that is not theirs they hear what they would if it were not there: nobody even
/// looks whether it is.
fn stranger(known: &Known, organisation: &str) -> Refusal {
    let mut refusal = Refusal::no_such("organization", organisation);
    let mine: Vec<&str> =
        known.caller.memberships.iter().take(20).map(|it| it.organisation.name.as_str()).collect();
    refusal.0.hint = Some(match &*mine {
        [] => "you are in none yet".to_owned(),
        mine => format!("you are in: {}", mine.join(", ")),
    });
    refusal
}

/// The gate before every path: where it is about an organisation, whoever may not what it is for goes
/// no further, whatever else they sent; nobody reads it.
pub(crate) async fn gate(
    State(app): State<App>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let params = params.map_err(|it| Refusal::malformed("path", it))?;
    let organisation = params.iter().find(|(name, _)| *name == "org").map(|(_, it)| it.to_owned());
    let (Some(organisation), Access::People(_)) = (organisation, &app.access) else {
        return Ok(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &app).await?;
    let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    caller.within(&app, &organisation, needs(&parts.method, route)).await?;
    parts.extensions.insert(caller);
    Ok(next.run(Request::from_parts(parts, body)).await)
}

fn article(role: model::Role) -> &'static str {
    match role {
        model::Role::Member => "a member",
        model::Role::Editor => "an editor",
        model::Role::Owner => "an owner",
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;

    use super::*;

    #[test]
    fn nobody_asks_from_where_they_say_alone() {
        let check = |said: &str, address: &str, expect: &str| {
            let mut request = Request::new(axum::body::Body::empty());
            request.headers_mut().insert(ORIGIN, said.parse().unwrap());
            if let Ok(address) = address.parse::<SocketAddr>() {
                request.extensions_mut().insert(ConnectInfo(address));
            }
            assert_eq!(origin(&request.into_parts().0), expect);
        };
        check("", "", "");
        check("laptop", "", "laptop");
        check("", "192.0.2.1:5", "192.0.2.1");
        check("", "127.0.0.1:5", "127.0.0.1");
        check("laptop", "127.0.0.1:5", "laptop");
        check("acme/web run 7", "192.0.2.1:5", "acme/web run 7 (192.0.2.1)");
        check("10.0.0.1", "[2001:db8::1]:5", "10.0.0.1 (2001:db8::1)");
        check(&"x".repeat(900), "", &"x".repeat(200));
    }
}
