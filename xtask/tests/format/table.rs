//! The keys of recipes: which must be there, of what kind they are, and what they mean. Their names are
//! compared with those that the parser takes; a meaning is taken from the comment of the type's field
//! where there is one for the key alone (`Type.field`).

/// A key: its name, whether it must be there (`!`), its kind, its meaning.
pub type Key = (&'static str, &'static str, &'static str, &'static str);

/// A table of a recipe: what the parser calls it, what people write, its keys.
pub type Table = (&'static str, &'static str, &'static [Key]);

/// Kinds are `text` (with a pattern after a colon), `texts`, `bool`, `define`, `override`, a table
/// `{name}`, tables `[{name}]`, `a|b` for either, `map:` for free keys with such values.
pub const FORMAT: &[Table] = &[
    (
        "a library",
        "recipes/libraries/<name>.toml",
        &[
            ("description", "!", "text", "Library.description"),
            ("version", "!", "text:^[0-9A-Za-z+._-]+$", "Library.version"),
            ("license", "!", "text", "Library.license"),
            ("license-file", "", "{`license-file`}|[{`license-file`}]", "Library.license_files"),
            ("links", "", "texts", "Library.links"),
            ("crates", "", "texts", "Library.crates"),
            ("versions", "", "map:texts", "Library.versions"),
            ("bundled", "", "map:texts", "Library.bundled"),
            (
                "language",
                "",
                "text:^c[+][+]$",
                "`\"c++\"` for a library that is written in C++; left out for C.",
            ),
            ("always-bundled", "", "map:texts", "Library.always_bundled"),
            ("dependencies", "", "texts", "Library.dependencies"),
            ("tools", "", "texts", "Library.tools"),
            (
                "patches",
                "",
                "texts",
                "Patches in the order applied, from `recipes/patches/<name>/`.",
            ),
            ("source", "!", "[{a source}]", "Library.sources"),
            ("build", "!", "{build}", "Library.build"),
            ("outputs", "!", "{outputs}", "Library.outputs"),
            ("env", "", "map:text", "Library.env"),
            ("env-overruling", "", "map:text", "Library.env_overruling"),
            ("override", "", "map:override", "Library.overrides"),
        ],
    ),
    (
        "`license-file`",
        "license-file",
        &[
            ("path", "!", "text|texts", "LicenseFile.paths"),
            (
                "lines",
                "",
                "text:^[1-9][0-9]*-[1-9][0-9]*$",
                "The first and the last line of the text, from 1, such as `\"1-30\"`; the whole file if it is not there.",
            ),
            (
                "sha256",
                "!",
                "text:^[0-9a-f]{64}$",
                "What the text must hash to; `cargo xtask recipe check --fix` fills it in.",
            ),
        ],
    ),
    (
        "a source",
        "[[source]]",
        &[
            (
                "url",
                "",
                "text:^https://",
                "Upstream's https address. A source has one of `url`, `crate`, `pypi` and `debian`.",
            ),
            ("mirrors", "", "texts", "Origin.mirrors"),
            (
                "crate",
                "",
                "text:^[^ ]+ [0-9]+[.][0-9]+[.][0-9]+[^ ]*$",
                "A published crate with its exact version, `\"libz-sys 1.1.31\"`, got through cargo.",
            ),
            (
                "pypi",
                "",
                "text:^[^ ]+ [^ ]+$",
                "A wheel with its exact version, `\"ziglang 0.17.0\"`, got through pip.",
            ),
            ("platform", "", "text", "Origin.platform"),
            (
                "debian",
                "",
                "text:^pool/",
                "A file below a Debian mirror's root, `\"pool/main/…\"`, got through the mirrors of apt.",
            ),
            (
                "sha256",
                "",
                "text:^[0-9a-f]{64}$",
                "What the archive must hash to: this or `sha512`. A comment says where it was seen.",
            ),
            ("sha512", "", "text:^[0-9a-f]{128}$", "The same, where a public record has no other."),
            (
                "root",
                "",
                "text",
                "The folder inside the archive that is the source tree; without it the archive's only top folder.",
            ),
            ("omit", "", "texts", "Source.omit"),
            (
                "target",
                "",
                "text",
                "For toolchains: the only target that this archive serves; without it, all of them.",
            ),
        ],
    ),
    (
        "build",
        "[build]",
        &[
            ("compile", "", "{build.compile}", "Build.Compile"),
            ("configure", "", "{build.configure}", "Build.Configure"),
            ("cmake", "", "{build.cmake}", "Build.Cmake"),
        ],
    ),
    (
        "build.compile",
        "[build.compile]",
        &[
            ("folder", "", "text", "The folder that `sources` are in."),
            ("sources", "", "texts", "Compile.sources"),
            ("include", "", "texts", "Compile.include"),
            ("defines", "", "map:define", "Compile.defines"),
            ("flags", "", "texts", "Compile.flags"),
            ("group", "", "[{a group}]", "Compile.groups"),
            ("files", "", "map:text|{a file to make}", "Compile.files"),
            ("headers", "", "map:text", "Compile.headers"),
            ("pkgconfig", "", "map:{a `.pc` file}", "Compile.pkgconfig"),
        ],
    ),
    (
        "a group",
        "[[build.compile.group]]",
        &[
            (
                "lib",
                "",
                "text",
                "The library that the objects go into; without it, the first of `outputs.libs`.",
            ),
            ("targets", "", "texts", "Group.targets"),
            ("folder", "", "text", "The folder that `sources` are in."),
            ("sources", "!", "texts", "Group.sources"),
            ("include", "", "texts", "Group.include"),
            ("defines", "", "map:define", "Group.defines"),
            ("flags", "", "texts", "Group.flags"),
        ],
    ),
    (
        "a file to make",
        "[build.compile.files.\"<path>\"]",
        &[
            ("text", "", "text", "What is in it: this or `from`."),
            ("from", "", "text", "A file of the source tree that it is a copy of."),
            ("values", "", "map:text", "Words in that file, and what stands in their place."),
            ("replace", "", "bool", "MadeFile.replace"),
        ],
    ),
    (
        "a `.pc` file",
        "[build.compile.pkgconfig.\"<name>\"]",
        &[
            ("version", "", "text", "PkgConfig.version"),
            ("libs", "", "texts", "PkgConfig.libs"),
            ("cflags", "", "texts", "PkgConfig.cflags"),
            ("requires", "", "texts", "PkgConfig.requires"),
            ("requires-private", "", "texts", "PkgConfig.requires_private"),
            ("libs-private", "", "texts", "PkgConfig.libs_private"),
        ],
    ),
    (
        "build.configure",
        "[build.configure]",
        &[
            ("script", "!", "text", "Configure.script"),
            ("options", "", "texts", "Configure.options"),
            ("target-options", "", "bool", "Configure.target_options"),
            ("make", "", "texts", "Configure.make"),
            ("install", "", "texts", "Configure.install"),
            ("flags", "", "texts", "Configure.flags"),
            ("cache", "", "map:text", "Configure.cache"),
            ("host-programs", "", "texts", "Configure.host_programs"),
            ("host", "", "{build.configure.host}", "Configure.host"),
        ],
    ),
    (
        "build.configure.host",
        "[build.configure.host]",
        &[
            ("options", "", "texts", "HostBuild.options"),
            ("make", "", "texts", "HostBuild.make"),
            ("programs", "", "texts", "HostBuild.programs"),
        ],
    ),
    (
        "build.cmake",
        "[build.cmake]",
        &[
            ("folder", "", "text", "Cmake.folder"),
            ("options", "", "map:text|bool", "Cmake.options"),
            ("targets", "", "texts", "Cmake.targets"),
        ],
    ),
    (
        "outputs",
        "[outputs]",
        &[
            ("libs", "", "texts", "Outputs.libs"),
            ("aliases", "", "texts", "Outputs.aliases"),
            ("include", "", "texts", "Outputs.include"),
            ("pkgconfig", "", "texts", "Outputs.pkgconfig"),
        ],
    ),
    (
        "a toolchain",
        "recipes/toolchains/<name>.toml",
        &[
            ("description", "!", "text", "Toolchain.description"),
            ("version", "!", "text:^[0-9A-Za-z+._-]+$", "Toolchain.version"),
            ("license", "!", "text", "Toolchain.license"),
            ("license-file", "", "{`license-file`}|[{`license-file`}]", "Toolchain.license_files"),
            ("source", "!", "[{a source}]", "Toolchain.sources"),
            ("driver", "!", "{driver}", "Toolchain.driver"),
        ],
    ),
    (
        "driver",
        "[driver]",
        &[("gcc", "", "{driver.gcc}", "Driver.Gcc"), ("zig", "", "{driver.zig}", "Driver.Zig")],
    ),
    ("driver.gcc", "[driver.gcc]", &[("prefix", "!", "text", "Driver.prefix")]),
    (
        "driver.zig",
        "[driver.zig]",
        &[
            ("program", "!", "text", "Driver.program"),
            ("include", "!", "texts", "Driver.include"),
            ("include-cxx", "", "texts", "Driver.include_cxx"),
            ("flags-cxx", "", "texts", "Driver.flags_cxx"),
            ("runtime", "", "text", "Driver.runtime"),
            ("runtime-more", "", "text", "Driver.runtime_more"),
            ("runtime-cxx", "", "text", "Driver.runtime_cxx"),
        ],
    ),
    (
        "a tool",
        "recipes/tools/<name>.toml",
        &[
            ("description", "!", "text", "Tool.description"),
            ("version", "!", "text:^[0-9A-Za-z+._-]+$", "Tool.version"),
            ("license", "!", "text", "Tool.license"),
            ("license-file", "", "{`license-file`}|[{`license-file`}]", "Tool.license_files"),
            (
                "patches",
                "",
                "texts",
                "Patches in the order applied, from `recipes/patches/<name>/`.",
            ),
            ("source", "!", "[{a source}]", "Tool.sources"),
            ("build", "!", "{`[build]` of a tool}", "How it comes to be."),
            ("outputs", "!", "{`[outputs]` of a tool}", "What it must bring."),
            ("digest", "", "map:text:^[0-9a-f]{64}$", "Tool.digests"),
        ],
    ),
    (
        "`[build]` of a tool",
        "[build], of a tool",
        &[
            ("compile", "", "{`[build.compile]` of a tool}", "C files, compiled one by one."),
            ("prebuilt", "", "{`[build.prebuilt]`}", "Product.Prebuilt"),
        ],
    ),
    (
        "`[build.compile]` of a tool",
        "[build.compile], of a tool",
        &[
            ("sources", "!", "texts", "Files relative to the source tree."),
            ("include", "", "texts", "Compile.include"),
            ("defines", "", "map:define", "Compile.defines"),
            ("flags", "", "texts", "Compile.flags"),
            ("program", "", "text:^bin/", "Where the program is installed: `bin/make`."),
            ("objects", "", "texts", "Product.objects"),
            (
                "loader",
                "",
                "text",
                "Where a loader for programs that are not static is installed, instead of a program.",
            ),
            ("copy", "", "map:texts", "Tool.copy"),
        ],
    ),
    (
        "`[build.prebuilt]`",
        "[build.prebuilt], of a tool",
        &[
            ("program", "", "text", "The program, in the archive."),
            ("loader", "", "text", "The tool that is its loader, if the program is not static."),
            ("copy", "", "map:texts", "Tool.copy"),
        ],
    ),
    (
        "`[outputs]` of a tool",
        "[outputs], of a tool",
        &[
            ("programs", "", "texts", "The program, as installed."),
            ("aliases", "", "texts", "Product.aliases"),
            ("files", "", "texts", "Tool.files"),
            ("libs", "", "texts", "The archive of a runtime, without `lib` and `.a`."),
            ("objects", "", "texts", "The objects of a runtime, in `lib/`."),
        ],
    ),
    (
        "a target",
        "a table of recipes/targets.toml",
        &[
            ("gnu", "!", "text", "Target.gnu"),
            ("zig-libc", "!", "text", "Target.zig_libc"),
            ("zig-kernel", "!", "text", "Target.zig_kernel"),
            ("elf-machine", "!", "text", "The CPU in ELF's words."),
            ("bits", "!", "int", "32 or 64."),
            ("endian", "!", "text:^(little|big)$", "The byte order."),
            ("float-abi", "!", "text:^(hard|soft)$", "Target.float_abi"),
            ("cflags", "", "texts", "Target.cflags"),
            ("rustflags", "", "texts", "Target.rustflags"),
            ("stack-size", "!", "int", "Target.stack_size_bytes"),
            ("emulator", "!", "{emulator}", "Target.emulator"),
            ("options", "", "map:texts", "Target.options"),
        ],
    ),
    (
        "emulator",
        "emulator, of a target",
        &[
            ("program", "!", "text", "Emulator.program"),
            ("cpu", "!", "text", "Emulator.cpu"),
            ("since", "", "text:^[0-9A-Za-z+._-]+$", "Emulator.since"),
        ],
    ),
];
