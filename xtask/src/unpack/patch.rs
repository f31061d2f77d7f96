//! Patches.
pub fn apply_patch(_: &std::path::Path, _: &str, _: &str) -> anyhow::Result<()> {
    anyhow::bail!("patches not merged yet")
}
