/* SPDX-License-Identifier: MIT */
#include "service/status.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/text.h"
#include "service/restore.h"

static int set_text(json_t *line, const char *name, const char *value)
{
    return *value ? json_object_set_new(line, name, json_string(value)) : 0;
}

static json_t *line_of(const struct change *c)
{
    enum object_type type = change_kind_info(c->kind)->object;
    json_t *line = json_object();
    if (!line)
        return NULL;
    int r = set_text(line, "type", object_type_name(type));
    r |= set_text(line, "name", c->name);
    r |= set_text(line, "id", c->object_id);
    r |= set_text(line, "parent", c->parent_id);
    r |= set_text(line, "node", c->node_id);
    r |= set_text(line, "resource_type", type == OBJECT_RESOURCE ? c->type_name : "");
    if (c->new_value.kind == VALUE_NUMBER)
        r |= set_text(line, "state", object_state_name(type, c->new_value.number));
    r |= json_object_set_new(line, "revision", json_integer((json_int_t)c->revision));
    if (r == 0)
        return line;
    json_decref(line);
    return NULL;
}

static int print_change(const struct change *c)
{
    if (change_kind_info(c->kind)->object == OBJECT_REGISTRY)
        return 0;
    json_t *line = line_of(c);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text)
        return -ENOMEM;
    int r = printf("%s\n", text) < 0 ? -errno : 0;
    free(text);
    return r;
}

static int print_model(const struct model *m)
{
    _cleanup_(buffer_fini) struct buffer records = {0};
    size_t count, at = 0;
    int r = model_snapshot(m, &records, &count);
    while (r == 0 && at < records.size) {
        struct change c;
        size_t size = change_size(records.data + at);
        r = change_decode(records.data + at, size, &c);
        if (r == 0)
            r = print_change(&c);
        at += size;
    }
    return r;
}

int status_print(const char *state_dir)
{
    _cleanup_free_
    char *path = text_format("%s/%s", state_dir, RESTORE_JOURNAL_NAME);
    _cleanup_free_
    char *error = NULL;
    if (!path)
        return -ENOMEM;
    struct journal_options options = {.read_only = true};
    struct journal *journal = NULL;
    struct model *model = NULL;
    int r = journal_open(path, &options, &journal, &error);
    if (r == 0)
        r = restore_model(journal, &model);
    if (r == 0)
        r = print_model(model);
    if (r == 0 && fflush(stdout) != 0)
        r = -errno;
    if (r < 0)
        fprintf(stderr, "clusportd: %s%s%s\n", error ? "" : path, error ? "" : ": ",
                error ? error : strerror(-r));
    model_destroy(model);
    journal_close(journal);
    return r;
}
