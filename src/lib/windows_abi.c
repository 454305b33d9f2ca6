/* SPDX-License-Identifier: MIT */
#include "windows.h"

/* What windows.h makes each program refer to; the width is the one that this library has. */
const char CLUSAPI_WCHAR_SYMBOL = 1;
