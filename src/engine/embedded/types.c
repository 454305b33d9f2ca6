/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"
#include "engine/embedded/internal.h"

/* Definition files: one resource type each, NAME.json. A type whose file is gone stays in the
 * cluster, because its resources may. */

#define SUFFIX ".json"

static int is_definition(const struct dirent *e)
{
    size_t length = strlen(e->d_name);

    return e->d_name[0] != '.' && length > strlen(SUFFIX) &&
           strcmp(e->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The definition in a canonical form, so that an edit of its layout is no change. */
static char *load(const char *path, json_t **ret_root)
{
    json_error_t error;
    json_auto_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    char *text;

    if (!root) {
        log_error("type_file_bad path=%s line=%d reason=%s", log_quote(path), error.line,
                  log_quote(error.text));
        return NULL;
    }
    if (!json_is_string(json_object_get(root, "name")) ||
        !json_is_string(json_object_get(root, "agent"))) {
        log_error("type_file_bad path=%s reason=\"a name and an agent are needed\"",
                  log_quote(path));
        return NULL;
    }
    text = json_dumps(root, JSON_COMPACT);
    if (text)
        *ret_root = TAKE_PTR(root);
    return text;
}

static void report_file(struct reports *r, const char *path, struct map *seen)
{
    json_auto_t *root = NULL;
    _cleanup_free_
    char *text = load(path, &root);
    const struct resource_type *present;
    const char *name;

    if (!text)
        return;
    name = json_string_value(json_object_get(root, "name"));
    if (map_put(seen, name, r) < 0) {
        log_debug("type_file_hidden path=%s type=%s", log_quote(path), log_quote(name));
        return;
    }
    present = model_resource_type(r->options->model, name);
    if (present && present->definition && strcmp(present->definition, text) == 0)
        return;
    reports_submit(r,
                   &(struct model_input){
                       .kind = INPUT_DEFINE_TYPE, .name = name, .data = text, .size = strlen(text)},
                   REASON_ENGINE);
}

static void report_folder(struct reports *r, const char *folder, struct map *seen)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_definition, alphasort);

    if (count < 0) {
        log_warning("types_unreadable path=%s error=%s", log_quote(folder),
                    log_quote(strerror(errno)));
        return;
    }
    for (int i = 0; i < count; i++) {
        _cleanup_free_
        char *path = text_format("%s/%s", folder, entries[i]->d_name);

        if (path)
            report_file(r, path, seen);
        free(entries[i]);
    }
    free(entries);
}

void types_report(struct reports *r)
{
    _cleanup_(map_destroyp) struct map *seen = map_create();
    const char *at = r->options->types_path ? r->options->types_path : DEFAULT_TYPES_PATH;

    while (seen && *at) {
        size_t length = strcspn(at, ":");
        _cleanup_free_
        char *folder = strndup(at, length);

        /* The first folder that defines a type wins, as with programs on a PATH. */
        if (folder && length > 0)
            report_folder(r, folder, seen);
        at += length + (at[length] == ':');
    }
}
