// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#ifndef UCMK_BENCH_H
#define UCMK_BENCH_H

#include <stdint.h>

/// How often memory was allocated in this process so far (malloc, calloc, realloc, aligned_alloc,
/// posix_memalign).
uint64_t bench_allocations(void);

/// Starts a process in which `count` clients connect to `path`, say hello, register one cache of
/// 8 MiB, and answer every shrink request at once with all that was asked. Returns its pid, or the
/// negated errno.
int bench_start_clients(const char *path, int count);

/// Ends it.
void bench_stop_clients(int pid);

/// The baseline: a server that does for the same clients what a round does on the wire and nothing
/// else. Accepts `count` of them from the listening socket `listener` and answers what they say
/// first; -1 where it cannot. The handle is good for bench_baseline_round and bench_baseline_end.
void *bench_baseline_begin(int listener, int count);

/// Sends a shrink request to each client and collects an answer from each; nanoseconds.
uint64_t bench_baseline_round(void *handle, uint64_t round);

/// Closes the connections.
void bench_baseline_end(void *handle);

#endif
