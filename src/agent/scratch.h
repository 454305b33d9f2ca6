/* SPDX-License-Identifier: MIT */
#ifndef AGENT_SCRATCH_H
#define AGENT_SCRATCH_H

/* The folder where agents keep what must not outlive a boot (HA_RSCTMP): below state_dir, one for
 * each boot; those of earlier boots are removed. *ret is malloc'ed. 0 or -errno. */
int scratch_prepare(const char *state_dir, char **ret);

#endif
