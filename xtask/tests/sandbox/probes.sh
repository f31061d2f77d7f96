#!/bin/sh
# Looks for everything that a build must not see, and writes down what it found, one line each. The
# test has put lists and names into files beside this one.
exec 2>/dev/null
tell() { echo "$1=$(echo $2)"; }
port=$(cat port) marker=$(cat marker) sleeper=$(cat sleeper) build=$MUSLIN_BUILD_FOLDER
compiles() { echo "$1" > try.c; $CC $CFLAGS -I"$build/dependencies/include" -c try.c -o try.o; }
{
    tell files "$(ls /proc/self/fd)"
    tell input "$(cat | wc -c)"
    tell terminal "$(tty)"
    ./probe controlling
    ./probe openat 7
    tell host "$(hostname) $(uname -n) $(uname -m)"
    tell user "$(id -u) $(id -g) $(id -un) $(id -gn) $(id -G)"
    tell home "$(test -e "$HOME" && echo there) $(echo ~root)"
    tell limits "$(umask) $(ulimit -Sn) $(ulimit -Hn) $(ulimit -Ss) $(ulimit -Sc)"
    tell locale "$LC_ALL $LANG $TZ $(date +%Z)"
    tell names "$(env | cut -d= -f1 | sort)"
    tell slash "$(ls -A /)"
    tell etc "$(ls -A /etc)"
    tell dev "$(ls -A /dev)"
    tell tmp "$(ls -A /tmp /dev/shm | grep -v :)"
    tell proc "$(ls /proc | grep -v '^[0-9]')"
    tell groups "$(cut -d: -f3 /proc/self/cgroup | sort -u)"
    tell processes "$(cat /proc/[0-9]*/cmdline | tr '\0' '\n' | grep -cf marker)"
    cat /proc/1/environ > /dev/null && tell first there
    while read -r place; do test -e "$place" && tell exists "$place"; done < places
    while read -r place; do head -c 1 "$place" > /dev/null && tell read "$place"; done < texts
    while read -r line; do compiles "$line" && tell compiles "$line"; done < includes
    tell dependencies "$(cd "$build/dependencies" && find . -type f | sort)"
    ./probe port "$port"
    ./probe local "$(cat socket)"
    ./probe abstract "$marker"
    ./probe name example.org
    for what in vsock pair ring root; do ./probe $what; done
    for place in / /etc /usr /bin /proc /proc/sys/kernel /store "$build" "$build/dependencies" .. ../.. \
        "$(dirname "$(which "$CC")")" "$(dirname "$(which sh)")" "$HOME" $(cat outside); do
        echo x > "$place/$marker" && tell wrote "$place"
    done
    for place in /proc/sys/kernel/domainname /proc/self/oom_score_adj "$(which "$CC")" /etc/passwd; do
        echo x >> "$place" && tell wrote "$place"
    done
    ln "$(which "$CC")" linked && tell linked "$CC"
    echo x > "$TMPDIR/$marker" && tell scratch written
    echo x > "/dev/shm/$marker"
    ./probe device device
    mkdir sub && echo x > "sub/$marker" && tell source written
} > report.h < /dev/stdin
sleep "$sleeper" &
./probe stay "$marker" &
