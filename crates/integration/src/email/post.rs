//! Sending a letter: one conversation with a server, and what its answers mean.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use tokio::net::TcpStream;

use super::wire::{self, Wire};
use super::{Email, Tls};
use crate::contract::{Remedy, Untold};
use crate::shared::receiver::untold;
use crate::shared::said::shown;

/// How long it may take until somebody is there, until they know for whom a letter is, until they took
/// it, which many look through first, and until a farewell is heard.
const CONNECT: Duration = Duration::from_secs(10);
const OFFER: Duration = Duration::from_secs(28);
const LETTER: Duration = Duration::from_mins(5);
const FAREWELL: Duration = Duration::from_secs(2);
/// All of it, and a little more, so that it is us who say that it is late.
pub(super) const WHOLE: Duration =
    OFFER.saturating_add(LETTER).saturating_add(FAREWELL).saturating_add(FAREWELL);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

const REFUSED: &str = "it does not take this letter, and may take others";

type Trouble = lettre::transport::smtp::Error;

/// Sends it, and says what was answered.
pub(super) async fn send(email: &Email, letter: &[u8], key: &str) -> Result<String, Untold> {
    let patience = email.settings.stall.min(OFFER);
    let offered = tokio::time::timeout(patience, begin(email, key)).await;
    let late = |_| Err(email.away("it does not answer in time", Remedy::Later(None)));
    let (mut connection, offered) = offered.unwrap_or_else(late)?;
    let outcome = match offered {
        Ok(offered) => hand_over(email, &mut connection, offered, letter, key).await,
        Err(untold) => Err(untold),
    };
    // It took the letter or it did not; what it says to a farewell, if anything, changes nothing.
    let _ = tokio::time::timeout(FAREWELL, connection.quit()).await;
    outcome
}

/// What a server said to those whom a letter is for.
struct Offered {
    /// Who has it, once it is taken.
    have: Vec<Address>,
    /// Is anybody among them who had it not?
    is_wanted: bool,
    /// Why somebody gets it later, and somebody never.
    busy: Option<Untold>,
    refused: Option<Untold>,
}

async fn begin(
    email: &Email,
    key: &str,
) -> Result<(AsyncSmtpConnection, Result<Offered, Untold>), Untold> {
    let mut connection = connected(email).await?;
    if let Some((user, password)) = &email.login {
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        let known = [Mechanism::Plain, Mechanism::Login];
        let hint = "are user and password right, and may that user send mail?";
        let let_in = connection.auth(&known, &credentials).await;
        let_in.map_err(|why| email.told("login", &why, Remedy::Close, hint))?;
    }
    let offered = offer(email, &mut connection, key).await;
    Ok((connection, offered))
}

/// Says from whom a letter is and for whom, until it is asked for.
async fn offer(
    email: &Email,
    connection: &mut AsyncSmtpConnection,
    key: &str,
) -> Result<Offered, Untold> {
    let is_ascii = |it: &Address| AsRef::<str>::as_ref(it).is_ascii();
    let mut options = Vec::new();
    if !email.to.iter().chain([&email.from.email]).all(is_ascii) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            let why = "it takes no addresses with letters beyond ASCII";
            return Err(email.away(why, Remedy::Close).with_hint("write them in ASCII"));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    let from = Mail::new(Some(email.from.email.clone()), options);
    let hint = "may mail be sent from that address there?";
    let begun = connection.command(from).await;
    begun.map_err(|why| email.told("from", &why, Remedy::Close, hint))?;
    let mut have = email.reached.by(key);
    let before = have.len();
    let (mut busy, mut refused) = (None, None);
    for to in email.to.iter().filter(|it| !have.contains(it)).cloned().collect::<Vec<_>>() {
        let Err(why) = connection.command(Rcpt::new(to.clone(), Vec::new())).await else {
            have.push(to);
            continue;
        };
        let untold = email.told("to", &why, Remedy::Close, "");
        let place = match () {
            () if why.is_permanent() => &mut refused,
            () if why.is_transient() => &mut busy,
            // Whoever cannot be understood is not told who the letter is for, either.
            () => return Err(untold),
        };
        place.get_or_insert(Untold { why: format!("{} ({to})", untold.why), ..untold });
    }
    let is_wanted = have.len() > before;
    if is_wanted {
        let ready = connection.command(Data).await;
        ready.map_err(|why| email.told("letter", &why, Remedy::Drop, REFUSED))?;
    }
    Ok(Offered { have, is_wanted, busy, refused })
}

/// Hands the letter over, and says what came of it.
async fn hand_over(
    email: &Email,
    connection: &mut AsyncSmtpConnection,
    offered: Offered,
    letter: &[u8],
    key: &str,
) -> Result<String, Untold> {
    let Offered { have, is_wanted, busy, refused } = offered;
    if is_wanted {
        // Who is left before they answer may take it all the same, and be handed it again.
        let Ok(sent) = tokio::time::timeout(LETTER, connection.message(letter)).await else {
            let why = "it does not say in time whether it takes the letter";
            return Err(email.away(why, Remedy::Later(None)));
        };
        sent.map_err(|why| email.told("letter", &why, Remedy::Drop, REFUSED))?;
    }
    let got = format!("{} of {} have it", have.len(), email.to.len());
    let also = |it: Untold| Untold { why: format!("{}; {got}", it.why), ..it };
    match (busy, refused) {
        // Who can be told was told, and the others are told later.
        (Some(busy), _) => {
            email.reached.keep(key, have);
            Err(also(busy))
        }
        // That one is not told is worth more than a line in a log.
        (None, Some(refused)) => {
            email.reached.keep(key, have);
            Err(also(refused).with_hint("leave out of `to` who is not there any more"))
        }
        (None, None) => {
            email.reached.forget(key);
            Ok(format!("{} took it for {}", email.host, have.len()))
        }
    }
}

/// A connection to where the server is and may be spoken to, with TLS as it is to be.
async fn connected(email: &Email) -> Result<AsyncSmtpConnection, Untold> {
    let found = image::addresses(&email.host, email.port, &email.outgoing).await;
    let stream = dialled(email, &found.map_err(untold)?).await?;
    let hello = ClientId::Domain("foretop".to_owned());
    let greeted = |why: Trouble| email.told("greeting", &why, Remedy::Close, "");
    if email.tls == Tls::Never {
        let wire = Box::new(Wire::new(stream));
        return AsyncSmtpConnection::connect_with_transport(wire, &hello).await.map_err(greeted);
    }
    let parameters = parameters(email)?;
    let hint = "is its certificate one that is trusted here? name a file of authorities if it is your \
                own";
    let insecure = |why: Trouble| email.told("TLS", &why, Remedy::Close, hint);
    if email.tls == Tls::AtOnce {
        let wire = wire::secured(stream, parameters).await.map_err(insecure)?;
        return AsyncSmtpConnection::connect_with_transport(wire, &hello).await.map_err(greeted);
    }
    let wire = Box::new(Wire::new(stream));
    let connecting = AsyncSmtpConnection::connect_with_transport(wire, &hello);
    let mut connection = connecting.await.map_err(greeted)?;
    if !connection.can_starttls() {
        let why = "it does not offer STARTTLS";
        let hint = "set tls to tls where TLS begins at once, on port 465";
        return Err(email.away(why, Remedy::Close).with_hint(hint));
    }
    connection.starttls(parameters, &hello).await.map_err(insecure)?;
    Ok(connection)
}

async fn dialled(email: &Email, addresses: &[SocketAddr]) -> Result<TcpStream, Untold> {
    let mut last = "nobody is there".to_owned();
    for address in addresses.iter().take(ADDRESSES) {
        match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(why)) => last = why.kind().to_string(),
            Err(_) => {}
        }
    }
    Err(email.away(&last, Remedy::Later(None)))
}

/// Whom to trust: this machine's authorities, and those that were named.
fn parameters(email: &Email) -> Result<TlsParameters, Untold> {
    let bad = |why: &str| email.away(why, Remedy::Later(None));
    let mut builder: TlsParametersBuilder = TlsParameters::builder(email.host.clone());
    for path in &email.settings.certificate_authorities {
        let shown = path.display();
        let pem = fs_err::read(path).map_err(|why| bad(&format!("{shown}: {}", why.kind())))?;
        let authority = Certificate::from_pem(&pem)
            .map_err(|_| bad(&format!("{shown}: it holds no certificate in PEM form")))?;
        builder = builder.add_root_certificate(authority);
    }
    builder.build_rustls().map_err(|why| bad(&shown(&why.to_string())))
}

impl Email {
    /// What went wrong there, and what it means where that is for good.
    fn told(&self, what: &str, why: &Trouble, for_good: Remedy, hint: &str) -> Untold {
        let remedy = match () {
            // Nothing of what we are is understood there.
            () if why.is_permanent() || why.is_client() => for_good,
            () => Remedy::Later(None),
        };
        let mut said = why.to_string();
        if let Some((user, password)) = &self.login {
            let password = password.expose();
            let both = STANDARD.encode(format!("\0{user}\0{password}"));
            for secret in [both, STANDARD.encode(password), password.to_owned()] {
                if !secret.is_empty() {
                    said = said.replace(&secret, "***");
                }
            }
        }
        let untold = self.away(&format!("{what}: {}", shown(&said)), remedy);
        if hint.is_empty() { untold } else { untold.with_hint(hint) }
    }
}
