/* SPDX-License-Identifier: MIT */
#include "badinput/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each exported function, by the table in functions.def, with each of its parameters wrong in each
 * way, one at a time: the documented error, no output touched, nothing kept, nobody disturbed. */

enum returns { CODE, HANDLE_RESULT, STATE, BOOLEAN_RESULT, COUNT, WAITED };
enum what {
    WHAT_END,
    WHAT_HANDLE,
    WHAT_NAME,
    WHAT_OUTPUT, /* and the buffer before a size */
    WHAT_OUTPUT_SIZE,
    WHAT_INPUT,
    WHAT_IN_BYTES,
    WHAT_IN_SIZE,
    WHAT_OUT_BYTES,
    WHAT_OUT_SIZE,
    WHAT_NUMBER,
};

struct parameter {
    enum what what;
    enum kind kind;
    bool optional;
    bool same;  /* of the first parameter's OpenCluster */
    bool bytes; /* a size that counts bytes, and no NUL */
    uint64_t number;
    const void *pointer;
    LPCWSTR good;
    DWORD empty, longer; /* 0: no failure */
};

#define PARAMETERS_MOST 16

struct function {
    const char *name;
    enum returns returns;
    uint64_t (*call)(const uint64_t *words);
    struct parameter parameters[PARAMETERS_MOST];
};

static DWORD WINAPI thread_main(LPVOID unused)
{
    (void)unused;
    return 0;
}

static const SECURITY_DESCRIPTOR_RELATIVE descriptor_data = {.Revision = 1, .Control = 0x8004};
#define descriptor (&descriptor_data)
static NOTIFY_FILTER_AND_TYPE group_filter = {CLUSTER_OBJECT_TYPE_GROUP,
                                              CLUSTER_CHANGE_GROUP_STATE_V2};

/* ---- the table ---- */

#define p(i) ((void *)(uintptr_t)words[i])
#define n(i) (words[i])
#define RESULT_CODE(call) (uint64_t)(uint32_t)(call)
#define RESULT_STATE(call) (uint64_t)(uint32_t)(call)
#define RESULT_COUNT(call) (uint64_t)(call)
#define RESULT_WAITED(call) (uint64_t)(call)
#define RESULT_BOOLEAN(call) (uint64_t)(call)
#define RESULT_HANDLE(call) (uint64_t)(uintptr_t)(call)
#define F(name, returns, arguments, ...)                                                           \
    static uint64_t call_##name(const uint64_t *words)                                             \
    {                                                                                              \
        return RESULT_##returns(name arguments);                                                   \
    }
#define X(name)
#include "functions.def"
#undef F
#undef p
#undef n

#define CALLS_CODE CODE
#define CALLS_STATE STATE
#define CALLS_COUNT COUNT
#define CALLS_WAITED WAITED
#define CALLS_BOOLEAN BOOLEAN_RESULT
#define CALLS_HANDLE HANDLE_RESULT
/* clang-format off */
#define H(k) {.what = WHAT_HANDLE, .kind = KIND_##k}
#define H_OPT(k) {.what = WHAT_HANDLE, .kind = KIND_##k, .optional = true}
#define H_SAME(k) {.what = WHAT_HANDLE, .kind = KIND_##k, .same = true}
#define H_SAME_OPT(k) {.what = WHAT_HANDLE, .kind = KIND_##k, .same = true, .optional = true}
#define NAME(g, e, l) {.what = WHAT_NAME, .good = (g), .empty = (e), .longer = (l)}
#define NAME_OPT(g, e, l) {.what = WHAT_NAME, .good = (g), .empty = (e), .longer = (l), .optional = true}
#define TEXT_OUT {.what = WHAT_OUTPUT, .optional = true}, {.what = WHAT_OUTPUT_SIZE}
#define DATA_OUT {.what = WHAT_OUTPUT, .optional = true}, {.what = WHAT_OUTPUT_SIZE, .bytes = true}
#define OUT {.what = WHAT_OUTPUT}
#define OUT_OPT {.what = WHAT_OUTPUT, .optional = true}
#define IN(x) {.what = WHAT_INPUT, .pointer = (const void *)(x)}
#define IN_BYTES {.what = WHAT_IN_BYTES}, {.what = WHAT_IN_SIZE}
#define OUT_BYTES {.what = WHAT_OUT_BYTES}, {.what = WHAT_OUT_SIZE}
#define N(x) {.what = WHAT_NUMBER, .number = (x)}
#define F(name, returns, arguments, ...) {#name, CALLS_##returns, call_##name, {__VA_ARGS__}},
/* clang-format on */
static const struct function functions[] = {
#include "functions.def"
};
#undef F
#undef X
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

/* ---- complaints: all that is wrong is told, not only the first ---- */

static unsigned complaints;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    complaints++;
}

/* ---- one call ---- */

#define OUTPUT_ROOM 4096
#define CANARY 0x5a
#define NOT_SET 0x5eed /* a last error that nothing leaves */

struct frame {
    uint64_t words[PARAMETERS_MOST];
    uint8_t outputs[PARAMETERS_MOST][OUTPUT_ROOM];
    DWORD sizes[PARAMETERS_MOST];
};

static uint64_t good_word(const struct stage *s, const struct parameter *p, struct frame *f,
                          size_t i)
{
    switch (p->what) {
    case WHAT_HANDLE:
        return (uintptr_t)good_handle(s, p->kind);
    case WHAT_NAME:
        return (uintptr_t)p->good;
    case WHAT_OUTPUT:
    case WHAT_OUT_BYTES:
        return (uintptr_t)f->outputs[i];
    case WHAT_OUTPUT_SIZE:
        f->sizes[i] = OUTPUT_ROOM / sizeof(WCHAR);
        return (uintptr_t)&f->sizes[i];
    case WHAT_INPUT:
        return (uintptr_t)p->pointer;
    case WHAT_OUT_SIZE:
        return OUTPUT_ROOM;
    case WHAT_NUMBER:
        return p->number;
    default: /* no input */
        return 0;
    }
}

/* Everything right. */
static void prepare(const struct stage *s, const struct function *f, struct frame *frame)
{
    memset(frame->outputs, CANARY, sizeof(frame->outputs));
    for (size_t i = 0; i < PARAMETERS_MOST; i++)
        frame->words[i] = good_word(s, &f->parameters[i], frame, i);
}

/* 0: it succeeded. */
static DWORD call(const struct function *f, const struct frame *frame)
{
    SetLastError(NOT_SET);
    uint64_t result = f->call(frame->words);
    DWORD last = GetLastError();
    bool failed = true;
    switch (f->returns) {
    case CODE:
        return (DWORD)result;
    case STATE:
        failed = (uint32_t)result == UINT32_MAX;
        break;
    case WAITED:
        failed = (uint32_t)result == WAIT_FAILED;
        break;
    case COUNT:
        failed = last != NOT_SET;
        break;
    case HANDLE_RESULT:
    case BOOLEAN_RESULT:
        failed = result == 0;
        break;
    }
    if (!failed && last != NOT_SET)
        complain("%s: succeeded and left the last error %u", f->name, last);
    if (failed && last == NOT_SET)
        complain("%s: failed and left no last error", f->name);
    return failed ? last : ERROR_SUCCESS;
}

static void expect_refusal(const struct function *f, struct frame *frame, size_t wrong,
                           const char *how, DWORD expected)
{
    struct frame before = *frame;
    DWORD code = call(f, frame);
    if (code != expected)
        complain("%s: parameter %zu is %s (%#llx): %u instead of %u", f->name, wrong, how,
                 (unsigned long long)frame->words[wrong], code, expected);
    /* A control code says how much it needs, and with no answer that is nothing. */
    for (size_t i = 0; i < PARAMETERS_MOST; i++) {
        bool returned = i > 0 && f->parameters[i - 1].what == WHAT_OUT_SIZE;
        if (returned)
            memset(frame->outputs[i], CANARY, sizeof(DWORD));
        if (memcmp(before.outputs[i], frame->outputs[i], OUTPUT_ROOM) != 0 ||
            before.sizes[i] != frame->sizes[i])
            complain("%s: parameter %zu is %s: output %zu was touched", f->name, wrong, how, i);
    }
}

typedef void (*walker)(const struct stage *s, const struct function *f, size_t i);

static void walk(const struct stage *s, walker each)
{
    complaints = 0;
    for (size_t i = 0; i < FUNCTIONS; i++)
        for (size_t k = 0; k < PARAMETERS_MOST && functions[i].parameters[k].what != WHAT_END; k++)
            each(s, &functions[i], k);
    assert_int_equal(complaints, 0);
}

/* ---- handles ---- */

static void wrong_handle(const struct stage *s, const struct function *f, size_t i, const char *how,
                         const void *word)
{
    static struct frame frame;
    prepare(s, f, &frame);
    frame.words[i] = (uintptr_t)word;
    expect_refusal(f, &frame, i, how, ERROR_INVALID_HANDLE);
}

/* INVALID_HANDLE_VALUE has a meaning of its own where a port or a cluster may be missing. */
static bool all_ones_mean_something(enum kind kind)
{
    return kind == KIND_PORT_V1_OR_NEW || kind == KIND_PORT_V2_OR_NEW ||
           kind == KIND_CLUSTER_OR_NONE;
}

static void walk_handles(const struct stage *s, const struct function *f, size_t i)
{
    const struct parameter *p = &f->parameters[i];
    if (p->what != WHAT_HANDLE)
        return;
    uint64_t good = (uintptr_t)good_handle(s, p->kind);
    const uint64_t numbers[] = {1,
                                0x123456789abcdef0,
                                (uintptr_t)&good,
                                (uintptr_t)s,
                                (uintptr_t)&functions,
                                good + 1,
                                good - 1,
                                ~good,
                                good >> 1};
    for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++)
        if (!is_live(s, (void *)(uintptr_t)numbers[k]))
            wrong_handle(s, f, i, "a number", (void *)(uintptr_t)numbers[k]);
    if (!p->optional)
        wrong_handle(s, f, i, "NULL", NULL);
    if (!all_ones_mean_something(p->kind))
        wrong_handle(s, f, i, "INVALID_HANDLE_VALUE", INVALID_HANDLE_VALUE);
    for (unsigned bit = 0; bit < 64; bit++) {
        void *flipped = (void *)(uintptr_t)(good ^ 1ull << bit);
        if (!is_live(s, flipped) && flipped != INVALID_HANDLE_VALUE)
            wrong_handle(s, f, i, "a handle with a flipped bit", flipped);
    }
    for (size_t k = 0; k < s->stale_count; k++)
        wrong_handle(s, f, i, "closed", s->stale[k]);
    for (size_t k = 0; k < s->live_count; k++) {
        const struct live *l = &s->live[k];
        if (!kind_takes(p->kind, l->kind))
            wrong_handle(s, f, i, "of another kind", l->word);
        else if (l->other && p->same)
            wrong_handle(s, f, i, "of another OpenCluster", l->word);
    }
}

/* ---- pointers ---- */

static void wrong_pointer(const struct stage *s, const struct function *f, size_t i,
                          const char *how)
{
    static struct frame frame;
    prepare(s, f, &frame);
    if (f->parameters[i].what == WHAT_IN_BYTES || f->parameters[i].what == WHAT_OUT_BYTES)
        frame.words[i + 1] = 16;
    frame.words[i] = 0;
    expect_refusal(f, &frame, i, how, ERROR_INVALID_PARAMETER);
}

static void walk_pointers(const struct stage *s, const struct function *f, size_t i)
{
    const struct parameter *p = &f->parameters[i];
    switch (p->what) {
    case WHAT_NAME:
    case WHAT_OUTPUT:
    case WHAT_INPUT:
        if (!p->optional)
            wrong_pointer(s, f, i, "NULL");
        break;
    case WHAT_OUTPUT_SIZE:
        wrong_pointer(s, f, i, "NULL beside a buffer");
        break;
    case WHAT_IN_BYTES:
    case WHAT_OUT_BYTES:
        wrong_pointer(s, f, i, "NULL with a size");
        break;
    default:
        break;
    }
}

/* ---- texts ---- */

static WCHAR long_text[70001], longer_text[10001];

static void wrong_text(const struct stage *s, const struct function *f, size_t i, const char *how,
                       const WCHAR *text, DWORD expected)
{
    static struct frame frame;
    if (expected == ERROR_SUCCESS)
        return;
    prepare(s, f, &frame);
    frame.words[i] = (uintptr_t)text;
    expect_refusal(f, &frame, i, how, expected);
}

static void walk_texts(const struct stage *s, const struct function *f, size_t i)
{
    static const WCHAR no_texts[][4] = {
        {L'a', (WCHAR)0xd800},
        {(WCHAR)0xdfff, L'b'},
        {(WCHAR)0xdc00, (WCHAR)0xd800},
#if __SIZEOF_WCHAR_T__ == 4
        {L'a', (WCHAR)0xd83d, (WCHAR)0xde00},
        {(WCHAR)0x110000},
        {L'a', (WCHAR)0x7fffffff},
        {(WCHAR)0xffffffff}
#endif
    };
    const struct parameter *p = &f->parameters[i];
    if (p->what != WHAT_NAME)
        return;
    for (size_t k = 0; k < sizeof(no_texts) / sizeof(no_texts[0]); k++)
        wrong_text(s, f, i, "no text", no_texts[k], ERROR_NO_UNICODE_TRANSLATION);
    wrong_text(s, f, i, "empty", L"", p->empty);
    wrong_text(s, f, i, "10,000 characters long", longer_text, p->longer);
    wrong_text(s, f, i, "70,000 characters long", long_text, ERROR_INVALID_PARAMETER);
}

/* ---- rooms: every size from none to one more than is needed ---- */

/* Of the heap and of that size, so that a byte too many is seen. */
static void try_room(const struct function *f, struct frame *frame, size_t i, DWORD room,
                     DWORD length)
{
    const struct parameter *size = &f->parameters[i];
    size_t unit = size->bytes ? 1 : sizeof(WCHAR);
    DWORD needed = size->bytes ? length : length + 1;
    WCHAR *buffer = malloc(room * unit + 1);
    memset(buffer, CANARY, room * unit + 1);
    frame->words[i - 1] = (uintptr_t)buffer;
    frame->sizes[i] = room;
    DWORD code = call(f, frame), expected = room < needed ? ERROR_MORE_DATA : ERROR_SUCCESS;
    if (code != expected || frame->sizes[i] != length)
        complain("%s: room %u for %u at %zu: %u, length %u", f->name, room, needed, i - 1, code,
                 frame->sizes[i]);
    if (((uint8_t *)buffer)[room * unit] != CANARY)
        complain("%s: room %u for %u: written behind it", f->name, room, needed);
    const WCHAR *whole = (const WCHAR *)(const void *)frame->outputs[i - 1];
    for (DWORD k = 0; !size->bytes && k + 1 < room && k < length; k++)
        if (buffer[k] != whole[k])
            complain("%s: room %u for %u: not what fits", f->name, room, needed);
    DWORD end = room < needed ? room - 1 : length;
    if (!size->bytes && room > 0 && buffer[end] != 0)
        complain("%s: room %u for %u: no NUL", f->name, room, needed);
    for (DWORD k = 0; size->bytes && code != 0 && k < room; k++)
        if (((uint8_t *)buffer)[k] != CANARY)
            complain("%s: room %u for %u: written a part", f->name, room, needed);
    free(buffer);
}

static void try_output_room(const struct function *f, struct frame *frame, size_t i, DWORD room,
                            DWORD needed)
{
    uint8_t *buffer = malloc(room + 1);
    DWORD returned = NOT_SET;
    memset(buffer, CANARY, room + 1);
    frame->words[i - 1] = room ? (uintptr_t)buffer : 0;
    frame->words[i] = room;
    frame->words[i + 1] = (uintptr_t)&returned;
    DWORD code = call(f, frame), expected = room < needed ? ERROR_MORE_DATA : ERROR_SUCCESS;
    if (code != expected || returned != needed)
        complain("%s: room %u for %u: %u, returned %u", f->name, room, needed, code, returned);
    if (buffer[room] != CANARY || (code != 0 && room > 0 && buffer[0] != CANARY))
        complain("%s: room %u for %u: written", f->name, room, needed);
    if (code == 0 && memcmp(buffer, frame->outputs[i - 1], needed) != 0)
        complain("%s: room %u for %u: not the same", f->name, room, needed);
    free(buffer);
}

static bool is_output_size(enum what what)
{
    return what == WHAT_OUTPUT_SIZE || what == WHAT_OUT_SIZE;
}

/* They come back as lengths. */
static void reset_sizes(const struct function *f, struct frame *frame)
{
    for (size_t k = 0; k < PARAMETERS_MOST; k++)
        if (f->parameters[k].what == WHAT_OUTPUT_SIZE)
            frame->sizes[k] = OUTPUT_ROOM / sizeof(WCHAR);
}

/* A room near the end of a DWORD, where there is enough; and the length alone. */
static void try_other_rooms(const struct function *f, struct frame *frame, size_t i, DWORD length)
{
    static const DWORD rooms[] = {0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
    for (size_t k = 0; k < sizeof(rooms) / sizeof(rooms[0]); k++) {
        frame->words[i - 1] = (uintptr_t)frame->outputs[i - 1];
        frame->sizes[i] = rooms[k];
        DWORD code = call(f, frame);
        if (code != ERROR_SUCCESS || frame->sizes[i] != length)
            complain("%s: room %#x: %u, length %u", f->name, rooms[k], code, frame->sizes[i]);
        reset_sizes(f, frame);
    }
    frame->words[i - 1] = 0;
    frame->sizes[i] = NOT_SET;
    DWORD code = call(f, frame);
    if (code != ERROR_SUCCESS || frame->sizes[i] != length)
        complain("%s: no buffer: %u, length %u", f->name, code, frame->sizes[i]);
    reset_sizes(f, frame);
    uint64_t size = frame->words[i];
    frame->words[i] = 0;
    code = call(f, frame);
    if (code != ERROR_SUCCESS)
        complain("%s: neither buffer nor size: %u", f->name, code);
    frame->words[i] = size;
}

static void walk_rooms(const struct stage *s, const struct function *f, size_t i)
{
    static struct frame frame;
    if (!is_output_size(f->parameters[i].what) || strcmp(f->name, "GetClusterInformation") == 0)
        return;
    prepare(s, f, &frame);
    DWORD code = call(f, &frame);
    if (code == WAIT_TIMEOUT) /* there are no events: see test_events.c */
        return;
    if (code != ERROR_SUCCESS)
        complain("%s: %u with everything right", f->name, code);
    DWORD length = frame.sizes[i];
    if (f->parameters[i].what == WHAT_OUT_SIZE)
        memcpy(&length, frame.outputs[i + 1], sizeof(length));
    for (DWORD room = 0; room <= length + 2; room++) {
        if (f->parameters[i].what == WHAT_OUT_SIZE)
            try_output_room(f, &frame, i, room, length);
        else
            try_room(f, &frame, i, room, length);
        reset_sizes(f, &frame);
    }
    if (f->parameters[i].what == WHAT_OUTPUT_SIZE)
        try_other_rooms(f, &frame, i, length);
}

/* ---- the tests ---- */

static int start(void **state)
{
    for (size_t i = 0; i < 70000; i++)
        long_text[i] = L'x';
    for (size_t i = 0; i < 10000; i++)
        longer_text[i] = L'x';
    *state = stage_start();
    return 0;
}

static int stop(void **state)
{
    stage_stop(*state);
    return 0;
}

static void test_handles(void **state)
{
    walk(*state, walk_handles);
    stage_mark(*state);
}

static void test_pointers(void **state)
{
    walk(*state, walk_pointers);
    stage_mark(*state);
}

static void test_texts(void **state)
{
    walk(*state, walk_texts);
    stage_mark(*state);
}

static void test_rooms(void **state)
{
    walk(*state, walk_rooms);
    stage_mark(*state);
}

/* All parameters wrong at once: an error, whichever. */
static void test_nothing_right(void **state)
{
    static struct frame frame;
    const struct stage *s = *state;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        const struct function *f = &functions[i];
        prepare(s, f, &frame);
        for (size_t k = 0; k < PARAMETERS_MOST; k++)
            if (f->parameters[k].what != WHAT_NUMBER)
                frame.words[k] = 0;
        if (f->parameters[0].what == WHAT_HANDLE && f->parameters[0].kind != KIND_NODE)
            assert_int_not_equal(call(f, &frame), ERROR_SUCCESS);
    }
}

/* What a second round over everything holds that the first did not, is lost. */
static void test_nothing_is_kept(void **state)
{
    struct holdings before = holdings_now();
    test_handles(state);
    test_pointers(state);
    test_texts(state);
    struct holdings after = holdings_now();
    assert_int_equal(after.descriptors, before.descriptors);
    assert_int_equal(after.threads, before.threads);
    if (after.bytes > before.bytes + 16384)
        fail_msg("%zu bytes more", after.bytes - before.bytes);
}

/* Nothing that was right has become wrong meanwhile. */
static void test_good_handles_are_good(void **state)
{
    static const char *const harmless[] = {
        "GetClusterQuorumResource", "GetClusterNodeState",         "GetClusterGroupState",
        "ClusterNetworkControl",    "GetClusterResourceState",     "GetClusterNetworkState",
        "ClusterRegEnumKey",        "GetClusterNetInterfaceState", "ClusterEnum",
        "ClusterGetEnumCount",      "ClusterNodeGetEnumCount",     "ClusterGroupGetEnumCount",
        "ClusterResourceEnum",      "ClusterResourceTypeEnum",     "ClusterNetworkEnum",
        "RegisterClusterNotify",    "RegisterClusterNotifyV2",     "GetNotifyEventHandle",
        "GetExitCodeThread",        "WaitForSingleObject",         "ClusportGetFd"};
    static struct frame frame;
    size_t found = 0;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        for (size_t k = 0; k < sizeof(harmless) / sizeof(harmless[0]); k++) {
            if (strcmp(functions[i].name, harmless[k]) != 0)
                continue;
            prepare(*state, &functions[i], &frame);
            if (call(&functions[i], &frame) != ERROR_SUCCESS)
                fail_msg("%s does not work any more", functions[i].name);
            found++;
        }
    }
    assert_int_equal(found, sizeof(harmless) / sizeof(harmless[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_pointers),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_rooms),
        cmocka_unit_test(test_nothing_right),
        cmocka_unit_test(test_nothing_is_kept),
        cmocka_unit_test(test_good_handles_are_good),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
