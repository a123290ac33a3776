// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#include "ucmk_linux.h"

#include <link.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

static int checked(int result) { return result < 0 ? -errno : result; }

#define REPEAT(type, expression)                                                                   \
    ({                                                                                             \
        type result_;                                                                              \
        do                                                                                         \
            result_ = (expression);                                                                \
        while (result_ < 0 && errno == EINTR);                                                     \
        result_ < 0 ? (type)-errno : result_;                                                      \
    })

const char *ucmk_errno_name(int number) { return strerrorname_np(number); }

const char *ucmk_errno_text(int number) { return strerrordesc_np(number); }

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t ucmk_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

uint64_t ucmk_wall_us(void) { return clock_ns(CLOCK_REALTIME) / 1000u; }

// O_NONBLOCK: opening a FIFO or a device by mistake must not stop the daemon.
int ucmk_open(const char *path, int mode) {
    int flags = mode == UCMK_OPEN_READ_WRITE ? O_RDWR : O_RDONLY;
    return REPEAT(int, open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

int ucmk_open_bytes(const void *path) { return ucmk_open(path, UCMK_OPEN_READ); }

// Linux frees the number even where close() fails, so it is never repeated.
void ucmk_close(int fd) { close(fd); }

ssize_t ucmk_read(int fd, void *buffer, size_t size) {
    return REPEAT(ssize_t, read(fd, buffer, size));
}

ssize_t ucmk_write(int fd, const void *bytes, size_t size) {
    return REPEAT(ssize_t, write(fd, bytes, size));
}

ssize_t ucmk_readlink(const char *path, char *buffer, size_t size) {
    ssize_t length = readlink(path, buffer, size);
    return length < 0 ? -errno : length;
}

int ucmk_unlink(const char *path) { return checked(unlink(path)); }

int ucmk_rename(const char *from, const char *to) { return checked(rename(from, to)); }

int32_t ucmk_process(void) { return getpid(); }

int ucmk_chmod(const char *path, uint32_t mode) { return checked(chmod(path, mode)); }

int ucmk_is_kernel_file(int fd) {
    struct statfs system;
    if (fstatfs(fd, &system) < 0)
        return -errno;
    return system.f_type == PROC_SUPER_MAGIC || system.f_type == CGROUP2_SUPER_MAGIC;
}

static void fill_identity(const struct stat *status, struct ucmk_identity *identity) {
    identity->device = status->st_dev;
    identity->inode = status->st_ino;
    identity->mode = status->st_mode;
}

int ucmk_identify(int fd, struct ucmk_identity *identity) {
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    fill_identity(&status, identity);
    return 0;
}

int ucmk_identify_path(const char *path, struct ucmk_identity *identity) {
    struct stat status;
    if (lstat(path, &status) < 0)
        return -errno;
    fill_identity(&status, identity);
    return 0;
}

int ucmk_kind(uint32_t mode) {
    if (S_ISREG(mode))
        return UCMK_KIND_REGULAR;
    if (S_ISFIFO(mode))
        return UCMK_KIND_FIFO;
    if (S_ISSOCK(mode))
        return UCMK_KIND_SOCKET;
    return S_ISCHR(mode) ? UCMK_KIND_DEVICE : UCMK_KIND_OTHER;
}

int ucmk_path_kind(const char *path) {
    struct stat status;
    return stat(path, &status) < 0 ? -errno : ucmk_kind(status.st_mode);
}

int ucmk_lock_folder(const char *path) {
    int fd = REPEAT(int, open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0)
        return fd;
    int locked = REPEAT(int, flock(fd, LOCK_EX | LOCK_NB));
    if (locked == 0)
        return fd;
    close(fd);
    return locked;
}

const char *ucmk_getenv(const char *name) { return secure_getenv(name); }

uint64_t ucmk_page_size(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

int ucmk_epoll_create(void) { return checked(epoll_create1(EPOLL_CLOEXEC)); }

int ucmk_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return checked(epoll_ctl(epoll, operation, fd, &event));
}

int ucmk_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms) {
    return checked(epoll_wait(epoll, events, capacity, timeout_ms));
}

int ucmk_poll(struct pollfd *entries, size_t count, int timeout_ms) {
    return checked(poll(entries, count, timeout_ms));
}

int ucmk_eventfd(void) { return checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int ucmk_inotify(void) { return checked(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }

int ucmk_inotify_add(int fd, const char *folder) {
    uint32_t events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
    return checked(inotify_add_watch(fd, folder, events));
}

int ucmk_timerfd(void) {
    return checked(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

int ucmk_timerfd_set(int fd, uint64_t at_ns) {
    struct itimerspec setting = {0};
    setting.it_value.tv_sec = (time_t)(at_ns / 1000000000u);
    setting.it_value.tv_nsec = (long)(at_ns % 1000000000u);
    return checked(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
}

int ucmk_lock_memory(int on_fault) {
    return checked(mlockall(MCL_CURRENT | MCL_FUTURE | (on_fault ? MCL_ONFAULT : 0)));
}

int ucmk_malloc_trim(void) { return malloc_trim(0); }

void ucmk_malloc_map_from(size_t bytes) {
    mallopt(M_MMAP_THRESHOLD, (int)bytes);
    mallopt(M_ARENA_MAX, 1);
}

// Segments that cannot be written are private mappings of files without a change of our own: what
// is dropped comes back from the page cache.
static int forget_segments(struct dl_phdr_info *object, size_t size, void *unused) {
    (void)size;
    (void)unused;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int index = 0; index < object->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W))
            continue;
        uintptr_t start = ((uintptr_t)object->dlpi_addr + segment->p_vaddr) & ~(page - 1);
        uintptr_t end = (uintptr_t)object->dlpi_addr + segment->p_vaddr + segment->p_memsz;
        madvise((void *)start, (end - start + page - 1) & ~(page - 1), MADV_DONTNEED);
    }
    return 0;
}

void ucmk_forget_code(void) { dl_iterate_phdr(forget_segments, NULL); }

int ucmk_raise_descriptor_limit(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -errno;
    limit.rlim_cur = limit.rlim_max;
    *soft = *hard = limit.rlim_max;
    return checked(setrlimit(RLIMIT_NOFILE, &limit));
}

int ucmk_ignore_signal(int number) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    return checked(sigaction(number, &action, NULL));
}

int ucmk_block_signal(int number) {
    sigset_t signals;
    sigemptyset(&signals);
    if (sigaddset(&signals, number) < 0)
        return -errno;
    return -pthread_sigmask(SIG_BLOCK, &signals, NULL);
}
