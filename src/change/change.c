/* SPDX-License-Identifier: MIT */
#include "change/change.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define FORMAT_VERSION 1

enum { FLAG_LAST = 1, FLAG_INITIAL = 2, FLAGS_KNOWN = 3 };

enum text_index {
    TEXT_OBJECT_ID,
    TEXT_PARENT_ID,
    TEXT_NODE_ID,
    TEXT_NAME,
    TEXT_TYPE_NAME,
    TEXT_ACTOR_NODE,
    TEXT_ACTOR_PROGRAM,
    TEXT_COUNT
};

/* Every number is little-endian. The texts follow, each with its NUL, then the old value's bytes
 * and the new one's, then zeroes. */
struct head {
    uint32_t size; /* of all, zeroes included */
    uint16_t format_version;
    uint8_t flags;
    uint8_t kind;
    uint64_t revision;
    uint64_t transaction;
    int64_t time_ns;
    uint32_t uid;
    uint32_t pid;
    uint8_t reason;
    uint8_t old_kind;
    uint8_t new_kind;
    uint8_t reserved_byte;
    uint32_t old_number;
    uint32_t new_number;
    uint32_t old_size;
    uint32_t new_size;
    uint32_t text_length[TEXT_COUNT]; /* without the NUL */
    uint8_t reserved[40];
};
static_assert(sizeof(struct head) == CHANGE_HEAD_SIZE, "the head has no holes");
static_assert(CHANGE_KIND_COUNT <= UINT8_MAX, "a kind fits its byte");

static void collect_texts(const struct change *c, const char *texts[TEXT_COUNT])
{
    texts[TEXT_OBJECT_ID] = c->object_id;
    texts[TEXT_PARENT_ID] = c->parent_id;
    texts[TEXT_NODE_ID] = c->node_id;
    texts[TEXT_NAME] = c->name;
    texts[TEXT_TYPE_NAME] = c->type_name;
    texts[TEXT_ACTOR_NODE] = c->actor.node;
    texts[TEXT_ACTOR_PROGRAM] = c->actor.program;
}

/* What a value of a kind may look like, the same for both directions. */
static bool value_is_sound(const struct change_value *v)
{
    switch (v->kind) {
    case VALUE_NONE:
    case VALUE_NUMBER:
        return v->size == 0;
    case VALUE_TEXT_LIST:
        return v->size == 0 || ((const char *)v->data)[v->size - 1] == '\0';
    case VALUE_TEXT:
        return v->size == 0 || !memchr(v->data, '\0', v->size);
    case VALUE_PROPERTIES:
    case VALUE_REGISTRY:
    case VALUE_BYTES:
        return true;
    case VALUE_KIND_COUNT:
        break;
    }
    return false;
}

int change_encode(const struct change *c, struct buffer *out)
{
    PRE(c->kind > CHANGE_NONE && c->kind < CHANGE_KIND_COUNT);
    PRE(c->actor.reason < REASON_COUNT);
    PRE(value_is_sound(&c->old_value) && value_is_sound(&c->new_value));

    struct head h = {
        .format_version = htole16(FORMAT_VERSION),
        .flags = (uint8_t)((c->last ? FLAG_LAST : 0) | (c->initial ? FLAG_INITIAL : 0)),
        .kind = (uint8_t)c->kind,
        .revision = htole64(c->revision),
        .transaction = htole64(c->transaction),
        .time_ns = (int64_t)htole64((uint64_t)c->time_ns),
        .uid = htole32(c->actor.uid),
        .pid = htole32(c->actor.pid),
        .reason = (uint8_t)c->actor.reason,
        .old_kind = (uint8_t)c->old_value.kind,
        .new_kind = (uint8_t)c->new_value.kind,
        .old_number = htole32(c->old_value.number),
        .new_number = htole32(c->new_value.number),
    };
    const char *texts[TEXT_COUNT];
    size_t lengths[TEXT_COUNT];
    size_t size = sizeof(h);

    collect_texts(c, texts);
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        lengths[i] = texts[i] ? strlen(texts[i]) : 0;
        if (lengths[i] >= CHANGE_MAX_SIZE)
            return -EMSGSIZE;
        h.text_length[i] = htole32((uint32_t)lengths[i]);
        size += lengths[i] + 1;
    }
    if (c->old_value.size > CHANGE_MAX_SIZE || c->new_value.size > CHANGE_MAX_SIZE)
        return -EMSGSIZE;
    h.old_size = htole32((uint32_t)c->old_value.size);
    h.new_size = htole32((uint32_t)c->new_value.size);
    size += c->old_value.size + c->new_value.size;
    if (size > CHANGE_MAX_SIZE)
        return -EMSGSIZE;
    const size_t padding = ALIGN_UP(size, (size_t)CHANGE_ALIGNMENT) - size;
    h.size = htole32((uint32_t)(size + padding));

    int r = buffer_reserve(out, size + padding);
    if (r < 0)
        return r;
    buffer_append(out, &h, sizeof(h));
    for (size_t i = 0; i < TEXT_COUNT; i++)
        buffer_append(out, texts[i] ? texts[i] : "", lengths[i] + 1);
    buffer_append(out, c->old_value.data, c->old_value.size);
    buffer_append(out, c->new_value.data, c->new_value.size);
    return buffer_append_zero(out, padding);
}

size_t change_size(const void *data)
{
    struct {
        uint32_t size;
        uint16_t format_version;
        uint8_t flags;
        uint8_t kind;
    } start;
    static_assert(sizeof(start) == 8, "what a reader may look at first");
    memcpy(&start, data, sizeof(start));

    const uint32_t size = le32toh(start.size);
    if (size < CHANGE_HEAD_SIZE || size > CHANGE_MAX_SIZE || size % CHANGE_ALIGNMENT != 0)
        return 0;
    if (le16toh(start.format_version) != FORMAT_VERSION || (start.flags & ~FLAGS_KNOWN) != 0)
        return 0;
    if (start.kind == CHANGE_NONE || start.kind >= CHANGE_KIND_COUNT)
        return 0;
    return size;
}

/* The texts, in what lies between *at and end; *at is moved past them. */
static int read_texts(const char **at, const char *end, const struct head *h,
                      const char *texts[TEXT_COUNT])
{
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const size_t length = le32toh(h->text_length[i]);
        if (length >= (size_t)(end - *at) || (*at)[length] != '\0' || strlen(*at) != length)
            return -EBADMSG;
        texts[i] = *at;
        *at += length + 1;
    }
    return 0;
}

static int read_value(const char **at, const char *end, uint8_t kind, uint32_t number,
                      uint32_t size, struct change_value *ret)
{
    const struct change_value v = {kind, le32toh(number), *at, le32toh(size)};
    if (kind >= VALUE_KIND_COUNT || v.size > (size_t)(end - *at) || !value_is_sound(&v))
        return -EBADMSG;
    *at += v.size;
    *ret = v;
    return 0;
}

int change_decode(const void *data, size_t size, struct change *ret)
{
    struct head h;
    const char *texts[TEXT_COUNT];
    struct change_value old_value, new_value;

    if (size < sizeof(h))
        return -EBADMSG;
    const size_t record_size = change_size(data);
    if (record_size == 0 || record_size > size)
        return -EBADMSG;
    memcpy(&h, data, sizeof(h));
    const char *at = (const char *)data + sizeof(h), *end = (const char *)data + record_size;
    if (h.reason >= REASON_COUNT || read_texts(&at, end, &h, texts) < 0 ||
        read_value(&at, end, h.old_kind, h.old_number, h.old_size, &old_value) < 0 ||
        read_value(&at, end, h.new_kind, h.new_number, h.new_size, &new_value) < 0 ||
        end - at >= CHANGE_ALIGNMENT)
        return -EBADMSG;

    *ret = (struct change){
        .revision = le64toh(h.revision),
        .transaction = le64toh(h.transaction),
        .time_ns = (int64_t)le64toh((uint64_t)h.time_ns),
        .kind = h.kind,
        .last = h.flags & FLAG_LAST,
        .initial = h.flags & FLAG_INITIAL,
        .object_id = texts[TEXT_OBJECT_ID],
        .parent_id = texts[TEXT_PARENT_ID],
        .node_id = texts[TEXT_NODE_ID],
        .name = texts[TEXT_NAME],
        .type_name = texts[TEXT_TYPE_NAME],
        .old_value = old_value,
        .new_value = new_value,
        .actor = {.node = texts[TEXT_ACTOR_NODE],
                  .program = texts[TEXT_ACTOR_PROGRAM],
                  .uid = le32toh(h.uid),
                  .pid = le32toh(h.pid),
                  .reason = h.reason},
    };
    return 0;
}

uint64_t change_peek_revision(const void *data)
{
    uint64_t revision;
    memcpy(&revision, (const uint8_t *)data + offsetof(struct head, revision), sizeof(revision));
    return le64toh(revision);
}

enum change_kind change_peek_kind(const void *data)
{
    return ((const uint8_t *)data)[offsetof(struct head, kind)];
}

void change_put_revision(void *data, uint64_t revision, uint64_t transaction, bool last)
{
    uint8_t *p = data;
    const uint64_t le[] = {htole64(revision), htole64(transaction)};
    static_assert(offsetof(struct head, transaction) == offsetof(struct head, revision) + 8,
                  "they are neighbours");

    memcpy(p + offsetof(struct head, revision), le, sizeof(le));
    uint8_t *flags = p + offsetof(struct head, flags);
    *flags = (uint8_t)((*flags & ~FLAG_LAST) | (last ? FLAG_LAST : 0));
}
