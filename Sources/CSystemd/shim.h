// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-journal.h>

#include <stdlib.h>

// Frees a NULL-terminated list of strings, as sd_listen_fds_with_names(3) returns it.
static inline void ucmk_free_strings(char **strings) {
    for (char **string = strings; string && *string; string++)
        free(*string);
    free(strings);
}
