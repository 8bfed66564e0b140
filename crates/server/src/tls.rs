//! Certificates and their key: what is wrong with them is said at the start, and renewed ones are
//! taken up while it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use axum_server::tls_rustls::RustlsConfig;
use model::Moment;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

mod validity;

use validity::validity;

/// A certificate that cannot be spoken with, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", .file.display())]
pub struct Unfit {
    file: PathBuf,
    why: String,
    hint: &'static str,
}

impl Unfit {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

/// Certificates in use, looked at again now and then.
pub(crate) struct Certificates {
    chain: PathBuf,
    key: PathBuf,
    /// What they were when they were last read, well or not.
    seen: [Mark; 2],
    config: RustlsConfig,
}

type Mark = Option<(SystemTime, u64)>;

impl Certificates {
    /// Reads them.
    pub(crate) fn open(certificates: &Path, key: &Path, now: Moment) -> Result<Self, Unfit> {
        let seen = [mark(certificates), mark(key)];
        let config = RustlsConfig::from_config(read(certificates, key, now)?);
        let (chain, key) = (certificates.to_owned(), key.to_owned());
        Ok(Self { chain, key, seen, config })
    }

    /// What connections that come speak with.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }

    /// Takes up renewed ones. Whatever is wrong with them, the former ones stay; says whether they
    /// are others now.
    pub(crate) fn look_again(&mut self, now: Moment) -> Result<bool, Unfit> {
        let seen = [mark(&self.chain), mark(&self.key)];
        if seen == self.seen {
            return Ok(false);
        }
        // Of two files one is written first: what does not fit yet is looked at again when the other
        // changes.
        self.seen = seen;
        self.config.reload_from_config(read(&self.chain, &self.key, now)?);
        Ok(true)
    }
}

fn mark(file: &Path) -> Mark {
    let there = fs_err::metadata(file).ok()?;
    Some((there.modified().ok()?, there.len()))
}

fn read(certificates: &Path, key: &Path, now: Moment) -> Result<Arc<ServerConfig>, Unfit> {
    let chain = chain(certificates, now)?;
    let signing =
        provider().key_provider.load_private_key(private_key(key)?).map_err(|_| Unfit {
            file: key.to_owned(),
            why: "it is no key that we can sign with".to_owned(),
            hint: "RSA of 2048 bits or more, ECDSA P-256 and P-384, and Ed25519 will do",
        })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        // What cannot be compared is not refused for that.
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            return Err(Unfit {
                file: key.to_owned(),
                why: format!("it is not the key of {}", certificates.display()),
                hint: "the server's own certificate comes first in its file, and those that vouch \
                       for it follow",
            });
        }
        Err(_) => return Err(unreadable(certificates)),
    }
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    let usual = || Arc::new(rustls::crypto::ring::default_provider());
    CryptoProvider::get_default().cloned().unwrap_or_else(usual)
}

fn chain(file: &Path, now: Moment) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let unfit = |why: String, hint: &'static str| Err(Unfit { file: file.to_owned(), why, hint });
    let text = bytes(file)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let Ok(chain) = chain else { return Err(unreadable(file)) };
    let Some(own) = chain.first() else {
        let key = has(&text, "PRIVATE KEY-----");
        let hint = if key {
            "it holds a key: --tls-certificate takes the certificates, and --tls-key their key"
        } else {
            "it is a file with -----BEGIN CERTIFICATE-----, the server's own first"
        };
        return unfit("there is no certificate in it".to_owned(), hint);
    };
    let Some((from, until)) = validity(own) else { return Err(unreadable(file)) };
    if until < now {
        let why = format!("the certificate expired at {until}");
        return unfit(why, "renew it; while the server runs, a renewed one is taken up by itself");
    }
    if now < from {
        let why = format!("the certificate is not good before {from}");
        return unfit(why, "is this machine's clock right?");
    }
    Ok(chain)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, Unfit> {
    let unfit =
        |why: &str, hint: &'static str| Unfit { file: file.to_owned(), why: why.to_owned(), hint };
    let text = bytes(file)?;
    if has(&text, "BEGIN ENCRYPTED PRIVATE KEY") || has(&text, "Proc-Type: 4,ENCRYPTED") {
        let hint = "openssl pkey -in KEY -out PLAIN takes the password off; keep it where only the \
                    server reads it";
        return Err(unfit("the key is encrypted, and nobody is there to type its password", hint));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        rustls::pki_types::pem::Error::NoItemsFound if has(&text, "BEGIN CERTIFICATE-----") => {
            let hint =
                "it holds certificates: --tls-certificate takes them, and --tls-key their key";
            unfit("there is no key in it", hint)
        }
        rustls::pki_types::pem::Error::NoItemsFound => {
            unfit("there is no key in it", "it is a file with -----BEGIN PRIVATE KEY-----")
        }
        _ => unreadable(file),
    })
}

fn bytes(file: &Path) -> Result<Vec<u8>, Unfit> {
    /// No certificate is so long.
    const MOST: u64 = 1 << 20;
    let failed = |why: String| Unfit {
        file: file.to_owned(),
        why,
        hint: "it has to be a file that whoever runs the server may read",
    };
    // The path is told once.
    let told = |error: std::io::Error| failed(format!("it cannot be read: {}", error.kind()));
    let there = fs_err::metadata(file).map_err(told)?;
    if !there.is_file() || there.len() > MOST {
        return Err(failed("it is no file of a certificate or a key".to_owned()));
    }
    fs_err::read(file).map_err(told)
}

fn has(text: &[u8], words: &str) -> bool {
    text.windows(words.len()).any(|it| it == words.as_bytes())
}

fn unreadable(file: &Path) -> Unfit {
    Unfit {
        file: file.to_owned(),
        why: "what it holds makes no sense".to_owned(),
        hint: "openssl x509 -in CERTIFICATE -text and openssl pkey -in KEY -check say what is wrong",
    }
}

#[cfg(test)]
mod tests;
