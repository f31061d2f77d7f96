//! Which toolchain serves: the named one, else the first that the store has, else the first that can
//! be fetched. Says so on the screen, in one line.

use anyhow::{Context as _, Result};

use super::Session;
use crate::plan::Plan;
use crate::recipe::Toolchain;
use crate::{links, process, report};

/// Toolchains in the order of preference. A company's own GCC toolchain, mirrored, comes before the
/// small download that is to be had everywhere.
pub const PREFERENCE: [&str; 2] = ["musl-cross", "zig"];

impl Session {
    /// The toolchains to try, in order: the named one, else the preference, else the rest.
    pub(super) fn toolchains(&self, named: Option<&str>) -> Result<Vec<&Toolchain>> {
        let known = &self.recipes.toolchains;
        match named {
            Some(name) => known.get(name).map(|toolchain| vec![toolchain]).ok_or_else(|| {
                links::unknown(format!("there is no toolchain `{name}`"), name, known.keys()).into()
            }),
            None => {
                let preferred = PREFERENCE.iter().filter_map(|name| known.get(*name));
                // To make one takes very long: that is only done for those who ask for it.
                let is_rest = |it: &&Toolchain| {
                    it.making.is_none() && !PREFERENCE.contains(&it.name.as_str())
                };
                let rest = known.values().filter(is_rest);
                Ok(preferred.chain(rest).collect())
            }
        }
    }

    /// The first toolchain that the store has, else the first that can be fetched; says which.
    pub(super) fn settle_toolchain(&self, plans: &[Plan]) -> Result<&Toolchain> {
        let (plan, why) = self.first_to_be_had(plans)?;
        let step = plan.toolchain();
        report::status("Toolchain", format!("{} {}{why}", step.name, step.version));
        self.recipes.toolchains.get(&step.name).context("a plan without its toolchain")
    }

    /// The plan that is followed, and why it is not an earlier one: in brackets, or nothing.
    fn first_to_be_had<'p>(&self, plans: &'p [Plan]) -> Result<(&'p Plan, String)> {
        let no_plan = "no toolchain serves the target";
        if let Some(plan) = plans.iter().find(|plan| self.is_here(plan.toolchain())) {
            return Ok((plan, String::new()));
        }
        let last = plans.last().context(no_plan)?;
        if self.global.offline {
            // What is here but not in the store (a local mirror, cargo's cache) is no miss; what is
            // a miss is listed with the libraries' misses, by the one plan that every machine has.
            return self.fetch_all(&self.missing(last)).map(|()| (last, String::new()));
        }
        let mut refused = Vec::new();
        for plan in plans {
            let step = plan.toolchain();
            // One that is made is to be had when its parts are.
            let is_made = step.source.is_none();
            let parts = if is_made { self.missing(plan) } else { vec![step] };
            match self.fetch_all(&parts) {
                Ok(()) if refused.is_empty() => return Ok((plan, String::new())),
                Ok(()) => return Ok((plan, format!(" ({})", refused.join("; ")))),
                Err(error) if !std::ptr::eq(plan, last) && !process::is_interrupted() => {
                    refused.push(format!("{} cannot be had: {}", step.name, in_short(&error)));
                }
                Err(error) => return Err(error),
            }
        }
        anyhow::bail!(no_plan)
    }
}

/// The reason of a failed fetch in a few words: that of the last place asked, which is an origin and
/// no mirror, without its name.
fn in_short(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    let line = text.lines().rfind(|line| line.starts_with("  ")).unwrap_or(&text).trim();
    line.split_once(": ").map_or(line, |(_, reason)| reason).to_owned()
}

#[cfg(test)]
mod tests {
    use super::in_short;

    #[test]
    fn a_refusal_is_told_without_its_address() {
        let text = "cannot fetch x 1:\n  mirror m: does not have it\n  url https://a.test/x: no such host: `a.test` (gone)";
        assert_eq!(in_short(&anyhow::anyhow!(text)), "no such host: `a.test` (gone)");
        assert_eq!(in_short(&anyhow::anyhow!("disk is full")), "disk is full");
    }
}
