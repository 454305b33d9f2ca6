/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

/*
 * The life of a resource.
 *
 *                 bring online               started
 *   ┌───────────┐ ───────────► ┌─────────────┐ ───────────► ┌────────┐
 *   │  Offline  │              │OnlinePending│              │ Online │
 *   └───────────┘ ◄─────────── └─────────────┘              └────────┘
 *     ▲       ▲    never started    │  │  ▲                   │    │
 *     │       │                     │  │  │ restart           │    │ failed
 *     │       │ stopped             │  │  └──────────────┐    │    │
 *     │   ┌──────────────┐ ◄────────┘  │ failed          │    │    │
 *     │   │OfflinePending│ ◄───────────┼─────────────────┼────┘    │
 *     │   └──────────────┘ ─────────┐  │                 │         │
 *     │                 stop failed ▼  ▼                 │         │
 *     │                         ┌──────────┐ ────────────┘         │
 *     └──────────────────────── │  Failed  │ ◄─────────────────────┘
 *          take offline         └──────────┘
 *
 * OnlinePending begins with start_waits: until every provider is online. OfflinePending begins with
 * stop_waits: until no dependent runs. So a group is Pending from the first to the last change of
 * its members, without a moment in between that looks like a result.
 *
 * A resource that failed is unclean: its stop has to succeed before it may start again, here or
 * elsewhere. The stop waits for dependents too, so that an application goes before the disk below
 * it. When the stop fails, the resource stays Failed and is not restarted, because it may still
 * run: a person has to look, and asks for offline or online, which tries the stop again.
 *
 * One operation of an agent at a time for each resource; polls that come due meanwhile are left
 * out.
 */

#define BIT(s) (1u << state_index(s))

static unsigned state_index(uint32_t state)
{
    switch (state) {
    case RESOURCE_ONLINE:
        return 0;
    case RESOURCE_OFFLINE:
        return 1;
    case RESOURCE_FAILED:
        return 2;
    case RESOURCE_ONLINE_PENDING:
        return 3;
    case RESOURCE_OFFLINE_PENDING:
        return 4;
    default:
        return 31;
    }
}

static unsigned allowed_from(uint32_t state)
{
    switch (state) {
    case RESOURCE_ONLINE:
        return BIT(RESOURCE_OFFLINE_PENDING) | BIT(RESOURCE_FAILED);
    case RESOURCE_OFFLINE:
        return BIT(RESOURCE_ONLINE_PENDING);
    case RESOURCE_FAILED:
        return BIT(RESOURCE_ONLINE_PENDING) | BIT(RESOURCE_OFFLINE_PENDING) | BIT(RESOURCE_OFFLINE);
    case RESOURCE_ONLINE_PENDING:
        return BIT(RESOURCE_ONLINE) | BIT(RESOURCE_FAILED) | BIT(RESOURCE_OFFLINE_PENDING) |
               BIT(RESOURCE_OFFLINE);
    case RESOURCE_OFFLINE_PENDING:
        return BIT(RESOURCE_OFFLINE) | BIT(RESOURCE_FAILED);
    default:
        return 0;
    }
}

static bool operating(const struct resource *r, enum operation_kind kind)
{
    return r->operation != 0 && r->operation_kind == (int)kind;
}

/* Holds whenever a resource has been moved and its next operation begun. */
static void check_invariant(const struct resource *r)
{
    uint32_t s = r->o.state;
    INVARIANT(state_index(s) < 31);
    ERGO(r->start_waits, s == RESOURCE_ONLINE_PENDING);
    ERGO(r->stop_waits, s == RESOURCE_OFFLINE_PENDING || r->unclean);
    ERGO(s == RESOURCE_OFFLINE, r->operation == 0 && !r->unclean && !r->stop_waits);
    ERGO(s == RESOURCE_ONLINE, !r->unclean);
    ERGO(s == RESOURCE_ONLINE_PENDING, r->start_waits || r->operation != 0);
    ERGO(s == RESOURCE_OFFLINE_PENDING, r->stop_waits || r->operation != 0);
    ERGO(r->restart_timer != 0, s == RESOURCE_FAILED && !r->unclean);
    ERGO(r->looks_alive_timer != 0 || r->is_alive_timer != 0, s == RESOURCE_ONLINE);
    ERGO(r->resumes,
         s == RESOURCE_OFFLINE || s == RESOURCE_OFFLINE_PENDING || s == RESOURCE_FAILED);
    (void)s;
}

static void set_state(struct model *m, struct resource *r, enum resource_state state,
                      enum change_reason reason)
{
    INVARIANT(allowed_from(r->o.state) & BIT(state));
    uint32_t old_state = r->o.state;
    r->o.state = state;
    r->o.state_sequence++;
    r->reason = (int)reason;
    object_touch(m, &r->o);
    emit(m, CHANGE_RESOURCE_STATE, &r->o, value_number(old_state), value_number(state), reason);
    group_refresh(m, r->group, reason);
    if (text_equal(m->cluster->quorum_resource_id, r->o.id))
        emit_quorum(m, value_number(old_state), value_number(state), reason);
}

/* Operations and timers */

static void begin_operation(struct model *m, struct resource *r, enum operation_kind kind)
{
    INVARIANT(r->operation == 0);
    r->operation_kind = (int)kind;
    r->operation = effect_operation(m, r, kind, object_dword(&r->o, "PendingTimeout"));
}

void resource_forget_effects(struct model *m, struct resource *r)
{
    effect_cancel(m, &r->operation);
    effect_timer_cancel(m, &r->restart_timer);
    effect_timer_cancel(m, &r->looks_alive_timer);
    effect_timer_cancel(m, &r->is_alive_timer);
}

/* The type's interval stands behind 0xFFFFFFFF; 0 means that this check is not made. */
static uint64_t arm_poll(struct model *m, struct resource *r, const char *interval)
{
    uint32_t ms = object_dword(&r->o, interval);
    if (ms == UINT32_MAX)
        ms = object_dword(&r->resource_type->o, interval);
    return ms == 0 || ms == UINT32_MAX ? 0 : effect_timer(m, r, ms);
}

static void arm_looks_alive(struct model *m, struct resource *r)
{
    r->looks_alive_timer = arm_poll(m, r, "LooksAlivePollInterval");
}

static void arm_is_alive(struct model *m, struct resource *r)
{
    r->is_alive_timer = arm_poll(m, r, "IsAlivePollInterval");
}

/* Does something of it possibly run, or is about to? Then its providers must stay. */
bool resource_is_running(const struct resource *r)
{
    switch (r->o.state) {
    case RESOURCE_ONLINE:
    case RESOURCE_OFFLINE_PENDING:
        return true;
    case RESOURCE_ONLINE_PENDING:
        return !r->start_waits || r->stop_waits || r->operation != 0;
    case RESOURCE_FAILED:
        /* When its stop failed nobody waits for it: what it depends on could never be stopped. */
        return r->operation != 0 || r->stop_waits;
    default:
        return false;
    }
}

/* Known to be online: not only so before the service was away. */
static bool is_confirmed_online(const struct resource *r)
{
    return r->o.state == RESOURCE_ONLINE && !operating(r, OPERATION_PROBE);
}

static void start_if_ready(struct model *m, struct resource *r)
{
    if (!r->start_waits || r->operation != 0 || r->unclean)
        return;
    for (size_t i = 0; i < r->providers.count; i++)
        if (!is_confirmed_online(r->providers.items[i]))
            return;
    r->start_waits = false;
    begin_operation(m, r, OPERATION_START);
}

static void stop_if_ready(struct model *m, struct resource *r)
{
    if (!r->stop_waits || r->operation != 0)
        return;
    for (size_t i = 0; i < r->dependents.count; i++)
        if (resource_is_running(r->dependents.items[i]))
            return;
    r->stop_waits = false;
    begin_operation(m, r, OPERATION_STOP);
}

static void wake_dependents(struct model *m, struct resource *r)
{
    for (size_t i = 0; i < r->dependents.count; i++)
        start_if_ready(m, r->dependents.items[i]);
}

static void wake_providers(struct model *m, struct resource *r)
{
    for (size_t i = 0; i < r->providers.count; i++)
        stop_if_ready(m, r->providers.items[i]);
}

/* Going online */

static bool providers_are_up(const struct resource *r)
{
    for (size_t i = 0; i < r->providers.count; i++) {
        uint32_t s = ((const struct resource *)r->providers.items[i])->o.state;
        if (s != RESOURCE_ONLINE && s != RESOURCE_ONLINE_PENDING)
            return false;
    }
    return true;
}

/* A dependent comes back with its provider when nothing else keeps it down. */
static void resume(struct model *m, struct resource *r)
{
    bool is_down = r->o.state == RESOURCE_OFFLINE || (r->o.state == RESOURCE_FAILED && !r->unclean);
    if (r->resumes && r->want_online && is_down && providers_are_up(r))
        resource_bring_online(m, r, REASON_DEPENDENCY);
}

/* Providers first. Does nothing where it is online or on its way. Nothing is begun yet, because
 * what is to be cleaned up waits for dependents that may come later in `raised`. */
static void raise(struct model *m, struct resource *r, enum change_reason reason,
                  struct pointer_list *raised)
{
    if (r->o.state != RESOURCE_OFFLINE && r->o.state != RESOURCE_FAILED)
        return;
    effect_timer_cancel(m, &r->restart_timer);
    r->want_online = true;
    r->resumes = false;
    if (reason == REASON_REQUEST)
        r->restarts = 0; /* a person asked: the failures before do not count */
    for (size_t i = 0; i < r->providers.count; i++)
        raise(m, r->providers.items[i], reason, raised);
    r->start_waits = true;
    if (r->unclean && r->operation == 0)
        r->stop_waits = true;
    set_state(m, r, RESOURCE_ONLINE_PENDING, reason);
    check_result(m, list_append(raised, r));
}

/* PRE: no provider, near or far, is going offline. */
void resources_bring_online(struct model *m, const struct pointer_list *wanted,
                            enum change_reason reason)
{
    _cleanup_(list_fini) struct pointer_list raised = {0};
    for (size_t i = 0; i < wanted->count; i++)
        raise(m, wanted->items[i], reason, &raised);
    for (size_t i = 0; i < raised.count; i++) {
        struct resource *r = raised.items[i];
        stop_if_ready(m, r);
        start_if_ready(m, r);
        check_invariant(r);
    }
    for (size_t i = 0; i < raised.count; i++) {
        const struct resource *r = raised.items[i];
        for (size_t d = 0; d < r->dependents.count; d++)
            resume(m, r->dependents.items[d]);
    }
}

void resource_bring_online(struct model *m, struct resource *r, enum change_reason reason)
{
    void *items[] = {r};
    const struct pointer_list one = {.items = items, .count = 1};
    resources_bring_online(m, &one, reason);
}

static void went_online(struct model *m, struct resource *r, enum change_reason reason)
{
    r->start_waits = false;
    if (r->o.state != RESOURCE_ONLINE)
        set_state(m, r, RESOURCE_ONLINE, reason);
    arm_looks_alive(m, r);
    arm_is_alive(m, r);
    check_invariant(r);
    wake_dependents(m, r);
}

/* Going offline */

/* Dependents first. `lasting`: somebody wants it so; else a provider failed, and it comes back. */
static void take_down(struct model *m, struct resource *r, enum change_reason reason, bool lasting)
{
    uint32_t s = r->o.state;
    if (s == RESOURCE_OFFLINE || s == RESOURCE_OFFLINE_PENDING)
        return;
    if (s == RESOURCE_FAILED && !lasting)
        return;
    for (size_t i = 0; i < r->dependents.count; i++)
        take_down(m, r->dependents.items[i], REASON_DEPENDENCY, lasting);
    bool is_stopping = operating(r, OPERATION_STOP);
    bool may_run = r->unclean || s == RESOURCE_ONLINE || !r->start_waits;
    if (s == RESOURCE_FAILED)
        may_run = r->unclean;
    uint64_t stop = is_stopping ? r->operation : 0;
    if (is_stopping)
        r->operation = 0;
    resource_forget_effects(m, r);
    r->operation = stop;
    r->start_waits = false;
    r->stop_waits = may_run && !is_stopping;
    r->resumes = !lasting && r->want_online;
    set_state(m, r, may_run ? RESOURCE_OFFLINE_PENDING : RESOURCE_OFFLINE, reason);
    stop_if_ready(m, r);
    check_invariant(r);
    if (!may_run)
        wake_providers(m, r);
}

/* Nobody wants it any more, nor what cannot be without it, near or far: that goes first. */
void resource_take_offline(struct model *m, struct resource *r, enum change_reason reason)
{
    _cleanup_(list_fini) struct pointer_list all = {0};
    check_result(m, dependency_closure(r, DEPENDENTS, &all));
    for (size_t i = all.count; i > 0; i--) {
        struct resource *each = all.items[i - 1];
        if (each->want_online)
            object_touch(m, &each->o);
        each->want_online = each->resumes = false;
        effect_timer_cancel(m, &each->restart_timer);
        take_down(m, each, each == r ? reason : REASON_DEPENDENCY, true);
    }
}

/* Failing */

void resource_fail(struct model *m, struct resource *r, enum change_reason reason)
{
    resource_forget_effects(m, r);
    r->start_waits = false;
    r->unclean = r->stop_waits = true;
    set_state(m, r, RESOURCE_FAILED, reason);
    for (size_t i = 0; i < r->dependents.count; i++)
        take_down(m, r->dependents.items[i], REASON_DEPENDENCY, false);
    stop_if_ready(m, r);
    check_invariant(r);
}

/* Counts this failure: fewer than RestartThreshold in one RestartPeriod are answered. */
static bool restart_allowed(struct model *m, struct resource *r)
{
    int64_t period_ns = (int64_t)object_dword(&r->o, "RestartPeriod") * 1000000;
    if (r->restarts == 0 || m->in->time_ns - r->restart_period_start_ns > period_ns) {
        r->restarts = 0;
        r->restart_period_start_ns = m->in->time_ns;
    }
    if (r->restarts >= object_dword(&r->o, "RestartThreshold"))
        return false;
    r->restarts++;
    return true;
}

/* What was lost while the service was away is no failure: it is neither counted nor left down.
 * With one node there is nowhere to fail over to: after the threshold comes RetryPeriodOnFailure,
 * which is at least RestartPeriod. */
static void plan_restart(struct model *m, struct resource *r)
{
    if (!r->want_online)
        return;
    uint32_t delay_ms = object_dword(&r->o, "RestartDelay");
    if (r->reason != REASON_ENGINE) {
        if (object_dword(&r->o, "RestartAction") == RESTART_NOT)
            return;
        if (!restart_allowed(m, r)) {
            delay_ms = object_dword(&r->o, "RetryPeriodOnFailure");
            if (delay_ms == UINT32_MAX)
                return;
            delay_ms = MAX(delay_ms, object_dword(&r->o, "RestartPeriod"));
        }
    }
    r->restart_timer = effect_timer(m, r, delay_ms);
}

static void restart(struct model *m, struct resource *r)
{
    if (!r->want_online)
        return;
    if (providers_are_up(r))
        resource_bring_online(m, r, REASON_FAILOVER);
    else
        r->resumes = true;
}

/* What agents answer */

static void stop_failed(struct model *m, struct resource *r)
{
    r->unclean = true;
    r->start_waits = false;
    if (r->o.state != RESOURCE_FAILED) {
        set_state(m, r, RESOURCE_FAILED, REASON_FAILURE);
        for (size_t i = 0; i < r->dependents.count; i++)
            take_down(m, r->dependents.items[i], REASON_DEPENDENCY, false);
    }
    check_invariant(r);
    wake_providers(m, r);
}

static void stopped(struct model *m, struct resource *r)
{
    r->unclean = false;
    if (r->o.state == RESOURCE_OFFLINE_PENDING) {
        set_state(m, r, RESOURCE_OFFLINE, r->reason);
        check_invariant(r);
        resume(m, r);
    } else if (r->o.state == RESOURCE_ONLINE_PENDING) {
        start_if_ready(m, r);
    } else {
        plan_restart(m, r);
    }
    check_invariant(r);
    wake_providers(m, r);
}

#define AGENT_NOT_RUNNING 7 /* OCF_NOT_RUNNING */

/* Each provider runs, or nobody knows yet. */
static bool providers_may_run(const struct resource *r)
{
    for (size_t i = 0; i < r->providers.count; i++) {
        const struct resource *p = r->providers.items[i];
        if (p->o.state != RESOURCE_ONLINE && !operating(p, OPERATION_PROBE))
            return false;
    }
    return true;
}

/* It runs. Without what it depends on it has to stop, and comes back afterwards. */
static void found_running(struct model *m, struct resource *r)
{
    r->unclean = false;
    went_online(m, r, REASON_ENGINE);
    if (!providers_may_run(r))
        take_down(m, r, REASON_DEPENDENCY, false);
}

/* It was on its way online and does not run. Dependents that do are stopped before it starts. */
static void found_not_started(struct model *m, struct resource *r)
{
    r->start_waits = true;
    r->unclean = r->stop_waits = false;
    for (size_t i = 0; i < r->dependents.count; i++) {
        struct resource *d = r->dependents.items[i];
        if (d->o.state != RESOURCE_ONLINE)
            continue;
        r->unclean = r->stop_waits = true;
        take_down(m, d, REASON_DEPENDENCY, false);
    }
    stop_if_ready(m, r);
    start_if_ready(m, r);
    wake_providers(m, r);
}

static void probed(struct model *m, struct resource *r, uint32_t exit_code)
{
    bool is_wanted = r->o.state == RESOURCE_ONLINE || r->o.state == RESOURCE_ONLINE_PENDING;
    bool runs_not = exit_code == AGENT_NOT_RUNNING;
    if (is_wanted && exit_code == 0) {
        found_running(m, r);
    } else if (r->o.state == RESOURCE_ONLINE_PENDING && runs_not) {
        found_not_started(m, r);
    } else if (is_wanted) {
        resource_fail(m, r, REASON_ENGINE);
    } else if (runs_not) {
        stopped(m, r);
    } else {
        r->stop_waits = true;
        stop_if_ready(m, r);
    }
}

uint32_t resource_operation_done(struct model *m, const struct model_input *in)
{
    struct resource *r = effect_find(m, in->operation);
    if (!r || r->operation != in->operation)
        return ERR_SUCCESS; /* it was cancelled, or is from an earlier life */
    effect_forget(m, &r->operation);
    switch ((enum operation_kind)r->operation_kind) {
    case OPERATION_START:
        if (in->number == 0)
            went_online(m, r, r->reason);
        else
            resource_fail(m, r, REASON_FAILURE);
        break;
    case OPERATION_STOP:
        if (in->number == 0)
            stopped(m, r);
        else
            stop_failed(m, r);
        break;
    case OPERATION_LOOKS_ALIVE:
        if (in->number != 0)
            begin_operation(m, r, OPERATION_IS_ALIVE); /* the thorough check has the last word */
        break;
    case OPERATION_IS_ALIVE:
        if (in->number != 0)
            resource_fail(m, r, REASON_FAILURE);
        break;
    case OPERATION_PROBE:
        probed(m, r, in->number);
        break;
    }
    return ERR_SUCCESS;
}

uint32_t resource_timer(struct model *m, const struct model_input *in)
{
    struct resource *r = effect_find(m, in->operation);
    if (!r)
        return ERR_SUCCESS;
    if (r->restart_timer == in->operation) {
        effect_forget(m, &r->restart_timer);
        restart(m, r);
    } else if (r->looks_alive_timer == in->operation) {
        effect_forget(m, &r->looks_alive_timer);
        arm_looks_alive(m, r);
        if (r->operation == 0)
            begin_operation(m, r, OPERATION_LOOKS_ALIVE);
    } else if (r->is_alive_timer == in->operation) {
        effect_forget(m, &r->is_alive_timer);
        arm_is_alive(m, r);
        if (r->operation == 0)
            begin_operation(m, r, OPERATION_IS_ALIVE);
    }
    return ERR_SUCCESS;
}

/* A life of the service begins */

static void forget_life(struct model *m, struct resource *r)
{
    effect_forget(m, &r->operation);
    effect_forget(m, &r->restart_timer);
    effect_forget(m, &r->looks_alive_timer);
    effect_forget(m, &r->is_alive_timer);
    r->restarts = 0;
    r->start_waits = r->stop_waits = false;
    r->unclean = r->o.state == RESOURCE_FAILED;
    r->resumes = r->want_online &&
                 (r->o.state == RESOURCE_OFFLINE || r->o.state == RESOURCE_OFFLINE_PENDING);
    r->reason = REASON_ENGINE;
}

/* What was on its way or online is looked at; what was wanted and is down gets another try, unless
 * it failed and RestartAction says to leave it. */
void resource_resume_life(struct model *m, struct node *n)
{
    for (size_t g = 0; g < n->groups.count; g++) {
        const struct pointer_list *members = &((struct group *)n->groups.items[g])->resources;
        for (size_t i = 0; i < members->count; i++)
            forget_life(m, members->items[i]);
        for (size_t i = 0; i < members->count; i++) {
            struct resource *r = members->items[i];
            uint32_t s = r->o.state;
            bool is_due = s == RESOURCE_FAILED && r->want_online &&
                          object_dword(&r->o, "RestartAction") != RESTART_NOT;
            if (is_due || (s != RESOURCE_FAILED && s != RESOURCE_OFFLINE))
                begin_operation(m, r, OPERATION_PROBE);
        }
        for (size_t i = 0; i < members->count; i++)
            resume(m, members->items[i]);
    }
}

/* They waited for each other, and need not any more. */
void resource_unblock(struct model *m, struct resource *r, struct resource *provider)
{
    resume(m, r);
    start_if_ready(m, r);
    stop_if_ready(m, provider);
}
