/* SPDX-License-Identifier: MIT
 *
 * The life of a notification port: waiting threads, a close, registrations, the feed and its
 * futex, the rousing of sleepers, a service that is killed and comes back, the journal read for a
 * port that was lapped. README.md says what is left out.
 *
 * A name in capitals that the code has too is the code's: ./check-names compares them. A MUTATE_*
 * takes one thing out that the code does; each must be found.
 *
 * What a thread does before it gives up the port's lock is one step, for which the lock must be
 * free. Only who waits looks twice at what the service writes meanwhile, and holds it for two. */

#ifndef EVENTS
#define EVENTS 1
#endif
#define WAITERS 2
#define NO_FEED 2

#define BIT_A 1
#define BIT_B 2

mtype:notify_state = { NOTIFY_UNTIED, NOTIFY_TIED, NOTIFY_CLOSING, NOTIFY_CLOSED }
mtype:notify_fetch = { FETCH_NONE, FETCH_ASKED, FETCH_HELD, FETCH_FAILED }
mtype:look = { LOOK_DONE, LOOK_EMPTY, LOOK_AWAY }
mtype:result = { NONE_YET, ERROR_SUCCESS, ERROR_INVALID_HANDLE, WAIT_TIMEOUT }

/* ---- the service and its feeds; a new one for each of its lives ---- */

byte kind[EVENTS];     /* of each change: a bit */
byte published[2];     /* changes that each feed knows of, those of earlier lives too */
byte oldest;           /* the first that the feed still holds */
byte sequence[2];      /* the futex's word, of each feed */
bit life;              /* the service's, and its feed's number */
bit known;             /* the feed that the session has: session_mapped_feed() */

/* ---- the port, under its lock ---- */

bool locked;
mtype:notify_state state = NOTIFY_UNTIED;
mtype:notify_fetch fetch = FETCH_NONE;
byte request;          /* the number of the piece that was asked for last */
byte piece_end;        /* FETCH_HELD: the change after the piece */
byte cursor;           /* the change to look at next */
byte bits, b_from;     /* what is registered; B from that change on */
bit feed;
byte inside;
bool closer_waits;     /* on the condition variable, for `inside` */
bool handle_open = true, closing, close_returned;

/* ---- struct feed_sleepers ---- */

mtype:where = { RUNNING, GOING, IN_FUTEX, ON_MOVED, WOKEN } /* ON_MOVED: the condition variable */
mtype:where where[WAITERS] = RUNNING;
byte sleeps_on[WAITERS];    /* a feed, or NO_FEED */
byte futex_bits[WAITERS];
byte announced_at[WAITERS]; /* the round */
byte round, rousers;

bool returned[WAITERS];
chan requests = [2] of { byte };
bool has_failed;

#define is_closed (state == NOTIFY_CLOSING || state == NOTIFY_CLOSED)

#ifdef MUTATE_LOOK_PAST_CLOSE
#define sees_close false
#else
#define sees_close is_closed
#endif

#ifdef MUTATE_LATE_ANNOUNCE
#define is_announced(i) (where[i] != RUNNING && where[i] != GOING)
#else
#define is_announced(i) (where[i] != RUNNING)
#endif
#ifdef MUTATE_ROUSE_NEWCOMERS
#define is_called(i, r) is_announced(i)
#else
#define is_called(i, r) (is_announced(i) && announced_at[i] < (r))
#endif

inline wake(i, from)
{
    if
    :: where[i] == from -> where[i] = WOKEN
    :: else
    fi
}

/* Wakes all who sleep where i does. */
inline call(i, r)
{
    if
    :: is_called(i, r) && sleeps_on[i] == NO_FEED -> wake(0, ON_MOVED); wake(1, ON_MOVED)
    :: is_called(i, r) && sleeps_on[i] != NO_FEED -> /* feed_wake_local() */
        if
        :: sleeps_on[0] == sleeps_on[i] -> wake(0, IN_FUTEX)
        :: else
        fi;
        if
        :: sleeps_on[1] == sleeps_on[i] -> wake(1, IN_FUTEX)
        :: else
        fi
    :: else
    fi
}

/* How long a pause is: in a search for what repeats for ever, long enough for those who were
 * called to get the lock, which is fairer than a mutex must be. */
#ifdef NP
#define pause_may_end(r) (!(is_called(0, r) && where[0] == WOKEN) && !(is_called(1, r) && where[1] == WOKEN))
#else
#define pause_may_end(r) true
#endif

/* In the step that changed the reason, or in a later one: calls, or sees that all have looked. */
inline call_or_finish(my_round)
{
    if
    :: is_called(0, my_round) || is_called(1, my_round) ->
        call(0, my_round);
        call(1, my_round)
#ifdef MUTATE_ROUSE_ONCE
        ; finish(my_round)
#endif
    :: else -> finish(my_round)
    fi
}

inline finish(my_round)
{
    my_round = 0;
    rousers--;
    if
    :: rousers == 0 -> round = 0; announced_at[0] = 0; announced_at[1] = 0 /* as good as any */
    :: else
    fi
}

/* feed_rouse() up to its first pause */
inline rouse(my_round)
{
    round++;
    my_round = round;
    rousers++;
    call_or_finish(my_round)
}

inline rouse_on(my_round)
{
    do
    :: my_round != 0 -> atomic { !locked && pause_may_end(my_round) -> call_or_finish(my_round) }
    :: else -> break
    od
}

#define reach (fetch == FETCH_HELD -> piece_end : published[feed])
#define matches(i) ((kind[i] & bits) && (kind[i] == BIT_A || (i) >= b_from))

/* port_peek() and what it is asked for; one step, since what it reads of the feed only grows. */
inline look_locked(seen, code)
{
    do
    :: sees_close -> seen = LOOK_DONE; code = ERROR_INVALID_HANDLE; break
    :: !sees_close && state == NOTIFY_UNTIED -> seen = LOOK_EMPTY; break
    :: !sees_close && state != NOTIFY_UNTIED ->
        if
        :: fetch == FETCH_HELD && cursor >= piece_end -> fetch = FETCH_NONE; piece_end = 0
        :: fetch != FETCH_HELD && cursor >= published[feed] -> seen = LOOK_EMPTY; break
        :: fetch == FETCH_NONE && cursor < published[feed] && cursor < oldest ->
            fetch = FETCH_ASKED;
            request++;
            assert(nfull(requests));
            requests!request
        :: (fetch == FETCH_ASKED || fetch == FETCH_FAILED) && cursor < published[feed] &&
           cursor < oldest -> seen = LOOK_AWAY; break
        :: cursor < reach && (cursor >= oldest || fetch == FETCH_HELD) && matches(cursor) ->
            assert(!close_returned);
            seen = LOOK_DONE;
            code = ERROR_SUCCESS;
            cursor++;
            break
        :: cursor < reach && (cursor >= oldest || fetch == FETCH_HELD) && !matches(cursor) ->
            cursor++
        fi
    od
}

/* notify_port_leave_locked() */
inline leave_locked()
{
    inside--;
    if
#ifndef MUTATE_SILENT_LEAVE
    :: state == NOTIFY_CLOSING && inside == 0 -> closer_waits = false
#endif
    :: else
    fi
}

/* notify_port_next(), again and again until the port is closed; or once, with an end to patience. */
proctype waiter(bit i; bool patient)
{
    byte ticket, seen, code = NONE_YET; /* a variable with an mtype's name would be global */
    bool last_look;

call_again:
    if
    :: !handle_open -> code = ERROR_INVALID_HANDLE; goto done
    :: handle_open
    :: !patient && handle_open -> last_look = true /* no time at all */
    fi;
    atomic { !locked -> locked = true; inside++; ticket = sequence[feed] }
    do
    :: atomic {
           look_locked(seen, code);
#ifdef MUTATE_LATE_TICKET
       }
       atomic {
           ticket = sequence[feed];
#endif
           if
           :: seen == LOOK_DONE -> break
           :: seen != LOOK_DONE && last_look -> code = WAIT_TIMEOUT; break
           :: else
           fi;
           /* feed_sleep() */
           assert(!close_returned);
           announced_at[i] = round;
           if
           :: seen == LOOK_AWAY || state == NOTIFY_UNTIED ->
               sleeps_on[i] = NO_FEED;
               where[i] = ON_MOVED
           :: else ->
               sleeps_on[i] = feed;
               futex_bits[i] = bits;
               where[i] = GOING
           fi;
           locked = false
       }
       if
       :: where[i] == GOING ->
           atomic {
               where[i] = (sequence[sleeps_on[i]] == ticket -> IN_FUTEX : WOKEN);
               ticket = 0
           }
       :: else -> ticket = 0
       fi;
end_asleep:
       if
       :: where[i] == WOKEN
       :: where[i] != WOKEN && seen == LOOK_AWAY && fetch == FETCH_FAILED -> /* old enough */
           atomic {
               where[i] = WOKEN;
#ifndef MUTATE_STALE_FAILURE
               if
               :: fetch == FETCH_FAILED -> fetch = FETCH_NONE
               :: else
               fi
#endif
           }
       :: where[i] != WOKEN && !patient -> where[i] = WOKEN; last_look = true
       fi;
       atomic {
           !locked -> locked = true;
           where[i] = RUNNING;
           announced_at[i] = 0;
           sleeps_on[i] = NO_FEED;
           futex_bits[i] = 0;
           ticket = sequence[feed]
       }
    od;
    atomic {
        leave_locked();
        locked = false;
        ticket = 0;
        if
        :: patient && code == ERROR_SUCCESS -> goto call_again
        :: else
        fi
    }
done:
    assert(code != NONE_YET);
    assert(code != WAIT_TIMEOUT || !patient);
    returned[i] = true
}

/* notify_port_close(), or nobody closes */
proctype closer()
{
    byte my_round;

    if
    :: goto done
    :: true
    fi;
    atomic { handle_open = false; closing = true }
    atomic {
        !locked -> state = NOTIFY_CLOSING;
#ifndef MUTATE_SILENT_CLOSE
        rouse(my_round)
#endif
    }
    rouse_on(my_round);
    do
    :: atomic {
           !locked ->
               if
#ifndef MUTATE_CLOSE_AT_ONCE
               :: inside > 0 -> closer_waits = true
#endif
               :: else ->
                   state = NOTIFY_CLOSED;
                   fetch = FETCH_NONE;
                   piece_end = 0;
                   assert(where[0] == RUNNING && where[1] == RUNNING);
                   close_returned = true;
                   break
               fi
       }
       !closer_waits
    od;
done:
    skip
}

/* notify_port_register(), for A and then for B */
proctype registrar()
{
    byte my_round;
#ifdef MUTATE_OLD_FEED
    bit prepared = known;
#else
#define prepared known
#endif

    atomic {
        !locked ->
            if
            :: is_closed -> goto done
            :: else ->
                state = NOTIFY_TIED;
                feed = prepared;
                cursor = published[feed];
                bits = BIT_A;
                rouse(my_round)
            fi
    }
    rouse_on(my_round);
    atomic {
        !locked ->
            if
            :: is_closed -> goto done
            :: else ->
                bits = bits | BIT_B;
                b_from = published[feed];
#ifndef MUTATE_SILENT_REGISTRATION
                rouse(my_round)
#endif
            fi
    }
    rouse_on(my_round);
done:
    skip
}

/* notify_event_watch(): inside without waiting */
proctype event_watch()
{
    atomic {
        !locked && state != NOTIFY_UNTIED ->
            if
            :: is_closed -> goto done
            :: else -> inside++
            fi
    }
    assert(state != NOTIFY_CLOSED);
    atomic { !locked -> leave_locked() }
done:
    skip
}

#define hears(i) (where[i] == IN_FUTEX && sleeps_on[i] == life && (futex_bits[i] & kind[published[life] - 1]))

/* feed_publish(); killed at most once, at any time: the next life knows all that this one did */
proctype service()
{
    do
    :: published[life] < EVENTS ->
        atomic {
            if
            :: kind[published[life]] = BIT_A
            :: kind[published[life]] = BIT_B
            fi;
            published[life]++
        }
        if
#ifdef LIVES
        :: life == 0 -> atomic { published[1] = published[0]; life = 1 }
#endif
        :: sequence[life]++;
#ifndef MUTATE_SILENT_PUBLISH
           atomic {
               if
               :: hears(0) -> where[0] = WOKEN
               :: else
               fi;
               if
               :: hears(1) -> where[1] = WOKEN
               :: else
               fi
           }
#endif
        fi
#ifdef LAPS
    :: oldest < published[life] -> oldest = published[life]
#endif
#ifdef LIVES
    :: life == 0 -> atomic { published[1] = published[0]; life = 1 }
#endif
    :: published[life] == EVENTS -> break
    od
}

/* The session's watch: notify_port_adopt_locked(). */
proctype watch()
{
    byte my_round;

end_up:
    life == 1;
    known = 1;
    atomic {
        !locked ->
            if
            :: state == NOTIFY_TIED && feed == 0 ->
                feed = 1;
                if
                :: fetch != FETCH_HELD -> fetch = FETCH_NONE; request++
                :: else
                fi;
#ifndef MUTATE_SILENT_ADOPTION
                rouse(my_round)
#endif
            :: else
            fi
    }
    rouse_on(my_round)
}

/* The session's reader; a reading fails at most once, with the connection. */
proctype reader()
{
    byte asked, my_round;
    bool fails;

end_idle:
    do
    :: requests?asked ->
        if
        :: true
        :: !has_failed -> atomic { has_failed = true; fails = true }
        fi;
        atomic {
            !locked ->
                if
                :: fetch == FETCH_ASKED && request == asked ->
                    if
                    :: fails -> fetch = FETCH_FAILED
                    :: else -> fetch = FETCH_HELD; piece_end = published[life] /* always ahead */
                    fi;
#ifndef MUTATE_SILENT_ARRIVAL
                    rouse(my_round)
#endif
                :: else
                fi;
                asked = 0;
                fails = false
        }
        rouse_on(my_round)
    od
}

#define is_left(i) ((i) >= cursor && (i) < published[life] && matches(i))

init
{
    atomic {
        sleeps_on[0] = NO_FEED;
        sleeps_on[1] = NO_FEED;
        run waiter(0, true);
#ifdef TWO
        run waiter(1, false);
#else
        returned[1] = true;
#endif
        run closer();
        run registrar();
        run event_watch();
        run service();
#ifdef LIVES
        run watch();
#endif
#ifdef LAPS
        run reader();
#endif
    }
    /* When nothing moves any more: who has not returned has nothing to return for. */
    timeout;
    assert(!locked);
    assert(!closing || (close_returned && returned[0]));
    assert(closing || (!returned[0] && !is_left(0) && !is_left(EVENTS - 1)));
    assert(returned[1])
}
