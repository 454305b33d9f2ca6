/* SPDX-License-Identifier: MIT */
#ifndef LIB_WIDE_H
#define LIB_WIDE_H

#include <stddef.h>

#include "base/buffer.h"
#include "windows.h"

/* The only place that knows how wide a WCHAR is: UTF-32 or, in the build for 16 bits, UTF-16.
 * libc's wide functions know one width only and are never used in the library. */

size_t wide_length(const WCHAR *s);           /* in WCHARs without the NUL; 0 for NULL */
size_t wide_length_of_utf8(const char *utf8); /* WCHARs that it takes, without a NUL */

/* One code point; advances *s. -EILSEQ at an unpaired surrogate or a number that is none. At the
 * NUL: 0, and *s stays. */
int wide_next(const WCHAR **s, uint32_t *ret_codepoint);

/* No text that a caller gives is longer, in WCHARs: the wire takes no more. */
#define WIDE_MOST 65535u

/* malloc'ed; NULL gives NULL. 0, -EILSEQ, -EINVAL (too long: it is not read further), -ENOMEM. */
int wide_to_utf8(const WCHAR *s, char **ret);
int utf8_from_wide(const WCHAR *s, size_t count, char **ret); /* count WCHARs, none of them NUL */
int wide_from_utf8(const char *utf8, WCHAR **ret);
/* Appends the WCHARs of utf8, with a NUL if asked. 0, -EILSEQ, -ENOMEM. */
int wide_append(struct buffer *b, const char *utf8, bool with_nul);

/* The API's way of giving a text. *cch in: buffer's room in WCHARs with the NUL; out: the text's
 * length without it. NULL buffer: only the length. Both NULL: nothing. ERROR_SUCCESS;
 * ERROR_MORE_DATA (too small: length given, buffer holds what fits and a NUL);
 * ERROR_INVALID_PARAMETER (buffer without cch); ERROR_NO_UNICODE_TRANSLATION. NULL utf8 is "". */
DWORD wide_give(const char *utf8, WCHAR *buffer, DWORD *cch);

#endif
