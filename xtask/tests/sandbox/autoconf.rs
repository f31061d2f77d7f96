//! What autoconf's scripts find out: by linking, and never by running what they linked.

use std::fs;

use crate::{Machine, Workshop};

/// Asks as autoconf does, and leaves the answers in `report.h`.
const SCRIPT: &str = r#"
answers=usr/include/report.h
: > $answers
links() {
    printf '#ifdef __cplusplus\nextern "C"\n#endif\nchar %s();\nint main(void) { return %s(); }\n' \
        "$1" "$1" > conftest.c
    shift
    if $CC $CFLAGS -fno-builtin -o conftest conftest.c "$@" 2> conftest.err; then
        [ -s conftest.err ] && echo "warned: $(cat conftest.err)" >> $answers
        echo yes
    else
        echo no
    fi
}
for name in puts getentropy pthread_create __multi3 dlopen backtrace strlcpy_chk __libc_csu_init; do
    echo "$name $(links $name)" >> $answers
done
echo "static $(links sqrt -static -lm)" >> $answers
echo "shared $(links sqrt -shared -lm)" >> $answers
echo "libraries $(links sqrt -lm -lpthread -lrt -ldl -lutil -lresolv -lcrypt)" >> $answers
echo "no such library $(links sqrt -lno-such-library)" >> $answers
echo 'int answer;' > conftest.c
$CC -o conftest conftest.c 2> conftest.err && echo 'main yes' >> $answers || echo 'main no' >> $answers
echo "arguments $*" >> $answers
echo "malloc $ac_cv_func_malloc_0_nonnull own $ac_cv_own shell ${CONFIG_SHELL-none}" >> $answers
if [ "${BUILD_CC-}" ]; then
    printf '#include <stdio.h>\n#include <math.h>\n%s\n' \
        'int main(int n, char **words) { printf("made %g\n", sqrt(15 + n)); return 0; }' > gen.c
    $BUILD_CC -O1 -o gen gen.c -lm
    ./gen >> $answers
fi
mkdir -p usr/lib/pkgconfig
echo "Cflags: -I$PWD/../dependencies/include" | sed "s,/source/\.\.,," > usr/lib/pkgconfig/x.pc
rm -f conftest* gen gen.c
"#;

const ANSWERS: &str = "\
puts yes
getentropy yes
pthread_create yes
__multi3 yes
dlopen yes
backtrace no
strlcpy_chk no
__libc_csu_init no
static yes
shared yes
libraries yes
no such library no
main no
arguments --prefix=/usr --libdir=/usr/lib --build=x86_64-pc-linux-gnu --disable-shared \
--enable-static --disable-dependency-tracking --host=x86_64-linux-musl
malloc yes own fine shell none
made 4
";

fn answers(machine: Machine, name: &str) {
    let Some(workshop) = Workshop::new(name, machine) else { return };
    workshop.scripted("asks", SCRIPT);
    let recipe = "recipes/libraries/asks.toml";
    workshop.scratch.edit(
        recipe,
        "[outputs]",
        "host-programs = [\"gen\"]\n[build.configure.cache]\nac_cv_own = \"fine\"\n[outputs]\n\
         pkgconfig = [\"x\"]",
    );
    workshop.run(&["sysroot", "asks", "--toolchain", "zig"]).ok();
    let found = fs::read_to_string(workshop.output("asks", "include/report.h")).unwrap();
    assert_eq!(found, ANSWERS);
    let found = fs::read_to_string(workshop.output("asks", "lib/pkgconfig/x.pc")).unwrap();
    assert_eq!(found, "Cflags: -I${prefix}/include\n");
}

#[test]
fn autoconf_has_true_answers() {
    answers(Machine::Whole, "autoconf");
}

#[test]
fn autoconf_has_the_same_answers_where_there_are_no_namespaces() {
    answers(Machine::NoNamespaces, "autoconf-landlock");
}
