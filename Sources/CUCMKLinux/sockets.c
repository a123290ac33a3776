// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#include "ucmk_linux.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

// Newer than the headers of Debian 12; Linux 6.5, asm-generic/socket.h.
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

size_t ucmk_unix_path_maximum(void) {
    return sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
}

static int fill_address(const char *path, struct sockaddr_un *address) {
    size_t length = strlen(path);
    if (length == 0 || length > ucmk_unix_path_maximum())
        return -ENAMETOOLONG;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}

int ucmk_unix_socket(int nonblocking) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
    return fd < 0 ? -errno : fd;
}

// The mode of the socket file is the mode of the unbound socket less the umask (net/unix), so the
// file is never wider than asked for, not even before the chmod that undoes the umask.
int ucmk_unix_bind(int fd, const char *path, uint32_t mode) {
    struct sockaddr_un address;
    int failure = fill_address(path, &address);
    if (failure < 0)
        return failure;
    if (fchmod(fd, mode) < 0)
        return -errno;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    return chmod(path, mode) < 0 ? -errno : 0;
}

int ucmk_unix_listen(int fd, int backlog) { return listen(fd, backlog) < 0 ? -errno : 0; }

int ucmk_unix_connect(int fd, const char *path) {
    struct sockaddr_un address;
    int failure = fill_address(path, &address);
    if (failure < 0)
        return failure;
    while (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        if (errno != EINTR)
            return errno == EISCONN ? 0 : -errno;
    return 0;
}

int ucmk_unix_accept(int fd) {
    for (;;) {
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer >= 0)
            return peer;
        if (errno != EINTR && errno != ECONNABORTED)
            return -errno;
    }
}

int ucmk_unix_pair(int nonblocking, int fds[2]) {
    int type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
    return socketpair(AF_UNIX, type, 0, fds) < 0 ? -errno : 0;
}

static int socket_option(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -errno : value;
}

int ucmk_unix_is_listener(int fd) {
    return socket_option(fd, SO_DOMAIN) == AF_UNIX && socket_option(fd, SO_TYPE) == SOCK_STREAM &&
           socket_option(fd, SO_ACCEPTCONN) == 1;
}

int ucmk_set_flags(int fd, int nonblocking) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    if (fcntl(fd, F_SETFL, flags) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

ssize_t ucmk_send(int fd, const void *bytes, size_t size) {
    ssize_t sent;
    do
        sent = send(fd, bytes, size, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t ucmk_receive(int fd, void *buffer, size_t size) {
    ssize_t received;
    do
        received = recv(fd, buffer, size, 0);
    while (received < 0 && errno == EINTR);
    return received < 0 ? -errno : received;
}

int ucmk_shutdown_write(int fd) { return shutdown(fd, SHUT_WR) < 0 ? -errno : 0; }

int ucmk_peer_credentials(int fd, struct ucmk_peer *peer) {
    struct ucred credentials;
    socklen_t size = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}

int ucmk_peer_pidfd(int fd) {
    int pidfd = -1;
    socklen_t size = sizeof(pidfd);
    return getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) < 0 ? -errno : pidfd;
}

int ucmk_peer_groups(int fd, uint32_t *groups, uint32_t capacity) {
    socklen_t size = capacity * (socklen_t)sizeof(*groups);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
        return -errno;
    return (int)(size / sizeof(*groups));
}
