/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "change/property_list.h"
#include "port/port_table.h"
#include "rpc/pdu.h"
#include "rpc/rpc_interface.h"
#include "service/descriptor.h"

/* make_seeds FOLDER: what the encoders write, as FOLDER/TARGET/NAME. Seeds of bugs are put beside
 * them by hand. */

static const char *folder;

static void save(const char *target, const char *name, const struct buffer *b)
{
    char path[512];

    CHECK(!buffer_failed(b));
    snprintf(path, sizeof(path), "%s/%s", folder, target);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
    _cleanup_close_
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    CHECK(fd >= 0 && write(fd, b->data, b->size) == (ssize_t)b->size);
}

static void save_with(const char *target, const char *name, uint8_t first, const struct buffer *b)
{
    _cleanup_(buffer_fini) struct buffer with = {0};

    buffer_append(&with, &first, 1);
    buffer_append(&with, b->data, b->size);
    save(target, name, &with);
}

static void make_property_lists(struct buffer *ret)
{
    _cleanup_(property_table_fini) struct property_table t = {0};
    static const enum property_format formats[] = {
        PROPERTY_BINARY, PROPERTY_EXPAND_SZ, PROPERTY_LONG, PROPERTY_LARGE_INTEGER, PROPERTY_WORD};
    static const char *const names[] = {"binary", "expand", "long", "large", "word"};

    save("property_list", "empty", &(struct buffer){.data = (uint8_t[4]){0}, .size = 4});
    CHECK(property_set_text(&t, "Text", "caf\xc3\xa9") == 0);
    CHECK(property_set_dword(&t, "Number", 5) == 0);
    CHECK(property_set_multi(&t, "Texts", "a\0b", 4) == 0);
    CHECK(property_list_encode(&t, ret) == 0);
    save("property_list", "usual", ret);
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        _cleanup_(property_table_fini) struct property_table one = {0};
        _cleanup_(buffer_fini) struct buffer b = {0};
        struct property p = {
            .name = "P", .format = formats[i], .number = 7, .data = "v", .size = 2};
        CHECK(property_set(&one, &p) == 0 && property_list_encode(&one, &b) == 0);
        save("property_list", names[i], &b);
    }
}

static void make_changes(const struct buffer *properties)
{
    const struct change_value values[] = {
        {0},
        {.kind = VALUE_NUMBER, .number = 2},
        {.kind = VALUE_TEXT, .data = "old", .size = 3},
        {.kind = VALUE_TEXT_LIST, .data = "a\0b", .size = 4},
        {.kind = VALUE_PROPERTIES, .data = properties->data, .size = properties->size},
        {.kind = VALUE_REGISTRY, .number = 4, .data = "\1\0\0", .size = 4},
        {.kind = VALUE_BYTES, .data = "\xff", .size = 1},
    };

    for (enum change_kind kind = 1; kind < CHANGE_KIND_COUNT; kind += 3) {
        _cleanup_(buffer_fini) struct buffer b = {0};
        const struct change c = {.revision = kind,
                                 .transaction = 1,
                                 .kind = kind,
                                 .last = true,
                                 .object_id = "r",
                                 .parent_id = "g",
                                 .name = "disk",
                                 .old_value = values[kind % ARRAY_SIZE(values)],
                                 .new_value = values[kind / 3 % ARRAY_SIZE(values)],
                                 .actor = {.node = "n1", .program = "cluster"}};
        CHECK(change_encode(&c, &b) == 0);
        save("change", change_kind_info(kind)->json, &b);
    }
}

static void make_pdus(void)
{
    struct pdu_bind bind = {.most_sent = 4280, .most_received = 4280, .count = 2};
    struct pdu_bind_ack ack = {.most_sent = 4280, .most_received = 4280, .count = 2};
    _cleanup_(buffer_fini) struct buffer b = {0}, a = {0}, nak = {0}, fault = {0}, q = {0}, s = {0};

    memcpy(bind.contexts[0].uuid, rpc_cmrp.uuid, 16);
    memcpy(bind.contexts[1].uuid, rpc_private.uuid, 16);
    pdu_bind_encode(&b, 1, &bind);
    save("pdu", "bind", &b);
    pdu_bind_ack_encode(&a, PDU_BIND_ACK, 1, &ack);
    save("pdu", "bind-ack", &a);
    pdu_bind_nak_encode(&nak, 1, PDU_NAK_AUTHENTICATION_NOT_KNOWN);
    save("pdu", "bind-nak", &nak);
    pdu_fault_encode(&fault, 2, 0, NCA_OP_RANGE_ERROR);
    save("pdu", "fault", &fault);
    pdu_request_encode(&q, PDU_LEAST_FRAGMENT, 2, 0, 7, "stub", 4);
    save("pdu", "request", &q);
    pdu_response_encode(&s, PDU_LEAST_FRAGMENT, 2, 0, "stub", 4);
    save("pdu", "response", &s);
}

static void fill(unsigned type, void *field)
{
    if (rpc_type_is_context(type))
        ((struct rpc_context *)field)->wire[4] = 1;
    else if (type == RPC_STRING || type == RPC_UNIQUE_STRING)
        *(char **)field = "name";
    else if (type == RPC_BYTES || type == RPC_UNIQUE_BYTES || type == RPC_COUNTED_BYTES ||
             type == RPC_BUFFER)
        *(struct rpc_bytes *)field = (struct rpc_bytes){.data = "data", .size = 4, .capacity = 8};
}

static void make_stub(uint8_t which, const struct rpc_op *op, enum rpc_direction direction)
{
    _cleanup_free_
    uint8_t *args = calloc(1, op->args_size);
    _cleanup_(buffer_fini) struct buffer stub = {0}, b = {0};
    char name[128];

    CHECK(args);
    for (unsigned i = 0; i < op->param_count; i++)
        fill(op->params[i].type, args + op->params[i].offset);
    if (ndr_encode(op, direction, args, &stub) < 0 || stub.size == 0)
        return;
    buffer_append(&b, (uint8_t[]){which, (uint8_t)op->opnum}, 2);
    buffer_append(&b, stub.data, stub.size);
    snprintf(name, sizeof(name), "%s-%s", op->name, direction == RPC_IN ? "in" : "out");
    save("ndr", name, &b);
}

/* Every type of parameter, once in each direction. */
static void make_stubs(void)
{
    bool seen[2][64] = {0};

    for (unsigned i = 0; i < 2; i++)
        for (unsigned opnum = 0; opnum < 256; opnum++) {
            const struct rpc_op *op = rpc_interface_op(i ? &rpc_private : &rpc_cmrp, opnum);
            bool fresh[2] = {false, false};
            for (unsigned k = 0; op && k < op->param_count; k++)
                for (unsigned out = 0; out < 2; out++)
                    if (op->params[k].direction & (out ? RPC_OUT : RPC_IN)) {
                        fresh[out] |= !seen[out][op->params[k].type];
                        seen[out][op->params[k].type] = true;
                    }
            if (fresh[0])
                make_stub((uint8_t)i, op, RPC_IN);
            if (fresh[1])
                make_stub((uint8_t)(i | 2), op, RPC_OUT);
        }
}

static void make_inputs(const struct buffer *properties)
{
    static const char *const names[] = {
        "none",
#define INPUT(symbol, name) name,
#include "model/inputs.def"
#undef INPUT
    };
    for (enum input_kind kind = 1; kind < INPUT_KIND_COUNT; kind++) {
        const bool of_group = strstr(names[kind], "group") && kind != INPUT_CHANGE_RESOURCE_GROUP;
        const bool of_key = strstr(names[kind], "key") || strstr(names[kind], "value");
        const bool of_node = strstr(names[kind], "node");
        _cleanup_(buffer_fini) struct buffer b = {0};
        const struct model_input in = {.kind = kind,
                                       .time_ns = 1,
                                       .object_type = OBJECT_RESOURCE,
                                       .object_id = of_key     ? "Software\\A"
                                                    : of_group ? "g"
                                                    : of_node  ? "1"
                                                               : "r",
                                       .parent_id = of_group ? "1" : "g",
                                       .new_id = "n",
                                       .name = "new",
                                       .type_name = "Dummy",
                                       .operation = 1,
                                       .number = 1,
                                       .data = properties->data,
                                       .size = properties->size};
        CHECK(model_input_encode(&in, &b) == 0);
        save("model_input", names[kind], &b);
    }
}

static void append_object(struct buffer *out, const struct object *o)
{
    buffer_printf(out, "%d%s\t", (int)o->type, o->id);
    CHECK(model_object_encode(o, out) == 0);
    buffer_append(out, "\n", 1);
}

static void make_objects(void)
{
    _cleanup_(model_destroyp) struct model *m = world_create();
    _cleanup_(buffer_fini) struct buffer all = {0}, key = {0}, cluster = {0};

    append_object(&cluster, &model_cluster(m)->o);
    save("objects", "cluster", &cluster);
    append_object(&all, &model_cluster(m)->o);
    for (enum object_type type = OBJECT_GROUP; type <= OBJECT_NODE; type++) {
        _cleanup_(buffer_fini) struct buffer some = {0};
        const struct map *objects = model_objects(m, type);
        for (struct map_entry *e = map_first(objects); e; e = map_next(objects, e)) {
            append_object(&some, e->value);
            append_object(&all, e->value);
        }
        if (some.size > 0)
            save("objects", object_type_name(type), &some);
    }
    append_object(&key, &model_key(m, "")->o);
    save("objects", "root", &key);
    append_object(&all, &model_key(m, "")->o);
    save("objects", "whole", &all);
}

static void make_ports(void)
{
    struct port_table *t = NULL;
    _cleanup_(buffer_fini) struct buffer table = {0}, list = {0};
    uint8_t bytes[3 * 64];
    const struct port_listing l = {
        .pid = 1, .program = "watcher", .port = {.id = 1, .version = PORT_V2, .registrations = 2}};

    CHECK(port_table_create(&t) == 0);
    CHECK(port_table_add(t, 1, PORT_V1, 5) && port_table_add(t, 2, PORT_OWN, 6));
    CHECK(pread(port_table_fd(t), bytes, sizeof(bytes), 0) == sizeof(bytes));
    port_table_destroy(t);
    buffer_append(&table, bytes, sizeof(bytes));
    save("port_table", "table", &table);
    CHECK(port_listing_append(&l, &list) == 0);
    save("port_table", "one", &list);
    CHECK(port_listing_append(&l, &list) == 0);
    save("port_table", "two", &list);
}

/* What a connection says after its bind: a handle opened, one that never was used, two fragments, a
 * changed mind. */
static void make_server(void)
{
    _cleanup_(buffer_fini) struct buffer all = {0}, stub = {0}, two = {0};
    struct cmrp_GetResourceState state = {.resource = {.wire = {0, 0, 0, 0, 1}}};
    struct cmrp_OpenGroup group = {.name = "group"};

    pdu_request_encode(&all, 5840, 2, 0, CMRP_OPNUM_OpenCluster, NULL, 0);
    CHECK(ndr_encode(&cmrp_op_GetResourceState, RPC_IN, &state, &stub) == 0);
    pdu_request_encode(&all, 5840, 3, 0, CMRP_OPNUM_GetResourceState, stub.data, stub.size);
    save_with("server", "calls", 1, &all);
    buffer_clear(&stub);
    CHECK(ndr_encode(&cmrp_op_OpenGroup, RPC_IN, &group, &stub) == 0);
    pdu_request_encode(&two, 40, 4, 0, CMRP_OPNUM_OpenGroup, stub.data, stub.size);
    save_with("server", "fragments", 1, &two);
    two.data[3] &= (uint8_t)~PDU_FIRST;
    save_with("server", "without_first", 1, &two);
    two.data[2] = PDU_ORPHANED;
    save_with("server", "orphaned", 1, &two);
    save_with("server", "unbound", 0, &all);
}

static void make_client(void)
{
    _cleanup_(buffer_fini) struct buffer all = {0}, stub = {0};
    struct pdu_bind_ack ack = {.most_sent = 5840, .most_received = 5840, .group = 1, .count = 2};
    struct cmrp_GetClusterName name = {.cluster_name = "cluster", .node_name = "node"};

    pdu_bind_nak_encode(&all, 1, 0);
    save_with("client", "refused", 0, &all);
    buffer_clear(&all);
    pdu_bind_ack_encode(&all, PDU_BIND_ACK, 1, &ack);
    CHECK(ndr_encode(&cmrp_op_GetClusterName, RPC_OUT, &name, &stub) == 0);
    pdu_response_encode(&all, 64, 2, 0, stub.data, stub.size);
    save_with("client", "answered", CMRP_OPNUM_GetClusterName, &all);
    all.size = 0;
    pdu_bind_ack_encode(&all, PDU_BIND_ACK, 1, &ack);
    pdu_fault_encode(&all, 2, 0, NCA_OP_RANGE_ERROR);
    save_with("client", "fault", CMRP_OPNUM_GetClusterName, &all);
}

/* The words of the page and the index, then the ring. */
static void make_feed(void)
{
    _cleanup_(buffer_fini) struct buffer ring = {0}, all = {0};

    for (uint64_t revision = 1; revision <= 2; revision++) {
        struct change c = {.kind = CHANGE_GROUP_ADDED,
                           .revision = revision,
                           .transaction = revision,
                           .last = true,
                           .object_id = "id",
                           .name = "group"};
        CHECK(change_encode(&c, &ring) == 0);
    }
    const uint64_t words[] = {ring.size, ring.size, 2, 0, 0, 0, 0};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        buffer_append_u64(&all, words[i]);
    buffer_append(&all, ring.data, ring.size);
    save("feed", "two", &all);
    buffer_put_u32(&all, 0, 64 << 10); /* an index just before the ring's end */
    buffer_put_u32(&all, 8, 64 << 10);
    buffer_put_u32(&all, 24, (64 << 10) - 8);
    save("feed", "end", &all);
}

static void make_translations(const struct buffer *properties)
{
    static const uint8_t texts[] = {'a', 0, 0x3d, 0xd8, 0x00, 0xde, 0, 0, 'b', 0, 0, 0, 0, 0};
    const struct buffer text = {.data = (uint8_t *)texts, .size = sizeof(texts)};
    const struct buffer descriptor = {.data = (uint8_t *)descriptor_default,
                                      .size = descriptor_default_size};

    save_with("translate", "texts", 1, &text);
    save_with("translate", "properties", 2, properties);
    save_with("descriptor", "default", DESCRIPTOR_ALL, &descriptor);
    save_with("descriptor", "dacl", DESCRIPTOR_DACL, &descriptor);
}

int main(int argc, char **argv)
{
    _cleanup_(buffer_fini) struct buffer properties = {0};

    if (argc != 2)
        return EXIT_FAILURE;
    folder = argv[1];
    make_property_lists(&properties);
    make_changes(&properties);
    make_pdus();
    make_stubs();
    make_inputs(&properties);
    make_server();
    make_client();
    make_feed();
    make_translations(&properties);
    make_objects();
    make_ports();
    return EXIT_SUCCESS;
}
