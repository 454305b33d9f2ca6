/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_STATUS_H
#define SERVICE_STATUS_H

/* Prints what the database holds, one JSON object a line, whether or not a service runs. 0 or
 * -errno; what is wrong is said on stderr. */
int status_print(const char *state_dir);

#endif
