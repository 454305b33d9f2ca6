/* SPDX-License-Identifier: MIT */
#include "storm/pause.h"

#include <pthread.h>

static pthread_mutex_t pause_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pause_moved = PTHREAD_COND_INITIALIZER;
static unsigned pauses_ended;
static bool no_more_pauses;

void pause_a_while(void)
{
    pthread_mutex_lock(&pause_lock);
    for (unsigned ended = pauses_ended; !no_more_pauses && ended == pauses_ended;)
        pthread_cond_wait(&pause_moved, &pause_lock);
    pthread_mutex_unlock(&pause_lock);
}

void end_pauses(bool for_good)
{
    pthread_mutex_lock(&pause_lock);
    pauses_ended++;
    no_more_pauses |= for_good;
    pthread_cond_broadcast(&pause_moved);
    pthread_mutex_unlock(&pause_lock);
}
