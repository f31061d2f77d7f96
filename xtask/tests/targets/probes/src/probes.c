/* What C code finds on a target. Each function returns 0, or the number of the step that was wrong. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* 2100-01-01T00:00:00Z, which 32 bits do not hold. */
static const int64_t LATER = 4102444800LL;

int probe_time(const char *file)
{
    struct timespec times[2] = {{.tv_sec = LATER}, {.tv_sec = LATER}};
    struct stat about;
    struct tm parts = {.tm_year = 200, .tm_mday = 1};
    time_t later = LATER;
    int fd;

    if (sizeof(time_t) != 8 || later != LATER) return 1;
    if (timegm(&parts) != LATER) return 2;
    if (gmtime(&later)->tm_year != 200) return 3;
    fd = open(file, O_CREAT | O_RDWR | O_TRUNC, 0600);
    if (fd < 0) return 4;
    if (futimens(fd, times) != 0) return 5;
    if (fstat(fd, &about) != 0 || about.st_mtime != LATER) return 6;
    close(fd);
    return time(NULL) > 1700000000 ? 0 : 7;
}

int probe_big_file(const char *file)
{
    static const char TEXT[] = "muslin";
    const int64_t place = 5LL << 30;
    char read[sizeof TEXT] = {0};
    struct stat about;
    int fd = open(file, O_CREAT | O_RDWR | O_TRUNC, 0600);

    if (sizeof(off_t) != 8 || fd < 0) return 1;
    if (lseek(fd, place, SEEK_SET) != place) return 2;
    if (write(fd, TEXT, sizeof TEXT) != sizeof TEXT) return 3;
    if (fstat(fd, &about) != 0 || about.st_size != place + (int64_t)sizeof TEXT) return 4;
    if (pread(fd, read, sizeof read, place) != sizeof read || strcmp(read, TEXT) != 0) return 5;
    return close(fd) == 0 && unlink(file) == 0 ? 0 : 6;
}

/* Deeper than musl's own stack of 128 KiB, and than four times that. */
static int deep(int frames)
{
    volatile char frame[4096];
    frame[0] = (char)frames;
    frame[sizeof frame - 1] = 1;
    return frames == 0 ? 0 : deep(frames - 1) + frame[sizeof frame - 1];
}

static void *in_thread(void *result)
{
    pthread_attr_t attributes;
    size_t *size = result;

    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return NULL;
    if (pthread_attr_getstacksize(&attributes, size) != 0) return NULL;
    return deep(1536) == 1536 ? result : NULL;
}

/* The size of a stack that nobody asked for; six of its eight MiB are used. */
int probe_stack(uint64_t *size_bytes)
{
    pthread_t thread;
    size_t size = 0;
    void *result = NULL;

    if (pthread_create(&thread, NULL, in_thread, &size) != 0) return 1;
    if (pthread_join(thread, &result) != 0) return 2;
    *size_bytes = size;
    return result == NULL ? 3 : 0;
}

uint64_t probe_order(unsigned char *bytes)
{
    static const unsigned char WRITTEN[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint64_t number = 0x0102030405060708ULL;
    uint64_t read;

    memcpy(bytes, &number, sizeof number);
    memcpy(&read, WRITTEN, sizeof read);
    return read;
}

static _Atomic uint64_t wide;
static _Atomic uint32_t narrow;
static _Atomic unsigned char tiny;

static void *count(void *unused)
{
    for (int i = 0; i < 20000; i++) {
        atomic_fetch_add(&wide, 0x100000001ULL);
        atomic_fetch_add(&narrow, 1);
        atomic_fetch_xor(&tiny, 0x55);
    }
    return unused;
}

int probe_atomics(void)
{
    pthread_t threads[4];
    uint64_t expected = 80000ULL * 0x100000001ULL;

    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, count, NULL) != 0) return 1;
    for (int i = 0; i < 4; i++)
        if (pthread_join(threads[i], NULL) != 0) return 2;
    if (atomic_load(&wide) != expected) return 3;
    if (atomic_load(&narrow) != 80000) return 4;
    if (atomic_load(&tiny) != 0) return 5;
    if (!atomic_compare_exchange_strong(&wide, &expected, 7)) return 6;
    return atomic_exchange(&wide, 9) == 7 ? 0 : 7;
}

/* A frame of C between two of Rust. */
void probe_call(void (*callback)(void *), void *argument)
{
    volatile char frame[64] = {1};
    callback(argument);
    frame[1] = frame[0];
}
