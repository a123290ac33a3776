// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

#ifndef UCMK_LINUX_H
#define UCMK_LINUX_H
#endif
