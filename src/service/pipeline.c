/* SPDX-License-Identifier: MIT */
#include "service/pipeline.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/macro.h"
#include "base/text.h"
#include "journal/journal.h"
#include "order/local/local.h"
#include "service/batch.h"
#include "service/restore.h"
#include "service/worker.h"

#define RETRY_FIRST_USEC 250000u
#define RETRY_LONGEST_USEC 16000000u
#define RETRY_ACCURACY_USEC 10000u

/*               commit fails, memory short
 *   RUNNING ──────────────────────────────► FAILED   the model is not to be trusted
 *      ▲                                       │     the last commit has ended: reloaded
 *      │ a test commit works                   ▼
 *      └────────────────────────────────── REFUSING  reads are answered, the engine rests
 *   STOPPING: from any of them, by pipeline_stop()
 * A commit of which nobody can say whether it will be found ends the service from any of them. */
enum phase { PHASE_RUNNING, PHASE_FAILED, PHASE_REFUSING, PHASE_STOPPING };

struct pipeline {
    struct pipeline_options options;
    struct journal *journal; /* the committer's while `committing`, else the loop's */
    struct worker *committer;
    struct model *model;
    struct feed_writer *writer;
    struct feed *feed;
    struct order *order;
    struct engine *engine;

    enum phase phase;
    uint32_t error;           /* why the model is not to be trusted; 0: it is */
    uint32_t refusal;         /* why changes are refused; 0: they are not */
    struct batch open;        /* being filled */
    struct batch flying;      /* being committed */
    struct worker_job commit; /* of `flying` */
    int commit_result;
    bool committing, testing; /* testing: the commit only tries whether the disk works again */
    struct pipeline_request *requests, *last_request; /* not yet delivered, in order */
    uint64_t last_token;
    uint64_t submitted, delivered, ready_at; /* inputs since the engine's start */
    bool ready;
    struct pipeline_wait ready_wait, stop_wait;
    sd_event_source *hand_over, *recover, *retry;
    uint64_t retry_usec;
};

static uint32_t storage_error(int r)
{
    if (r == -ENOSPC || r == -EDQUOT)
        return ERR_DISK_FULL;
    return r == -ENOMEM ? ERR_NOT_ENOUGH_MEMORY : ERR_IO_DEVICE;
}

static int storage_errno(uint32_t error)
{
    if (error == ERR_DISK_FULL)
        return -ENOSPC;
    return error == ERR_NOT_ENOUGH_MEMORY ? -ENOMEM : -EIO;
}

/* The model holds what the journal does not, and never will. */
static bool is_failing(const struct pipeline *p)
{
    return p->error != ERR_SUCCESS && p->phase != PHASE_REFUSING;
}

/* ---- failure ---- */

/* May be called from anywhere: recovery itself waits for the loop, and for the commit under way. */
static void pipeline_fail(struct pipeline *p, uint32_t error)
{
    if (p->phase == PHASE_RUNNING || p->phase == PHASE_REFUSING)
        p->phase = PHASE_FAILED;
    p->error = p->refusal = error;
    sd_event_source_set_enabled(p->recover, SD_EVENT_ONESHOT);
}

static void end_engine(struct pipeline *p)
{
    if (p->engine) {
        p->engine->methods->stop(p->engine);
        p->engine->methods->free(p->engine);
        p->engine = NULL;
    }
    if (p->order) {
        p->order->methods->stop(p->order);
        p->order->methods->free(p->order);
        p->order = NULL;
    }
}

static void answer_requests(struct pipeline *p, uint32_t error)
{
    struct pipeline_request *r = TAKE_PTR(p->requests);
    p->last_request = NULL;
    while (r) {
        struct pipeline_request *next = r->next;
        r->wait.done(&r->wait, error);
        r = next;
    }
}

static void schedule_retry(struct pipeline *p)
{
    p->retry_usec = MIN(MAX(p->retry_usec * 2, RETRY_FIRST_USEC), RETRY_LONGEST_USEC);
    sd_event_source_set_time_relative(p->retry, p->retry_usec);
    sd_event_source_set_enabled(p->retry, SD_EVENT_ONESHOT);
}

static void tell_ready(struct pipeline *p)
{
    if (p->ready)
        return;
    p->ready = true;
    p->options.ready(p->options.context);
}

static void drop_unkept(struct pipeline *p)
{
    struct batch lost = p->open;
    p->open = (struct batch){0};
    batch_answer(&lost, p->error);
    batch_fini(&lost);
    answer_requests(p, p->error);
}

static int on_recover(sd_event_source *source, void *context)
{
    (void)source;
    struct pipeline *p = context;
    if (p->committing)
        return 0; /* commit_done() comes back here */
    end_engine(p);
    drop_unkept(p);
    if (p->phase == PHASE_STOPPING) {
        p->options.stopped(p->options.context, storage_errno(p->error));
        return 0;
    }
    struct model *fresh = NULL;
    int r = restore_model(p->journal, &fresh);
    if (r == 0 && !model_cluster(fresh)) {
        model_destroy(fresh);
        log_error("cluster_not_made error=%s", log_quote(error_message(p->error)));
        p->options.stopped(p->options.context, -ECANCELED);
        return 0;
    }
    if (r < 0) {
        log_error("reload_failed error=%s", log_quote(strerror(-r)));
        p->options.stopped(p->options.context, r);
        return 0;
    }
    model_destroy(p->model);
    p->model = fresh;
    p->phase = PHASE_REFUSING;
    schedule_retry(p);
    tell_ready(p);
    return 0;
}

/* ---- commit ---- */

static void run_commit(struct worker_job *job)
{
    struct pipeline *p = container_of(job, struct pipeline, commit);
    p->commit_result = journal_commit(p->journal, &p->flying.rows);
}

static void perform_all(struct pipeline *p, const struct batch *b)
{
    for (const struct effect_run *run = b->effects; run; run = run->next)
        for (size_t i = 0; i < run->output.effect_count && p->engine; i++)
            p->engine->methods->perform(p->engine, &run->output.effects[i]);
}

static void batch_is_durable(struct pipeline *p, struct batch *b)
{
    if (b->rows.changes.size > 0) {
        feed_publish(p->writer, b->rows.changes.data, b->rows.changes.size);
        p->options.published(p->options.context);
    }
    perform_all(p, b);
    batch_answer(b, ERR_SUCCESS);
    batch_fini(b);
}

static void commit_failed(struct pipeline *p, struct batch *lost)
{
    uint32_t error = storage_error(p->commit_result);
    if (!p->refusal)
        log_error("commit_failed error=%s state_dir=%s consequence=%s",
                  log_quote(strerror(-p->commit_result)), log_quote(p->options.engine.state_dir),
                  log_quote("changes are refused until the disk works again; make room there or "
                            "repair it"));
    batch_answer(lost, error);
    batch_fini(lost);
    if (p->testing)
        schedule_retry(p);
    else
        pipeline_fail(p, error);
}

/* Whoever waits can be told neither: the next service finds out, and answers with it. */
static void end_unanswered(struct pipeline *p)
{
    log_error("commit_unknown error=%s state_dir=%s consequence=%s",
              log_quote(strerror(-p->commit_result)), log_quote(p->options.engine.state_dir),
              log_quote("what the disk refused cannot be removed; the service ends without an "
                        "answer, the next start decides"));
    p->options.stopped(p->options.context, p->commit_result);
}

static int start_engine(struct pipeline *p);

/* Changes are accepted when what the engine has to say is durable too: on_ready(). */
static void test_succeeded(struct pipeline *p)
{
    p->phase = PHASE_RUNNING;
    p->error = ERR_SUCCESS;
    int r = start_engine(p);
    if (r < 0) {
        log_error("engine_failed error=%s", log_quote(strerror(-r)));
        p->options.stopped(p->options.context, r);
    }
}

static bool may_commit(const struct pipeline *p)
{
    return !p->committing && !is_failing(p) && p->phase != PHASE_REFUSING;
}

static void start_commit(struct pipeline *p)
{
    p->flying = p->open;
    p->open = (struct batch){0};
    p->committing = true;
    worker_give(p->committer, &p->commit);
}

static void commit_done(struct worker_job *job)
{
    struct pipeline *p = container_of(job, struct pipeline, commit);
    const int result = p->commit_result;
    if (result == -ENOTRECOVERABLE) {
        end_unanswered(p);
        return;
    }
    struct batch done = p->flying;
    p->flying = (struct batch){0};
    p->committing = false;
    /* The disk is not to wait for the answers. */
    if (result == 0 && may_commit(p) && batch_needs_commit(&p->open))
        start_commit(p);
    if (result < 0)
        commit_failed(p, &done);
    else
        batch_is_durable(p, &done);
    if (p->testing && result == 0 && p->phase == PHASE_REFUSING)
        test_succeeded(p);
    p->testing = false;
    if (is_failing(p))
        sd_event_source_set_enabled(p->recover, SD_EVENT_ONESHOT);
}

/* After whatever the loop dispatched: what has come together goes to the committer. */
static int on_hand_over(sd_event_source *source, void *context)
{
    (void)source;
    struct pipeline *p = context;
    if (!may_commit(p) || batch_is_empty(&p->open))
        return 0;
    if (batch_needs_commit(&p->open)) {
        start_commit(p);
        return 0;
    }
    struct batch done = p->open;
    p->open = (struct batch){0};
    batch_is_durable(p, &done);
    return 0;
}

/* Writes what is there already: it tells whether the disk takes it. */
static int on_retry(sd_event_source *source, uint64_t now, void *context)
{
    (void)source;
    (void)now;
    struct pipeline *p = context;
    if (p->phase != PHASE_REFUSING || p->committing)
        return 0;
    if (batch_put_object(&p->open, &model_cluster(p->model)->o) < 0) {
        batch_fini(&p->open);
        schedule_retry(p);
        return 0;
    }
    p->testing = true;
    start_commit(p);
    return 0;
}

/* ---- inputs ---- */

static struct pipeline_request *take_request(struct pipeline *p, uint64_t token)
{
    struct pipeline_request **at = &p->requests, *before = NULL;
    while (*at && (*at)->token != token) {
        before = *at;
        at = &(*at)->next;
    }
    struct pipeline_request *r = *at;
    if (!r)
        return NULL;
    *at = r->next;
    if (p->last_request == r)
        p->last_request = before;
    return r;
}

static bool left_unchanged(uint32_t result)
{
    return result != ERR_SUCCESS && result != ERR_IO_PENDING &&
           result != ERR_RESOURCE_PROPERTIES_STORED;
}

static void step(struct pipeline *p, const struct model_input *in)
{
    struct model_output out = {0};
    uint32_t result = model_step(p->model, in, &out);
    struct pipeline_request *r = in->token ? take_request(p, in->token) : NULL;
    if (result == ERR_NOT_ENOUGH_MEMORY ||
        (!left_unchanged(result) && batch_add(&p->open, &out) < 0)) {
        log_error("memory_short consequence=%s", log_quote("the step is undone"));
        pipeline_fail(p, ERR_NOT_ENOUGH_MEMORY);
        result = ERR_NOT_ENOUGH_MEMORY;
    }
    model_output_fini(&out);
    if (!r) {
        if (result != ERR_SUCCESS)
            log_warning("input_refused kind=%d name=%s error=%s", (int)in->kind,
                        log_quote(in->name), log_quote(error_message(result)));
        return;
    }
    r->result = result;
    pipeline_when_durable(p, &r->wait);
}

static void deliver(void *context, uint64_t position, int64_t time_ns, const void *data,
                    size_t size)
{
    (void)position;
    struct pipeline *p = context;
    p->delivered++;
    if (is_failing(p))
        return; /* recovery answers */
    struct model_input in;
    if (model_input_decode(data, size, &in) < 0) {
        log_error("input_malformed position=%" PRIu64, position);
        return;
    }
    in.time_ns = time_ns;
    step(p, &in);
    if (p->delivered == p->ready_at)
        pipeline_when_durable(p, &p->ready_wait);
    if (in.kind == INPUT_NODE_STOPPED && p->phase == PHASE_STOPPING)
        pipeline_when_durable(p, &p->stop_wait);
}

static int submit(void *context, const struct model_input *in)
{
    struct pipeline *p = context;
    _cleanup_(buffer_fini) struct buffer bytes = {0};
    int r = model_input_encode(in, &bytes);
    if (r == 0)
        r = p->order->methods->submit(p->order, bytes.data, bytes.size);
    if (r == 0)
        p->submitted++;
    return r;
}

static void on_ready(struct pipeline_wait *w, uint32_t error)
{
    struct pipeline *p = container_of(w, struct pipeline, ready_wait);
    if (error)
        return;
    if (p->refusal)
        log_info("commit_works consequence=%s", log_quote("changes are accepted again"));
    p->refusal = ERR_SUCCESS;
    p->retry_usec = 0;
    tell_ready(p);
}

static void on_stopped(struct pipeline_wait *w, uint32_t error)
{
    struct pipeline *p = container_of(w, struct pipeline, stop_wait);
    p->options.stopped(p->options.context, error ? storage_errno(error) : 0);
}

static int start_engine(struct pipeline *p)
{
    int64_t last_time_ns = 0;
    int r = restore_last_time(p->journal, &last_time_ns);
    if (r == 0)
        r = order_local_create(p->options.loop, last_time_ns, &p->order);
    if (r < 0)
        return r;
    p->order->deliver = deliver;
    p->order->context = p;
    p->submitted = p->delivered = 0;
    r = p->order->methods->start(p->order);
    if (r == 0)
        r = engine_embedded_create(&p->engine);
    if (r < 0)
        return r;
    p->options.engine.model = p->model;
    r = p->engine->methods->start(p->engine, &p->options.engine);
    if (r < 0)
        return r;
    p->ready_at = p->submitted;
    if (p->ready_at == 0)
        pipeline_when_durable(p, &p->ready_wait);
    return 0;
}

/* ---- what others call ---- */

const struct model *pipeline_model(const struct pipeline *p)
{
    return p->model;
}

struct feed *pipeline_feed(const struct pipeline *p)
{
    return p->feed;
}

int pipeline_feed_fd(const struct pipeline *p)
{
    return feed_writer_fd(p->writer);
}

void pipeline_reload(struct pipeline *p)
{
    if (p->engine && p->phase == PHASE_RUNNING)
        p->engine->methods->reload(p->engine);
}

void pipeline_when_durable(struct pipeline *p, struct pipeline_wait *w)
{
    if (is_failing(p))
        w->done(w, p->error);
    else if (!batch_is_empty(&p->open))
        batch_wait(&p->open, w);
    else if (p->committing && !p->testing)
        batch_wait(&p->flying, w);
    else
        w->done(w, ERR_SUCCESS);
}

uint32_t pipeline_request(struct pipeline *p, struct model_input *in, struct pipeline_request *r)
{
    if (p->phase == PHASE_STOPPING)
        return ERR_CLUSTER_NODE_SHUTTING_DOWN;
    if (p->refusal)
        return p->refusal;
    in->token = r->token = ++p->last_token;
    in->actor.node = p->options.engine.node_name;
    in->actor.reason = REASON_REQUEST;
    r->next = NULL;
    struct pipeline_request *before = p->last_request;
    if (before)
        before->next = r;
    else
        p->requests = r;
    p->last_request = r;
    uint32_t code = p->engine->methods->request(p->engine, in);
    if (code != ERR_SUCCESS)
        take_request(p, r->token);
    return code;
}

void pipeline_stop(struct pipeline *p)
{
    bool running = p->phase == PHASE_RUNNING;
    p->phase = PHASE_STOPPING;
    if (running)
        p->engine->methods->stop(p->engine);
    struct model_input in = {.kind = INPUT_NODE_STOPPED,
                             .object_id = p->options.engine.node_id,
                             .actor = {.node = p->options.engine.node_name,
                                       .program = "clusportd",
                                       .reason = REASON_ENGINE}};
    if (!running || submit(p, &in) < 0)
        p->options.stopped(p->options.context, running ? -ENOMEM : 0);
}

/* ---- beginning and end ---- */

static int open_journal(struct pipeline *p, char **ret_error)
{
    struct journal_options options = {.keep_changes = p->options.keep_changes,
                                      .keep_bytes = p->options.keep_bytes};
    int r = journal_open(p->options.journal_path, &options, &p->journal, ret_error);
    if (r < 0)
        return r;
    r = restore_model(p->journal, &p->model);
    if (r < 0 && !*ret_error)
        *ret_error = text_format("%s cannot be read: %s", p->options.journal_path, strerror(-r));
    return r;
}

static int open_feed(struct pipeline *p)
{
    int r = feed_writer_create(p->options.feed_size, &p->writer);
    if (r == 0)
        r = restore_feed(p->journal, p->options.feed_size, p->writer);
    if (r == 0)
        feed_writer_restored(p->writer);
    return r < 0 ? r : feed_open(feed_writer_fd(p->writer), &p->feed);
}

static int add_sources(struct pipeline *p)
{
    sd_event *loop = p->options.loop;
    int r = sd_event_add_post(loop, &p->hand_over, on_hand_over, p);
    if (r >= 0)
        r = sd_event_add_defer(loop, &p->recover, on_recover, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->recover, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_event_add_time_relative(loop, &p->retry, CLOCK_MONOTONIC, 0, RETRY_ACCURACY_USEC,
                                       on_retry, p);
    if (r >= 0)
        r = sd_event_source_set_enabled(p->retry, SD_EVENT_OFF);
    return r;
}

int pipeline_create(const struct pipeline_options *options, struct pipeline **ret, char **ret_error)
{
    struct pipeline *p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->options = *options;
    p->options.engine.loop = options->loop;
    p->options.engine.host = (struct engine_host){.submit = submit, .context = p};
    p->commit.run = run_commit;
    p->commit.done = commit_done;
    p->ready_wait.done = on_ready;
    p->stop_wait.done = on_stopped;
    int r = open_journal(p, ret_error);
    if (r == 0)
        r = open_feed(p);
    if (r == 0)
        r = worker_create(options->loop, "committer", &p->committer);
    if (r == 0)
        r = add_sources(p);
    if (r >= 0)
        r = start_engine(p);
    if (r < 0) {
        pipeline_destroy(p);
        return r;
    }
    *ret = p;
    return 0;
}

void pipeline_destroy(struct pipeline *p)
{
    if (!p)
        return;
    p->phase = PHASE_STOPPING;
    worker_destroy(p->committer);
    end_engine(p);
    drop_unkept(p);
    batch_answer(&p->flying, ERR_IO_DEVICE); /* of end_unanswered(): into nothing */
    batch_fini(&p->flying);
    sd_event_source_disable_unref(p->hand_over);
    sd_event_source_disable_unref(p->recover);
    sd_event_source_disable_unref(p->retry);
    feed_unref(p->feed);
    feed_writer_destroy(p->writer);
    journal_close(p->journal);
    model_destroy(p->model);
    free(p);
}
