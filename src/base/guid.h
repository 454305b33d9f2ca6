/* SPDX-License-Identifier: MIT */
#ifndef BASE_GUID_H
#define BASE_GUID_H

#define GUID_TEXT_SIZE 37 /* with the NUL */

/* A random (version 4) id as lower-case text. 0 or -errno. */
int guid_make(char out[GUID_TEXT_SIZE]);

#endif
