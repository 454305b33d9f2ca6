/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_RESTORE_H
#define SERVICE_RESTORE_H

#include "feed/feed.h"
#include "journal/journal.h"
#include "model/model.h"

#define RESTORE_JOURNAL_NAME "clusport.db" /* in the state folder */

/* From the journal back to what is in memory. */

/* The model as of the journal's last commit. 0 or -errno. */
int restore_model(struct journal *j, struct model **ret);
/* When the last change was made; 0: there is none. 0 or -errno. */
int restore_last_time(struct journal *j, int64_t *ret_ns);
/* Fills a new feed with the newest changes, so that readers go on in memory. 0 or -errno. */
int restore_feed(struct journal *j, uint32_t feed_size, struct feed_writer *w);

#endif
