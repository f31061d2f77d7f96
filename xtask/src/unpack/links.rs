//! Where symbolic links lead, judged with all entries known and before any link is made.
//!
//! A target that looks harmless part by part can leave the folder through another link (`a -> ..`,
//! then `b -> a/..`), so each one is followed through the model as the kernel would. Never asks the
//! disk.

use std::collections::VecDeque;

use anyhow::{Result, bail};

/// Links followed for one: the kernel's own limit.
const HOPS: usize = 40;

/// Follows a link from `path` to `target` and refuses it if any step leaves `confine`.
/// `target_of` tells the target of a path that is a link itself.
pub(super) fn follow<'a>(
    path: &str,
    target: &'a str,
    confine: &str,
    target_of: impl Fn(&str) -> Option<&'a str>,
) -> Result<()> {
    let floor = confine.split('/').filter(|part| !part.is_empty()).count();
    let mut place: Vec<&str> = path.split('/').collect();
    place.pop();
    let mut ahead: VecDeque<&str> = target.split('/').collect();
    let mut hops = 0;
    while let Some(part) = ahead.pop_front() {
        match part {
            "" | "." => {}
            ".." if place.len() <= floor => {
                bail!("a link that leads out of the folder, `{target}`")
            }
            ".." => drop(place.pop()),
            part => {
                place.push(part);
                if let Some(next) = target_of(&place.join("/")) {
                    hops += 1;
                    if hops > HOPS {
                        bail!("links that lead in a circle, `{target}`");
                    }
                    place.pop();
                    for part in next.split('/').rev() {
                        ahead.push_front(part);
                    }
                }
            }
        }
    }
    Ok(())
}
