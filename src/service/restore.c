/* SPDX-License-Identifier: MIT */
#include "service/restore.h"

#include <errno.h>

#include "base/macro.h"

#define READ_SIZE (256u << 10)
#define TYPICAL_CHANGE_SIZE 256

static int load_one(void *context, enum object_type type, const char *key, const char *json,
                    size_t size)
{
    return model_load_object(context, type, key, json, size);
}

int restore_model(struct journal *j, struct model **ret)
{
    struct model *m = model_create();
    if (!m)
        return -ENOMEM;
    int r = journal_load(j, load_one, m);
    if (r == 0)
        r = model_load_done(m, journal_last_revision(j));
    if (r < 0) {
        model_destroy(m);
        return r;
    }
    *ret = m;
    return 0;
}

int restore_last_time(struct journal *j, int64_t *ret_ns)
{
    _cleanup_(buffer_fini) struct buffer record = {0};
    struct change last = {0};
    size_t count = 0;
    int r = 0;
    if (journal_first_revision(j) > 0)
        r = journal_read(j, journal_last_revision(j), 1, &record, &count);
    if (r == 0 && count > 0)
        r = change_decode(record.data, record.size, &last);
    if (r == 0)
        *ret_ns = last.time_ns;
    return r;
}

static uint64_t revision_after(const struct buffer *records)
{
    uint64_t revision = 0;
    for (size_t at = 0; at < records->size; at += change_size(records->data + at))
        revision = change_peek_revision(records->data + at);
    return revision + 1;
}

int restore_feed(struct journal *j, uint32_t feed_size, struct feed_writer *w)
{
    uint64_t last = journal_last_revision(j), first = journal_first_revision(j);
    uint64_t most = feed_size / TYPICAL_CHANGE_SIZE;
    uint64_t from = first == 0 ? last + 1 : MAX(first, last > most ? last - most + 1 : 1);
    feed_writer_begin(w, from - 1);
    while (from <= last) {
        _cleanup_(buffer_fini) struct buffer records = {0};
        size_t count = 0;
        int r = journal_read(j, from, MIN(READ_SIZE, feed_size / 4), &records, &count);
        if (r < 0)
            return r;
        if (count == 0)
            return -EBADMSG;
        feed_publish(w, records.data, records.size);
        from = revision_after(&records);
    }
    return 0;
}
