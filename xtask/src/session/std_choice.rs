//! Whose standard library a target gets: rustup's where it has one and can bring it, else one from
//! source, which every machine can build. Says so on the screen, in one line.

use anyhow::Result;

use super::{Project, Session};
use crate::plan::Goal;
use crate::rust::from_source;
use crate::target::{Std, Target};
use crate::{process, report};

impl Session {
    /// The target, with its standard library from source where rustup's is not here and cannot be
    /// brought. What was built from source before is not asked for again.
    pub(super) fn choose_std(
        &self,
        project: &Project,
        toolchain: Option<&str>,
        target: &Target,
    ) -> Result<Target> {
        let known = self.known_std(project, toolchain, target)?;
        let rust = &project.rust;
        if known.std != Std::Rustup || rust.has_std(&known.triple) {
            return Ok(known);
        }
        let from_source = Target { std: Std::Source, ..known.clone() };
        let std = from_source::recipe(&self.recipes, &from_source).ok().flatten();
        let release = std.filter(|std| std.version == rust.release());
        let Some(std) = release else { return Ok(known) };
        if self.global.offline {
            // It is missed by rustup's name, unless the sources happen to be here.
            let is_here = from_source::fetch(std, &self.fetcher)?.is_ok();
            return Ok(if is_here { from_source } else { known });
        }
        match rust.require_std(&known.triple, false) {
            Ok(()) => Ok(known),
            Err(error) if process::is_interrupted() => Err(error),
            Err(_) => {
                let triple = &known.triple;
                report::note(format!(
                    "rustup cannot bring the standard library of {triple} from here (try `rustup target add \
                     {triple}`): it is built from source"
                ));
                Ok(from_source)
            }
        }
    }

    /// The same, looking only at what is here.
    pub fn known_std(
        &self,
        project: &Project,
        toolchain: Option<&str>,
        target: &Target,
    ) -> Result<Target> {
        let rust = &project.rust;
        if target.std != Std::Rustup || rust.has_std(&target.triple) {
            return Ok(target.clone());
        }
        let from_source = Target { std: Std::Source, ..target.clone() };
        let Ok(Some(std)) = from_source::recipe(&self.recipes, &from_source) else {
            return Ok(target.clone());
        };
        let plan = self.plan(toolchain, &from_source, Goal::default())?;
        let is_built = from_source::is_built(&self.store, std, rust, &plan);
        Ok(if is_built { from_source } else { target.clone() })
    }
}
