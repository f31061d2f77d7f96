/* What a shell cannot ask: sockets, processes that leave everything behind, strange files. Each
 * command writes one line that says what came of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static int answer(const char *what, int result) {
    printf("%s=%s\n", what, result < 0 ? strerror(errno) : "done");
    return 0;
}

static int to_port(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int socket_ = socket(AF_INET, SOCK_STREAM, 0);
    return socket_ < 0 ? -1 : connect(socket_, (struct sockaddr *)&to, sizeof to);
}

static int to_local(const char *name, int is_abstract) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path + is_abstract, name, sizeof to.sun_path - 2);
    socklen_t size = sizeof(sa_family_t) + is_abstract + strlen(name);
    int socket_ = socket(AF_UNIX, SOCK_STREAM, 0);
    return socket_ < 0 ? -1 : connect(socket_, (struct sockaddr *)&to, size);
}

static int named(const char *host) {
    struct addrinfo *found = 0;
    if (getaddrinfo(host, "80", 0, &found) == 0) return 0;
    errno = EADDRNOTAVAIL;
    return -1;
}

/* Twice away from its parent, in a session of its own, with all streams open. */
static int stay(void) {
    if (fork()) return 0;
    setsid();
    if (fork()) _exit(0);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    for (;;) pause();
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "", *word = count > 2 ? words[2] : "";
    if (!strcmp(what, "port")) return answer(what, to_port(atoi(word)));
    if (!strcmp(what, "local")) return answer(what, to_local(word, 0));
    if (!strcmp(what, "abstract")) return answer(what, to_local(word, 1));
    if (!strcmp(what, "name")) return answer(what, named(word));
    if (!strcmp(what, "vsock")) return answer(what, socket(AF_VSOCK, SOCK_STREAM, 0));
    if (!strcmp(what, "pair")) return answer(what, socketpair(AF_UNIX, SOCK_STREAM, 0, (int[2]){0}));
    if (!strcmp(what, "ring")) return answer(what, (int)syscall(SYS_io_uring_setup, 1, 0));
    if (!strcmp(what, "device")) return answer(what, mknod(word, S_IFCHR | 0666, makedev(1, 3)));
    if (!strcmp(what, "root")) return answer(what, chroot("/proc/1/root"));
    if (!strcmp(what, "controlling")) return answer(what, open("/dev/tty", O_RDWR));
    if (!strcmp(what, "openat")) return answer(what, openat(atoi(word), "..", O_RDONLY));
    if (!strcmp(what, "stay")) return stay();
    if (!strcmp(what, "pause")) for (;;) pause();
    return 2;
}
