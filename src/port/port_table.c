/* SPDX-License-Identifier: MIT */
#include "port/port_table.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"

#define TABLE_MAGIC 0x3154524f50434c43ull /* "CLCPORT1" */

struct port_table_head {
    uint64_t magic;
    _Atomic uint64_t used; /* slots that were ever taken */
    uint64_t reserved[6];
};

/* All native: writer and reader are on one machine. */
struct port_table_slot {
    _Atomic uint64_t id; /* 0: free */
    _Atomic uint64_t created_ns;
    _Atomic uint64_t revision;
    _Atomic uint64_t delivered;
    _Atomic uint64_t lost;
    _Atomic uint64_t kinds;
    _Atomic uint32_t version;
    _Atomic uint32_t waiting;
    _Atomic uint32_t registrations;
    _Atomic uint32_t reserved;
};

static_assert(sizeof(struct port_table_head) == 64 && sizeof(struct port_table_slot) == 64,
              "one line each");
static_assert(PORT_KIND_WORDS == 1, "the kinds fit their word");

#define TABLE_SIZE (64 * (PORT_TABLE_MOST + 1))
#define TABLE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

struct port_table {
    int fd;
    struct port_table_head *head;
    struct port_table_slot *slots;
    pthread_mutex_t lock; /* who takes and frees slots */
    size_t first_free;    /* none before it is free */
};

int port_table_create(struct port_table **ret)
{
    _cleanup_free_
    struct port_table *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    _cleanup_close_
    int fd = memfd_create("clusport-ports", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, TABLE_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, TABLE_SEALS) < 0)
        return -errno;
    void *map = mmap(NULL, TABLE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -errno;
    t->head = map;
    t->slots = (struct port_table_slot *)(t->head + 1);
    t->head->magic = TABLE_MAGIC;
    pthread_mutex_init(&t->lock, NULL);
    t->fd = TAKE_FD(fd);
    *ret = TAKE_PTR(t);
    return 0;
}

void port_table_destroy(struct port_table *t)
{
    if (!t)
        return;
    munmap(t->head, TABLE_SIZE);
    close(t->fd);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

int port_table_fd(const struct port_table *t)
{
    return t->fd;
}

static void put64(_Atomic uint64_t *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static void put32(_Atomic uint32_t *at, uint32_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

struct port_table_slot *port_table_add(struct port_table *t, uint64_t id, enum port_version version,
                                       int64_t created_ns)
{
    struct port_table_slot *s = NULL;

    pthread_mutex_lock(&t->lock);
    size_t i = t->first_free;
    while (i < PORT_TABLE_MOST && t->slots[i].id != 0)
        i++;
    t->first_free = i;
    if (i < PORT_TABLE_MOST) {
        s = &t->slots[i];
        put64(&s->created_ns, (uint64_t)created_ns);
        put64(&s->revision, 0);
        put64(&s->delivered, 0);
        put64(&s->lost, 0);
        put64(&s->kinds, 0);
        put32(&s->version, version);
        put32(&s->waiting, 0);
        put32(&s->registrations, 0);
        put64(&s->id, id);
        if (i >= t->head->used)
            put64(&t->head->used, i + 1);
    }
    pthread_mutex_unlock(&t->lock);
    return s;
}

void port_table_remove(struct port_table *t, struct port_table_slot *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&t->lock);
    put64(&s->id, 0);
    t->first_free = MIN(t->first_free, (size_t)(s - t->slots));
    pthread_mutex_unlock(&t->lock);
}

void port_table_update(struct port_table_slot *s, const struct port *p, uint32_t waiting)
{
    if (!s)
        return;
    put64(&s->revision, p->revision);
    put64(&s->delivered, p->delivered);
    put64(&s->lost, p->lost);
    put64(&s->kinds, p->kinds[0]);
    put32(&s->waiting, waiting);
    put32(&s->registrations, (uint32_t)p->filter_count);
}

/* ---- the service's side: bytes of another process ---- */

int port_table_check(int fd)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS); /* asks nobody; only memory has any */

    if (seals < 0 || (seals & TABLE_SEALS) != TABLE_SEALS)
        return -EBADMSG;
    return fstat(fd, &st) == 0 && st.st_size == TABLE_SIZE ? 0 : -EBADMSG;
}

static int read_all(int fd, void *to, size_t size, off_t from)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pread(fd, (char *)to + at, size - at, from + (off_t)at);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EBADMSG;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static bool make_info(const struct port_table_slot *s, struct port_info *ret)
{
    *ret = (struct port_info){
        .id = s->id,
        .version = s->version,
        .waiting = s->waiting,
        .registrations = s->registrations,
        .created_ns = (int64_t)s->created_ns,
        .revision = s->revision,
        .delivered = s->delivered,
        .lost = s->lost,
        .kinds = {s->kinds},
    };
    return ret->id != 0 && ret->version >= PORT_V1 && ret->version <= PORT_OWN;
}

int port_table_read(int fd, int (*each)(void *context, const struct port_info *info), void *context)
{
    struct port_table_head head;
    struct port_table_slot slots[64];
    struct stat st;

    /* Anything but a plain file could make the service wait. */
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EBADMSG;
    int r = read_all(fd, &head, sizeof(head), 0);
    if (r < 0)
        return r;
    if (head.magic != TABLE_MAGIC || head.used > PORT_TABLE_MOST)
        return -EBADMSG;
    size_t used = head.used;
    for (size_t i = 0; i < used; i += ARRAY_SIZE(slots)) {
        size_t count = MIN(used - i, ARRAY_SIZE(slots));
        r = read_all(fd, slots, count * sizeof(slots[0]),
                     (off_t)(sizeof(head) + i * sizeof(slots[0])));
        for (size_t k = 0; r == 0 && k < count; k++) {
            struct port_info info;
            if (make_info(&slots[k], &info))
                r = each(context, &info);
        }
        if (r != 0)
            return r;
    }
    return 0;
}

/* ---- the list ---- */

int port_listing_append(const struct port_listing *l, struct buffer *out)
{
    size_t length = strlen(l->program) + 1;

    buffer_append_u32(out, l->pid);
    buffer_append_u32(out, l->uid);
    buffer_append_u32(out, l->port.version);
    buffer_append_u32(out, l->port.waiting);
    buffer_append_u32(out, l->port.registrations);
    buffer_append_u64(out, l->port.id);
    buffer_append_u64(out, (uint64_t)l->port.created_ns);
    buffer_append_u64(out, l->port.revision);
    buffer_append_u64(out, l->port.delivered);
    buffer_append_u64(out, l->port.lost);
    for (size_t i = 0; i < PORT_KIND_WORDS; i++)
        buffer_append_u64(out, l->port.kinds[i]);
    buffer_append_u32(out, (uint32_t)length);
    buffer_append(out, l->program, length);
    return buffer_failed(out) ? -ENOMEM : 0;
}

int port_listing_next(struct reader *r, struct port_listing *ret)
{
    struct port_listing l = {0};

    if (r->at == r->size && !r->failed)
        return 0;
    l.pid = reader_u32(r);
    l.uid = reader_u32(r);
    l.port.version = reader_u32(r);
    l.port.waiting = reader_u32(r);
    l.port.registrations = reader_u32(r);
    l.port.id = reader_u64(r);
    l.port.created_ns = (int64_t)reader_u64(r);
    l.port.revision = reader_u64(r);
    l.port.delivered = reader_u64(r);
    l.port.lost = reader_u64(r);
    for (size_t i = 0; i < PORT_KIND_WORDS; i++)
        l.port.kinds[i] = reader_u64(r);
    uint32_t length = reader_u32(r);
    const char *program = (const char *)reader_bytes(r, length);
    if (!program || length == 0 || memchr(program, '\0', length) != program + length - 1)
        return -EBADMSG;
    l.program = program;
    *ret = l;
    return 1;
}
