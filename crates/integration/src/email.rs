//! email: mail, through whatever SMTP server takes it.
//!
//! <https://www.rfc-editor.org/rfc/rfc5321>

mod letter;
mod post;
mod reached;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use image::{Error, Outgoing};
use lettre::Address;
use lettre::message::Mailbox;
use model::Secret;

use crate::contract::{
    Check, Kind, Message, Notifier, Notifies, Remedy, Role, Setting, SettingKind, Settings, Untold,
    Ways,
};
use crate::shared::fit::bare;
use crate::shared::receiver::reachable;
use crate::shared::said::shown;
use crate::shared::settings;
use crate::shared::template::{Dress, Template};
use reached::Reached;

pub(crate) const KIND: Kind = Kind {
    id: "email",
    also: &["smtp", "mail"],
    title: "E-mail",
    role: Role::Notifier,
    about: "https://www.rfc-editor.org/rfc/rfc5321",
    settings: &[
        Setting {
            key: "host",
            label: "SMTP server",
            required: true,
            help: "the host that takes mail",
            example: "smtp.example",
            ..Setting::NONE
        },
        Setting {
            key: "port",
            label: "Port",
            kind: SettingKind::Port,
            help: "its port; without one, that of how it is spoken to: 587, 465 or 25",
            example: "587",
            ..Setting::NONE
        },
        Setting {
            key: "tls",
            label: "TLS",
            kind: SettingKind::Choice(&["starttls", "tls", "none"]),
            default: Some("starttls"),
            help: "whether TLS begins when it was agreed upon, at once, or never",
            example: "starttls",
            ..Setting::NONE
        },
        Setting {
            help: "whom the server knows us as; without one, nobody logs in",
            ..settings::USER
        },
        Setting {
            label: "Password",
            help: "the password of that user",
            example: "a password",
            ..settings::PASSWORD
        },
        Setting {
            key: "from",
            label: "From",
            required: true,
            help: "whom the mail is from",
            example: "Foretop <foretop@acme.example>",
            ..Setting::NONE
        },
        Setting {
            key: "to",
            also: &["recipients"],
            label: "To",
            kind: SettingKind::Words,
            required: true,
            help: "whom it is for, with commas between them",
            example: "security@acme.example,ada@acme.example",
            ..Setting::NONE
        },
        settings::TEMPLATE,
    ],
    has_projects: false,
    webhook_secret: None,
    secret_in_address: None,
    templates: &[],
    leftovers: &[],
    connect: |settings, ways| Ok(Box::new(Notifies(connected(settings, ways)?))),
};

/// Recipients of one message.
const MOST: usize = 100;

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tls {
    Agreed,
    AtOnce,
    Never,
}

struct Email {
    host: String,
    port: u16,
    tls: Tls,
    login: Option<(String, Secret)>,
    from: Mailbox,
    to: Vec<Address>,
    template: Option<Template>,
    reached: Reached,
    outgoing: Arc<Outgoing>,
    settings: Arc<image::Settings>,
}

fn connected(settings: &Settings, ways: &Ways) -> Result<Email, Error> {
    let host = settings.text("host").unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let bare_host = host.trim_start_matches('[').trim_end_matches(']');
    let is_host = |it: char| it.is_ascii_alphanumeric() || "-._:".contains(it);
    if bare_host.is_empty() || bare_host.len() > 253 || !bare_host.chars().all(is_host) {
        return Err(Error::invalid("host", format!("`{}` is no host", shown(&host)))
            .with_hint("name it alone, such as smtp.example; `port` says its port"));
    }
    let tls = match settings.text("tls") {
        Some("tls") => Tls::AtOnce,
        Some("none") => Tls::Never,
        _ => Tls::Agreed,
    };
    let usual = match tls {
        Tls::Agreed => 587,
        Tls::AtOnce => 465,
        Tls::Never => 25,
    };
    let port = settings.text("port").and_then(|it| it.parse().ok()).unwrap_or(usual);
    if port == 0 {
        return Err(Error::invalid("port", "0 is no port of a server"));
    }
    let login = match (settings.text("user"), settings.secret("password")) {
        (Some(user), Some(password)) => Some((user.to_owned(), password.clone())),
        (None, None) => None,
        _ => {
            return Err(Error::invalid("user", "user and password belong together")
                .with_hint("tell both, or neither"));
        }
    };
    if login.is_some() && tls == Tls::Never && !is_here(bare_host) {
        return Err(Error::invalid("tls", "the password would be sent for everybody to read")
            .with_hint("set tls to starttls or to tls"));
    }
    let from = settings.text("from").unwrap_or_default();
    let from: Mailbox = from.parse().map_err(|_| {
        Error::invalid("from", format!("`{}` is no address", shown(from)))
            .with_hint("write it like this: Foretop <foretop@acme.example>")
    })?;
    let to = settings.all("to").iter().map(|it| {
        it.parse::<Address>().map_err(|_| {
            Error::invalid("to", format!("`{}` is no address", shown(it)))
                .with_hint("write them like this: security@acme.example,ada@acme.example")
        })
    });
    let to = to.collect::<Result<Vec<_>, Error>>()?;
    if to.len() > MOST {
        return Err(Error::invalid("to", format!("these are more than {MOST}"))
            .with_hint("make a list of them at the mail server"));
    }
    let outgoing = ways.outgoing();
    outgoing.judge_name(bare_host).map_err(|it| it.error())?;
    Ok(Email {
        host: bare_host.to_owned(),
        port,
        tls,
        login,
        from,
        to,
        template: Template::of(settings, Dress::Text(bare))?,
        reached: Reached::default(),
        outgoing,
        settings: Arc::clone(&ways.settings),
    })
}

/// Is it this machine itself?
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

#[async_trait]
impl Notifier for Email {
    fn receiver(&self) -> &str {
        &self.host
    }

    fn patience(&self) -> Duration {
        post::WHOLE
    }

    async fn say(&self, message: &Message, key: &str) -> Result<String, Untold> {
        let letter = letter::write(self, message, key);
        let letter = letter.map_err(|why| self.away(&why, Remedy::Drop))?;
        post::send(self, &letter, key).await
    }

    async fn checks(&self) -> Vec<Check> {
        const PRIVATE: &str = "mail is sent through TLS";
        let found = image::addresses(&self.host, self.port, &self.outgoing).await;
        let mut checks = vec![reachable(&self.host, found)];
        checks.push(match self.tls {
            Tls::Never => {
                let why = "it is not: whoever is on the way can read it";
                Check::warned(PRIVATE, why, "set tls to starttls or to tls")
            }
            Tls::Agreed => Check::ok(PRIVATE, "by STARTTLS, and not at all without it"),
            Tls::AtOnce => Check::ok(PRIVATE, "from the beginning"),
        });
        checks
    }
}

impl Email {
    fn away(&self, why: &str, remedy: Remedy) -> Untold {
        Untold::new(format!("{}: {why}", self.host), remedy)
    }
}
