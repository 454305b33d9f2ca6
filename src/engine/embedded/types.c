/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"
#include "engine/embedded/internal.h"
#include "model/json_text.h"

/* Definition files: one resource type each, NAME.json. A type whose file is gone stays in the
 * cluster, because its resources may. */

#define SUFFIX ".json"

static int is_definition(const struct dirent *e)
{
    size_t length = strlen(e->d_name);

    return e->d_name[0] != '.' && length > strlen(SUFFIX) &&
           strcmp(e->d_name + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The definition in a canonical form, so that an edit of its layout is no change. *ret: NULL for a
 * bad file. 0 or -ENOMEM. */
static int load(const char *path, char **ret, json_t **ret_root)
{
    json_error_t error = {0};
    json_auto_t *root = NULL;

    int r = json_text_read(path, JSON_REJECT_DUPLICATES, &error, &root);
    if (r == -ENOMEM)
        return r;
    if (r < 0) {
        log_error("type_file_bad path=%s line=%d reason=%s", log_quote(path), error.line,
                  log_quote(r == -EBADMSG ? error.text : strerror(-r)));
        return 0;
    }
    if (!json_is_string(json_object_get(root, "name")) ||
        !json_is_string(json_object_get(root, "agent"))) {
        log_error("type_file_bad path=%s reason=\"a name and an agent are needed\"",
                  log_quote(path));
        return 0;
    }
    *ret = json_dumps(root, JSON_COMPACT);
    if (!*ret)
        return -ENOMEM;
    *ret_root = TAKE_PTR(root);
    return 0;
}

static int report_file(struct reports *r, const char *path, struct map *seen)
{
    json_auto_t *root = NULL;
    _cleanup_free_
    char *text = NULL;
    const struct resource_type *present;
    const char *name;
    int error = load(path, &text, &root);

    if (!text)
        return error;
    name = json_string_value(json_object_get(root, "name"));
    error = map_put(seen, name, r);
    if (error == -EEXIST) {
        log_debug("type_file_hidden path=%s type=%s", log_quote(path), log_quote(name));
        return 0;
    }
    if (error < 0)
        return error;
    present = model_resource_type(r->options->model, name);
    if (present && present->definition && strcmp(present->definition, text) == 0)
        return 0;
    error = reports_submit(
        r,
        &(struct model_input){
            .kind = INPUT_DEFINE_TYPE, .name = name, .data = text, .size = strlen(text)},
        REASON_ENGINE);
    return error == -ENOMEM ? error : 0;
}

static int report_folder(struct reports *r, const char *folder, struct map *seen)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_definition, alphasort), error = 0;

    if (count < 0 && errno == ENOMEM)
        return -ENOMEM;
    if (count < 0) {
        log_warning("types_unreadable path=%s error=%s", log_quote(folder),
                    log_quote(strerror(errno)));
        return 0;
    }
    for (int i = 0; i < count; i++) {
        _cleanup_free_
        char *path = error == 0 ? text_format("%s/%s", folder, entries[i]->d_name) : NULL;

        if (error == 0)
            error = path ? report_file(r, path, seen) : -ENOMEM;
        free(entries[i]);
    }
    free(entries);
    return error;
}

int types_report(struct reports *r)
{
    _cleanup_(map_destroyp) struct map *seen = map_create();
    const char *at = r->options->types_path ? r->options->types_path : DEFAULT_TYPES_PATH;

    int error = seen ? 0 : -ENOMEM;

    while (error == 0 && *at) {
        size_t length = strcspn(at, ":");
        _cleanup_free_
        char *folder = strndup(at, length);

        /* The first folder that defines a type wins, as with programs on a PATH. */
        error = !folder ? -ENOMEM : length > 0 ? report_folder(r, folder, seen) : 0;
        at += length + (at[length] == ':');
    }
    return error;
}
