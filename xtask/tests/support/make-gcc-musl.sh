#!/bin/sh
# Puts a GCC for static x86_64 musl programs together from Debian 12's packages, laid
# out like the musl-cross releases (crosstool-NG's), so that tests can serve a real
# compiler where the real archive is out of reach.
#
#   make-gcc-musl.sh OUT.tar.xz     makes the archive
#   make-gcc-musl.sh --packages     names the packages that it would be made of
#
# Needs apt's package lists (`apt-get update` once), dpkg, GNU tar and xz on x86_64
# Debian 12. Nothing is installed, root isn't needed. Same packages (and tar, xz), same bytes.
# Left out: libstdc++ and its headers (Debian's are glibc's), libgcc_s, gold, and the
# runtimes of OpenMP, sanitizers, coverage, libatomic and libquadmath.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 OUT.tar.xz | --packages" >&2; exit 2; }
T=x86_64-unknown-linux-musl   # the archive's triple
D=x86_64-linux-gnu            # the triple that Debian's GCC has built in
V=12                          # and its folder's name
export LC_ALL=C
for program in apt-get dpkg tar xz; do
    command -v $program >/dev/null || { echo "there is no $program here" >&2; exit 1; }
done
# The compiler, with the libraries that cc1, as and ld are linked to; patchelf and the two libraries
# after it run here only.
packages="gcc-$V g++-$V cpp-$V gcc-$V-base libgcc-$V-dev binutils-x86-64-linux-gnu musl musl-dev linux-libc-dev
    binutils-common libbinutils libctf0 libctf-nobfd0 libgmp10 libisl23 libjansson4 libmpc3 libmpfr6 libzstd1 zlib1g
    patchelf libstdc++6 libgcc-s1"
# shellcheck disable=SC2086
[ "$1" != --packages ] || exec apt-get download -qq --print-uris $packages
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
umask 022

debs=$work/debs
mkdir "$debs"
# shellcheck disable=SC2086
(cd "$debs" && apt-get download -q $packages >&2)
for deb in "$debs"/*.deb; do dpkg -x "$deb" "$work/x"; done
x=$work/x/usr
gcc=$x/lib/gcc/$D/$V
top=$work/$T
sys=$top/$T/sysroot
libexec=$top/libexec/gcc/$T/$V
lib=$top/lib/gcc/$T/$V
host=$top/lib/host            # the compiler's own shared libraries
mkdir -p "$top/bin" "$top/$T/bin" "$top/$T/lib/bfd-plugins" "$top/share/licenses" "$libexec" "$lib" "$host" "$sys/lib" "$sys/usr/lib"

# --- sysroot: the C library and the kernel's headers.
cp -R "$x/include/x86_64-linux-musl" "$sys/usr/include"
for dir in "$x"/include/*/ "$x/include/$D/asm"; do
    case $dir in */x86_64-linux-*/) ;; *) cp -R "${dir%/}" "$sys/usr/include" ;; esac
done
cp "$x"/lib/x86_64-linux-musl/*.[ao] "$work/x/lib/x86_64-linux-musl/libc.so" "$sys/usr/lib"
ln -s ../usr/lib/libc.so "$sys/lib/ld-musl-x86_64.so.1"

# --- GCC: programs in libexec, the target's objects and headers in lib. Debian's
# driver looks for all of it in lib/gcc/<its triple>, hence the links.
cp -R "$gcc/include" "$gcc"/crt*.o "$gcc/libgcc.a" "$gcc/libgcc_eh.a" "$lib"
ln -s $T "$top/lib/gcc/$D"
for program in cc1 cc1plus lto1 lto-wrapper collect2 liblto_plugin.so; do
    cp "$gcc/$program" "$libexec"
    ln -s "../../../../libexec/gcc/$T/$V/$program" "$lib/$program"
done
for tool in gcc g++ cpp; do cp "$x/bin/$D-$tool-$V" "$libexec/$tool"; done

# --- binutils, which find GCC's plugin for archives of -flto objects by themselves.
for tool in addr2line ar as c++filt elfedit ld.bfd nm objcopy objdump ranlib readelf size strings strip; do
    cp "$x/bin/$D-$tool" "$top/$T/bin/$tool"
    ln -s "../$T/bin/$tool" "$top/bin/$T-$tool"
done
ln -s ld.bfd "$top/$T/bin/ld"
ln -s "../$T/bin/ld" "$top/bin/$T-ld"
ln -s "../../../libexec/gcc/$T/$V/liblto_plugin.so" "$top/$T/lib/bfd-plugins"
for tool in ar nm ranlib; do ln -s "../$T/bin/$tool" "$top/bin/$T-gcc-$tool"; done
for tool in as ld ld.bfd nm objcopy; do ln -s "../../../../$T/bin/$tool" "$lib/$tool"; done

# --- the compiler's own libraries travel with it. DT_RPATH rather than DT_RUNPATH: it
# holds for the libraries' libraries too, and LD_LIBRARY_PATH can't come before it.
for name in libbfd-2 libopcodes-2 libctf libctf-nobfd libgmp libisl libjansson libmpc libmpfr libsframe libzstd libz; do
    for file in "$x/lib/$D/$name"[.-]*so* "$work/x/lib/$D/$name".so*; do
        [ ! -e "$file" ] || cp -P "$file" "$host"
    done
done
rpath() { LD_LIBRARY_PATH=$x/lib/$D:$work/x/lib/$D "$x/bin/patchelf" --force-rpath --set-rpath "\$ORIGIN/$1" "$2"; }
for program in cc1 cc1plus lto1; do rpath ../../../../lib/host "$libexec/$program"; done
find "$top/$T/bin" -type f | while read -r file; do rpath ../../lib/host "$file"; done

# --- what makes Debian's GCC a musl GCC. musl's headers come before GCC's, as in every
# GCC built for musl, and after the caller's; libgcc is always the static one. (A file
# named `specs` would be read unasked, but in place of the built-in ones.)
cat >"$lib/musl.specs" <<SPECS
*cpp_unique_options:
+ %{!nostdinc:-nostdinc -isystem %R/usr/include -isystem %:getenv(GCC_EXEC_PREFIX $T/$V/include)}

*libgcc:
-lgcc -lgcc_eh

SPECS
# GCC_EXEC_PREFIX tells a moved GCC where it is, and with it the driver forgets
# /usr/lib/gcc; --sysroot does the same for headers, start files and libraries.
for tool in gcc g++ cpp; do
    cat >"$top/bin/$T-$tool" <<WRAPPER
#!/bin/sh
self=\$0
case \$self in */*) ;; *) self=\$(command -v -- "\$self") ;; esac
while [ -L "\$self" ]; do
    link=\$(readlink -- "\$self")
    case \$link in /*) self=\$link ;; *) self=\${self%/*}/\$link ;; esac
done
top=\$(CDPATH= cd -- "\${self%/*}/.." && pwd)
for arg; do [ "\$arg" != -dumpmachine ] || { echo $T; exit; }; done
export GCC_EXEC_PREFIX="\$top/lib/gcc/"
exec "\$top/libexec/gcc/$T/$V/$tool" --sysroot="\$top/$T/sysroot" -specs="\$top/lib/gcc/$T/$V/musl.specs" -mmusl "\$@"
WRAPPER
    chmod 755 "$top/bin/$T-$tool"
done
ln -s $T-gcc "$top/bin/$T-cc"
ln -s $T-g++ "$top/bin/$T-c++"
# Empty, as musl's own libm.a: the C++ driver asks for it, and C++ without it may link.
"$top/bin/$T-ar" cr "$sys/usr/lib/libstdc++.a"
# Debian's unwinder asks glibc which object an address is in; musl knows another way.
# And it calls these pthread functions weakly: a static link must be told to bring all.
cat >"$work/find-object.c" <<'SHIM'
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
__attribute__((used)) static void *const brought[] = {pthread_once, pthread_mutex_lock, pthread_mutex_unlock,
    pthread_key_create, pthread_getspecific, pthread_setspecific};
struct object { unsigned long long flags; char *start, *end; void *map, *eh_frame_hdr; };
struct search { char *pc; struct object *found; };
static int visit(struct dl_phdr_info *info, size_t size, void *data) {
    struct search *s = data;
    struct object o = {0};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        char *at = (char *)info->dlpi_addr + p->p_vaddr;
        if (p->p_type == PT_GNU_EH_FRAME) o.eh_frame_hdr = at;
        if (p->p_type == PT_LOAD && (size_t)(s->pc - at) < p->p_memsz) o.start = at, o.end = at + p->p_memsz;
    }
    return o.start && o.eh_frame_hdr ? *s->found = o, 1 : 0;
}
int _dl_find_object(void *pc, void *found) { return dl_iterate_phdr(visit, &(struct search){pc, found}) - 1; }
SHIM
(cd "$work" && "$top/bin/$T-gcc" -Os -fPIC -fvisibility=hidden -c find-object.c && "$top/bin/$T-ar" r "$lib/libgcc_eh.a" find-object.o)

# --- the archive: read-only, as crosstool-NG leaves its toolchains (whoever unpacks it
# must cope). Two threads whatever the machine has, as xz writes other bytes with one.
rm -r "$x/share/doc/patchelf" "$x/share/doc/libstdc++6"
(cd "$x/share/doc" && for file in */copyright; do mkdir "$top/share/licenses/${file%/*}" && cp "$file" "$top/share/licenses/$file"; done)
for deb in "$debs"/*.deb; do dpkg-deb -W "$deb"; done >"$top/share/debian-packages.txt"
tar -C "$work" --sort=name --format=gnu --mtime=@1577836800 --owner=0 --group=0 --numeric-owner --mode=a+rX,a-w \
    -cf - $T | xz -T2 -3 >"$out"
sha256sum "$out"
