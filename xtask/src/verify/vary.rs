//! What two builds of the same thing may have different around them: the names, and their lists.

use std::collections::BTreeSet;

use crate::exit::{Exit, Failure};
use crate::links::unknown;

/// One thing that must make no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variation {
    /// The folder of the package and of cargo's target folder.
    BuildPath,
    /// The folder of the store.
    StorePath,
    /// The home folder.
    Home,
    /// The user's name and id.
    User,
    /// The mode mask of new files.
    Umask,
    /// The language and the letters.
    Locale,
    /// The time zone.
    TimeZone,
    /// The date.
    Date,
    /// The machine's name.
    HostName,
    /// How many CPUs there are, and jobs.
    Cpus,
    /// The order in which folders list their files.
    FileOrder,
    /// Variables that compilers and build tools read.
    Environment,
}

/// Some of them.
pub type Variations = BTreeSet<Variation>;

impl Variation {
    /// All, in the order in which they are shown.
    pub const ALL: [Self; 12] = [
        Self::BuildPath,
        Self::StorePath,
        Self::Home,
        Self::User,
        Self::Umask,
        Self::Locale,
        Self::TimeZone,
        Self::Date,
        Self::HostName,
        Self::Cpus,
        Self::FileOrder,
        Self::Environment,
    ];

    /// Its name on the command line and in JSON: an interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuildPath => "build-path",
            Self::StorePath => "store-path",
            Self::Home => "home",
            Self::User => "user",
            Self::Umask => "umask",
            Self::Locale => "locale",
            Self::TimeZone => "time-zone",
            Self::Date => "date",
            Self::HostName => "host-name",
            Self::Cpus => "cpus",
            Self::FileOrder => "file-order",
            Self::Environment => "environment",
        }
    }

    /// The same for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::BuildPath => "build path",
            Self::StorePath => "store path",
            Self::Home => "home folder",
            Self::User => "user",
            Self::Umask => "umask",
            Self::Locale => "locale",
            Self::TimeZone => "time zone",
            Self::Date => "date",
            Self::HostName => "host name",
            Self::Cpus => "number of CPUs",
            Self::FileOrder => "order of files in folders",
            Self::Environment => "environment variables",
        }
    }
}

/// Reads `--vary`: names, `all` or `none`; all if nothing is named.
pub fn parse(list: &[String]) -> Result<Variations, Failure> {
    let mut wanted = Variations::new();
    if list.is_empty() {
        return Ok(Variation::ALL.into());
    }
    for name in list.iter().map(|name| name.trim()) {
        match name {
            "all" => wanted.extend(Variation::ALL),
            "none" if list.len() == 1 => {}
            "none" => {
                let message = "`--vary none` stands alone".to_owned();
                return Err(Failure::new(Exit::Usage, message));
            }
            name => match Variation::ALL.into_iter().find(|known| known.name() == name) {
                Some(variation) => drop(wanted.insert(variation)),
                None => {
                    let names = Variation::ALL.map(|known| known.name().to_owned());
                    let known = names.into_iter().chain(["all".to_owned(), "none".to_owned()]);
                    let known: Vec<String> = known.collect();
                    let message = format!("there is no variation `{name}`");
                    return Err(unknown(message, name, known.iter()));
                }
            },
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Variations, String> {
        let list: Vec<String> = text.split(',').map(str::to_owned).collect();
        parse(&list).map_err(|failure| format!("{failure} {:?}", failure.help))
    }

    #[test]
    fn names_lists_all_and_none_are_understood() {
        assert_eq!(parse(&[]).unwrap().len(), Variation::ALL.len());
        assert_eq!(read("date,all").unwrap().len(), Variation::ALL.len());
        assert_eq!(read("none").unwrap(), Variations::new());
        assert_eq!(read("user, date").unwrap(), [Variation::User, Variation::Date].into());
        for (text, word) in [("none,user", "stands alone"), ("usr", "user"), ("", "build-path")] {
            assert!(read(text).unwrap_err().contains(word), "{text}");
        }
    }
}
