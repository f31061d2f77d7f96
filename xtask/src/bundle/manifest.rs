//! What a bundle says of itself: its first member.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// The first member's name.
pub const NAME: &str = "muslin-bundle.json";

/// Bump when a bundle is made in another way.
pub const FORMAT: u32 = 1;

/// The first member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// What the bundle is for.
    #[serde(flatten)]
    pub facts: Facts,
    /// Every other member, in the order of the file.
    pub members: Vec<Member>,
}

/// What a bundle is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Facts {
    /// Muslin's version.
    pub muslin: String,
    /// What `rustc -vV` says.
    pub rust: String,
    /// The package.
    pub package: String,
    /// Its version.
    pub package_version: String,
    /// Its plan for each target.
    pub plans: Vec<Planned>,
}

/// A plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// The target's triple.
    pub target: String,
    /// Its steps.
    pub steps: Vec<PlannedStep>,
}

/// A step of a plan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

/// A member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Its path in the tar.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// Its hash.
    pub sha256: String,
    /// Whether it may be run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

impl Planned {
    /// That of a plan, and of the standard library if that is built from source.
    pub fn of(plan: &Plan, std: Option<PlannedStep>) -> Self {
        let step = |step: &crate::plan::Step| PlannedStep {
            name: step.name.clone(),
            version: step.version.clone(),
            fingerprint: step.fingerprint.clone(),
        };
        let steps = plan.steps.iter().map(step).chain(std).collect();
        Self { target: plan.target.triple.clone(), steps }
    }
}
