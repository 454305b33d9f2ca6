/* SPDX-License-Identifier: MIT */
#include "lib/control_translate.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "clusapi.h"
#include "lib/wide.h"

/* ---- which shape ---- */

/* One line for each code that carries text; the function's code without the object. */
static const struct {
    uint32_t code;
    enum shape in, out;
} shapes[] = {
    {CLCTL_GET_REQUIRED_DEPENDENCIES, SHAPE_BYTES, SHAPE_VALUES},
    {CLCTL_GET_NAME, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_RESOURCE_TYPE, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_NODE, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_NETWORK, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_ID, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_FQDN, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_CLUSTER_SERVICE_ACCOUNT_NAME, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_ENUM_COMMON_PROPERTIES, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_RO_COMMON_PROPERTIES, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_GET_COMMON_PROPERTIES, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_SET_COMMON_PROPERTIES, SHAPE_PROPERTIES, SHAPE_BYTES},
    {CLCTL_VALIDATE_COMMON_PROPERTIES, SHAPE_PROPERTIES, SHAPE_BYTES},
    {CLCTL_GET_COMMON_PROPERTY_FMTS, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_GET_COMMON_RESOURCE_PROPERTY_FMTS, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_ENUM_PRIVATE_PROPERTIES, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_RO_PRIVATE_PROPERTIES, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_GET_PRIVATE_PROPERTIES, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_SET_PRIVATE_PROPERTIES, SHAPE_PROPERTIES, SHAPE_BYTES},
    {CLCTL_VALIDATE_PRIVATE_PROPERTIES, SHAPE_PROPERTIES, SHAPE_BYTES},
    {CLCTL_GET_PRIVATE_PROPERTY_FMTS, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_GET_PRIVATE_RESOURCE_PROPERTY_FMTS, SHAPE_BYTES, SHAPE_PROPERTIES},
    {CLCTL_ADD_REGISTRY_CHECKPOINT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_ADD_REGISTRY_CHECKPOINT_64BIT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_ADD_REGISTRY_CHECKPOINT_32BIT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_DELETE_REGISTRY_CHECKPOINT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_GET_REGISTRY_CHECKPOINTS, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_ADD_CRYPTO_CHECKPOINT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_DELETE_CRYPTO_CHECKPOINT, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_GET_CRYPTO_CHECKPOINTS, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_RESOURCE_UPGRADE_DLL, SHAPE_TEXT, SHAPE_BYTES},
    {CLCTL_GET_LOADBAL_PROCESS_LIST, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_GET_NETWORK_NAME, SHAPE_BYTES, SHAPE_TEXT},
    {CLCTL_STORAGE_GET_DISK_INFO, SHAPE_BYTES, SHAPE_VALUES},
    {CLCTL_STORAGE_GET_AVAILABLE_DISKS, SHAPE_BYTES, SHAPE_VALUES},
    {CLCTL_STORAGE_GET_ALL_AVAILABLE_DISKS, SHAPE_BYTES, SHAPE_VALUES},
    {CLCTL_STORAGE_IS_PATH_VALID, SHAPE_TEXT, SHAPE_BYTES},
};

#define WITHOUT_OBJECT ((1u << CLUSCTL_OBJECT_SHIFT) - 1)

enum shape control_in_shape(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (shapes[i].code == (code & WITHOUT_OBJECT))
            return shapes[i].in;
    return SHAPE_BYTES;
}

enum shape control_out_shape(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (shapes[i].code == (code & WITHOUT_OBJECT))
            return shapes[i].out;
    return SHAPE_BYTES;
}

enum shape registry_shape(uint32_t type)
{
    return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ ? SHAPE_TEXT
                                                                           : SHAPE_BYTES;
}

/* ---- texts ---- */

typedef int (*text_fn)(const uint8_t *data, size_t size, struct buffer *out);

/* All of it, NULs too, and whatever it is: a registry value need be no text, and one program's must
 * not keep another from being told. An unpaired surrogate becomes U+FFFD, an odd last byte a WCHAR
 * of its own. */
static int text_from_wire(const uint8_t *data, size_t size, struct buffer *out)
{
    for (size_t at = 0; at + 1 < size; at += 2) {
        uint32_t c = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8;
        if (c >= 0xd800 && c <= 0xdbff && at + 4 <= size) {
            uint32_t low = (uint32_t)data[at + 2] | (uint32_t)data[at + 3] << 8;
            if (low >= 0xdc00 && low <= 0xdfff) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        if (c >= 0xd800 && c <= 0xdfff)
            c = 0xfffd;
        buffer_append_u32(out, c);
    }
    if (size % 2 != 0)
        buffer_append_u32(out, data[size - 1]);
    return buffer_failed(out) ? -ENOMEM : 0;
}

static int text_to_wire(const uint8_t *data, size_t size, struct buffer *out)
{
    if (size % 4 != 0)
        return -EBADMSG;
    for (size_t at = 0; at < size; at += 4) {
        uint32_t c;
        memcpy(&c, data + at, 4);
        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return -EBADMSG;
        if (c > 0xffff) {
            buffer_append_u16(out, (uint16_t)(0xd800 + ((c - 0x10000) >> 10)));
            buffer_append_u16(out, (uint16_t)(0xdc00 + ((c - 0x10000) & 0x3ff)));
        } else {
            buffer_append_u16(out, (uint16_t)c);
        }
    }
    return buffer_failed(out) ? -ENOMEM : 0;
}

/* ---- lists: entries of a DWORD syntax, a DWORD length without padding, and the data ---- */

static bool is_text(uint32_t syntax)
{
    switch (syntax & 0xffff) {
    case CLUSPROP_FORMAT_SZ:
    case CLUSPROP_FORMAT_EXPAND_SZ:
    case CLUSPROP_FORMAT_EXPANDED_SZ:
    case CLUSPROP_FORMAT_MULTI_SZ:
        return true;
    default:
        return false;
    }
}

/* Offsets count from the list's start, where out stood then. */
static int translate_entry(struct reader *r, uint32_t syntax, text_fn text, size_t start,
                           struct buffer *out)
{
    uint32_t size = reader_u32(r);
    const uint8_t *data = reader_bytes(r, size);
    if (r->failed)
        return -ENOBUFS;
    buffer_append_u32(out, syntax);
    size_t length_at = out->size;
    buffer_append_u32(out, 0);
    int e = is_text(syntax) ? text(data, size, out) : buffer_append(out, data, size);
    if (e < 0 || buffer_failed(out))
        return e < 0 ? e : -ENOMEM;
    buffer_put_u32(out, length_at, (uint32_t)(out->size - length_at - 4));
    return buffer_append_zero(out, ALIGN_UP(out->size - start, (size_t)4) - (out->size - start));
}

/* Up to and with the end mark. The padding is read with the next entry. */
static int translate_values(struct reader *r, text_fn text, size_t start, struct buffer *out)
{
    for (;;) {
        reader_align(r, 4);
        uint32_t syntax = reader_u32(r);
        if (r->failed)
            return -ENOBUFS;
        if (syntax == CLUSPROP_SYNTAX_ENDMARK)
            return buffer_append_u32(out, syntax);
        int e = translate_entry(r, syntax, text, start, out);
        if (e < 0)
            return e;
    }
}

static int translate_properties(struct reader *r, text_fn text, struct buffer *out)
{
    size_t start = out->size;
    uint32_t count = reader_u32(r);
    if (r->failed)
        return -ENOBUFS;
    int e = buffer_append_u32(out, count);
    for (uint32_t i = 0; e == 0 && i < count; i++)
        e = translate_values(r, text, start, out);
    return e;
}

static int translate(enum shape shape, const void *data, size_t size, text_fn text,
                     struct buffer *out)
{
    struct reader r = reader_over(data, size);
    if (sizeof(WCHAR) == 2 || size == 0)
        return buffer_append(out, data, size);
    switch (shape) {
    case SHAPE_TEXT:
        return text(data, size, out);
    case SHAPE_PROPERTIES:
        return translate_properties(&r, text, out);
    case SHAPE_VALUES:
        return translate_values(&r, text, out->size, out);
    case SHAPE_BYTES:
        break;
    }
    return buffer_append(out, data, size);
}

int translate_to_wire(enum shape shape, const void *data, size_t size, struct buffer *out)
{
    return translate(shape, data, size, text_to_wire, out);
}

int translate_from_wire(enum shape shape, const void *data, size_t size, struct buffer *out)
{
    return translate(shape, data, size, text_from_wire, out);
}
