# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Throwaway Debian systems under emulation, for tests that need a whole one.

A guest has what few build machines offer at once: cgroup v2 with the memory
controller, pressure triggers, swap, and systemd as process 1. The modules, in
the order in which a run meets them: `command` (arguments), `options` (what a
guest is), `store` (the cached images), `image` with `packages`, `kernel` and
`initramfs` (how an image is made), `machine` (one boot).
"""
