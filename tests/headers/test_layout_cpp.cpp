/* SPDX-License-Identifier: MIT */
#include "test_layout.c"
