//! All fields of recipes, by their Rust names.

use xtask::recipe::{
    Cmake, Compile, Configure, Content, Driver, Group, HostBuild, Library, MadeFile, Making,
    Outputs, Part, PkgConfig, Prebuilt, Product, Recipes, RustStd, Source, Tool, Toolchain,
};
use xtask::target::{Emulator, Machine, Target};

/// Never run: a new field does not compile here until somebody has thought of `FILES` in `files.rs`.
#[allow(dead_code, reason = "the compiler reads it")]
fn every_field_is_known(recipes: &Recipes) {
    let Recipes { libraries, toolchains, tools, targets, rust_std } = recipes;
    for library in libraries.values() {
        let Library {
            name: _,
            description: _,
            version: _,
            license: _,
            license_files: _,
            links: _,
            ..
        } = library;
        let Library {
            crates: _,
            versions: _,
            bundled: _,
            always_bundled: _,
            env_overruling: _,
            ..
        } = library;
        let Library { dependencies: _, tools: _, sources, patches: _, .. } = library;
        let Library { language: _, build: _, outputs, env: _, overrides: _, .. } = library;
        let Outputs { libs: _, aliases: _, objects: _, include: _, pkgconfig: _ } = outputs;
        sources
            .iter()
            .for_each(|Source { origin: _, digest: _, root: _, omit: _, target: _, inner: _ }| {});
    }
    let _ = |compile: Compile| {
        let Compile {
            sources: _,
            include: _,
            defines: _,
            flags: _,
            groups,
            files,
            headers: _,
            pkgconfig,
        } = compile;
        let Group { lib: _, targets: _, sources: _, include: _, defines: _, flags: _ } = &groups[0];
        for MadeFile { content, replace: _ } in files.values() {
            let (Content::Text(_) | Content::From { path: _, values: _ }) = content;
        }
        for said in pkgconfig.values() {
            let PkgConfig { version: _, libs: _, cflags: _, requires: _, .. } = said;
            let PkgConfig { requires_private: _, libs_private: _, .. } = said;
        }
    };
    let _ = |Configure {
                 script: _,
                 options: _,
                 target_options: _,
                 make: _,
                 install: _,
                 flags: _,
                 cache: _,
                 host_programs: _,
                 host: _,
             }: Configure| {};
    let _ = |HostBuild { options: _, make: _, programs: _ }: HostBuild| {};
    let _ = |Making { with: _, libraries: _, tools: _, parts: _ }: Making| {};
    let _ = |part: Part| {
        let Part { stage: _, version: _, license_files: _, sources: _, patches: _, .. } = part;
        let Part { options: _, headers: _, make: _, install: _, .. } = part;
    };
    let _ = |Cmake { folder: _, options: _, targets: _ }: Cmake| {};
    for tool in tools.values() {
        let Tool {
            name: _,
            description: _,
            version: _,
            license: _,
            license_files: _,
            sources: _,
            ..
        } = tool;
        let Tool { patches: _, compile: _, copy: _, files: _, digests: _, product, .. } = tool;
        match product {
            Product::Program { path: _, aliases: _ }
            | Product::Runtime { lib: _, objects: _ }
            | Product::Loader { path: _ } => {}
            Product::Prebuilt(program) => {
                let _ = program.as_ref().map(|Prebuilt { program: _, loader: _ }| {});
            }
        }
    }
    for toolchain in toolchains.values() {
        let Toolchain {
            name: _,
            description: _,
            version: _,
            license: _,
            license_files: _,
            sources: _,
            driver,
            making: _,
        } = toolchain;
        match driver {
            Driver::Gcc { prefix: _ }
            | Driver::Zig { program: _, include: _, include_cxx: _, flags_cxx: _, .. } => {}
        }
        if let Driver::Zig { runtime: _, runtime_cxx: _, .. } = driver {}
    }
    for target in targets.values() {
        let Target {
            triple: _,
            llvm: _,
            gnu: _,
            zig_libc: _,
            zig_kernel: _,
            machine,
            float_abi: _,
            ..
        } = target;
        let Target {
            cflags: _,
            baseline: _,
            cpu: _,
            rustflags: _,
            stack_size_bytes: _,
            emulator,
            options: _,
            ..
        } = target;
        let Target { static_pie: _, std: _, env: _, .. } = target;
        let Machine { elf: _, bits: _, endian: _ } = machine;
        let Emulator { program: _, cpu: _, since: _ } = emulator;
    }
    if let Some(std) = rust_std {
        let RustStd { version: _, sources: _, patches: _, crates: _, rustflags: _, runtime: _ } =
            std;
    }
}
