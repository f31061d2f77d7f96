//! Recipes in which every field of every kind of recipe is used.

/// Recipes in which every field is used. `top` depends on `base` and calls tools; `late`
/// calls one that comes prebuilt; `side` stands alone; `plus` is C++, for which `zig` needs `cxx`.
pub const FILES: &[(&str, &str)] = &[
    (
        "recipes/targets.toml",
        r#"# Comments are no input.
        [x86_64-unknown-linux-musl]
        llvm = "x86_64-any-linux-musl"
        gnu = "x86_64-linux-musl"
        zig-libc = "x86_64-linux-musl"
        zig-kernel = "x86-linux-any"
        elf-machine = "x86_64"
        bits = 64
        endian = "little"
        float-abi = "hard"
        cflags = ["-march=x86-64"]
        rustflags = ["-Ctarget-feature=+crt-static"]
        static-pie = true
        std = "rustup"
        stack-size = 8388608
        emulator = { program = "qemu-x86_64", cpu = "qemu64", since = "7.2" }
        env = { "{TARGET}_TOP" = "1" }
        options = { top = ["--fast"] }
        "#,
    ),
    (
        "recipes/std.toml",
        r#"version = "1.0.0"
        patches = ["0001-more.patch", "0002-less.patch"]
        rustflags = ["--cfg=more"]
        runtime = ["side"]
        [[source]]
        rustup = "rust-src 1.0.0"
        sha256 = "3434343434343434343434343434343434343434343434343434343434343434"
        [crates]
        "a 1.0.0" = "3535353535353535353535353535353535353535353535353535353535353535"
        "#,
    ),
    ("recipes/patches/std/0001-more.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n"),
    ("recipes/patches/std/0002-less.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-new\n+newer\n"),
    (
        "recipes/toolchains/gcc.toml",
        r#"version = "1.0"
        description = "A GCC"
        license = "MIT"
        [[source]]
        url = "https://gcc.invalid/x.tar.gz"
        mirrors = ["https://mirror.invalid/x.tar.gz"]
        sha256 = "1111111111111111111111111111111111111111111111111111111111111111"
        root = "tree"
        omit = ["lib/link"]
        target = "x86_64-unknown-linux-musl"
        [driver.gcc]
        prefix = "bin/{target}-"
        "#,
    ),
    (
        "recipes/toolchains/zig.toml",
        r#"description = "A zig"
        version = "1.0"
        license = "MIT"
        license-file = { path = "COPYING", sha256 = "abababababababababababababababababababababababababababababababab" }
        [[source]]
        pypi = "ziglang 1.0.0"
        sha256 = "2222222222222222222222222222222222222222222222222222222222222222"
        [driver.zig]
        program = "zig"
        include = ["lib/{zig-libc}", "lib/{zig-kernel}"]
        include-cxx = ["lib/cxx"]
        flags-cxx = ["-DCXX"]
        runtime = "rt"
        runtime-cxx = "cxx"
        "#,
    ),
    (
        "recipes/toolchains/made.toml",
        r#"version = "1.0"
        description = "A GCC that is made"
        license = "MIT"
        patches = ["0001-one.patch", "0002-two.patch"]
        [[source]]
        url = "https://made.invalid/x.tar.gz"
        sha256 = "1010101010101010101010101010101010101010101010101010101010101010"
        inner = "x.tar.xz"
        [driver.gcc]
        prefix = "bin/{target}-"
        [build.gcc]
        with = "zig"
        libraries = ["cxx"]
        tools = ["busybox", "make"]
        [build.gcc.libc]
        version = "1.0"
        license-file = { path = "COPYING", sha256 = "abababababababababababababababababababababababababababababababab" }
        headers = ["lib/{zig-kernel}"]
        options = ["--small"]
        make = ["all"]
        install = ["install"]
        [[build.gcc.libc.source]]
        url = "https://libc.invalid/x.tar.gz"
        sha256 = "1212121212121212121212121212121212121212121212121212121212121212"
        [build.gcc.binutils]
        version = "1.0"
        options = ["--quick"]
        make = ["all"]
        install = ["install"]
        [[build.gcc.binutils.source]]
        url = "https://binutils.invalid/x.tar.gz"
        sha256 = "1313131313131313131313131313131313131313131313131313131313131313"
        [build.gcc.compiler]
        options = ["--languages=c"]
        make = ["all"]
        install = ["install"]
        "#,
    ),
    ("recipes/patches/made/0001-one.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n"),
    ("recipes/patches/made/0002-two.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-new\n+newer\n"),
    (
        "recipes/tools/rt.toml",
        r#"description = "A libc"
        version = "1.0"
        license = "MIT"
        license-file = { path = "COPYING", sha256 = "abababababababababababababababababababababababababababababababab" }
        [[source]]
        url = "https://rt.invalid/rt.tar.gz"
        sha256 = "8888888888888888888888888888888888888888888888888888888888888888"
        [build.compile]
        sources = ["rt.c"]
        objects = ["start.c"]
        [outputs]
        libs = ["rt"]
        objects = ["start.o"]
        "#,
    ),
    (
        "recipes/tools/busybox.toml",
        r#"description = "A shell"
        version = "1.0"
        license = "MIT"
        patches = ["0001-shell.patch", "0002-more.patch"]
        [[source]]
        url = "https://busybox.invalid/busybox.tar.gz"
        sha256 = "9999999999999999999999999999999999999999999999999999999999999999"
        root = "busybox"
        [build.compile]
        program = "bin/busybox"
        sources = ["sh.c", "ls.c"]
        include = ["inner"]
        flags = ["-Os"]
        [build.compile.defines]
        TINY = true
        [build.compile.copy]
        "lib/sh" = ["more"]
        [outputs]
        programs = ["bin/busybox"]
        aliases = ["sh", "ls"]
        files = ["lib/sh"]
        "#,
    ),
    ("recipes/patches/busybox/0001-shell.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n"),
    (
        "recipes/patches/busybox/0002-more.patch",
        "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-new\n+newer\n",
    ),
    (
        "recipes/tools/make.toml",
        r#"description = "A make"
        version = "1.0"
        license = "MIT"
        [[source]]
        url = "https://make.invalid/make.tar.gz"
        sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        [build.compile]
        program = "bin/make"
        sources = ["make.c"]
        [outputs]
        programs = ["bin/make"]
        [digest]
        zig = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
        gcc = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
        "#,
    ),
    (
        "recipes/tools/load.toml",
        r#"description = "A loader"
        version = "1.0"
        license = "MIT"
        [[source]]
        url = "https://load.invalid/load.tar.gz"
        sha256 = "cececececececececececececececececececececececececececececececece"
        [build.compile]
        loader = "lib/load.so"
        sources = ["load.c"]
        [outputs]
        files = ["lib/load.so", "lib/more"]
        "#,
    ),
    (
        "recipes/tools/cmake.toml",
        r#"description = "Prebuilt"
        version = "1.0"
        license = "MIT"
        [[source]]
        pypi = "cmake 1.0"
        platform = "musllinux_1_2_x86_64"
        sha256 = "cfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcfcf"
        [build.prebuilt]
        program = "data/cmake"
        loader = "load"
        [build.prebuilt.copy]
        "share/cmake" = ["data/share"]
        [outputs]
        programs = ["bin/cmake"]
        files = ["libexec"]
        "#,
    ),
    (
        "recipes/libraries/late.toml",
        r#"version = "4.0"
        description = "The late one"
        license = "MIT"
        tools = ["busybox", "cmake", "make"]
        [[source]]
        url = "https://late.invalid/late.tar.gz"
        sha256 = "abababababababababababababababababababababababababababababababab"
        [build.cmake]
        folder = "sub"
        targets = ["late"]
        [build.cmake.options]
        WITH_A = true
        WITH_B = "text"
        [outputs]
        libs = ["late"]
        "#,
    ),
    (
        "recipes/libraries/base.toml",
        r#"description = "The base"
        version = "1.0"
        license = "MIT"
        license-file = { path = "COPYING", lines = "1-9", sha256 = "abababababababababababababababababababababababababababababababab" }
        links = ["base"]
        bundled = { base-sys = ["vendored"] }
        always-bundled = { base-sys = ["special"] }
        tools = ["make"]
        [[source]]
        crate = "base-src 1.0.0"
        sha256 = "3333333333333333333333333333333333333333333333333333333333333333"
        root = "base"
        [[source]]
        url = "https://base.invalid/base-1.0.tar.gz"
        sha256 = "4444444444444444444444444444444444444444444444444444444444444444"
        [build.compile]
        sources = ["a.c", "b.c"]
        include = ["inner"]
        flags = ["-Oz"]
        [build.compile.defines]
        WITH_A = 1
        WITH_B = true
        [outputs]
        libs = ["base"]
        include = ["base.h"]
        pkgconfig = ["base"]
        [env]
        BASE_DIR = "{sysroot}"
        [env-overruling]
        BASE_NO_VENDOR = "1"
        [override.base]
        rustc-link-lib = ["static=base"]
        "#,
    ),
    (
        "recipes/libraries/top.toml",
        r#"version = "2.0"
        description = "The top"
        license = "MIT"
        dependencies = ["base"]
        tools = ["busybox", "make"]
        patches = ["0001-fix.patch", "0002-more.patch"]
        [[source]]
        debian = "pool/main/t/top/top_2.0.orig.tar.gz"
        sha256 = "5555555555555555555555555555555555555555555555555555555555555555"
        [build.configure]
        script = "configure"
        options = ["--host={gnu}"]
        make = ["all"]
        install = ["install"]
        flags = ["-std=gnu99"]
        host-programs = []
        target-options = true
        [build.configure.cache]
        ac_cv_func_fine = "yes"
        [outputs]
        libs = ["top"]
        objects = ["crt1.o"]
        "#,
    ),
    ("recipes/patches/top/0001-fix.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-old\n+new\n"),
    ("recipes/patches/top/0002-more.patch", "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-new\n+newer\n"),
    (
        "recipes/libraries/side.toml",
        r#"version = "3.0"
        description = "Aside"
        license = "MIT"
        [[source]]
        url = "https://side.invalid/side.tar.gz"
        sha256 = "6666666666666666666666666666666666666666666666666666666666666666"
        [build.compile]
        folder = "lib"
        sources = ["side.c"]
        [[build.compile.group]]
        lib = "more"
        sources = ["lib/side.c"]
        [[build.compile.group]]
        lib = "more"
        targets = ["x86_64"]
        folder = "lib"
        sources = ["x86.c"]
        include = ["lib"]
        flags = ["-mavx2"]
        defines = { AVX = true }
        [[build.compile.group]]
        lib = "side"
        sources = ["last.c"]
        [build.compile.files]
        text = "a text"
        filled = { from = "filled-in", values = { V = "{version}" }, replace = true }
        [build.compile.headers]
        side = "lib/headers"
        [build.compile.pkgconfig.side]
        libs = ["side"]
        cflags = ["-DS"]
        requires = ["more"]
        version = "1"
        requires-private = ["base"]
        libs-private = ["-lmore"]
        [outputs]
        libs = ["side", "more"]
        include = ["side"]
        pkgconfig = ["side"]
        "#,
    ),
    (
        "recipes/libraries/cxx.toml",
        r#"version = "4.0"
        description = "A runtime"
        license = "MIT"
        language = "c++"
        [[source]]
        url = "https://cxx.invalid/cxx.tar.gz"
        sha256 = "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
        [build.compile]
        sources = ["cxx.cc"]
        [outputs]
        libs = ["cxx"]
        aliases = ["cplusplus"]
        "#,
    ),
    (
        "recipes/libraries/plus.toml",
        r#"version = "5.0"
        description = "In C++"
        license = "MIT"
        language = "c++"
        [[source]]
        url = "https://plus.invalid/plus.tar.gz"
        sha256 = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        [build.compile]
        sources = ["plus.cpp"]
        [outputs]
        libs = ["plus"]
        "#,
    ),
];
