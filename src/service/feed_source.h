/* SPDX-License-Identifier: MIT */
#ifndef SERVICE_FEED_SOURCE_H
#define SERVICE_FEED_SOURCE_H

#include "feed/feed.h"
#include "port/port.h"
#include "service/journal_reader.h"

/* A port's changes inside the service: from the feed, and what the feed no longer holds from the
 * journal, a page at a time. While a page is on its way the source says SOURCE_ERROR; arrived() is
 * called then. */
struct feed_source;

int feed_source_create(struct feed *feed, struct journal_reader *reader,
                       void (*arrived)(void *context), void *context, struct feed_source **ret);
struct port_source *feed_source_port(struct feed_source *s);
int feed_source_error(const struct feed_source *s); /* why the last page could not be had, or 0 */
/* Frees it, at once or when the page has come. No arrived() any more. NULL is fine. */
void feed_source_close(struct feed_source *s);

#endif
