//! Where the database is.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A place for the database, and whether its folder may be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Location {
    /// The file.
    pub file: PathBuf,
    /// True for the data folder that certwatch chose itself, false for a path that the user named.
    pub make_folder: bool,
}

/// The database's place: `flag` (`--db`), else `CERTWATCH_DB`, else the XDG data directory.
pub fn database(flag: Option<&Path>) -> Result<Location> {
    locate(flag, |name| env::var_os(name))
}

fn locate(flag: Option<&Path>, var: impl Fn(&str) -> Option<OsString>) -> Result<Location> {
    let path = |name: &str| var(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    if let Some(file) = flag.map(Path::to_path_buf).or_else(|| path("CERTWATCH_DB")) {
        return Ok(Location { file, make_folder: false });
    }
    // The XDG rules: a relative path there is to be ignored.
    let data = path("XDG_DATA_HOME").filter(|dir| dir.is_absolute()).or_else(|| {
        path("HOME").filter(|dir| dir.is_absolute()).map(|home| home.join(".local/share"))
    });
    match data {
        Some(dir) => Ok(Location { file: dir.join("certwatch/certwatch.db"), make_folder: true }),
        None => bail!(
            "no place for the database: neither HOME nor XDG_DATA_HOME is set; \
             name a file with --db FILE or CERTWATCH_DB"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(flag: Option<&str>, vars: &[(&str, &str)]) -> Result<Location> {
        locate(flag.map(Path::new), |name| {
            vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
        })
    }

    fn named(file: &str) -> Location {
        Location { file: file.into(), make_folder: false }
    }

    fn chosen(file: &str) -> Location {
        Location { file: file.into(), make_folder: true }
    }

    #[test]
    fn the_flag_precedes_the_variable_precedes_the_data_directory() -> Result<()> {
        let mut vars = vec![("HOME", "/h"), ("XDG_DATA_HOME", "/x"), ("CERTWATCH_DB", "v.db")];
        assert_eq!(with(Some("f.db"), &vars)?, named("f.db"));
        assert_eq!(with(None, &vars)?, named("v.db"));
        vars.pop();
        assert_eq!(with(None, &vars)?, chosen("/x/certwatch/certwatch.db"));
        vars.pop();
        assert_eq!(with(None, &vars)?, chosen("/h/.local/share/certwatch/certwatch.db"));
        Ok(())
    }

    #[test]
    fn empty_and_relative_values_do_not_count() -> Result<()> {
        let vars = [("HOME", "/h"), ("XDG_DATA_HOME", "relative"), ("CERTWATCH_DB", "")];
        assert_eq!(with(None, &vars)?, chosen("/h/.local/share/certwatch/certwatch.db"));
        Ok(())
    }

    #[test]
    fn with_nothing_set_the_options_are_named() {
        let error = with(None, &[("HOME", "")]).map(|l| l.file).map_err(|e| e.to_string());
        let text = error.expect_err("there is no place");
        assert!(text.contains("--db") && text.contains("CERTWATCH_DB"), "{text}");
    }
}
