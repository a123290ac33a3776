// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ucmk_bench.h"

struct baseline {
    int set;
    int count;
    int *clients;
};

static const char GREETING[] =
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocol\":1,\"session\":\"c1\"}}\n"
    "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"caches\":[{\"name\":\"cache\",\"id\":1}]}}\n";

static char buffer[65536];

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void *bench_baseline_begin(int listener, int count) {
    struct baseline *self = calloc(1, sizeof *self);
    self->clients = calloc((size_t)count, sizeof(int));
    self->set = epoll_create1(EPOLL_CLOEXEC);
    for (self->count = 0; self->count < count; self->count++) {
        struct pollfd waiting = {.fd = listener, .events = POLLIN};
        int fd = poll(&waiting, 1, 10000) == 1 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd < 0) {
            bench_baseline_end(self);
            return NULL;
        }
        self->clients[self->count] = fd;
        size_t lines = 0;
        while (lines < 2) {
            ssize_t length = recv(fd, buffer, sizeof buffer, 0);
            for (ssize_t index = 0; index < length; index++) {
                lines += buffer[index] == '\n';
            }
            if (length <= 0) {
                break;
            }
        }
        send(fd, GREETING, sizeof GREETING - 1, MSG_NOSIGNAL);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(self->set, EPOLL_CTL_ADD, fd, &event);
    }
    return self;
}

static int collect(struct baseline *self, int timeout) {
    struct epoll_event ready[256];
    int answers = 0;
    int found = epoll_wait(self->set, ready, 256, timeout);
    for (int index = 0; index < found; index++) {
        ssize_t length = recv(ready[index].data.fd, buffer, sizeof buffer, MSG_DONTWAIT);
        for (ssize_t at = 0; at < length; at++) {
            answers += buffer[at] == '\n';
        }
    }
    return answers;
}

uint64_t bench_baseline_round(void *handle, uint64_t round) {
    struct baseline *self = handle;
    uint64_t start = now();
    for (int index = 0; index < self->count; index++) {
        char line[512];
        int length = snprintf(
            line, sizeof line,
            "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"shrink\",\"params\":{\"round\":%llu,"
            "\"attempt\":1,\"level\":\"medium\",\"scope\":{\"kind\":\"manual\"},\"deadline_ms\":2000,"
            "\"targets\":[{\"id\":1,\"bytes\":4194304,\"limit\":4194304}],\"trim\":true,"
            "\"dry_run\":false}}\n",
            (unsigned long long)round, (unsigned long long)round);
        send(self->clients[index], line, (size_t)length, MSG_NOSIGNAL);
    }
    int answers = 0;
    while (answers < self->count) {
        int more = collect(self, 5000);
        if (more == 0) {
            break;
        }
        answers += more;
    }
    return answers == self->count ? now() - start : 0;
}

void bench_baseline_end(void *handle) {
    struct baseline *self = handle;
    for (int index = 0; index < self->count; index++) {
        close(self->clients[index]);
    }
    close(self->set);
    free(self->clients);
    free(self);
}
