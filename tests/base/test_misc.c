/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "base/descriptors.h"
#include "base/error.h"
#include "base/guid.h"
#include "base/json_write.h"
#include "base/log.h"

#define WINERROR "/usr/share/mingw-w64/include/winerror.h"
/* The header ends before the cluster's codes of Windows Server 2008. */
#define NEWEST_THERE 5918

#define ERROR_CODE(name, number, message) number,
static const uint32_t codes[] = {
#include "base/error_codes.def"
};
#undef ERROR_CODE

/* The number that a public-domain header gives a name, or -1. */
static long number_in(const char *path, const char *name)
{
    FILE *f = fopen(path, "re");
    char line[512], word[128];
    long number = -1, value;

    assert_non_null(f);
    while (number < 0 && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "#define %127s __MSABI_LONG(%ld)", word, &value) != 2 &&
            sscanf(line, "#define %127s %ld", word, &value) != 2)
            continue;
        if (strcmp(word, name) == 0)
            number = value;
    }
    fclose(f);
    return number;
}

static void test_descriptors_are_raised_for_us_alone(void **state)
{
    (void)state;
    struct rlimit now, own;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &own), 0);
    own.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &own), 0);
    descriptors_raise();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_true(now.rlim_cur == own.rlim_max);

    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    assert_true(child > 0);
    descriptors_restore(child);
    int r = prlimit(child, RLIMIT_NOFILE, NULL, &now);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(r, 0);
    assert_true(now.rlim_cur == 64);
}

static void test_error_codes_are_windows_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        const char *name = error_name(codes[i]);
        assert_non_null(name);
        assert_non_null(error_message(codes[i]));
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(codes[k], codes[i]);
    }
    assert_string_equal(error_name(6), "ERROR_INVALID_HANDLE");
    assert_string_equal(error_name(1722), "RPC_S_SERVER_UNAVAILABLE");
    assert_string_equal(error_name(1783), "RPC_X_BAD_STUB_DATA");
    assert_string_equal(error_name(258), "WAIT_TIMEOUT");
    assert_null(error_name(0xDEADBEEF));
    assert_null(error_message(0xDEADBEEF));
}

static void test_error_numbers(void **state)
{
    (void)state;
    if (access(WINERROR, R_OK) < 0) {
        print_message("skipped: %s is not installed\n", WINERROR);
        skip();
    }
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
        const char *name = error_name(codes[i]);
        long number = number_in(WINERROR, name);
        if (number < 0 && codes[i] >= NEWEST_THERE)
            continue;
        if (number != (long)codes[i])
            fail_msg("%s is %u here and %ld there", name, codes[i], number);
    }
}

static void test_errno_becomes_a_code(void **state)
{
    (void)state;
    assert_int_equal(error_from_errno(0), ERR_SUCCESS);
    assert_int_equal(error_from_errno(-ENOMEM), ERR_NOT_ENOUGH_MEMORY);
    assert_int_equal(error_from_errno(ENOMEM), ERR_NOT_ENOUGH_MEMORY);
    assert_int_equal(error_from_errno(-ENOSPC), ERR_DISK_FULL);
    for (int e = 1; e < 200; e++)
        assert_int_not_equal(error_from_errno(-e), ERR_SUCCESS);
}

static void test_ids_are_random_version_4(void **state)
{
    char ids[100][GUID_TEXT_SIZE];
    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(guid_make(ids[i]), 0);
        assert_int_equal(strlen(ids[i]), 36);
        for (int k = 0; k < 36; k++) {
            if (k == 8 || k == 13 || k == 18 || k == 23)
                assert_int_equal(ids[i][k], '-');
            else
                assert_true(isdigit(ids[i][k]) || (ids[i][k] >= 'a' && ids[i][k] <= 'f'));
        }
        assert_int_equal(ids[i][14], '4');
        assert_non_null(strchr("89ab", ids[i][19]));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ids[k], ids[i]);
    }
}

static void test_base64(void **state)
{
    static const char *const known[][2] = {
        {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}};
    static const char *const bad[] = {
        "Z", "Zg=", "Zg", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zg==A", "Zg==Zg==", "Zm9\x80"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        _cleanup_(buffer_fini) struct buffer text = {0};
        assert_int_equal(base64_append(&text, known[i][0], strlen(known[i][0])), 0);
        buffer_append_zero(&text, 1);
        _cleanup_free_
        uint8_t *data = NULL;
        size_t size = 99;
        assert_string_equal(text.data, known[i][1]);
        assert_int_equal(base64_decode((char *)text.data, &data, &size), 0);
        assert_int_equal(size, strlen(known[i][0]));
        assert_string_equal(data, known[i][0]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        uint8_t *data = NULL;
        size_t size = 99;
        assert_int_equal(base64_decode(bad[i], &data, &size), -EBADMSG);
        assert_null(data);
        assert_int_equal(size, 99);
    }
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)(i * 37);
    for (size_t n = 0; n <= sizeof(all); n++) {
        _cleanup_(buffer_fini) struct buffer text = {0};
        assert_int_equal(base64_append(&text, all, n), 0);
        buffer_append_zero(&text, 1);
        _cleanup_free_
        uint8_t *data = NULL;
        size_t size;
        assert_int_equal(base64_decode((char *)text.data, &data, &size), 0);
        assert_int_equal(size, n);
        assert_memory_equal(data, all, n);
    }
}

static void test_json_is_written(void **state)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    (void)state;
    json_begin(&b, '{');
    json_key(&b, "text");
    json_put_text(&b, "a\"b\\c\n\x1f\xc3\xa4:");
    json_key(&b, "list");
    json_begin(&b, '[');
    json_begin(&b, '[');
    json_end(&b, ']');
    json_put_number(&b, 0);
    json_put_number(&b, INT64_MIN);
    json_put_number(&b, INT64_MAX);
    json_put_flag(&b, true);
    json_put_null(&b);
    json_put_base64(&b, "foo", 3);
    json_put_base64(&b, "", 0);
    json_put_text(&b, "");
    json_end(&b, ']');
    json_end(&b, '}');
    buffer_append_zero(&b, 1);
    assert_false(buffer_failed(&b));
    assert_string_equal(b.data, "{\"text\":\"a\\u0022b\\u005cc\\u000a\\u001f\xc3\xa4:\",\"list\":"
                                "[[],0,-9223372036854775808,9223372036854775807,true,null,"
                                "\"Zm9v\",\"\",\"\"]}");
    json_put_text(&b, "\xc3(");
    assert_true(buffer_failed(&b));
}

static void test_buffer_and_reader_agree(void **state)
{
    _cleanup_(buffer_fini) struct buffer b = {0};
    (void)state;
    buffer_append(&b, "x", 1);
    buffer_append_u16(&b, 0x1234);
    buffer_align(&b, 8);
    buffer_append_u32(&b, 0);
    buffer_append_u64(&b, 0x0123456789ABCDEFu);
    buffer_printf(&b, "%d-%s", 42, "end");
    buffer_put_u32(&b, 8, 0xCAFEBABE);
    assert_false(buffer_failed(&b));
    assert_int_equal(b.size, 26);

    struct reader r = reader_over(b.data, b.size);
    assert_int_equal(reader_u8(&r), 'x');
    assert_int_equal(reader_u16(&r), 0x1234);
    reader_align(&r, 8);
    assert_int_equal(reader_u32(&r), 0xCAFEBABE);
    assert_true(reader_u64(&r) == 0x0123456789ABCDEFu);
    assert_memory_equal(reader_bytes(&r, 6), "42-end", 6);
    assert_false(r.failed);
    assert_int_equal(reader_u8(&r), 0);
    assert_true(r.failed);
    assert_null(reader_bytes(&r, 0));

    assert_int_equal(buffer_reserve(&b, SIZE_MAX - 3), -ENOMEM);
    assert_true(buffer_failed(&b));
    assert_int_equal(buffer_append(&b, "y", 1), -ENOMEM);
    assert_int_equal(b.size, 26);
    buffer_clear(&b);
    assert_int_equal(buffer_append(&b, "y", 1), 0);
}

/* What a child of ours that ran `say` left on its stderr. */
static void log_of(void (*say)(void), bool as_journal, char *out, size_t size)
{
    int p[2];
    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct stat st;
        char stream[64];
        dup2(p[1], STDERR_FILENO);
        fstat(STDERR_FILENO, &st);
        snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        setenv("JOURNAL_STREAM", as_journal ? stream : "1:1", 1);
        say();
        _exit(0);
    }
    close(p[1]);
    size_t at = 0;
    for (ssize_t n; at < size - 1 && (n = read(p[0], out + at, size - 1 - at)) > 0;)
        at += (size_t)n;
    out[at] = '\0';
    close(p[0]);
    waitpid(child, NULL, 0);
}

static void say_things(void)
{
    log_debug("hidden");
    log_info("started name=%s", log_quote("a \"b\"\\\n"));
    log_set_level(LOG_LEVEL_WARNING);
    log_info("hidden");
    log_warning("two\nlines");
}

static void say_long(void)
{
    char text[10000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    log_error("%s", log_quote(text));
    log_error("%s", text);
}

static void test_log(void **state)
{
    char out[16384];
    (void)state;
    log_of(say_things, false, out, sizeof(out));
    assert_string_equal(out, "started name=\"a \\\"b\\\"\\\\ \"\ntwo lines\n");
    log_of(say_things, true, out, sizeof(out));
    assert_string_equal(out, "<6>started name=\"a \\\"b\\\"\\\\ \"\n<4>two lines\n");
    log_of(say_long, false, out, sizeof(out));
    char *second = strchr(out, '\n') + 1;
    assert_memory_equal(second - 5, "...\"\n", 5);
    assert_int_equal(second - out, LOG_QUOTE_SIZE);
    assert_int_equal(strlen(second), 4096);

    assert_int_equal(log_level_from_name("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_from_name("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_from_name("loud"), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_are_raised_for_us_alone),
        cmocka_unit_test(test_error_codes_are_windows_own),
        cmocka_unit_test(test_error_numbers),
        cmocka_unit_test(test_errno_becomes_a_code),
        cmocka_unit_test(test_ids_are_random_version_4),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_json_is_written),
        cmocka_unit_test(test_buffer_and_reader_agree),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
