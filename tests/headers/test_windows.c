/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/handles.h"
#include "lib/wide.h"

static void *other_thread(void *argument)
{
    *(DWORD *)argument = GetLastError();
    SetLastError(ERROR_GROUP_NOT_FOUND);
    return NULL;
}

static void test_last_error_is_the_threads_own(void **state)
{
    pthread_t t;
    DWORD there = 1234;

    (void)state;
    SetLastError(ERROR_MORE_DATA);
    assert_int_equal(pthread_create(&t, NULL, other_thread, &there), 0);
    pthread_join(t, NULL);
    assert_int_equal(there, 0);
    assert_int_equal(GetLastError(), ERROR_MORE_DATA);
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void test_text(void **state)
{
    WCHAR out[4] = {'x', 'x', 'x', 'x'};

    (void)state;
    assert_int_equal(lstrcmpi(L"Physical Disk", L"PHYSICAL DISK"), 0);
    assert_int_equal(lstrcmpi(L"Gro\u00df \u00c4rger", L"GRO\u00df \u00e4RGER"), 0);
    assert_int_equal(lstrcmpi(L"\u0416\u0430\u0431\u0430", L"\u0436\u0410\u0411\u0410"), 0);
    assert_int_equal(lstrcmpi(L"\U00010400", L"\U00010428"), 0);
    assert_int_not_equal(lstrcmp(L"a", L"A"), 0);
    assert_int_equal(sign(lstrcmpi(L"Disk", L"Disk 1")), -1);
    assert_int_equal(sign(lstrcmpi(L"disk b", L"Disk A")), 1);
    assert_int_equal(sign(lstrcmp(L"\uff5e", L"\U00010000")), -1);
    assert_int_equal(lstrcmpi(NULL, NULL), 0);
    assert_int_equal(sign(lstrcmpi(NULL, L"")), -1);
    assert_int_equal(lstrlen(NULL), 0);
    assert_int_equal(lstrlen(L"abc"), 3);
    assert_ptr_equal(lstrcpyn(out, L"abcdef", 3), out);
    assert_int_equal(out[1], 'b');
    assert_int_equal(out[2], 0);
    assert_int_equal(out[3], 'x');
    assert_null(lstrcpyn(out, L"abc", 0));
    assert_null(lstrcpy(NULL, L"abc"));
    lstrcpy(out, L"xyz");
    assert_int_equal(lstrcmp(out, L"xyz"), 0);
}

static void test_conversion(void **state)
{
    const char *text = "Gro\xc3\x9f \xf0\x90\x90\x80";
    const size_t length = sizeof(WCHAR) == 2 ? 7 : 6;
    WCHAR bad[] = {'a', 0xd800, 'b', 0};
    char *back = NULL;
    WCHAR *wide;

    (void)state;
    assert_int_equal(wide_from_utf8(text, &wide), 0);
    assert_int_equal(wide_length(wide), length);
    assert_int_equal(wide_length_of_utf8(text), length);
    assert_int_equal(wide_to_utf8(wide, &back), 0);
    assert_string_equal(back, text);
    free(back);
    free(wide);
    back = (char *)bad;
    assert_int_equal(wide_to_utf8(bad, &back), -EILSEQ);
    assert_ptr_equal(back, bad);
    assert_int_equal(wide_from_utf8("\xc3(", &wide), -EILSEQ);
    assert_int_equal(wide_to_utf8(NULL, &back), 0);
    assert_null(back);
}

static void test_giving(void **state)
{
    WCHAR out[6] = {'?', '?', '?', '?', '?', '?'};
    DWORD n = 6;

    (void)state;
    assert_int_equal(wide_give("Disk1", out, &n), ERROR_SUCCESS);
    assert_int_equal(n, 5);
    assert_int_equal(lstrcmp(out, L"Disk1"), 0);
    assert_int_equal(wide_give("Disk1", out, &n), ERROR_MORE_DATA); /* 5: no room for the NUL */
    assert_int_equal(n, 5);
    assert_int_equal(lstrcmp(out, L"Disk"), 0);
    n = 0;
    out[0] = '!';
    assert_int_equal(wide_give("Disk1", out, &n), ERROR_MORE_DATA);
    assert_int_equal(n, 5);
    assert_int_equal(out[0], '!');
    n = 0;
    assert_int_equal(wide_give("Disk1", NULL, &n), ERROR_SUCCESS);
    assert_int_equal(n, 5);
    n = 1;
    assert_int_equal(wide_give(NULL, out, &n), ERROR_SUCCESS);
    assert_int_equal(n, 0);
    assert_int_equal(out[0], 0);
    assert_int_equal(wide_give("x", out, NULL), ERROR_INVALID_PARAMETER);
    assert_int_equal(wide_give("x", NULL, NULL), ERROR_SUCCESS);
}

static void test_computer_name(void **state)
{
    WCHAR name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD n = MAX_COMPUTERNAME_LENGTH + 1, length;

    (void)state;
    assert_true(GetComputerName(name, &n));
    assert_int_equal(n, lstrlen(name));
    assert_true(n > 0);
    length = n;
    n = length; /* one too few */
    assert_false(GetComputerName(name, &n));
    assert_int_equal(GetLastError(), ERROR_BUFFER_OVERFLOW);
    assert_int_equal(n, length + 1);
    assert_false(GetComputerName(NULL, &n));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
}

static void test_memory(void **state)
{
    unsigned char *p = LocalAlloc(LPTR, 1000), sum = 0;

    (void)state;
    assert_non_null(p);
    for (int i = 0; i < 1000; i++)
        sum |= p[i];
    assert_int_equal(sum, 0);
    memset(p, 0xaa, 1000);
    p = LocalReAlloc(p, 100000, LMEM_ZEROINIT | LMEM_MOVEABLE);
    assert_non_null(p);
    assert_int_equal(p[999], 0xaa);
    for (int i = 2000; i < 100000; i++)
        sum |= p[i];
    assert_int_equal(sum, 0);
    assert_null(LocalFree(p));
    assert_null(LocalFree(NULL));
    assert_null(LocalAlloc(0x8000, 1));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
    assert_null(LocalAlloc(LPTR, (SIZE_T)-1));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_null(LocalReAlloc(NULL, 1, 0));
}

static void test_messages(void **state)
{
    const DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS;
    WCHAR text[200], *allocated = NULL;
    DWORD n;

    (void)state;
    n = FormatMessage(flags, NULL, ERROR_GROUP_NOT_FOUND, 0, text, 200, NULL);
    assert_true(n > 2);
    assert_int_equal(n, lstrlen(text));
    assert_int_equal(lstrcmp(text + n - 2, L"\r\n"), 0);
    assert_int_equal(FormatMessage(flags, NULL, ERROR_GROUP_NOT_FOUND, 0, text, n, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INSUFFICIENT_BUFFER);
    assert_int_equal(FormatMessage(flags | FORMAT_MESSAGE_ALLOCATE_BUFFER, NULL,
                                   ERROR_GROUP_NOT_FOUND, 0, (LPWSTR)(void *)&allocated, 0, NULL),
                     n);
    assert_int_equal(lstrcmp(allocated, text), 0);
    LocalFree(allocated);
    assert_int_equal(FormatMessage(flags, NULL, 0x0badcafe, 0, text, 200, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_MR_MID_NOT_FOUND);
    assert_int_equal(FormatMessage(0, NULL, 5, 0, text, 200, NULL), 0);
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);
}

static DWORD WINAPI read_a_byte(LPVOID parameter)
{
    char c = 0;

    return read(*(int *)parameter, &c, 1) == 1 ? (DWORD)c : 0;
}

static void test_threads(void **state)
{
    DWORD code = 0, id = 0;
    int pipes[2];
    HANDLE t;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    t = CreateThread(NULL, 1 << 20, read_a_byte, &pipes[0], 0, &id);
    assert_non_null(t);
    assert_int_not_equal(id, 0);
    assert_true(GetExitCodeThread(t, &code));
    assert_int_equal(code, STILL_ACTIVE);
    assert_int_equal(WaitForSingleObject(t, 0), WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObject(t, 20), WAIT_TIMEOUT);
    assert_int_equal(write(pipes[1], "*", 1), 1);
    assert_int_equal(WaitForSingleObject(t, INFINITE), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(t, &code));
    assert_int_equal(code, '*');
    assert_true(CloseHandle(t));
    assert_false(CloseHandle(t));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_int_equal(WaitForSingleObject(t, 0), WAIT_FAILED);
    assert_false(GetExitCodeThread(INVALID_HANDLE_VALUE, &code));
    assert_false(CloseHandle(NULL));
    assert_null(CreateThread(NULL, 0, read_a_byte, NULL, 4, NULL));
    assert_int_equal(GetLastError(), ERROR_NOT_SUPPORTED);
    assert_null(CreateThread(NULL, 0, NULL, NULL, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_INVALID_PARAMETER);

    close(pipes[0]);
    close(pipes[1]);
}

static DWORD WINAPI echo_a_byte(LPVOID parameter)
{
    const int *fds = parameter;
    char c = 0;

    return read(fds[0], &c, 1) == 1 && write(fds[1], &c, 1) == 1;
}

static void test_closing_a_handle_does_not_end_its_thread(void **state)
{
    static int fds[2]; /* the thread may still hold them when this returns */
    int in[2], out[2];
    char c = 0;

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fds[0] = in[0];
    fds[1] = out[1];
    assert_true(CloseHandle(CreateThread(NULL, 0, echo_a_byte, fds, 0, NULL)));
    assert_int_equal(write(in[1], "+", 1), 1);
    assert_int_equal(read(out[0], &c, 1), 1);
    assert_int_equal(c, '+');
    close(in[1]);
    close(out[0]);
}

struct pipe_event {
    struct lib_event e;
    int fd;
    bool released;
};

static int pipe_event_fd(struct lib_event *e)
{
    return container_of(e, struct pipe_event, e)->fd;
}

static void pipe_event_release(struct handle_object *o)
{
    container_of(o, struct pipe_event, e.o)->released = true;
}

static void test_events(void **state)
{
    struct pipe_event event = {.e.fd = pipe_event_fd};
    int pipes[2];
    void *h;

    (void)state;
    assert_int_equal(pipe(pipes), 0);
    event.fd = pipes[0];
    assert_int_equal(lib_handle_insert(&event.e.o, LIB_HANDLE_EVENT, pipe_event_release, &h), 0);
    assert_int_equal(WaitForSingleObject(h, 0), WAIT_TIMEOUT);
    assert_int_equal(WaitForSingleObject(h, 10), WAIT_TIMEOUT);
    assert_int_equal(write(pipes[1], "*", 1), 1);
    assert_int_equal(WaitForSingleObject(h, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(h, INFINITE), WAIT_OBJECT_0); /* level-triggered */
    assert_true(CloseHandle(h));
    assert_int_equal(WaitForSingleObject(h, 0), WAIT_OBJECT_0);
    assert_null(lib_handle_acquire(h, LIB_HANDLE_PORT));
    handle_unref(lib_handle_remove(h, LIB_HANDLE_EVENT));
    assert_true(event.released);
    assert_int_equal(WaitForSingleObject(h, 0), WAIT_FAILED);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_error_is_the_threads_own),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_conversion),
        cmocka_unit_test(test_giving),
        cmocka_unit_test(test_computer_name),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_closing_a_handle_does_not_end_its_thread),
        cmocka_unit_test(test_events),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
