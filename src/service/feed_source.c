/* SPDX-License-Identifier: MIT */
#include "service/feed_source.h"

#include <errno.h>

#include "base/macro.h"

#define PAGE_SIZE (256u << 10)
#define RUN_SIZE (4u << 10) /* small: a client that does not ask for more keeps it here */

struct feed_source {
    struct port_source port;
    struct feed *feed;
    struct feed_cursor cursor; /* .revision 0: to be sought */
    /* The page: what is wanted of the changes from page_from up to and without page_end, with
     * others between; those before page_first are lost. Of the feed, or of the journal. */
    struct buffer page;
    size_t page_at; /* those before were looked at */
    uint64_t page_from, page_first, page_end;
    struct journal_reader *reader;
    struct journal_reader_job job;
    bool reading, closed;
    int error; /* why there was nothing to give: of the last page, or of the last look */
    void (*arrived)(void *context);
    void *context;
};

static bool is_wanted(const uint64_t *kinds, unsigned kind)
{
    return !kinds || (kinds[kind / 64] >> (kind % 64) & 1);
}

static void source_free(struct feed_source *s)
{
    buffer_fini(&s->page);
    buffer_fini(&s->job.records);
    feed_unref(s->feed);
    free(s);
}

static uint64_t end_of(const struct buffer *records, uint64_t fallback)
{
    uint64_t end = fallback;
    for (size_t at = 0; at < records->size; at += change_size(records->data + at))
        end = change_peek_revision(records->data + at) + 1;
    return end;
}

static void page_arrived(struct journal_reader_job *job)
{
    struct feed_source *s = container_of(job, struct feed_source, job);
    s->reading = false;
    s->error = job->result;
    if (s->closed) {
        source_free(s);
        return;
    }
    if (job->result == 0) {
        buffer_fini(&s->page);
        s->page = job->records;
        job->records = (struct buffer){0};
        s->page_at = 0;
        s->page_from = job->from;
        s->page_end = end_of(&s->page, feed_head_revision(s->feed) + 1);
        s->page_first = s->page.size > 0 ? change_peek_revision(s->page.data) : s->page_end;
    }
    s->arrived(s->context);
}

static enum port_source_result read_page(struct feed_source *s, uint64_t from)
{
    if (!s->reading) {
        s->reading = true;
        buffer_fini(&s->job.records);
        s->job =
            (struct journal_reader_job){.from = from, .max_bytes = PAGE_SIZE, .done = page_arrived};
        journal_reader_read(s->reader, &s->job);
    }
    return SOURCE_ERROR;
}

/* SOURCE_EMPTY: nothing in the page, *from is moved to its end. */
static enum port_source_result look_in_page(struct feed_source *s, uint64_t *from,
                                            const uint64_t *kinds, const void **ret,
                                            size_t *ret_size, uint64_t *ret_next)
{
    if (*from < s->page_first) {
        *ret_next = s->page_first;
        return SOURCE_LOST;
    }
    for (; s->page_at < s->page.size; s->page_at += change_size(s->page.data + s->page_at)) {
        const uint8_t *record = s->page.data + s->page_at;
        if (change_peek_revision(record) < *from || !is_wanted(kinds, change_peek_kind(record)))
            continue;
        *ret = record;
        *ret_size = change_size(record);
        *ret_next = change_peek_revision(record) + 1;
        return SOURCE_RECORD;
    }
    *from = s->page_end;
    return SOURCE_EMPTY;
}

/* SOURCE_RECORD: there is a page that has one. */
static enum port_source_result look_in_feed(struct feed_source *s, uint64_t from,
                                            const uint64_t *kinds, uint64_t *ret_next)
{
    if (s->cursor.revision != from) {
        int r = feed_seek(s->feed, from, &s->cursor);
        if (r == -ENODATA)
            return read_page(s, from);
        if (r < 0) {
            *ret_next = from;
            return SOURCE_EMPTY;
        }
    }
    buffer_fini(&s->page);
    s->page_at = 0;
    s->page_from = s->page_first = s->page_end = from;
    switch (feed_read(s->feed, &s->cursor, kinds, RUN_SIZE, &s->page)) {
    case FEED_RECORD:
        s->page_end = s->cursor.revision;
        return SOURCE_RECORD;
    case FEED_EMPTY:
        *ret_next = s->cursor.revision;
        return SOURCE_EMPTY;
    case FEED_LAPPED:
        s->cursor.revision = 0;
        return read_page(s, from);
    default: /* FEED_NO_MEMORY */
        s->error = -ENOMEM;
        return SOURCE_ERROR;
    }
}

static enum port_source_result next(struct port_source *port, uint64_t from, const uint64_t *kinds,
                                    const void **ret, size_t *ret_size, uint64_t *ret_next)
{
    struct feed_source *s = container_of(port, struct feed_source, port);
    if (s->reading)
        return SOURCE_ERROR;
    s->error = 0;
    for (;;) {
        enum port_source_result found = SOURCE_EMPTY;
        if (from >= s->page_from && from < s->page_end)
            found = look_in_page(s, &from, kinds, ret, ret_size, ret_next);
        if (found != SOURCE_EMPTY)
            return found;
        found = look_in_feed(s, from, kinds, ret_next);
        if (found != SOURCE_RECORD)
            return found;
    }
}

static const struct port_source_methods methods = {.next = next};

int feed_source_create(struct feed *feed, struct journal_reader *reader,
                       void (*arrived)(void *context), void *context, struct feed_source **ret)
{
    struct feed_source *s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->port.methods = &methods;
    s->feed = feed_ref(feed);
    s->reader = reader;
    s->arrived = arrived;
    s->context = context;
    *ret = s;
    return 0;
}

struct port_source *feed_source_port(struct feed_source *s)
{
    return &s->port;
}

int feed_source_error(const struct feed_source *s)
{
    return s->reading ? 0 : s->error;
}

void feed_source_close(struct feed_source *s)
{
    if (!s)
        return;
    if (s->reading)
        s->closed = true;
    else
        source_free(s);
}
