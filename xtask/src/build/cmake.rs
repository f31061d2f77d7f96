//! The builder for libraries that have only CMake. It writes makefiles, not ninja's files: ninja takes
//! no part in a jobserver that is a pipe.

use std::fs;

use anyhow::{Context as _, Result};

use super::bench::{Bench, Sharing};
use super::configure::{make_command, take_installed};
use crate::recipe::Cmake;
use crate::toolchain::cmake::{FILE, step_file};

/// What a recipe never repeats. Assertions are off, and the flags are those of all libraries.
const VARIABLES: [(&str, &str); 13] = [
    ("BUILD_SHARED_LIBS", "OFF"),
    ("CMAKE_BUILD_TYPE", "Release"),
    ("CMAKE_CXX_FLAGS_RELEASE", "-DNDEBUG"),
    ("CMAKE_C_FLAGS_RELEASE", "-DNDEBUG"),
    ("CMAKE_EXPORT_NO_PACKAGE_REGISTRY", "ON"),
    ("CMAKE_FIND_USE_PACKAGE_REGISTRY", "OFF"),
    ("CMAKE_FIND_USE_SYSTEM_PACKAGE_REGISTRY", "OFF"),
    ("CMAKE_INSTALL_LIBDIR", "lib"),
    ("CMAKE_INSTALL_PREFIX", "/usr"),
    ("CMAKE_POSITION_INDEPENDENT_CODE", "ON"),
    ("CMAKE_SKIP_RPATH", "ON"),
    // A build that would fetch something fails with a message of its own.
    ("FETCHCONTENT_FULLY_DISCONNECTED", "ON"),
    ("CMAKE_COLOR_DIAGNOSTICS", "OFF"),
];

/// Configures, makes, and installs below `install/usr`, whose content becomes `install`.
pub fn build(bench: &Bench<'_>, recipe: &Cmake) -> Result<()> {
    let folders = &bench.folders;
    let file = folders.programs.join(FILE);
    let dependencies = bench.seen(&folders.dependencies);
    fs::write(&file, step_file(bench.target, &dependencies)).context("cannot write for CMake")?;
    let [source, objects] = [&folders.source, &folders.objects].map(|folder| bench.seen(folder));
    let mut configure = bench.command("cmake");
    configure.args(["-G", "Unix Makefiles", "-S"]);
    configure.arg(recipe.folder.as_ref().map_or(source.clone(), |folder| source.join(folder)));
    configure.arg("-B").arg(&objects);
    configure.arg(format!("-DCMAKE_TOOLCHAIN_FILE={}", bench.seen(&file).display()));
    configure.args(VARIABLES.map(|(name, value)| format!("-D{name}={value}")));
    configure.args(recipe.options.iter().map(|(name, value)| format!("-D{name}={value}")));
    bench.run(&configure, Sharing::Alone)?;
    let mut make = make_command(bench);
    make.current_dir(&objects).args(&recipe.targets);
    bench.run(&make, Sharing::Jobserver)?;
    let mut install = bench.command("cmake");
    install.env("DESTDIR", bench.seen(&folders.staging)).arg("--install").arg(&objects);
    bench.run(&install, Sharing::Alone)?;
    take_installed(bench)
}
