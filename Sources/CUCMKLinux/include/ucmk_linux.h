// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#ifndef UCMK_LINUX_H
#define UCMK_LINUX_H

// System calls that Swift cannot see or cannot call well (variadic, `_GNU_SOURCE`, macros), in
// one convention: zero or more is the result, less than zero is the negated errno. `errno` itself
// is never read from Swift, where a retain or a release may have changed it since. Interrupted
// calls (EINTR) are repeated here, except where a function says otherwise.

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

// Names and texts of errors; NULL for a number that is none.
const char *ucmk_errno_name(int number);
const char *ucmk_errno_text(int number);

// Clocks: nanoseconds on CLOCK_MONOTONIC, microseconds on CLOCK_REALTIME.
uint64_t ucmk_monotonic_ns(void);
uint64_t ucmk_wall_us(void);

// Files.
enum { UCMK_OPEN_READ = 0, UCMK_OPEN_READ_WRITE = 1 };
int ucmk_open(const char *path, int mode);
// Opens for reading what the NUL-terminated bytes name.
int ucmk_open_bytes(const void *path);
void ucmk_close(int fd);
ssize_t ucmk_read(int fd, void *buffer, size_t size);
ssize_t ucmk_write(int fd, const void *bytes, size_t size);
ssize_t ucmk_readlink(const char *path, char *buffer, size_t size);
int ucmk_unlink(const char *path);
int ucmk_rename(const char *from, const char *to);
int32_t ucmk_process(void);
int ucmk_chmod(const char *path, uint32_t mode);
// 1 where the descriptor lies on procfs or cgroup2, else 0.
int ucmk_is_kernel_file(int fd);
struct ucmk_identity {
    uint64_t device, inode;
    uint32_t mode;
};
int ucmk_identify(int fd, struct ucmk_identity *identity);
int ucmk_identify_path(const char *path, struct ucmk_identity *identity);
enum { UCMK_KIND_OTHER, UCMK_KIND_REGULAR, UCMK_KIND_FIFO, UCMK_KIND_SOCKET, UCMK_KIND_DEVICE };
int ucmk_kind(uint32_t mode);
// The kind of what a path leads to, through symbolic links.
int ucmk_path_kind(const char *path);
// Takes an advisory lock on a folder; -EWOULDBLOCK where somebody else holds it.
int ucmk_lock_folder(const char *path);
const char *ucmk_getenv(const char *name);
uint64_t ucmk_page_size(void);

// AF_UNIX stream sockets. All descriptors are close-on-exec.
size_t ucmk_unix_path_maximum(void);
int ucmk_unix_socket(int nonblocking);
int ucmk_unix_bind(int fd, const char *path, uint32_t mode);
int ucmk_unix_listen(int fd, int backlog);
int ucmk_unix_connect(int fd, const char *path);
int ucmk_unix_accept(int fd);
int ucmk_unix_pair(int nonblocking, int fds[2]);
// 1 where the descriptor is a listening AF_UNIX stream socket, else 0.
int ucmk_unix_is_listener(int fd);
int ucmk_set_flags(int fd, int nonblocking);
ssize_t ucmk_send(int fd, const void *bytes, size_t size);
ssize_t ucmk_receive(int fd, void *buffer, size_t size);
int ucmk_shutdown_write(int fd);

struct ucmk_peer {
    int32_t pid;
    uint32_t uid, gid;
};
int ucmk_peer_credentials(int fd, struct ucmk_peer *peer);
int ucmk_peer_pidfd(int fd);
// The peer's supplementary groups when it connected; the count, or -ERANGE where more than
// `capacity`.
int ucmk_peer_groups(int fd, uint32_t *groups, uint32_t capacity);
// Stores the number of a group; -ENOENT where it has none.
int ucmk_group_id(const char *name, uint32_t *gid);
// 1 where the user database puts `uid` (primary group `gid`) into `group`, else 0.
int ucmk_group_contains(uint32_t uid, uint32_t gid, uint32_t group);

// Waiting.
int ucmk_epoll_create(void);
int ucmk_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token);
// -EINTR is returned: the caller's loop may have to look at something.
int ucmk_epoll_wait(int epoll, struct epoll_event *events, int capacity, int timeout_ms);
int ucmk_poll(struct pollfd *entries, size_t count, int timeout_ms);
int ucmk_eventfd(void);
// An inotify queue that does not block, and one more folder in it: what is made, removed and moved
// there. -ENOENT or -ENOTDIR where the folder is none.
int ucmk_inotify(void);
int ucmk_inotify_add(int fd, const char *folder);
int ucmk_timerfd(void);
// `at_ns` on CLOCK_MONOTONIC; 0 disarms.
int ucmk_timerfd_set(int fd, uint64_t at_ns);

// The process.
int ucmk_lock_memory(int on_fault);
int ucmk_malloc_trim(void);
/// Gives blocks of this size or more pages of their own, and all threads one heap.
void ucmk_malloc_map_from(size_t bytes);
/// Lets go of the pages of all code and constants that are mapped, until they are used again.
void ucmk_forget_code(void);
int ucmk_raise_descriptor_limit(uint64_t *soft, uint64_t *hard);
int ucmk_ignore_signal(int number);
int ucmk_block_signal(int number);
int ucmk_thread_start(const char *name, size_t stack, void (*body)(void *), void *context,
                      uint64_t *thread);
int ucmk_thread_join(uint64_t thread);
int ucmk_thread_detach(uint64_t thread);

#endif
