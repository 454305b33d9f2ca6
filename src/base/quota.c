/* SPDX-License-Identifier: MIT */
#include "base/quota.h"

#include "base/macro.h"

bool quota_take(struct quota *q, uint64_t amount)
{
    for (const struct quota *each = q; each; each = each->above)
        if (each->used > each->most || amount > each->most - each->used)
            return false;
    quota_take_anyway(q, amount);
    return true;
}

void quota_take_anyway(struct quota *q, uint64_t amount)
{
    for (; q; q = q->above)
        q->used += amount;
}

void quota_give(struct quota *q, uint64_t amount)
{
    for (; q; q = q->above) {
        PRE(q->used >= amount);
        q->used -= amount;
    }
}
