/* SPDX-License-Identifier: MIT */
#include "service/feed_source.h"

#include <errno.h>

#include "base/macro.h"

#define PAGE_SIZE (256u << 10)

struct feed_source {
    struct port_source port;
    struct feed *feed;
    struct feed_cursor cursor; /* placed on the change that was given last, if `placed` */
    bool placed;
    struct buffer record; /* the one that the feed gave last, until a later one is wanted */
    /* The page: all changes from page_from up to and without page_end that are kept. */
    struct buffer page;
    uint64_t page_from, page_end;
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
    buffer_fini(&s->record);
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
        s->page_from = job->from;
        s->page_end = end_of(&s->page, feed_head_revision(s->feed) + 1);
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
    uint64_t first = s->page.size > 0 ? change_peek_revision(s->page.data) : s->page_end;
    if (*from < first) {
        *ret_next = first;
        return SOURCE_LOST;
    }
    for (size_t at = 0; at < s->page.size; at += change_size(s->page.data + at)) {
        const uint8_t *record = s->page.data + at;
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

static enum port_source_result look_in_feed(struct feed_source *s, uint64_t from,
                                            const uint64_t *kinds, const void **ret,
                                            size_t *ret_size, uint64_t *ret_next)
{
    if (s->record.size > 0 && change_peek_revision(s->record.data) == from &&
        is_wanted(kinds, change_peek_kind(s->record.data))) {
        *ret = s->record.data;
        *ret_size = s->record.size;
        *ret_next = from + 1;
        return SOURCE_RECORD;
    }
    if (!s->placed || s->cursor.revision != from) {
        int r = feed_seek(s->feed, from, &s->cursor);
        if (r == -ENODATA)
            return read_page(s, from);
        if (r < 0) {
            *ret_next = from;
            return SOURCE_EMPTY;
        }
    }
    s->placed = false;
    switch (feed_next(s->feed, &s->cursor, kinds, &s->record)) {
    case FEED_RECORD:
        *ret = s->record.data;
        *ret_size = s->record.size;
        *ret_next = change_peek_revision(s->record.data) + 1;
        feed_advance(&s->cursor, s->record.data);
        s->placed = true;
        return SOURCE_RECORD;
    case FEED_EMPTY:
        *ret_next = MAX(from, feed_head_revision(s->feed) + 1);
        return SOURCE_EMPTY;
    case FEED_LAPPED:
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
    if (from >= s->page_from && from < s->page_end) {
        enum port_source_result found = look_in_page(s, &from, kinds, ret, ret_size, ret_next);
        if (found != SOURCE_EMPTY)
            return found;
    }
    return look_in_feed(s, from, kinds, ret, ret_size, ret_next);
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
