/* SPDX-License-Identifier: MIT */
#ifndef AGENT_LEFTOVER_H
#define AGENT_LEFTOVER_H

#include <sys/types.h>

/* Agents that outlived a service that was killed: the next one ends them before it starts any, so
 * that no two work on the same resource. */

/* Process pid, which leads its process group, runs an agent. What cannot be noted is not ended. */
void leftover_note(const char *scratch, pid_t pid);
/* It ended, and is not reaped yet. */
void leftover_forget(const char *scratch, pid_t pid);
/* Ends all that were noted and not forgotten. */
void leftovers_end(const char *scratch);

#endif
