/* SPDX-License-Identifier: MIT */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdint.h>

/* Inside, an int is 0 or -errno; at the edge and on the wire it is a Win32 code. error_codes.def
 * is the one table that names, numbers and explains the Win32 codes we return. */

#define ERROR_CODE(name, number, message) ERR_##name = (number),
enum win32_error {
#include "base/error_codes.def"
};
#undef ERROR_CODE

const char *error_name(uint32_t code);    /* "ERROR_INVALID_HANDLE", or NULL when unknown */
const char *error_message(uint32_t code); /* one sentence, or NULL when unknown */
/* What an error says when something was done before it: not that nothing was. */
uint32_t error_once_begun(uint32_t code);
uint32_t error_from_errno(int error); /* takes errno or -errno */

#endif
