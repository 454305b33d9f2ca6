/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static HRESOURCE find_resource(struct cli *cli, const char *name)
{
    WCHAR *wide = widen(name);
    HRESOURCE resource = OpenClusterResource(cli->cluster, wide);
    free(wide);
    return resource;
}

static HRESOURCE open_resource(struct cli *cli, const char *name)
{
    HRESOURCE resource = find_resource(cli, name);
    if (!resource)
        cli_last_error(cli, "cannot open resource", name);
    return resource;
}

/* The answer of a control code that has no input. malloc'ed; NULL and *ret_error on failure. */
static void *ask(HRESOURCE resource, DWORD code, DWORD *ret_size, DWORD *ret_error)
{
    DWORD size = 4096, r;
    void *answer = NULL;
    do {
        free(answer);
        answer = must(calloc(1, (size_t)size + sizeof(WCHAR)));
        r = ClusterResourceControl(resource, NULL, code, NULL, 0, answer, size, &size);
    } while (r == ERROR_MORE_DATA);
    if (r == ERROR_SUCCESS) {
        *ret_size = size;
        return answer;
    }
    free(answer);
    *ret_error = r;
    return NULL;
}

static json_t *ask_text(HRESOURCE resource, DWORD code)
{
    DWORD size, error;
    WCHAR *text = ask(resource, code, &size, &error);
    json_t *j = json_wide(text);
    free(text);
    return j;
}

static json_t *describe(HRESOURCE resource, const char *name)
{
    WCHAR node[256] = L"", group[1024] = L"";
    DWORD node_size = 256, group_size = 1024;
    CLUSTER_RESOURCE_STATE state =
        GetClusterResourceState(resource, node, &node_size, group, &group_size);
    return must(json_pack("{s:s, s:s, s:o, s:o, s:o}", "name", name, "state",
                          resource_state_name((DWORD)state), "type",
                          ask_text(resource, CLUSCTL_RESOURCE_GET_RESOURCE_TYPE), "group",
                          json_wide(group), "owner", json_wide(node)));
}

static json_t *describe_by_name(struct cli *cli, const char *name)
{
    HRESOURCE resource = find_resource(cli, name);
    json_t *j = resource ? describe(resource, name) : NULL;
    if (resource)
        CloseClusterResource(resource);
    return j;
}

static int list(struct cli *cli, int argc, char **argv)
{
    (void)argv;
    return list_objects(cli, argc, CLUSTER_ENUM_RESOURCE, "resources", describe_by_name,
                        (struct column[]){{"RESOURCE", "name"},
                                          {"STATE", "state"},
                                          {"TYPE", "type"},
                                          {"GROUP", "group"},
                                          {"OWNER", "owner"},
                                          {NULL, NULL}});
}

static json_t *dependencies_of(HRESOURCE resource)
{
    json_t *names = must(json_array());
    HRESENUM list = ClusterResourceOpenEnum(resource, CLUSTER_RESOURCE_ENUM_DEPENDS);
    for (DWORD i = 0; list; i++) {
        WCHAR name[1024];
        DWORD size = 1024, type;
        if (ClusterResourceEnum(list, i, &type, name, &size) != ERROR_SUCCESS)
            break;
        json_array_append_new(names, json_wide(name));
    }
    if (list)
        ClusterResourceCloseEnum(list);
    return names;
}

static json_t *ask_properties(HRESOURCE resource, DWORD code)
{
    DWORD size, error;
    void *answer = ask(resource, code, &size, &error);
    json_t *j = answer ? properties_to_json(answer, size) : must(json_object());
    free(answer);
    return j;
}

static int show(struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "show RESOURCE");
    HRESOURCE resource = open_resource(cli, argv[1]);
    if (!resource)
        return EXIT_ERROR;
    json_t *j = describe(resource, argv[1]);
    json_object_set_new(j, "id", ask_text(resource, CLUSCTL_RESOURCE_GET_ID));
    json_object_set_new(j, "depends_on", dependencies_of(resource));
    json_object_set_new(j, "properties",
                        ask_properties(resource, CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTIES));
    json_object_set_new(j, "common",
                        ask_properties(resource, CLUSCTL_RESOURCE_GET_COMMON_PROPERTIES));
    CloseClusterResource(resource);
    return print_object(cli, j);
}

static int set_properties(struct cli *cli, HRESOURCE resource, char **pairs, int count, bool common)
{
    DWORD formats_size = 0, error = 0, size;
    void *formats = ask(resource,
                        common ? CLUSCTL_RESOURCE_GET_COMMON_PROPERTY_FMTS
                               : CLUSCTL_RESOURCE_GET_PRIVATE_PROPERTY_FMTS,
                        &formats_size, &error);
    char *complaint = NULL;
    BYTE *properties = properties_from_arguments(pairs, count, formats, formats ? formats_size : 0,
                                                 &size, &complaint);
    free(formats);
    if (!properties) {
        int exit_code = cli_usage(cli, "%s", complaint);
        free(complaint);
        return exit_code;
    }
    DWORD r = ClusterResourceControl(resource, NULL,
                                     common ? CLUSCTL_RESOURCE_SET_COMMON_PROPERTIES
                                            : CLUSCTL_RESOURCE_SET_PRIVATE_PROPERTIES,
                                     properties, size, NULL, 0, NULL);
    free(properties);
    if (r == ERROR_SUCCESS || r == ERROR_RESOURCE_PROPERTIES_STORED)
        return EXIT_DONE;
    return cli_fail(cli, r, "cannot set the properties");
}

static int set(struct cli *cli, int argc, char **argv)
{
    bool common = argc > 2 && strcmp(argv[2], "--common") == 0;
    int first = common ? 3 : 2;
    if (argc <= first)
        return cli_usage(cli, "set RESOURCE [--common] NAME=VALUE...");
    HRESOURCE resource = open_resource(cli, argv[1]);
    if (!resource)
        return EXIT_ERROR;
    int exit_code = set_properties(cli, resource, argv + first, argc - first, common);
    CloseClusterResource(resource);
    return exit_code == EXIT_DONE ? print_done(cli, "set", argv[1]) : exit_code;
}

/* A resource that could not be given its properties is not left half made. */
static int create_in(struct cli *cli, HGROUP group, const char *name, const char *type,
                     char **pairs, int count)
{
    WCHAR *wide_name = widen(name), *wide_type = widen(type);
    HRESOURCE resource = CreateClusterResource(group, wide_name, wide_type, 0);
    free(wide_name);
    free(wide_type);
    if (!resource)
        return cli_last_error(cli, "cannot create resource", name);
    int exit_code = count ? set_properties(cli, resource, pairs, count, false) : EXIT_DONE;
    if (exit_code != EXIT_DONE)
        DeleteClusterResource(resource);
    CloseClusterResource(resource);
    return exit_code == EXIT_DONE ? print_done(cli, "created", name) : exit_code;
}

static int create(struct cli *cli, int argc, char **argv)
{
    const char *name = NULL, *group_name = NULL, *type = NULL;
    int first = argc;
    for (int i = 1; i < argc && first == argc; i++) {
        if (strcmp(argv[i], "--group") == 0 && i + 1 < argc)
            group_name = argv[++i];
        else if (strcmp(argv[i], "--type") == 0 && i + 1 < argc)
            type = argv[++i];
        else if (argv[i][0] != '-' && !name)
            name = argv[i];
        else if (argv[i][0] != '-')
            first = i;
        else
            return cli_usage(cli, "'%s' is not understood", argv[i]);
    }
    if (!name || !group_name || !type)
        return cli_usage(cli, "create RESOURCE --group GROUP --type TYPE [NAME=VALUE...]");
    WCHAR *wide = widen(group_name);
    HGROUP group = OpenClusterGroup(cli->cluster, wide);
    free(wide);
    if (!group)
        return cli_last_error(cli, "cannot open group", group_name);
    int exit_code = create_in(cli, group, name, type, argv + first, argc - first);
    CloseClusterGroup(group);
    return exit_code;
}

static int delete (struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "delete RESOURCE");
    HRESOURCE resource = open_resource(cli, argv[1]);
    if (!resource)
        return EXIT_ERROR;
    DWORD r = DeleteClusterResource(resource);
    CloseClusterResource(resource);
    return r == ERROR_SUCCESS ? print_done(cli, "deleted", argv[1])
                              : cli_fail(cli, r, "cannot delete resource '%s'", argv[1]);
}

static int rename_resource(struct cli *cli, int argc, char **argv)
{
    if (argc != 3)
        return cli_usage(cli, "rename RESOURCE NEW-NAME");
    HRESOURCE resource = open_resource(cli, argv[1]);
    if (!resource)
        return EXIT_ERROR;
    WCHAR *wide = widen(argv[2]);
    DWORD r = SetClusterResourceName(resource, wide);
    free(wide);
    CloseClusterResource(resource);
    return r == ERROR_SUCCESS ? print_done(cli, "renamed", argv[2])
                              : cli_fail(cli, r, "cannot rename resource '%s'", argv[1]);
}

static int move(struct cli *cli, int argc, char **argv)
{
    if (argc != 4 || strcmp(argv[2], "--group") != 0)
        return cli_usage(cli, "move RESOURCE --group GROUP");
    HRESOURCE resource = open_resource(cli, argv[1]);
    if (!resource)
        return EXIT_ERROR;
    WCHAR *wide = widen(argv[3]);
    HGROUP group = OpenClusterGroup(cli->cluster, wide);
    free(wide);
    DWORD r = group ? ChangeClusterResourceGroup(resource, group) : GetLastError();
    if (group)
        CloseClusterGroup(group);
    CloseClusterResource(resource);
    return r == ERROR_SUCCESS
               ? print_done(cli, "moved", argv[1])
               : cli_fail(cli, r, "cannot move resource '%s' to group '%s'", argv[1], argv[3]);
}

static int change_dependency(struct cli *cli, int argc, char **argv,
                             DWORD (*act)(HRESOURCE, HRESOURCE), const char *done)
{
    if (argc != 3)
        return cli_usage(cli, "%s RESOURCE PROVIDER", argv[0]);
    HRESOURCE resource = open_resource(cli, argv[1]);
    HRESOURCE provider = resource ? open_resource(cli, argv[2]) : NULL;
    DWORD r = provider ? act(resource, provider) : ERROR_SUCCESS;
    if (provider)
        CloseClusterResource(provider);
    if (resource)
        CloseClusterResource(resource);
    if (!provider)
        return EXIT_ERROR;
    return r == ERROR_SUCCESS
               ? print_done(cli, done, argv[1])
               : cli_fail(cli, r, "cannot %s '%s' and '%s'", argv[0], argv[1], argv[2]);
}

static int depend(struct cli *cli, int argc, char **argv)
{
    return change_dependency(cli, argc, argv, AddClusterResourceDependency, "depends");
}

static int undepend(struct cli *cli, int argc, char **argv)
{
    return change_dependency(cli, argc, argv, RemoveClusterResourceDependency, "depends no more");
}

/* online|offline|fail RESOURCE [--wait] [--timeout T] */
static int change_state(struct cli *cli, int argc, char **argv, DWORD (*act)(HRESOURCE),
                        const char *state)
{
    const char *name = NULL;
    bool wait = false;
    DWORD timeout = INFINITE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--wait") == 0 && state)
            wait = true;
        else if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc &&
                 parse_duration(argv[i + 1], &timeout))
            i++;
        else if (argv[i][0] != '-' && !name)
            name = argv[i];
        else
            return cli_usage(cli, "%s RESOURCE%s", argv[0],
                             state ? " [--wait] [--timeout DURATION]" : "");
    }
    if (!name)
        return cli_usage(cli, "%s which resource?", argv[0]);
    HRESOURCE resource = open_resource(cli, name);
    if (!resource)
        return EXIT_ERROR;
    DWORD r = act(resource);
    CloseClusterResource(resource);
    if (r != ERROR_SUCCESS && r != ERROR_IO_PENDING)
        return cli_fail(cli, r, "cannot %s resource '%s'", argv[0], name);
    if (wait)
        return wait_for_state(cli, "resource", name, state, timeout);
    return print_done(cli, r == ERROR_IO_PENDING ? "pending" : "done", name);
}

static int online(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, OnlineClusterResource, "Online");
}

static int offline(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, OfflineClusterResource, "Offline");
}

static int fail(struct cli *cli, int argc, char **argv)
{
    return change_state(cli, argc, argv, FailClusterResource, NULL);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", list},
                                        {"show", show},
                                        {"create", create, true},
                                        {"delete", delete},
                                        {"set", set, true},
                                        {"rename", rename_resource},
                                        {"move", move, true},
                                        {"depend", depend},
                                        {"undepend", undepend},
                                        {"online", online, true},
                                        {"offline", offline, true},
                                        {"fail", fail, true},
                                        {NULL}};
    return cli_run_verb(cli, verbs, argc, argv);
}

const struct command command_resource = {
    .name = "resource",
    .arguments =
        "list | show RESOURCE | delete RESOURCE | rename RESOURCE NEW-NAME |\n"
        "       create RESOURCE --group GROUP --type TYPE [PROPERTY=VALUE...] |\n"
        "       set RESOURCE [--common] PROPERTY=VALUE... | move RESOURCE --group GROUP |\n"
        "       depend|undepend RESOURCE PROVIDER |\n"
        "       online|offline RESOURCE [--wait] [--timeout DURATION] | fail RESOURCE",
    .summary = "resources: what the cluster keeps running",
    .help = "TYPE is a defined one (\"Physical Disk\", \"Generic Application\", ...) or any "
            "installed agent by its own\n"
            "name (ocf:heartbeat:Dummy, systemd:nginx). A PROPERTY with several texts has them "
            "separated by blanks.\n"
            "--wait returns when the resource is there (124 when the time is over first, 3 when it "
            "failed).",
    .run = run,
};
