//! Carrying an almanac from one machine to another, and trusting it there.

use std::path::{Path, PathBuf};

use almanac::{Almanac, SecretKey, Standing, Trust, Writer};
use clap::ValueHint;
use indicatif::HumanBytes;

use super::Trusted;
use crate::Context;
use crate::failure::Failure;
use crate::messages::count;

#[derive(clap::Args)]
pub(super) struct Export {
    /// The file to write
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Import {
    /// The file to read
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    #[command(flatten)]
    trusted: Trusted,
}

#[derive(clap::Args)]
pub(super) struct Verify {
    /// The public key whose signature it should have: a key, or a file with one
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
}

#[derive(clap::Args)]
pub(super) struct Keygen {
    /// Where the secret key goes; the public one goes beside it, to FILE.pub
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Sign {
    /// The secret key, as `keygen` or `minisign -G -W` wrote it
    #[arg(long = "key", value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
}

impl Export {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        almanac::export(directory, &self.file)?;
        let size = fs_err::metadata(&self.file)?.len();
        context.messages.done(&format!(
            "Almanac written to {} ({})",
            self.file.display(),
            HumanBytes(size)
        ));
        Ok(())
    }
}

impl Import {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let installed = self
            .trusted
            .with(context, |trust| Ok(almanac::import(&self.file, directory, trust)?))?;
        context.messages.done(&format!("Almanac {} is in use", installed.digest.short()));
        tell_trust(&installed.standing, context);
        Ok(())
    }
}

pub(super) fn tell_trust(standing: &Standing, context: &Context) {
    match standing {
        Standing::Signed { key } => context.messages.done(&format!("Signed by key {key}")),
        Standing::Unchecked => {
            context.messages.warn("Nobody answers for it: it was accepted unsigned");
        }
        Standing::Local => {}
    }
}

impl Verify {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let almanac = Almanac::open(directory)?;
        let keys = Trusted { keys: self.keys, unsigned: false };
        let asked = !keys.keys.is_empty();
        let keys = keys.keys(context)?;
        let mut wrong: Vec<String> =
            almanac.verify(&keys).iter().map(ToString::to_string).collect();
        if asked {
            let signature = almanac.signature();
            wrong.extend(
                Trust::Signed(&keys)
                    .check(almanac.written(), signature)
                    .err()
                    .map(|it| it.to_string()),
            );
        }
        wrong.dedup();
        if let Some(first) = wrong.first() {
            for it in &wrong {
                context.messages.warn(it);
            }
            return Err(Failure::error(
                format!("almanac {}: {first}", directory.display()),
                "`foretop almanac build --anew`, `update`, `pull` or `import` makes a good one",
            ));
        }
        let manifest = almanac.manifest();
        let sheets = count(manifest.sheets.len() as u64, "sheet", "sheets");
        context
            .messages
            .done(&format!("{sheets}, {}: all as they should be", HumanBytes(manifest.size())));
        tell_trust(almanac.standing(), context);
        Ok(())
    }
}

impl Keygen {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        let public = PathBuf::from(format!("{}.pub", self.file.display()));
        for file in [&self.file, &public] {
            if file.exists() {
                return Err(Failure::error(
                    format!("cannot write {}: it is there already", file.display()),
                    "name another file; a key that is gone cannot be had again",
                ));
            }
        }
        let key = SecretKey::generate()?;
        let refuse = |why: std::io::Error| {
            Failure::error(why.to_string(), "name a file in a directory that can be written to")
        };
        write_secret(&self.file, &key.to_file()).map_err(refuse)?;
        fs_err::write(&public, key.public().to_file()).map_err(refuse)?;
        context.messages.done(&format!(
            "Secret key written to {}: whoever can read it can sign",
            self.file.display()
        ));
        context.messages.done(&format!(
            "Public key {} written to {}",
            key.public().id(),
            public.display()
        ));
        Ok(())
    }
}

fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs_err::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    fs_err::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

impl Sign {
    pub(super) fn run(self, directory: &Path, context: &Context) -> anyhow::Result<()> {
        let key = fs_err::read_to_string(&self.file).map_err(|why| {
            let says = match why.kind() {
                std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
                kind => kind.to_string(),
            };
            Failure::error(
                format!("cannot read the key {}: {says}", self.file.display()),
                "`foretop almanac keygen` makes a pair; --key names the secret one",
            )
        })?;
        let key = SecretKey::parse(&key)?;
        let writer = Writer::lock(directory)?;
        let almanac = Almanac::open(directory)?;
        let comment =
            format!("almanac {} made {}", almanac.digest().short(), almanac.manifest().created);
        let signature = key.sign(almanac.written(), &comment);
        let installed =
            writer.install(almanac.written(), Some(&signature), Trust::Signed(&[key.public()]))?;
        context.messages.done(&format!("Almanac {} signed", installed.digest.short()));
        tell_trust(&installed.standing, context);
        Ok(())
    }
}
