/* SPDX-License-Identifier: MIT */
#ifndef BENCH_EVENT_H
#define BENCH_EVENT_H

#include <stdint.h>

#include "base/buffer.h"

/* Appends the record of a resource's change of state, as a service makes them. */
void event_encode(uint64_t revision, struct buffer *out);

#endif
