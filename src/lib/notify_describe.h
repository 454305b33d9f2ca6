/* SPDX-License-Identifier: MIT */
#ifndef LIB_NOTIFY_DESCRIBE_H
#define LIB_NOTIFY_DESCRIBE_H

#include "clusport.h"
#include "port/port.h"

/* A copy of all that is known, in one piece of memory. 0, -ENOMEM, -EILSEQ, -EBADMSG. */
int notify_describe(const struct port_notification *n, CLUSPORT_NOTIFICATION **ret);

#endif
