// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#include "ucmk_linux.h"

#include <grp.h>
#include <limits.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>

// Entries of the user and group databases may be long (a group with thousands of members); beyond
// a MiB the entry is treated as absent.
enum { FIRST_ENTRY = 1024, LARGEST_ENTRY = 1 << 20 };

int ucmk_group_id(const char *name, uint32_t *gid) {
    for (size_t size = FIRST_ENTRY; size <= LARGEST_ENTRY; size *= 4) {
        char *buffer = malloc(size);
        if (!buffer)
            return -ENOMEM;
        struct group entry, *found = NULL;
        int failure = getgrnam_r(name, &entry, buffer, size, &found);
        if (found)
            *gid = found->gr_gid;
        free(buffer);
        if (failure == ERANGE)
            continue;
        if (found)
            return 0;
        return failure == 0 ? -ENOENT : -failure;
    }
    return -ENOENT;
}

static int listed(const char *user, gid_t primary, gid_t group) {
    int capacity = 64;
    for (int attempt = 0; attempt < 4; attempt++) {
        gid_t *groups = calloc((size_t)capacity, sizeof(*groups));
        if (!groups)
            return -ENOMEM;
        int count = capacity, contains = 0;
        int complete = getgrouplist(user, primary, groups, &count);
        for (int index = 0; complete >= 0 && index < count; index++)
            contains |= groups[index] == group;
        free(groups);
        if (complete >= 0)
            return contains;
        capacity = count > capacity ? count : capacity * 4;
    }
    return 0;
}

int ucmk_group_contains(uint32_t uid, uint32_t gid, uint32_t group) {
    if (gid == group)
        return 1;
    for (size_t size = FIRST_ENTRY; size <= LARGEST_ENTRY; size *= 4) {
        char *buffer = malloc(size);
        if (!buffer)
            return -ENOMEM;
        struct passwd entry, *found = NULL;
        int failure = getpwuid_r(uid, &entry, buffer, size, &found);
        int result = found ? listed(found->pw_name, found->pw_gid, group) : 0;
        free(buffer);
        if (failure != ERANGE)
            return result;
    }
    return 0;
}

struct start {
    void (*body)(void *);
    void *context;
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.body(start.context);
    return NULL;
}

// The new thread has every signal blocked: a library's thread must not run the handlers of the
// program it lives in, and the daemon reads its signals from a descriptor.
int ucmk_thread_start(const char *name, size_t stack, void (*body)(void *), void *context,
                      uint64_t *thread) {
    struct start *start = malloc(sizeof(*start));
    if (!start)
        return -ENOMEM;
    *start = (struct start){body, context};
    pthread_attr_t attributes;
    int failure = pthread_attr_init(&attributes);
    if (failure) {
        free(start);
        return -failure;
    }
    size_t least = (size_t)PTHREAD_STACK_MIN;
    failure = pthread_attr_setstacksize(&attributes, stack > least ? stack : least);
    sigset_t every, before;
    sigfillset(&every);
    if (!failure)
        failure = pthread_sigmask(SIG_SETMASK, &every, &before);
    pthread_t created = 0;
    if (!failure) {
        failure = pthread_create(&created, &attributes, run, start);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attributes);
    if (failure) {
        free(start);
        return -failure;
    }
    // A name is for people; a thread without one works as well.
    pthread_setname_np(created, name);
    *thread = (uint64_t)created;
    return 0;
}

int ucmk_thread_join(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }

int ucmk_thread_detach(uint64_t thread) { return -pthread_detach((pthread_t)thread); }
