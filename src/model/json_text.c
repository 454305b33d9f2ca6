/* SPDX-License-Identifier: MIT */
#include "model/json_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/macro.h"

/* Jansson's lexer does not look whether it got memory: a string comes out with a byte less, or an
 * assertion ends the process. So a parse never sees an allocation fail: it is left right there, and
 * all that it has allocated is given back. */

struct parse {
    jmp_buf leave;
    void **blocks; /* that it holds */
    size_t count, capacity;
};

static __thread struct parse *running;

static bool make_room(struct parse *p)
{
    if (p->count < p->capacity)
        return true;
    size_t capacity = MAX(p->capacity * 2, (size_t)64);
    void **blocks = reallocarray(p->blocks, capacity, sizeof(*blocks));
    if (!blocks)
        return false;
    p->blocks = blocks;
    p->capacity = capacity;
    return true;
}

static void *allocate(size_t size)
{
    struct parse *p = running;
    if (!p)
        return malloc(size);
    void *block = make_room(p) ? malloc(size) : NULL;
    if (!block)
        longjmp(p->leave, 1);
    p->blocks[p->count++] = block;
    return block;
}

static void release(void *block)
{
    struct parse *p = running;
    size_t i = p ? p->count : 0;
    while (i > 0 && p->blocks[i - 1] != block) /* most are young */
        i--;
    if (i > 0)
        p->blocks[i - 1] = p->blocks[--p->count];
    free(block);
}

static __attribute__((constructor)) void set_allocator(void)
{
    json_set_alloc_funcs(allocate, release);
}

static int run(struct parse *p, FILE *file, const char *text, size_t size, size_t flags,
               json_error_t *ret_error, json_t **ret)
{
    if (setjmp(p->leave) != 0)
        return -ENOMEM;
    json_t *root =
        file ? json_loadf(file, flags, ret_error) : json_loadb(text, size, flags, ret_error);
    if (!root)
        return -EBADMSG;
    *ret = root;
    return 0;
}

static int parse(FILE *file, const char *text, size_t size, size_t flags, json_error_t *ret_error,
                 json_t **ret)
{
    struct parse p = {0};
    running = &p;
    int r = run(&p, file, text, size, flags, ret_error, ret);
    running = NULL;
    for (size_t i = 0; r == -ENOMEM && i < p.count; i++)
        free(p.blocks[i]);
    free(p.blocks);
    return r;
}

int json_text_parse(const char *text, size_t size, size_t flags, json_error_t *ret_error,
                    json_t **ret)
{
    return parse(NULL, text, size, flags, ret_error, ret);
}

int json_text_read(const char *path, size_t flags, json_error_t *ret_error, json_t **ret)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    int r = parse(file, NULL, 0, flags, ret_error, ret);
    fclose(file);
    return r;
}
