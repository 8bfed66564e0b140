//! `cargo xtask bench`: whole processes, beside the peers that are on PATH.

pub(crate) fn bench(_: &[String]) -> anyhow::Result<()> {
    anyhow::bail!("later")
}
