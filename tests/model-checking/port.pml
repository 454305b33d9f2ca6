/* SPDX-License-Identifier: MIT
 *
 * The life of a notification port: waiting threads, a close, registrations, the feed and its
 * futex, the rousing of sleepers, a service that is lost and comes back, the journal read for a
 * port that was lapped. README.md says what is left out.
 *
 * A name in capitals that the code has too is the code's: ./check-names compares them. A MUTATE_*
 * takes one thing out that the code does; each must be found. */

#ifndef EVENTS
#define EVENTS 1
#endif
#define WAITERS 2
#define CLOSER WAITERS /* in waits_for_moved */
#define NO_FEED 2

#define BIT_A 1
#define BIT_B 2

mtype:notify_state = { NOTIFY_UNTIED, NOTIFY_TIED, NOTIFY_CLOSING, NOTIFY_CLOSED }
mtype:notify_fetch = { FETCH_NONE, FETCH_ASKED, FETCH_HELD, FETCH_FAILED }
mtype:look = { LOOK_DONE, LOOK_EMPTY, LOOK_AWAY }
mtype:result = { NONE_YET, ERROR_SUCCESS, ERROR_INVALID_HANDLE, WAIT_TIMEOUT }

/* ---- the service and its feeds; a new one for each of its lives ---- */

byte head;             /* changes published, all lives together */
byte kind[EVENTS];     /* of each: a bit */
byte oldest;           /* the first that the feed still holds */
byte sequence[2];      /* the futex's word, of each feed */
byte life;             /* the service's, and its feed's number */

/* ---- the port, under its lock ---- */

bool locked;
mtype:notify_state state = NOTIFY_UNTIED;
mtype:notify_fetch fetch = FETCH_NONE;
byte request;          /* the number of the piece that was asked for last */
byte cursor;           /* the change to look at next */
byte bits, b_from;     /* what is registered; B from that change on */
byte feed;
byte inside;
bool handle_open = true, closing, close_returned;

/* ---- struct feed_sleepers ---- */

byte round, rousers;
bool announced[WAITERS];
byte announced_at[WAITERS];
byte sleeps_on[WAITERS];      /* a feed, or NO_FEED: the condition variable */
bool in_futex[WAITERS];
byte futex_bits[WAITERS];
bool waits_for_moved[WAITERS + 1];

mtype:result result[WAITERS] = NONE_YET;
chan requests = [4] of { byte };
byte failures;

#define LOCK atomic { !locked -> locked = true }
#define UNLOCK locked = false
#define is_closed (state == NOTIFY_CLOSING || state == NOTIFY_CLOSED)
#define matches(i) ((kind[i] & bits) && (kind[i] == BIT_A || (i) >= b_from))

inline broadcast_moved()
{
    waits_for_moved[0] = false;
    waits_for_moved[1] = false;
    waits_for_moved[CLOSER] = false
}

#ifdef MUTATE_LOOK_PAST_CLOSE
#define sees_close false
#else
#define sees_close is_closed
#endif
#define may_look (state != NOTIFY_UNTIED && !sees_close)

#define is_called(i, r) (announced[i] && announced_at[i] < (r))

/* feed_wake_local() wakes all who are in the futex of that feed. */
inline call(i, r)
{
    if
    :: is_called(i, r) && sleeps_on[i] == NO_FEED -> broadcast_moved()
    :: is_called(i, r) && sleeps_on[i] != NO_FEED ->
        if
        :: sleeps_on[0] == sleeps_on[i] -> in_futex[0] = false
        :: else
        fi;
        if
        :: sleeps_on[1] == sleeps_on[i] -> in_futex[1] = false
        :: else
        fi
    :: else
    fi
}

/* With the lock; gives it up while it waits. */
inline feed_rouse(my_round)
{
    atomic { round++; my_round = round; rousers++ }
    do
    :: atomic {
           is_called(0, my_round) || is_called(1, my_round) ->
               call(0, my_round);
               call(1, my_round)
       }
       UNLOCK; /* a pause */
       LOCK
#ifdef MUTATE_ROUSE_ONCE
       ; break
#endif
    :: else -> break
    od;
    rousers--
}

/* port_peek() and what it is asked for; one step, since what it reads of the feed only grows. */
inline look_locked(i, look)
{
    atomic {
        do
        :: sees_close -> look = LOOK_DONE; result[i] = ERROR_INVALID_HANDLE; break
        :: state == NOTIFY_UNTIED -> look = LOOK_EMPTY; break
        :: may_look && cursor < head && (cursor >= oldest || fetch == FETCH_HELD) ->
            if
            :: matches(cursor) ->
                assert(!close_returned);
                look = LOOK_DONE;
                result[i] = ERROR_SUCCESS;
                cursor++;
                break
            :: else -> cursor++
            fi
        :: may_look && cursor == head -> look = LOOK_EMPTY; break
        :: may_look && cursor >= oldest && fetch == FETCH_HELD -> fetch = FETCH_NONE
        :: may_look && cursor < oldest && fetch == FETCH_NONE ->
            fetch = FETCH_ASKED;
            request++;
            requests!request
        :: may_look && cursor < oldest && fetch == FETCH_ASKED -> look = LOOK_AWAY; break
        :: may_look && cursor < oldest && fetch == FETCH_FAILED -> look = LOOK_AWAY; break
        :: may_look && cursor < oldest && fetch == FETCH_FAILED -> fetch = FETCH_NONE
        od
    }
}

/* notify_port_next(): with no end to its patience, or some. */
proctype waiter(byte i; bool patient)
{
    byte ticket, my_bits;
    mtype:look look;
    bool last_look;

    if
    :: !handle_open -> result[i] = ERROR_INVALID_HANDLE; goto returned
    :: handle_open
    :: !patient -> last_look = true /* no time at all */
    fi;
    LOCK;
    inside++;
    do
    :: true ->
#ifndef MUTATE_LATE_TICKET
        ticket = sequence[feed];
#endif
        look_locked(i, look);
#ifdef MUTATE_LATE_TICKET
        ticket = sequence[feed];
#endif
        if
        :: look == LOOK_DONE -> break
        :: look != LOOK_DONE && last_look -> result[i] = WAIT_TIMEOUT; break
        :: else
        fi;
        /* feed_sleep() */
        assert(!close_returned);
        atomic {
            my_bits = bits;
            sleeps_on[i] = (look == LOOK_AWAY || state == NOTIFY_UNTIED -> NO_FEED : feed);
#ifndef MUTATE_LATE_ANNOUNCE
            announced[i] = true;
            announced_at[i] = round;
#endif
            if
            :: sleeps_on[i] == NO_FEED -> waits_for_moved[i] = true
            :: else
            fi;
            UNLOCK
        }
        if
        :: sleeps_on[i] == NO_FEED ->
end_without_feed:
            if
            :: !waits_for_moved[i]
            :: look == LOOK_AWAY && fetch == FETCH_FAILED -> waits_for_moved[i] = false /* again */
            :: !patient -> waits_for_moved[i] = false; last_look = true
            fi
        :: else ->
            atomic {
                futex_bits[i] = my_bits;
                in_futex[i] = (sequence[sleeps_on[i]] == ticket)
            }
end_in_futex:
            if
            :: !in_futex[i]
            :: !patient -> in_futex[i] = false; last_look = true
            fi
        fi;
        LOCK;
        atomic {
#ifdef MUTATE_LATE_ANNOUNCE
            announced_at[i] = round;
#endif
            announced[i] = false;
            if
            :: rousers > 0 -> broadcast_moved()
            :: else
            fi
        }
    od;
    /* notify_port_leave_locked() */
    atomic {
        inside--;
        if
        :: is_closed && inside == 0 -> broadcast_moved()
        :: else
        fi;
        UNLOCK
    }
returned:
    assert(result[i] != NONE_YET);
    assert(result[i] != WAIT_TIMEOUT || !patient)
}

/* notify_port_close(), or nobody closes */
proctype closer()
{
    byte my_round;

    if
    :: true
    :: goto done
    fi;
    atomic { handle_open = false; closing = true }
    LOCK;
    state = NOTIFY_CLOSING;
#ifndef MUTATE_SILENT_CLOSE
    feed_rouse(my_round);
#endif
    do
    :: inside > 0 ->
        atomic { waits_for_moved[CLOSER] = true; UNLOCK }
        !waits_for_moved[CLOSER];
        LOCK
    :: else -> break
    od;
    atomic {
        state = NOTIFY_CLOSED;
        fetch = FETCH_NONE;
        assert(inside == 0);
        assert(!announced[0] && !announced[1])
    }
    UNLOCK;
    close_returned = true;
done:
    skip
}

/* notify_port_register(), for A and then for B */
proctype registrar()
{
    byte my_round;

    LOCK;
    if
    :: !is_closed ->
        atomic { state = NOTIFY_TIED; cursor = head; bits = BIT_A; feed = life }
        feed_rouse(my_round)
    :: else
    fi;
    UNLOCK;
    LOCK;
    if
    :: !is_closed ->
        atomic { bits = bits | BIT_B; b_from = head }
#ifndef MUTATE_SILENT_REGISTRATION
        feed_rouse(my_round)
#endif
    :: else
    fi;
    UNLOCK
}

#define hears(i) (in_futex[i] && sleeps_on[i] == life && (futex_bits[i] & kind[head - 1]))

/* feed_publish(); killed once, at any time, with the next life's feed beginning where this ended */
proctype service()
{
    do
    :: head < EVENTS ->
        atomic {
            if
            :: kind[head] = BIT_A
            :: kind[head] = BIT_B
            fi;
            head++
        }
        sequence[life]++;
#ifndef MUTATE_SILENT_PUBLISH
        atomic {
            if
            :: hears(0) -> in_futex[0] = false
            :: else
            fi;
            if
            :: hears(1) -> in_futex[1] = false
            :: else
            fi
        }
#endif
#ifdef LAPS
    :: head > 0 && oldest == 0 -> oldest = head
#endif
#ifdef LIVES
    :: life == 0 -> life = 1
#endif
    :: head == EVENTS -> break
    od
}

/* The session's watch: notify_port_adopt_locked(). */
proctype watch()
{
    byte my_round;

end_up:
    life == 1;
    LOCK;
    if
    :: state == NOTIFY_TIED && feed == 0 ->
        atomic {
            feed = 1;
            if
            :: fetch != FETCH_HELD -> fetch = FETCH_NONE; request++
            :: else
            fi
        }
#ifndef MUTATE_SILENT_ADOPTION
        feed_rouse(my_round)
#endif
    :: else
    fi;
    UNLOCK
}

/* The session's reader; a reading fails at most once, with the connection. */
proctype reader()
{
    byte asked, my_round;
    bool failed;

end_idle:
    do
    :: requests?asked;
        if
        :: failed = false
        :: failures == 0 -> failures++; failed = true
        fi;
        LOCK;
        if
        :: fetch == FETCH_ASKED && request == asked ->
            fetch = (failed -> FETCH_FAILED : FETCH_HELD);
#ifndef MUTATE_SILENT_ARRIVAL
            feed_rouse(my_round)
#endif
        :: else
        fi;
        UNLOCK
    od
}

/* When nothing moves any more: whoever has not returned has nothing to return for. */
#define is_waiting(i) (result[i] == NONE_YET)
#define there_is_something                                                                        \
    ((cursor < head && matches(cursor)) || (EVENTS > 1 && cursor + 1 < head && matches(EVENTS - 1)))

init
{
    atomic {
        run waiter(0, true);
#ifdef TWO
        run waiter(1, false);
#else
        result[1] = ERROR_SUCCESS;
#endif
        run closer();
        run registrar();
        run service();
#ifdef LIVES
        run watch();
#endif
#ifdef LAPS
        run reader();
#endif
        skip
    }
    timeout;
    assert(!closing || close_returned);
    assert(!is_waiting(0) || !closing);
    assert(!is_waiting(1));
    assert(!is_waiting(0) || !there_is_something);
    assert(!locked)
}

