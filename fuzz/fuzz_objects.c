/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdlib.h>

/* One line an object: a digit for its type, its key, a tab, its JSON. */
static void load_line(struct model *m, const char *line)
{
    const char *tab = strchr(line, '\t');
    char key[256];

    if (!tab || tab == line || (size_t)(tab - line) > sizeof(key))
        return;
    memcpy(key, line + 1, (size_t)(tab - line) - 1);
    key[tab - line - 1] = '\0';
    model_load_object(m, (enum object_type)(line[0] - '0'), key, tab + 1, strlen(tab + 1));
}

/* What a damaged journal may hold. If it is taken for a cluster, the cluster is whole. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(model_destroyp) struct model *m = model_create();
    _cleanup_free_
    char *text = strndup((const char *)data, size);
    char *rest = text;

    CHECK(m && text);
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        load_line(m, line);
    if (model_load_done(m, 1) < 0)
        return 0;
    world_check(m);
    struct model_input in = {.kind = INPUT_NODE_STARTED, .object_id = "1", .name = "n1"};
    world_step(m, &in);
    return 0;
}
