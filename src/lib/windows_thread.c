/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "lib/handles.h"
#include "windows.h"

struct thread {
    struct handle_object o; /* one reference is the handle's, one the running thread's */
    LPTHREAD_START_ROUTINE start;
    LPVOID parameter;
    pthread_mutex_t lock;
    pthread_cond_t ended_changed; /* on CLOCK_MONOTONIC */
    bool ended;
    DWORD exit_code;
};

static void thread_free(struct thread *t)
{
    pthread_cond_destroy(&t->ended_changed);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void thread_release(struct handle_object *o)
{
    thread_free(container_of(o, struct thread, o));
}

static void *thread_run(void *argument)
{
    struct thread *t = argument;
    DWORD code = t->start(t->parameter);

    pthread_mutex_lock(&t->lock);
    t->ended = true;
    t->exit_code = code;
    pthread_cond_broadcast(&t->ended_changed);
    pthread_mutex_unlock(&t->lock);
    handle_unref(&t->o);
    return NULL;
}

static struct thread *thread_create(LPTHREAD_START_ROUTINE start, LPVOID parameter)
{
    struct thread *t = calloc(1, sizeof *t);
    pthread_condattr_t attributes;

    if (!t)
        return NULL;
    t->start = start;
    t->parameter = parameter;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->ended_changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return t;
}

static int thread_start(struct thread *t, size_t stack_size)
{
    pthread_attr_t attributes;
    pthread_t id;
    int r;

    r = pthread_attr_init(&attributes);
    if (r != 0)
        return r;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack_size > (size_t)PTHREAD_STACK_MIN) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);

        r = stack_size > SIZE_MAX - page
                ? ENOMEM
                : pthread_attr_setstacksize(&attributes, ALIGN_UP(stack_size, page));
    }
    handle_ref(&t->o);
    if (r == 0)
        r = pthread_create(&id, &attributes, thread_run, t);
    if (r != 0)
        handle_unref(&t->o);
    pthread_attr_destroy(&attributes);
    return r;
}

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
                           DWORD dwCreationFlags, LPDWORD lpThreadId)
{
    static _Atomic DWORD last_id;
    struct thread *t;
    DWORD id;
    void *handle;

    (void)lpThreadAttributes;
    if (!lpStartAddress || dwCreationFlags != 0) {
        SetLastError(lpStartAddress ? ERROR_NOT_SUPPORTED : ERROR_INVALID_PARAMETER);
        return NULL;
    }
    t = thread_create(lpStartAddress, lpParameter);
    if (!t || lib_handle_insert(&t->o, LIB_HANDLE_THREAD, thread_release, &handle) < 0) {
        if (t)
            thread_free(t);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    id = atomic_fetch_add(&last_id, 1) + 1;
    if (lpThreadId)
        *lpThreadId = id; /* before the thread runs: it may look */
    if (thread_start(t, dwStackSize) != 0) {
        handle_unref(lib_handle_remove(handle, LIB_HANDLE_THREAD));
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
        return NULL;
    }
    return handle;
}

BOOL WINAPI GetExitCodeThread(HANDLE hThread, LPDWORD lpExitCode)
{
    struct handle_object *o;
    struct thread *t;

    if (!lpExitCode) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return FALSE;
    }
    o = lib_handle_acquire(hThread, LIB_HANDLE_THREAD);
    if (!o) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    t = container_of(o, struct thread, o);
    pthread_mutex_lock(&t->lock);
    *lpExitCode = t->ended ? t->exit_code : STILL_ACTIVE;
    pthread_mutex_unlock(&t->lock);
    handle_unref(o);
    return TRUE;
}

static struct timespec deadline_in(DWORD milliseconds)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += milliseconds / 1000;
    t.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

static DWORD thread_wait(struct thread *t, DWORD milliseconds)
{
    struct timespec deadline = deadline_in(milliseconds == INFINITE ? 0 : milliseconds);
    int r = 0;
    bool ended;

    pthread_mutex_lock(&t->lock);
    while (!t->ended && r == 0)
        r = milliseconds == INFINITE
                ? pthread_cond_wait(&t->ended_changed, &t->lock)
                : pthread_cond_timedwait(&t->ended_changed, &t->lock, &deadline);
    ended = t->ended;
    pthread_mutex_unlock(&t->lock);
    return ended ? WAIT_OBJECT_0 : WAIT_TIMEOUT;
}

static DWORD event_wait(struct lib_event *e, DWORD milliseconds)
{
    struct timespec deadline = deadline_in(milliseconds == INFINITE ? 0 : milliseconds);
    int fd = e->fd(e);

    if (fd < 0) {
        SetLastError(ERROR_INVALID_HANDLE);
        return WAIT_FAILED;
    }
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        struct timespec now = deadline_in(0), left = {0};
        int r;

        left.tv_sec = deadline.tv_sec - now.tv_sec;
        left.tv_nsec = deadline.tv_nsec - now.tv_nsec;
        if (left.tv_nsec < 0) {
            left.tv_sec--;
            left.tv_nsec += 1000000000;
        }
        if (left.tv_sec < 0)
            left = (struct timespec){0};
        r = ppoll(&p, 1, milliseconds == INFINITE ? NULL : &left, NULL);
        if (r > 0)
            return WAIT_OBJECT_0;
        if (r == 0)
            return WAIT_TIMEOUT;
        if (errno != EINTR) {
            SetLastError(ERROR_INVALID_HANDLE);
            return WAIT_FAILED;
        }
    }
}

DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
    struct handle_object *o = lib_handle_acquire(hHandle, LIB_HANDLE_ANY);
    DWORD result = WAIT_FAILED;

    if (o && o->kind == LIB_HANDLE_THREAD)
        result = thread_wait(container_of(o, struct thread, o), dwMilliseconds);
    else if (o && o->kind == LIB_HANDLE_EVENT)
        result = event_wait(container_of(o, struct lib_event, o), dwMilliseconds);
    else
        SetLastError(ERROR_INVALID_HANDLE);
    handle_unref(o);
    return result;
}

BOOL WINAPI CloseHandle(HANDLE hObject)
{
    struct handle_object *o = lib_handle_remove(hObject, LIB_HANDLE_THREAD);

    if (o) {
        handle_unref(o);
        return TRUE;
    }
    o = lib_handle_acquire(hObject, LIB_HANDLE_EVENT);
    if (!o) {
        SetLastError(ERROR_INVALID_HANDLE);
        return FALSE;
    }
    handle_unref(o);
    return TRUE;
}

void WINAPI Sleep(DWORD dwMilliseconds)
{
    struct timespec deadline = deadline_in(dwMilliseconds);

    if (dwMilliseconds == INFINITE)
        for (;;)
            pause();
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL) == EINTR)
        ;
}
