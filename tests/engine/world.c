/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macro.h"
#include "support/service.h"

static int on_submit(void *context, const struct model_input *in)
{
    struct world *w = context;

    if (w->refusals > 0) {
        w->refusals--;
        return -EAGAIN;
    }
    assert_true(w->submitted < WORLD_MAX_INPUTS);
    assert_int_equal(model_input_encode(in, &w->inputs[w->submitted]), 0);
    w->submitted++;
    return 0;
}

int world_setup(void **state)
{
    static char ocf_path[1024];
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    snprintf(w->folder, sizeof(w->folder), "/tmp/clusport-engine-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->types_path, sizeof(w->types_path), "%s/types", w->folder);
    assert_int_equal(mkdir(w->types_path, 0755), 0);
    snprintf(ocf_path, sizeof(ocf_path), "%s:/usr/lib/ocf/resource.d", source_path("agents"));
    assert_true(sd_event_new(&w->loop) >= 0);
    w->model = model_create();
    assert_non_null(w->model);
    w->options = (struct engine_options){
        .loop = w->loop,
        .host = {.submit = on_submit, .context = w},
        .model = w->model,
        .cluster_name = "testcluster",
        .node_name = "node1",
        .node_id = "1",
        .state_dir = w->folder,
        .types_path = w->types_path,
        .ocf_path = ocf_path,
        .networks = "",
    };
    *state = w;
    return 0;
}

static void stop_engine(struct world *w)
{
    if (!w->engine)
        return;
    w->engine->methods->stop(w->engine);
    w->engine->methods->free(w->engine);
    w->engine = NULL;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    remove(path);
    return 0;
}

int world_teardown(void **state)
{
    struct world *w = *state;

    stop_engine(w);
    model_destroy(w->model);
    sd_event_unref(w->loop);
    for (size_t i = 0; i < w->submitted; i++)
        buffer_fini(&w->inputs[i]);
    nftw(w->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    free(w);
    return 0;
}

void world_start(struct world *w)
{
    assert_int_equal(engine_embedded_create(&w->engine), 0);
    assert_int_equal(w->engine->methods->start(w->engine, &w->options), 0);
}

void world_restart(struct world *w)
{
    stop_engine(w);
    world_start(w);
}

static void deliver(struct world *w, const struct buffer *encoded)
{
    struct model_output out = {0};
    struct model_input in;
    struct timespec now;
    uint32_t code;

    assert_int_equal(model_input_decode(encoded->data, encoded->size, &in), 0);
    clock_gettime(CLOCK_REALTIME, &now);
    in.time_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
    code = model_step(w->model, &in, &out);
    if (in.token)
        w->last_code = code;
    else if (code != 0)
        fail_msg("a report of kind %d was refused with %u", (int)in.kind, code);
    for (size_t i = 0; i < out.effect_count; i++)
        w->engine->methods->perform(w->engine, &out.effects[i]);
    model_output_fini(&out);
}

void world_deliver(struct world *w)
{
    while (!w->deaf && w->delivered < w->submitted)
        deliver(w, &w->inputs[w->delivered++]);
}

void world_until(struct world *w, bool (*done)(struct world *w, const void *what), const void *what)
{
    for (world_deliver(w); !done(w, what); world_deliver(w))
        assert_true(sd_event_run(w->loop, UINT64_MAX) >= 0);
}

uint32_t world_request(struct world *w, struct model_input in)
{
    uint32_t code;

    in.token = ++w->last_token;
    in.actor = (struct change_actor){.node = "node1", .program = "test", .reason = REASON_REQUEST};
    code = w->engine->methods->request(w->engine, &in);
    if (code != 0)
        return code;
    world_deliver(w);
    return w->last_code;
}

size_t world_count(struct world *w, enum input_kind kind)
{
    size_t count = 0;
    struct model_input in;

    for (size_t i = 0; i < w->submitted; i++) {
        assert_int_equal(model_input_decode(w->inputs[i].data, w->inputs[i].size, &in), 0);
        count += in.kind == kind;
    }
    return count;
}

struct model_input world_input(struct world *w, enum input_kind kind, size_t n)
{
    struct model_input in;

    for (size_t i = 0; i < w->submitted; i++) {
        assert_int_equal(model_input_decode(w->inputs[i].data, w->inputs[i].size, &in), 0);
        if (in.kind == kind && n-- == 0)
            return in;
    }
    fail_msg("there is no such input of kind %d", (int)kind);
    return (struct model_input){0};
}

void world_write(struct world *w, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s", w->types_path, name);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}
