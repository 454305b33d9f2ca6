/* SPDX-License-Identifier: MIT */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <sys/types.h>

/* How many files this process may have open: a soft limit of 1024 is meant for programs that use
 * select(). Not thread-safe: a program calls it once, at its start. */

/* As many as the hard limit allows. */
void descriptors_raise(void);
/* A child has the limit that we were started with. */
void descriptors_restore(pid_t child);

#endif
