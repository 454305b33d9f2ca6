/* SPDX-License-Identifier: MIT */
#ifndef BASE_MACRO_H
#define BASE_MACRO_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ALIGN_UP(n, to) (((n) + (to)-1) & ~((to)-1))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Releases a variable when it leaves scope: `_cleanup_(buffer_fini) struct buffer b = {0};`. */
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

/* Hands a pointer on and forgets it here, so that a cleanup variable lets go visibly. */
#define TAKE_PTR(p)                                                                                \
    ({                                                                                             \
        __typeof__(p) *take_ = &(p);                                                               \
        __typeof__(p) taken_ = *take_;                                                             \
        *take_ = NULL;                                                                             \
        taken_;                                                                                    \
    })

#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int *take_ = &(fd);                                                                        \
        int taken_ = *take_;                                                                       \
        *take_ = -1;                                                                               \
        taken_;                                                                                    \
    })

/* Contracts between our own functions; a public caller's mistake is an error code instead. */
#define PRE(x) assert(x)
#define POST(x) assert(x)
#define INVARIANT(x) assert(x)
#define ERGO(a, b) assert(!(a) || (b))

#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _nonnull_ __attribute__((nonnull))
#define _warn_unused_ __attribute__((warn_unused_result))

static inline void cleanup_free(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#endif
