/* SPDX-License-Identifier: MIT */
#include "service/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include "base/macro.h"

struct queue {
    struct worker_job *first, **end;
};

struct worker {
    pthread_t thread;
    pthread_mutex_t lock; /* holds both queues and `ending` */
    pthread_cond_t given;
    struct queue waiting, finished;
    bool ending;
    int finished_fd; /* an eventfd: counts what was put into `finished` */
    sd_event_source *source;
};

static void queue_init(struct queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

static void queue_put(struct queue *q, struct worker_job *job)
{
    job->next = NULL;
    *q->end = job;
    q->end = &job->next;
}

static struct worker_job *queue_take(struct queue *q)
{
    struct worker_job *job = q->first;
    if (!job)
        return NULL;
    q->first = job->next;
    if (!q->first)
        q->end = &q->first;
    return job;
}

static void tell_finished(struct worker *w)
{
    uint64_t one = 1;
    while (write(w->finished_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
}

static void *worker_main(void *context)
{
    struct worker *w = context;
    pthread_mutex_lock(&w->lock);
    while (!w->ending) {
        struct worker_job *job = queue_take(&w->waiting);
        if (!job) {
            pthread_cond_wait(&w->given, &w->lock);
            continue;
        }
        pthread_mutex_unlock(&w->lock);
        job->run(job);
        pthread_mutex_lock(&w->lock);
        queue_put(&w->finished, job);
        tell_finished(w);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void finish_all(struct worker *w, struct queue *q)
{
    pthread_mutex_lock(&w->lock);
    struct worker_job *job = q->first;
    queue_init(q);
    pthread_mutex_unlock(&w->lock);
    while (job) {
        struct worker_job *next = job->next;
        job->done(job);
        job = next;
    }
}

static int on_finished(sd_event_source *source, int fd, uint32_t events, void *context)
{
    (void)source;
    (void)events;
    struct worker *w = context;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n;
    finish_all(w, &w->finished);
    return 0;
}

/* Signals are the loop's: the thread blocks them all. */
static int start_thread(struct worker *w, const char *name)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = -pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        pthread_setname_np(w->thread, name);
    return r;
}

static void worker_free(struct worker *w)
{
    sd_event_source_disable_unref(w->source);
    if (w->finished_fd >= 0)
        close(w->finished_fd);
    pthread_cond_destroy(&w->given);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

int worker_create(sd_event *loop, const char *name, struct worker **ret)
{
    struct worker *w = calloc(1, sizeof(*w));
    if (!w)
        return -ENOMEM;
    queue_init(&w->waiting);
    queue_init(&w->finished);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->given, NULL);
    w->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = w->finished_fd < 0 ? -errno : 0;
    if (r == 0)
        r = sd_event_add_io(loop, &w->source, w->finished_fd, EPOLLIN, on_finished, w);
    if (r >= 0) /* it may have more to do, and stands still */
        r = sd_event_source_set_priority(w->source, SD_EVENT_PRIORITY_IMPORTANT);
    if (r >= 0)
        r = start_thread(w, name);
    if (r < 0) {
        worker_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

void worker_give(struct worker *w, struct worker_job *job)
{
    pthread_mutex_lock(&w->lock);
    queue_put(&w->waiting, job);
    pthread_cond_signal(&w->given);
    pthread_mutex_unlock(&w->lock);
}

void worker_destroy(struct worker *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_signal(&w->given);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    finish_all(w, &w->finished);
    finish_all(w, &w->waiting);
    worker_free(w);
}
