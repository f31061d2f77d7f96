//! Where programs come from, as an in-toto statement with SLSA's provenance 1.0:
//! <https://slsa.dev/spec/v1.0/provenance>. It has no time and no number of a run, so the same build
//! writes the same bytes.

use serde_json::{Value, json};

use super::{Bill, Role};
use crate::check::provenance::{PREDICATE, STATEMENT};

/// How a build is described below: bump the number when that changes its meaning.
const BUILD_TYPE: &str = "urn:muslin:dist:1";

/// Who built. That it was on a machine that is to be trusted is for a signature to say.
const BUILDER: &str = "urn:muslin:xtask";

/// Fields of the manifest that whoever builds has chosen.
const CHOSEN: [&str; 5] = ["package", "target", "target_cpu", "profile", "features"];

/// Fields of the manifest that follow from that and from the machine.
const FOLLOWS: [&str; 6] = ["sandbox", "host", "sysroot", "driver", "toolchain", "std"];

impl Bill {
    /// The statement about files, by name and SHA-256, that were made as the manifest says.
    pub fn provenance(&self, manifest: &Value, files: &[(String, String)]) -> Value {
        let part = |names: &[&str]| -> Value {
            let of = |name: &&str| Some(((*name).to_owned(), manifest.get(*name)?.clone()));
            names.iter().filter_map(of).collect::<serde_json::Map<_, _>>().into()
        };
        let subjects = files
            .iter()
            .map(|(name, sha256)| json!({ "name": name, "digest": { "sha256": sha256 } }));
        let mut inputs: Vec<Value> = self
            .components
            .iter()
            .filter_map(|component| {
                let sha256 = component.sha256.as_ref()?;
                let is_package = component.role == Role::Package;
                (!is_package).then(|| {
                    json!({ "name": component.label(), "uri": component.purl,
                    "digest": { "sha256": sha256 } })
                })
            })
            .collect();
        let lockfile = manifest["lockfile"].as_str().and_then(|it| it.strip_prefix("sha256:"));
        inputs.extend(lockfile.map(|sha256| {
            json!({ "name": "Cargo.lock", "uri": "file:Cargo.lock", "digest": { "sha256": sha256 } })
        }));
        json!({
            "_type": STATEMENT,
            "subject": subjects.collect::<Vec<_>>(),
            "predicateType": PREDICATE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": part(&CHOSEN),
                    "internalParameters": part(&FOLLOWS),
                    "resolvedDependencies": inputs,
                },
                "runDetails": {
                    "builder": {
                        "id": BUILDER,
                        "version": { "muslin": manifest["muslin"], "rustc": manifest["rustc"] },
                    },
                },
            },
        })
    }
}
