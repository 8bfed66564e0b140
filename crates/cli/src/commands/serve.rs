//! `foretop serve`: answer over HTTP, and do what is to be done meanwhile.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueHint;
use server::{Access, Bound, Limits, Listening, Network, People};

use super::{Outcome, Verb};
use crate::Context;
use crate::demo::{self, Place};
use crate::failure::Failure;
use crate::house::{House, told_to_end};

/// Answer over HTTP: the dashboard, the API, and the workers behind them
#[derive(clap::Parser)]
#[command(name = "serve")]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes any that is free [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Certificates in PEM, for HTTPS
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    tls_certificate: Option<PathBuf>,
    /// Their key
    #[arg(long, value_name = "FILE", requires = "tls_certificate", value_hint = ValueHint::FilePath)]
    tls_key: Option<PathBuf>,
    /// The organization that is made on the first start
    #[arg(long, value_name = "ORGANIZATION", default_value = "main")]
    organization: String,
    /// Requests a second that each caller may make, ten times as many at once; 0 is any number
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    rate_limit: u32,
    /// A proxy before this server, whose word about where a request comes from is taken
    /// (`X-Forwarded-For`, `Forwarded`): an address or a network; repeatable
    #[arg(long, value_name = "CIDR")]
    trusted_proxy: Vec<Network>,
    /// Show everything on a week of a made-up team, without a network: images are built here and read as
    /// any others, and what is said of them is true
    #[arg(long, conflicts_with_all = [
        "database", "key_file", "almanac", "refresh", "refresh_every", "organization", "public_url",
        "tls_certificate", "tls_key", "trusted_proxy",
    ])]
    demo: bool,
    /// Where the demo is kept, instead of in a directory that goes with it; empty, or of a demo
    #[arg(long, value_name = "DIRECTORY", requires = "demo", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    house: House,
}

/// Files that are open beside connections: the database, almanacs, images that are read.
const FILES: u64 = 256;
/// Most connections at once.
const MOST: u64 = 4_096;

impl Verb for Serve {
    fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        let serving = async {
            if self.demo { self.serve_demo(context).await } else { self.serve(context).await }
        };
        crate::runtime()?.block_on(serving)?;
        Ok(Outcome::Done)
    }
}

impl Serve {
    async fn serve(self, context: &Context) -> anyhow::Result<()> {
        // Two providers are linked, so somebody has to say which.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listening = Listening {
            address: self.address(context)?,
            tls: self.tls_certificate.clone().zip(self.tls_key.clone()),
            workers: self.house.workers(),
        };
        let proxies = self.proxies(context)?;
        let public = self.house.public_url(context)?;
        // The port first: who cannot have it shall not wait for a database.
        let bound = Self::bound(&listening).await?;
        let bound = bound.with_room_for(connections()).behind(proxies.clone());
        let secure =
            bound.is_secure() || public.as_deref().is_some_and(|it| it.starts_with("https://"));
        let scheme = if bound.is_secure() { "https" } else { "http" };
        let root = public.unwrap_or_else(|| format!("{scheme}://{}", bound.address()));
        let app = self.house.open(context, Access::People(People::new(secure))).await?;
        let link = server::first_start(&app, &root, &self.organization).await?;
        let rate = (self.rate_limit > 0).then_some(self.rate_limit);
        let limits = Limits { rate, proxies, ..Limits::default() };
        let router = server::front(app.clone(), limits);
        context.messages.done(&format!("Listening on {root}"));
        if let Some(link) = link {
            let owned = &self.organization;
            context.messages.inform(&format!(
                "Nobody is here yet. Whoever opens this link first, within a week, owns {owned}:"
            ));
            context.messages.report(&format!("{link}\n"))?;
        }
        let _fresh = self.house.refreshed(context, &app)?;
        tell_service_manager(context);
        Ok(bound.serve(app, router, told_to_end()).await?)
    }

    /// Serves a demo, to this machine alone.
    async fn serve_demo(self, context: &Context) -> anyhow::Result<()> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = self.address(context)?;
        if !address.ip().is_loopback() {
            let hint = "its one link lets in whoever opens it: listen on 127.0.0.1 or [::1]";
            let why = format!("--demo is for this machine alone, and {address} is for others, too");
            return Err(Failure::error(why, hint));
        }
        // Heard from here on: whoever ends it leaves nothing behind.
        let mut end = tokio::spawn(told_to_end());
        let place = Place::made(self.data_dir.as_deref())?;
        let house = self.house.of_a_demo(&place);
        let bound =
            Self::bound(&Listening { address, tls: None, workers: house.workers() }).await?;
        let bound = bound.with_room_for(connections());
        let root = format!("http://{}", bound.address());
        let app = house.open(context, Access::People(People::new(false))).await?;
        context.messages.begin("Building images, and telling a week of them");
        tokio::select! {
            told = place.tell(app.store()) => told?,
            _ = &mut end => {
                app.store().close().await;
                return Ok(());
            }
        }
        let invited = server::first_start(&app, &root, demo::ORGANISATION).await?;
        let invited = invited.as_deref().and_then(|it| it.rsplit('/').next());
        let link = server::demo_link(&app, &root, invited, demo::NAME).await;
        let link =
            link.map_err(|why| anyhow::anyhow!("cannot let anybody into the demo: {why}"))?;
        let rate = (self.rate_limit > 0).then_some(self.rate_limit);
        let router = server::front(app.clone(), Limits { rate, ..Limits::default() });
        context.messages.done(&format!("Listening on {root}"));
        context.messages.inform("Open this link in a browser; Ctrl-C ends the demo:");
        context.messages.report(&format!("{link}\n"))?;
        tell_service_manager(context);
        let end = async move {
            let _ = end.await;
        };
        Ok(bound.serve(app, router, end).await?)
    }

    /// Takes the port.
    async fn bound(listening: &Listening) -> anyhow::Result<Bound> {
        Bound::to(listening).await.map_err(|error| {
            let hint = match &error {
                server::Error::Certificates(unfit) => unfit.hint(),
                _ => "--listen 127.0.0.1:0 takes any port that is free",
            };
            Failure::error(error.to_string(), hint)
        })
    }

    /// Proxies whose word is taken.
    fn proxies(&self, context: &Context) -> anyhow::Result<Vec<Network>> {
        if !self.trusted_proxy.is_empty() {
            return Ok(self.trusted_proxy.clone());
        }
        let said = context.environment.trusted_proxy()?.unwrap_or_default();
        let all = said.split(',').map(str::trim).filter(|it| !it.is_empty()).map(|it| {
            it.parse().map_err(|why| {
                let hint = "write addresses or networks, with commas between: 10.0.0.0/8,fd00::/8";
                Failure::error(format!("FORETOP_TRUSTED_PROXY: {it}: {why}"), hint)
            })
        });
        all.collect()
    }

    fn address(&self, context: &Context) -> anyhow::Result<SocketAddr> {
        /// Nobody else's machine reaches it unless somebody says so.
        const USUAL: SocketAddr =
            SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
        if let Some(address) = self.listen {
            return Ok(address);
        }
        let Some(text) = context.environment.listen()? else { return Ok(USUAL) };
        text.parse().map_err(|_| {
            let hint = "write it as 127.0.0.1:8080, or 0.0.0.0:8080 for everybody";
            Failure::error(format!("FORETOP_LISTEN: `{text}` is no address with a port"), hint)
        })
    }
}

/// A service manager starts what waits for us once it has heard that we are ready; whoever connects
/// from now on is answered. One that cannot be told waits as long as it likes.
#[cfg(unix)]
fn tell_service_manager(context: &Context) {
    use std::os::unix::net::UnixDatagram;

    let Some(name) = context.environment.notify_socket() else { return };
    let told = crate::plugin::socket::address(&name)
        .and_then(|it| UnixDatagram::unbound()?.send_to_addr(b"READY=1", &it));
    if let Err(error) = told {
        let what = format!("cannot tell the service manager at {name}: {error}");
        context.messages.warn(&what);
    }
}

/// There is none.
#[cfg(not(unix))]
fn tell_service_manager(_: &Context) {}

/// As many as there may be open files, but for those that we need ourselves: whoever opens
/// connections and says nothing must not keep us from our database.
fn connections() -> usize {
    let files = open_files();
    let most = files.saturating_sub(FILES).max(files / 2).min(MOST);
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// How many files may be open, raised as far as the system lets us.
#[cfg(unix)]
fn open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = MOST.saturating_mul(2);
    let Some(current) = limit.current.filter(|it| *it < wanted) else { return wanted };
    let raised = limit.maximum.map_or(wanted, |it| it.min(wanted));
    let new = Rlimit { current: Some(raised), maximum: limit.maximum };
    setrlimit(Resource::Nofile, new).map_or(current, |()| raised)
}

#[cfg(not(unix))]
fn open_files() -> u64 {
    MOST.saturating_mul(2)
}
