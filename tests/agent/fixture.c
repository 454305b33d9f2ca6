/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macro.h"
#include "support/service.h"

static void on_done(void *context, uint64_t operation, int exit_code, const char *detail)
{
    struct agent_fixture *f = context;

    f->results++;
    f->result_id = operation;
    f->exit_code = exit_code;
    snprintf(f->detail, sizeof(f->detail), "%s", detail);
}

int agent_fixture_setup(void **state)
{
    struct agent_fixture *f = calloc(1, sizeof(*f));
    char path[512];

    assert_non_null(f);
    snprintf(f->folder, sizeof(f->folder), "/tmp/clusport-agent-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    assert_true(sd_event_new(&f->loop) >= 0);
    snprintf(path, sizeof(path), "%s:%s:/usr/lib/ocf/resource.d", source_path("tests/agent/ocf"),
             source_path("agents"));
    assert_int_equal(agent_runner_create(f->loop,
                                         &(struct agent_options){.ocf_path = path,
                                                                 .state_dir = f->folder,
                                                                 .node_name = "node1",
                                                                 .cluster_name = "testcluster"},
                                         on_done, f, &f->runner),
                     0);
    *state = f;
    return 0;
}

int agent_fixture_teardown(void **state)
{
    struct agent_fixture *f = *state;

    agent_runner_destroy(f->runner);
    sd_event_unref(f->loop);
    property_table_fini(&f->properties);
    remove_tree(f->folder);
    free(f);
    return 0;
}

int begin(struct agent_fixture *f, enum operation_kind kind, const char *definition,
          uint32_t timeout_ms)
{
    struct resource_type type = {
        .definition = (char *)definition, .looks_alive_ms = 5000, .is_alive_ms = 60000};
    struct effect e = {
        .kind = EFFECT_OPERATION,
        .id = ++f->last_id,
        .operation = kind,
        .timeout_ms = timeout_ms,
        .resource_id = (char *)"11111111-2222-3333-4444-555555555555",
        .resource_name = (char *)"Resource one",
        .type_name = (char *)"type",
        .properties = f->properties,
    };

    return agent_start(f->runner, &e, &type);
}

void await_result(struct agent_fixture *f)
{
    unsigned before = f->results;

    while (f->results == before)
        assert_true(sd_event_run(f->loop, UINT64_MAX) >= 0);
    assert_int_equal(f->results, before + 1);
}

int run(struct agent_fixture *f, enum operation_kind kind, const char *definition)
{
    assert_int_equal(begin(f, kind, definition, 20000), 0);
    await_result(f);
    assert_int_equal(f->result_id, f->last_id);
    return f->exit_code;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    remove(path);
    return 0;
}

void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static bool try_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    bool whole = false;

    if (!file)
        return false;
    whole = fgets(out, (int)size, file) && strchr(out, '\n');
    fclose(file);
    if (whole)
        out[strcspn(out, "\n")] = '\0';
    return whole;
}

bool read_file(const char *path, char *out, size_t size)
{
    char folder[256], event[4096];
    _cleanup_close_
    int watch = inotify_init1(IN_CLOEXEC);

    snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
    if (watch < 0 || inotify_add_watch(watch, folder, IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
        return false;
    while (!try_read(path, out, size))
        if (read(watch, event, sizeof(event)) < 0)
            return false;
    return true;
}
