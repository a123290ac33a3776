// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ucmk_bench.h"

static const char HELLO[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":{\"min\":1,"
    "\"max\":1},\"client\":{\"name\":\"bench\"}}}\n"
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"cache.register\",\"params\":{\"caches\":[{"
    "\"name\":\"cache\",\"usage\":{\"bytes\":8388608,\"reclaimable\":8388608}}]}}\n";

/// The number behind `key`, which stands somewhere in `line`; 0 where it does not.
static unsigned long long number(const char *line, const char *key) {
    const char *found = strstr(line, key);
    return found ? strtoull(found + strlen(key), NULL, 10) : 0;
}

static void answer(int fd, const char *line) {
    char text[256];
    if (strstr(line, "\"method\":\"shrink\"") == NULL) {
        return;
    }
    int length = snprintf(
        text, sizeof text,
        "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":{\"round\":%llu,\"targets\":[{\"id\":%llu,"
        "\"freed\":%llu,\"bytes\":8388608,\"reclaimable\":8388608,\"more\":false}],"
        "\"took_ms\":0}}\n",
        number(line, "\"id\":"), number(line, "\"round\":"), number(line, "\"targets\":[{\"id\":"),
        number(line, "\"bytes\":"));
    if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
        _exit(3);
    }
}

static void serve(const char *path, int count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int set = epoll_create1(EPOLL_CLOEXEC);
    for (int index = 0; index < count; index++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
            send(fd, HELLO, sizeof HELLO - 1, MSG_NOSIGNAL) != (ssize_t)sizeof HELLO - 1 ||
            epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) < 0) {
            _exit(2);
        }
    }
    // A request of one cache is one segment of a stream socket: it never comes in parts.
    static char buffer[65537];
    struct epoll_event ready[256];
    for (;;) {
        int found = epoll_wait(set, ready, 256, -1);
        for (int index = 0; index < found; index++) {
            ssize_t length = recv(ready[index].data.fd, buffer, sizeof buffer - 1, 0);
            if (length <= 0) {
                _exit(0);
            }
            buffer[length] = 0;
            for (char *line = strtok(buffer, "\n"); line; line = strtok(NULL, "\n")) {
                answer(ready[index].data.fd, line);
            }
        }
    }
}

int bench_start_clients(const char *path, int count) {
    int pid = fork();
    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close_range(3, ~0U, 0);
        serve(path, count);
        _exit(0);
    }
    return pid;
}

void bench_stop_clients(int pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}
