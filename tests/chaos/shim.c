/* Loaded into the program by LD_PRELOAD (tests/chaos/shim.rs): sets its clock forward or back, and lets its writes to
 * the store fail. The file that SHIM names has two numbers, which the test changes while the program runs: the seconds
 * by which the clock differs, and the fault of the disk. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { NONE, FLUSH_FAILS, READ_ONLY };

struct shared {
    int64_t clock_seconds;
    int64_t fault;
};

static volatile struct shared *shared;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SHIM");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *at = mmap(NULL, sizeof(struct shared), PROT_READ, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) shared = at;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*next)(clockid_t, struct timespec *);
    if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = next(clock, time);
    if (result == 0 && clock == CLOCK_REALTIME && shared) time->tv_sec += shared->clock_seconds;
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    static int (*next)(struct timeval *, void *);
    if (!next) next = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
    int result = next(time, zone);
    if (result == 0 && shared) time->tv_sec += shared->clock_seconds;
    return result;
}

/* The store's file, its log and its index; pipes, sockets and other files never fail. */
static int is_store(int file) {
    char name[64], path[512];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".db") != NULL;
}

static int fails(int64_t fault, int file) { return shared && shared->fault == fault && is_store(file); }

int fsync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (fails(FLUSH_FAILS, file)) { errno = EIO; return -1; }
    return next(file);
}

int fdatasync(int file) {
    static int (*next)(int);
    if (!next) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    if (fails(FLUSH_FAILS, file)) { errno = EIO; return -1; }
    return next(file);
}

#define WRITES(name, offset)                                                                       \
    ssize_t name(int file, const void *bytes, size_t length, offset at) {                          \
        static ssize_t (*next)(int, const void *, size_t, offset);                                 \
        if (!next) next = (ssize_t (*)(int, const void *, size_t, offset))dlsym(RTLD_NEXT, #name); \
        if (fails(READ_ONLY, file)) { errno = EROFS; return -1; }                                  \
        return next(file, bytes, length, at);                                                      \
    }

WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)
