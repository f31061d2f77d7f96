//! Which variation is it? Builds again under parts of them and sees which files differ then.
//!
//! Pure: how to build is the caller's. With `n` variations and one culprit it takes about
//! `2 log n` builds, however many files it has changed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::vary::{Variation, Variations};

/// Why a file differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A second build as the first one differs already: time, randomness, or what ran side by side.
    Nothing,
    /// Each of these alone.
    Alone(Variations),
    /// None of these alone, all of them together.
    Together(Variations),
    /// It did not differ again.
    Unknown,
}

impl Cause {
    /// For people, after `caused by: `; or a sentence of its own.
    pub fn text(&self) -> String {
        let names = |list: &Variations, joint: &str| {
            list.iter().map(|v| v.words()).collect::<Vec<_>>().join(joint)
        };
        match self {
            Self::Nothing => {
                "differs without any variation (time, randomness, or parallelism)".to_owned()
            }
            Self::Alone(list) => format!("caused by: {}", names(list, ", ")),
            Self::Together(list) => format!("caused by: {}, only together", names(list, " + ")),
            Self::Unknown => "did not differ again when built once more: by chance".to_owned(),
        }
    }

    /// For programs.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Alone(list) | Self::Together(list) => list.iter().map(|v| v.name()).collect(),
            Self::Nothing => vec!["none"],
            Self::Unknown => Vec::new(),
        }
    }
}

/// Files by label.
type Files = BTreeSet<String>;

/// Finds the cause for each file that differed under `variations`. `differing` builds under some
/// variations and says which files are not as in the first build.
pub fn blame(
    files: &Files,
    variations: &Variations,
    differing: &mut dyn FnMut(&Variations) -> Result<Files>,
) -> Result<BTreeMap<String, Cause>> {
    let restless = &differing(&Variations::new())? & files;
    let mut causes: BTreeMap<_, _> =
        restless.iter().map(|file| (file.clone(), Cause::Nothing)).collect();
    let calm = files - &restless;
    if !calm.is_empty() {
        let list: Vec<_> = variations.iter().copied().collect();
        narrow(&calm, &list, &mut causes, differing)?;
    }
    for file in files {
        causes.entry(file.clone()).or_insert(Cause::Unknown);
    }
    Ok(causes)
}

/// `files` are known to differ under all of `list` together.
fn narrow(
    files: &Files,
    list: &[Variation],
    causes: &mut BTreeMap<String, Cause>,
    differing: &mut dyn FnMut(&Variations) -> Result<Files>,
) -> Result<()> {
    let [_, _, ..] = list else {
        for file in files {
            match causes.entry(file.clone()).or_insert_with(|| Cause::Alone(Variations::new())) {
                Cause::Alone(known) => known.extend(list),
                other => *other = Cause::Alone(list.iter().copied().collect()),
            }
        }
        return Ok(());
    };
    let (one, two) = list.split_at(list.len() / 2);
    let mut found = Files::new();
    for half in [one, two] {
        let there = &differing(&half.iter().copied().collect())? & files;
        if !there.is_empty() {
            narrow(&there, half, causes, differing)?;
        }
        found.extend(there);
    }
    together(&(files - &found), list, causes, differing)
}

/// `files` differed under all of `list`, and under neither half of it: finds the fewest that it takes,
/// unless it was chance.
fn together(
    files: &Files,
    list: &[Variation],
    causes: &mut BTreeMap<String, Cause>,
    differing: &mut dyn FnMut(&Variations) -> Result<Files>,
) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let mut needed: Variations = list.iter().copied().collect();
    let files = &differing(&needed)? & files;
    if files.is_empty() {
        return Ok(());
    }
    for variation in list {
        let mut without = needed.clone();
        without.remove(variation);
        if differing(&without)?.is_superset(&files) {
            needed = without;
        }
    }
    for file in files {
        causes.entry(file).or_insert_with(|| Cause::Together(needed.clone()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Variation::{BuildPath, Cpus, Date, User};

    /// What changes a file.
    type Rule = fn(&Variations, usize) -> bool;

    /// Blames by rules instead of builds; also returns how many builds there were.
    fn by_rules(rules: &[(&str, Rule)]) -> (BTreeMap<String, Cause>, usize) {
        let mut builds = 0;
        let files = rules.iter().map(|(name, _)| (*name).to_owned()).collect();
        let all = Variation::ALL.into();
        let mut differing = |variations: &Variations| {
            builds += 1;
            let hit = rules.iter().filter(|(_, rule)| rule(variations, builds));
            Ok(hit.map(|(name, _)| (*name).to_owned()).collect())
        };
        let causes = blame(&files, &all, &mut differing).unwrap();
        (causes, builds)
    }

    #[test]
    fn one_culprit_is_found_in_few_builds() {
        for culprit in Variation::ALL {
            let mut builds = 0;
            let mut differing = |variations: &Variations| {
                builds += 1;
                let is_hit = variations.contains(&culprit);
                Ok(is_hit.then(|| "file".to_owned()).into_iter().collect())
            };
            let files = ["file".to_owned()].into();
            let causes = blame(&files, &Variation::ALL.into(), &mut differing).unwrap();
            assert_eq!(causes["file"], Cause::Alone([culprit].into()));
            assert!(builds <= 9, "{builds}");
        }
    }

    #[test]
    fn each_file_gets_its_own_causes() {
        let (causes, _) = by_rules(&[
            ("path", |v, _| v.contains(&BuildPath)),
            ("either", |v, _| v.contains(&Date) || v.contains(&Cpus)),
            ("both", |v, _| v.contains(&BuildPath) && v.contains(&User)),
            ("restless", |_, _| true),
            ("never again", |_, _| false),
        ]);
        assert_eq!(causes["path"], Cause::Alone([BuildPath].into()));
        assert_eq!(causes["either"], Cause::Alone([Date, Cpus].into()));
        assert_eq!(causes["restless"], Cause::Nothing);
        assert_eq!(causes["never again"], Cause::Unknown);
        assert_eq!(causes["either"].text(), "caused by: date, number of CPUs");
        let Cause::Together(list) = &causes["both"] else { panic!("{causes:?}") };
        assert_eq!(*list, [BuildPath, User].into());
        assert_eq!(causes["both"].text(), "caused by: build path + user, only together");
    }

    #[test]
    fn what_differs_anyway_costs_one_more_build() {
        let (causes, builds) = by_rules(&[("restless", |_, _| true)]);
        assert_eq!((causes["restless"].clone(), builds), (Cause::Nothing, 1));
        assert_eq!(causes["restless"].names(), ["none"]);
    }
}
