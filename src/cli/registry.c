/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define MOST_TEXT 16384 /* a value's longest name, with its NUL */

/* The key at a path from the root, "" the root itself; made on the way if `make`. */
static HKEY open_key(struct cli *cli, const char *path, bool make)
{
    HKEY root = GetClusterKey(cli->cluster, KEY_ALL_ACCESS), key = NULL;
    if (!root) {
        cli_last_error(cli, "cannot open key", "");
        return NULL;
    }
    if (!*path)
        return root;
    WCHAR *wide = widen(path);
    DWORD r = make ? (DWORD)ClusterRegCreateKey(root, wide, 0, KEY_ALL_ACCESS, NULL, &key, NULL)
                   : (DWORD)ClusterRegOpenKey(root, wide, KEY_ALL_ACCESS, &key);
    free(wide);
    ClusterRegCloseKey(root);
    if (r != ERROR_SUCCESS)
        cli_fail(cli, r, "cannot %s key '%s'", make ? "create" : "open", path);
    return r == ERROR_SUCCESS ? key : NULL;
}

json_t *registry_value_to_json(DWORD type, const BYTE *data, DWORD size)
{
    if (type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ) {
        WCHAR *text = must(calloc(size / sizeof(WCHAR) + 2, sizeof(WCHAR)));
        memcpy(text, data, size / sizeof(WCHAR) * sizeof(WCHAR));
        json_t *j = type == REG_MULTI_SZ ? must(json_array()) : json_wide(text);
        for (size_t i = 0; type == REG_MULTI_SZ && text[i]; i += (size_t)lstrlenW(text + i) + 1)
            json_array_append_new(j, json_wide(text + i));
        free(text);
        return j;
    }
    if ((type == REG_DWORD && size == 4) || (type == REG_QWORD && size == 8)) {
        uint64_t number = 0;
        memcpy(&number, data, size);
        return must(json_integer((json_int_t)number));
    }
    char *hex = must(calloc((size_t)size * 2 + 1, 1));
    for (DWORD i = 0; i < size; i++)
        sprintf(hex + 2 * i, "%02x", data[i]);
    json_t *j = must(json_string(hex));
    free(hex);
    return j;
}

static const char *type_name(DWORD type)
{
    switch (type) {
    case REG_SZ:
        return "sz";
    case REG_EXPAND_SZ:
        return "expand-sz";
    case REG_MULTI_SZ:
        return "multi-sz";
    case REG_DWORD:
        return "dword";
    case REG_QWORD:
        return "qword";
    case REG_BINARY:
        return "binary";
    default:
        return "other";
    }
}

static void add_keys(HKEY key, json_t *entries)
{
    for (DWORD i = 0;; i++) {
        WCHAR name[MOST_TEXT];
        DWORD size = MOST_TEXT;
        if (ClusterRegEnumKey(key, i, name, &size, NULL) != ERROR_SUCCESS)
            return;
        json_array_append_new(entries, must(json_pack("{s:s, s:o, s:s, s:n}", "kind", "key", "name",
                                                      json_wide(name), "type", "key", "value")));
    }
}

static void add_values(HKEY key, json_t *entries)
{
    for (DWORD i = 0;; i++) {
        WCHAR name[MOST_TEXT];
        DWORD name_size = MOST_TEXT, type, size = 0;
        LONG r = (LONG)ClusterRegEnumValue(key, i, name, &name_size, &type, NULL, &size);
        if (r != ERROR_SUCCESS && r != ERROR_MORE_DATA)
            return;
        BYTE *data = must(malloc((size_t)size + 1));
        name_size = MOST_TEXT;
        if (ClusterRegEnumValue(key, i, name, &name_size, &type, data, &size) == ERROR_SUCCESS)
            json_array_append_new(entries,
                                  must(json_pack("{s:s, s:o, s:s, s:o}", "kind", "value", "name",
                                                 json_wide(name), "type", type_name(type), "value",
                                                 registry_value_to_json(type, data, size))));
        free(data);
    }
}

static int list(struct cli *cli, int argc, char **argv)
{
    if (argc > 2)
        return cli_usage(cli, "list [KEY]");
    HKEY key = open_key(cli, argc == 2 ? argv[1] : "", false);
    if (!key)
        return EXIT_ERROR;
    json_t *entries = must(json_array());
    add_keys(key, entries);
    add_values(key, entries);
    ClusterRegCloseKey(key);
    return print_list(
        cli, "entries", entries,
        (struct column[]){{"NAME", "name"}, {"TYPE", "type"}, {"VALUE", "value"}, {NULL, NULL}});
}

static int get(struct cli *cli, int argc, char **argv)
{
    if (argc != 3)
        return cli_usage(cli, "get KEY VALUE");
    HKEY key = open_key(cli, argv[1], false);
    if (!key)
        return EXIT_ERROR;
    WCHAR *name = widen(argv[2]);
    DWORD type = 0, size = 0;
    BYTE *data = NULL;
    LONG r = (LONG)ClusterRegQueryValue(key, name, &type, NULL, &size);
    if (r == ERROR_SUCCESS || r == ERROR_MORE_DATA) {
        data = must(malloc((size_t)size + 1));
        r = (LONG)ClusterRegQueryValue(key, name, &type, data, &size);
    }
    int exit_code;
    if (r == ERROR_SUCCESS)
        exit_code = print_object(
            cli, must(json_pack("{s:s, s:s, s:o}", "name", argv[2], "type", type_name(type),
                                "value", registry_value_to_json(type, data, size))));
    else
        exit_code = cli_fail(cli, (DWORD)r, "cannot read value '%s'", argv[2]);
    free(data);
    free(name);
    ClusterRegCloseKey(key);
    return exit_code;
}

static int create(struct cli *cli, int argc, char **argv)
{
    if (argc != 2)
        return cli_usage(cli, "create KEY");
    HKEY key = open_key(cli, argv[1], true);
    if (!key)
        return EXIT_ERROR;
    ClusterRegCloseKey(key);
    return print_done(cli, "created", argv[1]);
}

/* set KEY VALUE DATA [--type sz|expand-sz|dword|qword] */
static int set(struct cli *cli, int argc, char **argv)
{
    const char *type = argc == 6 ? argv[5] : "sz";
    if (argc != 4 && (argc != 6 || strcmp(argv[4], "--type") != 0))
        return cli_usage(cli, "set KEY VALUE DATA [--type sz|expand-sz|dword|qword]");
    WCHAR *text = widen(argv[3]);
    uint64_t number = 0;
    const void *data = text;
    DWORD size = (DWORD)(((size_t)lstrlenW(text) + 1) * sizeof(WCHAR)), number_type = REG_SZ;
    if (strcmp(type, "expand-sz") == 0) {
        number_type = REG_EXPAND_SZ;
    } else if (strcmp(type, "dword") == 0 || strcmp(type, "qword") == 0) {
        bool four = type[0] == 'd';
        if (!parse_number(argv[3], &number) || (four && number > UINT32_MAX)) {
            free(text);
            return cli_usage(cli, "'%s' is not a %s", argv[3], type);
        }
        data = &number;
        size = four ? 4 : 8;
        number_type = four ? REG_DWORD : REG_QWORD;
    } else if (strcmp(type, "sz") != 0) {
        free(text);
        return cli_usage(cli, "there is no type '%s'", type);
    }

    HKEY key = open_key(cli, argv[1], true);
    if (!key) {
        free(text);
        return EXIT_ERROR;
    }
    WCHAR *name = widen(argv[2]);
    DWORD r = ClusterRegSetValue(key, name, number_type, data, size);
    free(name);
    free(text);
    ClusterRegCloseKey(key);
    return r == ERROR_SUCCESS ? print_done(cli, "set", argv[2])
                              : cli_fail(cli, r, "cannot set value '%s'", argv[2]);
}

static int delete (struct cli *cli, int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        return cli_usage(cli, "delete KEY [VALUE]");
    HKEY key = open_key(cli, argc == 3 ? argv[1] : "", false);
    if (!key)
        return EXIT_ERROR;
    WCHAR *name = widen(argv[argc - 1]);
    DWORD r = argc == 3 ? ClusterRegDeleteValue(key, name) : (DWORD)ClusterRegDeleteKey(key, name);
    free(name);
    ClusterRegCloseKey(key);
    return r == ERROR_SUCCESS ? print_done(cli, "deleted", argv[argc - 1])
                              : cli_fail(cli, r, "cannot delete '%s'", argv[argc - 1]);
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct verb verbs[] = {{"list", list},     {"get", get},       {"set", set, true},
                                        {"create", create}, {"delete", delete}, {NULL}};
    return cli_run_verb(cli, verbs, argc, argv);
}

const struct command command_registry = {
    .name = "registry",
    .arguments = "list [KEY] | get KEY VALUE | create KEY | delete KEY [VALUE] |\n"
                 "                set KEY VALUE DATA [--type sz|expand-sz|dword|qword]",
    .summary = "the cluster's registry: keys and values that every node shares",
    .help = "KEY is a path from the root with '\\' between its parts; '' is the root.",
    .run = run,
};
