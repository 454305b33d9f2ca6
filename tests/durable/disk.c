/* SPDX-License-Identifier: MIT */
#include "disk.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/macro.h"
#include "disk_log.h"
#include "support/service.h"

#define SECTOR 512
#define MOST_FILES 64

struct pending {
    enum disk_op op; /* DISK_WRITE, DISK_TRUNCATE */
    uint64_t at;
    uint8_t *data;
    size_t size;
};

struct file {
    char path[256];
    bool folder;
    bool named, name_synced; /* the name is there; it would be after a cut */
    struct buffer synced;
    struct pending *pending;
    size_t pending_count, pending_room;
};

struct disk {
    char scratch[64], folder[80], log[80], fault[80];
    char others[512]; /* what is preloaded besides */
    struct file files[MOST_FILES];
    size_t count;
};

static void run(const char *format, const char *a, const char *b)
{
    char command[512];
    snprintf(command, sizeof(command), format, a, b);
    assert_int_equal(system(command), 0);
}

struct disk *disk_make(void)
{
    struct disk *d = calloc(1, sizeof(*d));
    assert_non_null(d);
    snprintf(d->scratch, sizeof(d->scratch), "/tmp/clusport-disk-XXXXXX");
    assert_non_null(mkdtemp(d->scratch));
    snprintf(d->folder, sizeof(d->folder), "%s/disk", d->scratch);
    snprintf(d->log, sizeof(d->log), "%s/log", d->scratch);
    snprintf(d->fault, sizeof(d->fault), "%s/fault", d->scratch);
    assert_int_equal(mkdir(d->folder, 0755), 0);
    return d;
}

static void forget_pending(struct file *f)
{
    for (size_t i = 0; i < f->pending_count; i++)
        free(f->pending[i].data);
    free(f->pending);
    f->pending = NULL;
    f->pending_count = f->pending_room = 0;
}

static void file_fini(struct file *f)
{
    forget_pending(f);
    buffer_fini(&f->synced);
    *f = (struct file){0};
}

void disk_remove(struct disk *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        file_fini(&d->files[i]);
    run("rm -rf %s%s", d->scratch, "");
    free(d);
}

const char *disk_folder(const struct disk *d)
{
    return d->folder;
}

void disk_attach(struct disk *d, enum disk_honesty honesty)
{
    char all[1024];
    setenv(DISK_ROOT, d->folder, 1);
    setenv(DISK_LOG, d->log, 1);
    setenv(DISK_FAULT, d->fault, 1);
    if (honesty == DISK_LYING)
        setenv(DISK_LIES, "1", 1);
    else
        unsetenv(DISK_LIES);
    const char *others = getenv("LD_PRELOAD");
    snprintf(d->others, sizeof(d->others), "%s", others ? others : "");
    snprintf(all, sizeof(all), "%s:%s", DISK_WATCH, d->others);
    setenv("LD_PRELOAD", all, 1);
}

void disk_detach(const struct disk *d)
{
    setenv("LD_PRELOAD", d->others, 1);
}

void disk_fail_syncs(struct disk *d, bool fail)
{
    if (fail)
        fclose(fopen(d->fault, "we"));
    else
        assert_int_equal(unlink(d->fault), 0);
}

/* ---- what was done ---- */

static struct file *find(struct disk *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++)
        if (strcmp(d->files[i].path, path) == 0)
            return &d->files[i];
    return NULL;
}

static void resize(struct buffer *b, uint64_t size)
{
    static const uint8_t zeroes[65536];
    while (b->size < size)
        assert_int_equal(buffer_append(b, zeroes, MIN(sizeof(zeroes), size - b->size)), 0);
    b->size = size;
}

/* Each sector of a write gets to the disk or does not, some only with their first bytes. */
static void apply(struct buffer *content, const struct pending *p, struct test_random *chance)
{
    if (p->op == DISK_TRUNCATE) {
        if (!chance || random_one_in(chance, 2))
            resize(content, p->at);
        return;
    }
    for (size_t done = 0; done < p->size;) {
        uint64_t at = p->at + done;
        size_t size = MIN(SECTOR - at % SECTOR, p->size - done);
        size_t written = size;
        if (chance && random_one_in(chance, 2))
            written = random_one_in(chance, 4) ? random_below(chance, (uint32_t)size) : 0;
        if (written > 0) {
            resize(content, MAX(content->size, at + written));
            memcpy(content->data + at, p->data + done, written);
        }
        done += size;
    }
}

static void sync_names(struct disk *d, const char *folder)
{
    size_t size = strlen(folder);
    for (size_t i = 0; i < d->count; i++) {
        struct file *f = &d->files[i];
        const char *slash = strrchr(f->path, '/');
        if ((slash ? (size_t)(slash - f->path) : 0) == size && strncmp(f->path, folder, size) == 0)
            f->name_synced = f->named;
    }
}

static void sync_file(struct disk *d, struct file *f)
{
    for (size_t i = 0; i < f->pending_count; i++)
        apply(&f->synced, &f->pending[i], NULL);
    forget_pending(f);
    if (f->folder)
        sync_names(d, f->path);
}

static void add_file(struct disk *d, const char *path, bool folder)
{
    struct file *f = find(d, path);
    if (f)
        file_fini(f);
    else
        f = &d->files[d->count++];
    assert_true(d->count <= MOST_FILES);
    *f = (struct file){.folder = folder, .named = true};
    strcpy(f->path, path);
}

static void add_pending(struct file *f, struct pending p)
{
    if (f->pending_count == f->pending_room) {
        f->pending_room = MAX(f->pending_room * 2, (size_t)64);
        f->pending = reallocarray(f->pending, f->pending_room, sizeof(p));
        assert_non_null(f->pending);
    }
    f->pending[f->pending_count++] = p;
}

static void take(struct disk *d, const struct disk_record *r, const char *path, const uint8_t *data)
{
    struct file *f = find(d, path);
    if (!f && r->op != DISK_CREATE && r->op != DISK_MAKE_FOLDER && strcmp(path, ".") != 0)
        fail_msg("operation %u on %s, which was never made", r->op, path);
    switch ((enum disk_op)r->op) {
    case DISK_CREATE:
    case DISK_MAKE_FOLDER:
        add_file(d, path, r->op == DISK_MAKE_FOLDER);
        break;
    case DISK_REMOVE:
        f->named = false;
        break;
    case DISK_WRITE:
        add_pending(f, (struct pending){DISK_WRITE, r->at,
                                        memcpy(malloc(r->size + 1), data, r->size), r->size});
        break;
    case DISK_TRUNCATE:
        add_pending(f, (struct pending){.op = DISK_TRUNCATE, .at = r->at});
        break;
    case DISK_SYNC:
        if (strcmp(path, ".") == 0)
            sync_names(d, "");
        else
            sync_file(d, f);
        break;
    }
}

/* The last record may be cut: the service was killed while it wrote it. */
static void read_log(struct disk *d)
{
    FILE *in = fopen(d->log, "re");
    struct disk_record r;
    if (!in)
        return;
    while (fread(&r, sizeof(r), 1, in) == 1) {
        char path[256] = "";
        assert_true(r.path_size < sizeof(path));
        size_t size = r.op == DISK_WRITE ? r.size : 0;
        uint8_t *data = malloc(size + 1);
        assert_non_null(data);
        bool whole =
            fread(path, 1, r.path_size, in) == r.path_size && fread(data, 1, size, in) == size;
        if (whole)
            take(d, &r, path, data);
        free(data);
    }
    fclose(in);
    assert_int_equal(unlink(d->log), 0);
}

/* ---- the cut ---- */

static bool parent_is_there(struct disk *d, const char *path)
{
    char parent[256];
    snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash)
        return true;
    *slash = '\0';
    struct file *f = find(d, parent);
    return f && f->named;
}

static void cut_file(struct disk *d, struct file *f, enum disk_luck luck,
                     struct test_random *random)
{
    if (f->named != f->name_synced && luck != DISK_EVERYTHING)
        f->named = luck == DISK_NOTHING ? f->name_synced : random_one_in(random, 2);
    f->named = f->named && parent_is_there(d, f->path);
    f->name_synced = f->named;
    for (size_t i = 0; i < f->pending_count && luck != DISK_NOTHING; i++)
        apply(&f->synced, &f->pending[i], luck == DISK_CHANCE ? random : NULL);
    forget_pending(f);
}

static void write_file(const struct file *f, const char *to)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", to, f->path);
    if (f->folder) {
        assert_int_equal(mkdir(path, 0755), 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    for (size_t done = 0; done < f->synced.size;) {
        ssize_t n = write(fd, f->synced.data + done, f->synced.size - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    close(fd);
}

void disk_copy(const struct disk *d, const char *to)
{
    assert_int_equal(mkdir(to, 0755), 0);
    for (size_t i = 0; i < d->count; i++)
        if (d->files[i].named)
            write_file(&d->files[i], to);
}

void disk_cut(struct disk *d, enum disk_luck luck, struct test_random *random)
{
    size_t kept = 0;
    read_log(d);
    for (size_t i = 0; i < d->count; i++)
        cut_file(d, &d->files[i], luck, random);
    for (size_t i = 0; i < d->count; i++) {
        if (d->files[i].named)
            d->files[kept++] = d->files[i];
        else
            file_fini(&d->files[i]);
    }
    d->count = kept;
    run("rm -rf %s%s", d->folder, "");
    disk_copy(d, d->folder);
}

void assert_disk_is_known(struct disk *d)
{
    char copy[128], command[512];
    read_log(d);
    for (size_t i = 0; i < d->count; i++)
        cut_file(d, &d->files[i], DISK_EVERYTHING, NULL);
    snprintf(copy, sizeof(copy), "%s/copy", d->scratch);
    disk_copy(d, copy);
    snprintf(command, sizeof(command), "diff -r -x '*-shm' %s %s && rm -r %s", d->folder, copy,
             copy);
    assert_int_equal(system(command), 0);
}
