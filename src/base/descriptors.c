/* SPDX-License-Identifier: MIT */
#include "base/descriptors.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

static struct rlimit before;
static bool raised;

void descriptors_raise(void)
{
    if (raised || getrlimit(RLIMIT_NOFILE, &before) < 0)
        return;
    raised = setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = before.rlim_max,
                                                       .rlim_max = before.rlim_max}) == 0;
}

void descriptors_restore(pid_t child)
{
    if (raised)
        prlimit(child, RLIMIT_NOFILE, &before, NULL);
}
