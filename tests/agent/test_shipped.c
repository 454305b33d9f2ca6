/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/definition.h"
#include "base/macro.h"
#include "fixture.h"
#include "support/service.h"

/* The types that are shipped, by their own definition files. */

static char definition[8192];

static const char *shipped(const char *file)
{
    char path[64];
    FILE *f;
    size_t n;

    snprintf(path, sizeof(path), "types/%s.json", file);
    f = fopen(source_path(path), "re");
    assert_non_null(f);
    n = fread(definition, 1, sizeof(definition) - 1, f);
    assert_true(n > 0 && n < sizeof(definition) - 1);
    definition[n] = '\0';
    fclose(f);
    return definition;
}

static void set(struct agent_fixture *f, const char *name, const char *value)
{
    assert_int_equal(property_set_text(&f->properties, name, value), 0);
}

static void path_in(struct agent_fixture *f, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", f->folder, name);
}

static char found_path[512];

static int note_pid_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (flag != FTW_F || strlen(path) < 4 || strcmp(path + strlen(path) - 4, ".pid") != 0)
        return 0;
    snprintf(found_path, sizeof(found_path), "%s", path);
    return 1;
}

/* Path of the pid file in found_path. */
static pid_t application_pid(struct agent_fixture *f)
{
    char line[64];

    assert_int_equal(nftw(f->folder, note_pid_file, 16, FTW_PHYS), 1);
    assert_true(read_file(found_path, line, sizeof(line)));
    return (pid_t)strtol(line, NULL, 10);
}

static void await_end(pid_t pid)
{
    _cleanup_close_
    int fd = pidfd_open(pid, 0);

    if (fd >= 0)
        assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 10000), 1);
}

static void test_application(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");
    char path[256], line[256], command[1024];
    pid_t pid;

    path_in(f, "said", path);
    snprintf(command, sizeof(command),
             "sh -c 'echo \"$A $PWD ${OCF_RESKEY_command_line-none} $(ps -o sid= -p $$)\" >%s.new; "
             "mv %s.new %s; exec sleep 600'",
             path, path, path);
    set(f, "CommandLine", command);
    set(f, "CurrentDirectory", f->folder);
    property_set_multi(&f->properties, "Environment", "A=one\0B=two", 12);
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    pid = application_pid(f);
    assert_true(read_file(path, line, sizeof(line)));
    snprintf(command, sizeof(command), "one %s none", f->folder);
    assert_memory_equal(line, command, strlen(command));
    assert_int_equal(strtol(strrchr(line, ' '), NULL, 10), pid);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_int_equal(application_pid(f), pid);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    kill(pid, SIGKILL);
    await_end(pid);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_NOT_RUNNING);
    assert_string_equal(f->detail, "the application ended by itself");
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
}

static void test_application_outlives_the_runner(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");
    pid_t pid;

    set(f, "CommandLine", "sleep 600");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    pid = application_pid(f);
    agent_runner_destroy(f->runner);
    f->runner = NULL;
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGKILL);
    await_end(pid);
}

/* The agent looks once whether the command lives; on a busy machine it may not have died by then.
 */
static int start_until_told(struct agent_fixture *f, const char *type)
{
    int code = run(f, OPERATION_START, type);
    while (code == AGENT_OK)
        code = run(f, OPERATION_LOOKS_ALIVE, type) == AGENT_OK ? AGENT_OK
                                                               : run(f, OPERATION_START, type);
    return code;
}

/* It ends, and what it started in the background does not: that must not meet its successor. */
static void test_application_leaves_nothing_behind(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");
    char path[256], line[64], command[1024];

    path_in(f, "child", path);
    snprintf(command, sizeof(command), "sh -c 'sleep 600 & echo $! >%s.new; mv %s.new %s; exit 5'",
             path, path, path);
    set(f, "CommandLine", command);
    assert_int_equal(start_until_told(f, type), AGENT_GENERIC);
    assert_string_equal(f->detail, "the command ended at once with exit code 5");
    assert_true(read_file(path, line, sizeof(line)));
    await_end((pid_t)strtol(line, NULL, 10));
}

/* A pid file whose number now belongs to another process. */
static void test_application_is_not_taken_for_another(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");
    FILE *file;
    pid_t pid;

    set(f, "CommandLine", "sleep 600");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    pid = application_pid(f);
    kill(pid, SIGKILL);
    await_end(pid);
    file = fopen(found_path, "we");
    assert_non_null(file);
    fprintf(file, "%d 1\n", (int)getpid());
    fclose(file);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
}

static void test_application_that_ignores_sigterm(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");
    pid_t pid;

    set(f, "CommandLine", "sh -c 'trap : TERM; while :; do sleep 600; done'");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    pid = application_pid(f);
    assert_int_equal(begin(f, OPERATION_STOP, type, 10000), 0);
    await_result(f);
    assert_int_equal(f->exit_code, AGENT_OK);
    await_end(pid);
}

static void test_application_that_cannot_run(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-application");

    assert_int_equal(run(f, OPERATION_START, type), AGENT_NOT_CONFIGURED);
    assert_string_equal(f->detail, "no command line is set");
    set(f, "CommandLine", "/no/such/program");
    assert_int_equal(start_until_told(f, type), AGENT_GENERIC);
    assert_string_equal(f->detail, "the command was not found: /no/such/program");
    set(f, "CommandLine", "sh -c 'exit 3'");
    assert_int_equal(start_until_told(f, type), AGENT_GENERIC);
    assert_string_equal(f->detail, "the command ended at once with exit code 3");
    set(f, "CurrentDirectory", "/no/such/folder");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_NOT_CONFIGURED);
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
}

static void test_script(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("generic-script");
    char path[256], said[256], line[256];
    FILE *script;

    path_in(f, "script", path);
    path_in(f, "said", said);
    script = fopen(path, "we");
    assert_non_null(script);
    fprintf(script, "#!/bin/sh\necho \"$1\" >%s\n[ \"$1\" != IsAlive ]\n", said);
    fclose(script);
    set(f, "ScriptFilepath", path);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_PERMISSION);
    chmod(path, 0755);
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_true(read_file(said, line, sizeof(line)));
    assert_string_equal(line, "Online");
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_IS_ALIVE, type), AGENT_GENERIC);
    assert_string_equal(f->detail, "IsAlive gave exit code 1");
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
    assert_true(read_file(said, line, sizeof(line)));
    assert_string_equal(line, "Offline");
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
}

static void test_network_name(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("network-name");

    set(f, "Name", "not a name");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_NOT_CONFIGURED);
    set(f, "Name", "FILES-1");
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_NOT_RUNNING);
}

static char disk_device[64], disk_folder[256]; /* for the teardown */

static int disk_teardown(void **state)
{
    char command[128];

    if (disk_folder[0])
        umount2(disk_folder, MNT_DETACH);
    snprintf(command, sizeof(command), "losetup -d %s", disk_device);
    if (disk_device[0] && system(command) != 0)
        printf("left behind: %s\n", disk_device);
    return agent_fixture_teardown(state);
}

/* What a real disk needs; false with the reason printed when this machine has no loop devices. */
static bool make_disk(struct agent_fixture *f)
{
    char command[600];
    char *out = NULL, *error = NULL;
    bool made;

    snprintf(command, sizeof(command),
             "truncate -s 16M %s/disk && mkfs.ext4 -q %s/disk && losetup -f --show %s/disk",
             f->folder, f->folder, f->folder);
    made = run_program((const char *const[]){"sh", "-c", command, NULL}, &out, &error) == 0;
    if (made)
        snprintf(disk_device, sizeof(disk_device), "%.*s", (int)strcspn(out, "\n"), out);
    else
        printf("no loop device: %s\n", error);
    free(out);
    free(error);
    return made;
}

static void test_physical_disk(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("physical-disk");
    struct stat above, inside;

    if (!make_disk(f))
        skip();
    path_in(f, "mounted", disk_folder);
    assert_int_equal(mkdir(disk_folder, 0755), 0);
    set(f, "Device", disk_device);
    set(f, "Directory", disk_folder);
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_int_equal(stat(f->folder, &above), 0);
    assert_int_equal(stat(disk_folder, &inside), 0);
    assert_true(above.st_dev != inside.st_dev);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_IS_ALIVE, type), AGENT_OK);
    assert_int_equal(umount(disk_folder), 0);
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
    assert_int_equal(stat(disk_folder, &inside), 0);
    assert_true(above.st_dev == inside.st_dev);
}

static bool has_address(const char *address)
{
    char command[128];

    snprintf(command, sizeof(command), "ip -o addr show | grep -qw '%s'", address);
    return system(command) == 0;
}

static void test_ip_address(void **state)
{
    struct agent_fixture *f = *state;
    const char *type = shipped("ip-address");

    if (unshare(CLONE_NEWNET) < 0) {
        printf("no network namespace of its own: %s\n", strerror(errno));
        skip();
    }
    assert_int_equal(system("ip link add clus0 type veth peer name far0 && ip link set clus0 up && "
                            "ip link set far0 up && ip link set lo up"),
                     0);
    set(f, "Address", "192.0.2.7");
    set(f, "SubnetMask", "255.255.255.0");
    set(f, "Device", "clus0");
    assert_int_equal(run(f, OPERATION_PROBE, type), AGENT_NOT_RUNNING);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_true(has_address("192.0.2.7/24"));
    assert_int_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    assert_int_equal(system("ip addr del 192.0.2.7/24 dev clus0"), 0);
    assert_int_not_equal(run(f, OPERATION_LOOKS_ALIVE, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_START, type), AGENT_OK);
    assert_int_equal(run(f, OPERATION_STOP, type), AGENT_OK);
    assert_false(has_address("192.0.2.7/24"));
}

static const char *resolved(const char *type, const struct property_table *properties,
                            const char *parameter)
{
    static char value[256];
    _cleanup_(parameters_fini) struct parameters parameters = {0};
    _cleanup_free_
    char *agent = NULL;
    const char *found;

    assert_int_equal(definition_resolve(type, properties, &agent, &parameters), 0);
    found = strcmp(parameter, "agent") == 0 ? agent : parameters_find(&parameters, parameter);
    snprintf(value, sizeof(value), "%s", found ? found : "(none)");
    return value;
}

static void test_parameters(void **state)
{
    struct agent_fixture *f = *state;
    const char *type =
        "{\"agent\": \"ocf:a:b\", \"parameters\": {\"fixed\": \"yes\", \"mode\": \"fast\"},"
        " \"properties\": [{\"name\": \"Count\", \"format\": \"dword\", \"parameter\": \"count\"},"
        " {\"name\": \"Mode\", \"format\": \"sz\", \"parameter\": \"mode\"},"
        " {\"name\": \"Size\", \"format\": \"dword\", \"default\": 7, \"parameter\": \"size\"},"
        " {\"name\": \"Many\", \"default\": [\"x\", \"y\"], \"parameter\": \"many\"},"
        " {\"name\": \"Empty\", \"default\": \"d\", \"parameter\": \"empty\"},"
        " {\"name\": \"Note\", \"format\": \"sz\"}]}";

    property_set_dword(&f->properties, "count", UINT32_MAX);
    set(f, "Mode", "slow");
    set(f, "Note", "for people");
    set(f, "Empty", "");
    set(f, "Unknown", "value");
    assert_string_equal(resolved(type, &f->properties, "agent"), "ocf:a:b");
    assert_string_equal(resolved(type, &f->properties, "count"), "4294967295");
    assert_string_equal(resolved(type, &f->properties, "mode"), "fast");
    assert_string_equal(resolved(type, &f->properties, "fixed"), "yes");
    assert_string_equal(resolved(type, &f->properties, "size"), "7");
    assert_string_equal(resolved(type, &f->properties, "many"), "x y");
    assert_string_equal(resolved(type, &f->properties, "empty"), "(none)");
    assert_string_equal(resolved(type, &f->properties, "Note"), "(none)");
    assert_string_equal(resolved(type, &f->properties, "Unknown"), "(none)");
    assert_string_equal(resolved("{\"agent\": \"ocf:a:b\"}", &f->properties, "Unknown"), "value");
}

/* Each file is what both the model and the runner expect, and names an agent that can be found. */
static void test_every_definition(void **state)
{
    static const char *const files[] = {"file-share",      "generic-application", "generic-script",
                                        "generic-service", "ip-address",          "network-name",
                                        "physical-disk"};
    struct property_table none = {0};
    char ocf_path[1024];

    (void)state;
    snprintf(ocf_path, sizeof(ocf_path), "%s:/usr/lib/ocf/resource.d", source_path("agents"));
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct model *model = model_create();
        struct model_output out = {0};
        const char *text = shipped(files[i]);
        const char *agent = resolved(text, &none, "agent");
        struct model_input form = {.kind = INPUT_FORM_CLUSTER,
                                   .new_id = "aaaaaaaa-0000-4000-8000-000000000001",
                                   .name = "c"};
        struct model_input in = {.kind = INPUT_DEFINE_TYPE, .data = text, .size = strlen(text)};

        if (strcmp(agent, "systemd:") != 0)
            assert_int_equal(agent_find(&(struct agent_options){.ocf_path = ocf_path}, agent), 0);
        assert_int_equal(model_step(model, &form, &out), 0);
        model_output_fini(&out);
        out = (struct model_output){0};
        assert_int_equal(model_step(model, &in, &out), 0);
        assert_true(out.change_count > 0);
        model_output_fini(&out);
        model_destroy(model);
    }
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, agent_fixture_setup, agent_fixture_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_application),
        CASE(test_application_outlives_the_runner),
        CASE(test_application_leaves_nothing_behind),
        CASE(test_application_is_not_taken_for_another),
        CASE(test_application_that_ignores_sigterm),
        CASE(test_application_that_cannot_run),
        CASE(test_script),
        CASE(test_network_name),
        cmocka_unit_test_setup_teardown(test_physical_disk, agent_fixture_setup, disk_teardown),
        CASE(test_ip_address),
        CASE(test_parameters),
        CASE(test_every_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
