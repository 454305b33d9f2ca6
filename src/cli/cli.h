/* SPDX-License-Identifier: MIT */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#include <clusapi.h>
#include <clusport.h>
#include <jansson.h>

/* The command line: a table of subcommands, each in a file of its own, on nothing but the public
 * API. Every result is built once as JSON and then printed as JSON or as a table. */

enum cli_exit {
    EXIT_DONE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_FALSE = 3,
    EXIT_TIMED_OUT = 124
};

struct cli {
    bool json;
    bool color;
    const char *state; /* the service's folder, for a status without the service */
    HCLUSTER cluster;
    const struct command *command;
};

struct command {
    const char *name;
    const char *arguments;                              /* for the usage line */
    const char *summary;                                /* one line */
    const char *help;                                   /* the rest, or NULL */
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command command_status, command_watch, command_wait, command_group,
    command_resource, command_node, command_network, command_registry, command_ports,
    command_version;

/* A verb of an object family: `clusport group create NAME`. */
struct verb {
    const char *name;
    int (*run)(struct cli *cli, int argc, char **argv); /* argv[0] is the verb */
    bool has_options; /* it looks at them itself; else "--" comes before a name that begins so */
};
int cli_run_verb(struct cli *cli, const struct verb *verbs, int argc, char **argv);

/* Opens the cluster once; says what is wrong and gives EXIT_ERROR if it cannot. 0: it is open. */
int cli_open(struct cli *cli);

/* Complaints go to stderr. Each returns the exit code to give. */
int cli_usage(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_fail(const struct cli *cli, DWORD error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int cli_last_error(const struct cli *cli, const char *what,
                   const char *name); /* with GetLastError() */

/* ---- text.c: malloc'ed; they end the program when there is no memory ---- */
char *narrow(const WCHAR *text);
WCHAR *widen(const char *text); /* NULL stays NULL */
char *join(const char *a, const char *between, const char *b);
void *must(void *p);
/* "500ms", "30s", "5m", "2h", or seconds. false: not a duration. */
bool parse_duration(const char *text, DWORD *ret_ms);
bool parse_number(const char *text, uint64_t *ret);
json_t *json_wide(const WCHAR *text); /* null for NULL */

/* ---- output.c ---- */
struct column {
    const char *title;
    const char *key; /* of the JSON object */
};
/* An array of objects; takes it over. JSON: {"version":1, key: array}. */
int print_list(struct cli *cli, const char *key, json_t *array, const struct column *columns);
/* One object; takes it over. Text: `key: value` lines. */
int print_object(struct cli *cli, json_t *object);
/* One object a line, flushed. Takes it over. */
int print_line(struct cli *cli, json_t *object);
/* What was done, for people; JSON: {"done": ..., "name": ...}. */
int print_done(struct cli *cli, const char *done, const char *name);
const char *color_of_state(const struct cli *cli, const char *state); /* "" without colour */
#define COLOR_END(cli) ((cli)->color ? "\033[0m" : "")

/* ---- names.c ---- */
const char *resource_state_name(DWORD state);
const char *group_state_name(DWORD state);
const char *node_state_name(DWORD state);
const char *network_state_name(DWORD state);
const char *netinterface_state_name(DWORD state);

/* ---- properties.c ---- */
json_t *properties_to_json(const void *list, DWORD size);
/* name=value texts to a property list; formats (a *_FMTS answer) decide the syntax, else text.
 * malloc'ed. */
BYTE *properties_from_arguments(char **pairs, int count, const void *formats, DWORD formats_size,
                                DWORD *ret_size, char **ret_complaint);

/* A state's name by the kind of object ("resource", "group", ...); "Unknown" if it has no such
 * state. */
const char *state_name(const char *object, DWORD state);
/* "RESOURCE_STATE" and so on; NULL for none. */
const char *flag_name(DWORD flag);

/* ---- event.c ---- */
json_t *event_to_json(const CLUSPORT_NOTIFICATION *n);
/* Like "Offline → Online", or "was Offline"; malloc'ed, "" if there is nothing to show. */
char *event_values(const CLUSPORT_NOTIFICATION *n);

/* ---- enums.c ---- */
/* What describe() says of each of the cluster's objects of one CLUSTER_ENUM_* type, in a JSON
 * array; it gives NULL for one that is gone meanwhile. NULL: the last error says why. */
typedef json_t *(*describe_fn)(struct cli *cli, const char *name);
json_t *cluster_objects(struct cli *cli, DWORD type, describe_fn describe);
/* `list`: no arguments, one table. */
int list_objects(struct cli *cli, int argc, DWORD type, const char *key, describe_fn describe,
                 const struct column *columns);

/* ---- registry.c ---- */
json_t *registry_value_to_json(DWORD type, const BYTE *data, DWORD size);

/* ---- wait.c ---- */
/* After a request: until the object ("resource", "group") is in that state. EXIT_FALSE: it failed,
 * or is gone. */
int wait_for_state(struct cli *cli, const char *type, const char *name, const char *state,
                   DWORD timeout_ms);

/* Time that is left until a deadline. */
struct deadline {
    bool none;
    uint64_t at_ms; /* CLOCK_MONOTONIC */
};
struct deadline deadline_after(DWORD ms); /* INFINITE: none */
DWORD deadline_left(const struct deadline *d);

#endif
