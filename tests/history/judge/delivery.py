# SPDX-License-Identifier: MIT
"""What a port told, laid beside what a plain filter over the log says that it had to tell.

Expected is a list of entries, one for each record and each registration that it matches, in the order of the log.
What is not known exactly (at which record a registration began or ended, which of several threads was first, where in
the log a closed handle falls) is left open: all the ways that fit are followed at once, and the port is in the wrong
when none is left."""

from .history import FOREVER, SEEN_LATE, clip
from .kinds import CLUSTER_STATE, HANDLE_CLOSE, RECONNECT, V2_HANDLE_CLOSE, V2_LOST, V2_RECONNECT, V2_STATE
from .log import NUMBER

TAKEN, KEPT, NOTHING, GONE = 0, 234, 258, 6  # what a call on a port returns
FEED_ENTRANCE = 64  # a reader enters a feed at revisions that are divisible by it
WAYS_MOST = 500
LOOK_AHEAD = 20000


class Entry:
    __slots__ = ("record", "registration", "bit", "maybe_begun", "maybe_ended")


class Way:
    """One way that fits so far. at: entries before it are done with; begun, ended: registrations (bits) that have
    been told something where that was open, or are told nothing more; closes: whose HANDLE_CLOSE came; owes: a loss
    that is still to be told; kept: a call showed the entry `at` and left it; free: calls that never returned and took
    an entry each; told_loss: the present loss and how often it was told; taken: calls beyond the first unused one;
    last: the last record that was told or is in a loss; reached: the last that was told or is a loss's first."""
    __slots__ = ("at", "begun", "ended", "closes", "owes", "excused", "kept", "free", "told_loss", "next_call",
                 "taken", "joined", "last", "reached")

    def __init__(self):
        self.at = self.begun = self.ended = self.closes = self.excused = self.free = self.next_call = 0
        self.owes = self.kept = False
        self.told_loss, self.taken, self.joined, self.last = None, frozenset(), 0, -1
        self.reached = -1

    def copy(self):
        w = Way.__new__(Way)
        for name in Way.__slots__:
            setattr(w, name, getattr(self, name))
        return w

    def key(self):
        return tuple(getattr(self, name) for name in Way.__slots__)


class Deviation:
    """Where a port stopped fitting: the promise, the call, and what is wrong."""

    def __init__(self, promise, call, what):
        self.promise, self.call, self.what = promise, call, what


class Delivery:
    def __init__(self, history, port):
        self.history, self.port, self.log = history, port, port.log
        self.entries, self.next_record = [], 0
        self.registrations = port.registrations
        self.kinds = set().union(*(r.kinds for r in port.registrations))
        self.unfinished = [c for c in port.gets if c.result is None]
        close = port.handle.closed
        self.closed_at = close.end if close else FOREVER
        self.calls = sorted((c for c in port.gets if c.result in (TAKEN, KEPT, NOTHING)
                             and not (c.result == TAKEN and c.o.get("initial"))), key=lambda c: c.begin)
        self.asks_for_loss = any(r.lost for r in port.registrations)
        self.closing = [i for i, r in enumerate(port.registrations) if r.handle_close]

    # ---- what is expected ----

    def _grow(self):
        """Appends the entries of one more record that has any; False: there is none."""
        play = self.log.play
        while self.next_record < len(play):
            record = play[self.next_record]
            self.next_record += 1
            if record.number not in self.kinds:
                continue
            before = len(self.entries)
            for i, r in enumerate(self.registrations):
                if r.low < record.index < r.close_sure and r.matches(record):
                    e = Entry()
                    e.record, e.registration, e.bit = record, r, 1 << i
                    e.maybe_begun = record.index < r.sure
                    e.maybe_ended = record.index > r.close_low
                    self.entries.append(e)
            if len(self.entries) > before:
                return True
        return False

    def entry(self, at):
        while at >= len(self.entries):
            if not self._grow():
                return None
        return self.entries[at]

    # ---- going from entry to entry ----

    def _pass_over(self, w, e, time):
        """Passes over e without its being told, if that may be. Changes w."""
        if w.kept:
            return False
        if e.record.overwritten or w.ended & e.bit or e.registration.unsure:
            return True
        if e.record.branch > w.joined:
            return True
        if e.maybe_begun and not w.begun & e.bit:
            return True
        lost = self.port.version != 3 and e.record.revision < self.log.limit(time)
        if e.record.revision < w.excused or e.maybe_ended and lost:
            return True
        if e.maybe_ended:
            w.ended |= e.bit
        elif lost:
            w.owes = True
        return e.maybe_ended or lost

    def _may_tell(self, w, e, call):
        if w.ended & e.bit or e.record.visible > call.end or w.owes and self.asks_for_loss:
            return False
        return not any(e.record.index >= self.registrations[i].close_sure and not w.closes >> i & 1
                       for i in self.closing)

    def _tell(self, w, e, at, call):
        w.last = w.reached = e.record.index
        w.owes, w.excused = False, 0
        if e.maybe_begun:
            w.begun |= e.bit
        w.joined = max(w.joined, e.record.branch)
        w.kept = call.result == KEPT
        w.at = at if w.kept else at + 1

    def _ways_to_tell(self, w, call, fits):
        """All ways in which this call can have been told an entry from w.at on."""
        ways, at = [], w.at
        w = w.copy()
        while True:
            e = self.entry(at)
            if e is None:
                return ways
            if fits(e) and self._may_tell(w, e, call):
                told = w.copy()
                self._tell(told, e, at, call)
                ways.append(told)
            if not self._pass_over(w, e, call.end):
                return ways
            at += 1

    def _skip_to(self, w, index, time):
        """Passes over all entries of records up to index. Changes w; the entry that stops it, or None."""
        while True:
            e = self.entry(w.at)
            if e is None or e.record.index > index:
                return None
            if not self._pass_over(w, e, time):
                return e
            w.at += 1

    # ---- what the port says itself ----

    def _special(self, call):
        """What kind of event of the port's own, or None."""
        o = call.o
        if "kind" in o and o["kind"].startswith("port."):
            return o["kind"][5:]
        if "otype" in o:
            flag = (o["otype"], o["oflag"])
            if flag in (V2_RECONNECT, V2_STATE, V2_LOST):
                return {V2_RECONNECT: "reconnect", V2_STATE: "cluster-lost", V2_LOST: "lost"}[flag]
            return "handle-close" if V2_HANDLE_CLOSE.get(flag[0]) == flag[1] else None
        return {RECONNECT: "reconnect", CLUSTER_STATE: "cluster-lost", HANDLE_CLOSE: "handle-close"}.get(o.get("flag"))

    def _tell_special(self, w, call, special):
        if special == "handle-close":
            return self._tell_close(w, call)
        if special == "lost" and "lost_first" in call.o:
            return self._tell_loss(w, call)
        asks = [r for r in self.registrations if r.key == call.o["key"] and (
            r.reconnect if special == "reconnect" else r.lost if special == "lost" else r.cluster_state)]
        if w.kept or not asks:
            return []
        w = w.copy()
        if call.result == TAKEN and (special == "lost" or special == "reconnect" and self.port.version == 1):
            w.excused = self.log.limit(call.end)  # how much it speaks of is seen by what comes next
        if call.result == TAKEN and special in ("reconnect", "lost"):
            w.owes = False
        return [w]

    def _tell_close(self, w, call):
        ways = []
        for i in self.closing:
            r = self.registrations[i]
            if w.closes >> i & 1 or r.close.begin > call.end or r.key != call.o["key"]:
                continue
            if r.names is not None and "name" in call.o and call.o["name"] not in r.names:
                continue
            if "otype" in call.o and call.o["otype"] != getattr(r, "object_type", call.o["otype"]):
                continue
            told = w.copy()
            if self._skip_to(told, r.close_low, call.end) is None and told.reached < r.close_sure:
                if call.result == TAKEN:
                    told.closes |= 1 << i
                    told.ended |= 1 << i
                ways.append(told)
                break  # those of one handle come in the order of their registrations
        return ways

    def _tell_loss(self, w, call):
        first, last, count = (call.o[k] for k in ("lost_first", "lost_last", "lost_count"))
        w = w.copy()
        if w.told_loss and w.told_loss[:2] == (first, last):
            w.told_loss = (first, last, w.told_loss[2] + 1)
            return [w] if w.told_loss[2] <= len(self.registrations) else []
        if w.kept or count != last - first + 1 or not self.log.was_limit(last + 1, call.end):
            return []
        if w.last >= 0 and self.log.play[w.last].revision >= first:
            return []
        while True:
            e = self.entry(w.at)
            if e is None or e.record.revision > last:
                break
            if e.record.revision < first and not self._pass_over(w, e, call.end):
                return []
            w.at += 1
        w.told_loss = (first, last, 1)
        w.reached = max(w.reached, self._index_of(first, call))
        w.last = max(w.last, self._index_of(last, call))
        return [w]

    def _index_of(self, revision, call):
        record = self.log.at_revision(revision, call.end)
        return record.index if record else -1

    # ---- matching ----

    def _fits(self, call):
        o = call.o
        key = o["key"]
        if "revision" in o:
            revision = o["revision"]
            return lambda e: e.record.revision == revision and e.registration.key == key
        if "otype" in o:
            return lambda e: e.registration.key == key and self._fits_v2(o, e.record)
        if "flag" in o:
            flag, name = o["flag"], o.get("name")
            return lambda e: (e.record.kind.v1 == flag and e.registration.key == key and
                              (name is None or clip(e.record.name) == name))
        return lambda e: e.registration.key == key

    @staticmethod
    def _fits_v2(o, record):
        if record.kind.v2 != (o["otype"], o["oflag"]):
            return False
        for given, field in zip(("id", "parent", "name", "type"), record.kind.fields):
            if given in o and o[given] != (clip(getattr(record, field)) if field else ""):
                return False
        if "buffer" in o and record.new[0] == NUMBER and record.kind.name.endswith(".state"):
            return o["buffer"] == record.new[1].to_bytes(4, "little").hex()
        return True

    def _bound(self, call):
        """Up to this record all had to be told before a call could say that there is nothing: somebody had seen it
        before the call began, and no ring is so small that it is not there any more."""
        seen = self.history.seen_at(self.log, call.begin)
        size = 0
        for index in range(len(self.log.play) - 1, seen, -1):
            if self.log.play[index].visible > call.end:
                continue
            size += len(self.log.play[index].bytes)
            if size > SEEN_LATE:
                return seen, seen
        first = seen
        while first >= 0 and size + len(self.log.play[first].bytes) <= SEEN_LATE:
            size += len(self.log.play[first].bytes)
            first -= 1
        return first, seen

    def _has_present_feed(self, call):
        """A port hears of another service when it does, and may have read some of that one's journal before; until
        then it has nothing more. A registration brings it up to date."""
        lives = self.log.lives_before(call.end)
        return lives <= 1 or any(r.call.begin > self.log.life_starts[lives - 1] and r.call.end <= call.begin
                                 for r in self.registrations)

    def _may_have_to_read(self, w, call, first):
        """Whether the port may be at what no feed holds, of whatever kind it is, and so have nothing while that is
        read from the journal. A feed holds what was made in its service's life, and a reader can enter it at some
        revisions only."""
        play, at = self.log.play, max(w.last, min(r.low for r in self.registrations))
        lives = self.log.lives_before(call.end)
        if lives > 1 and (at < 0 or play[at].life < lives - 1):
            return True
        begins = self.log.last_of(lives - 2, at) + 1 if lives > 1 else 0
        past = (play[at].revision + 1) % FEED_ENTRANCE if at >= 0 else 0
        return max(begins, at + 1 - past) <= first

    def _close_is_due(self, w, i, call):
        """Where a handle was closed with no service there, that is told when there is one again."""
        r = self.registrations[i]
        return not w.closes >> i & 1 and not r.closed_away and r.close.end < call.begin

    def _tell_nothing(self, w, call):
        first, seen = self._bound(call)
        if w.kept:
            return []
        if not self._may_have_to_read(w, call, first):
            if any(self._close_is_due(w, i, call) for i in self.closing):
                return []
            if self._has_present_feed(call) and self._skip_to(w.copy(), seen, call.end):
                return []
        return [w.copy()]

    def _follow(self, w, call):
        if call.result == NOTHING:
            return self._tell_nothing(w, call)
        special = self._special(call)
        if special:
            return self._tell_special(w, call, special)
        return self._ways_to_tell(w, call, self._fits(call))

    # ---- the calls, in whatever order they can have been ----

    def _candidates(self, w):
        """Calls that can have been the next one: no other unused one had returned before they began."""
        found, earliest = [], FOREVER
        at = w.next_call
        while at < len(self.calls) and self.calls[at].begin <= earliest:
            if at not in w.taken:
                found.append(at)
                earliest = min(earliest, self.calls[at].end)
            at += 1
        found.sort(key=lambda i: self.calls[i].end)
        return [i for i in found if self.calls[i].begin <= earliest]

    def _use(self, w, i):
        if i != w.next_call:
            w.taken = w.taken | {i}
            return
        w.next_call += 1
        while w.next_call in w.taken:
            w.taken = w.taken - {w.next_call}
            w.next_call += 1

    def _steps(self, w):
        """The ways that go on from w by one call; of calls that say the same, the one that ended first."""
        ways, said = [], set()
        for i in self._candidates(w):
            call = self.calls[i]
            same = (call.result,) + tuple(v for k, v in call.o.items() if k not in ("t", "n", "p"))
            if same in said:
                continue
            said.add(same)
            for told in self._follow(w, call):
                self._use(told, i)
                ways.append(told)
        return ways

    def _steps_freely(self, w):
        """As if one of the calls that never returned had taken the next entry with it."""
        e = self.entry(w.at)
        if e is None or w.kept or w.free >= len(self.unfinished):
            return []
        freed = w.copy()
        freed.free += 1
        freed.at += 1
        return self._steps(freed) or self._steps_freely(freed)

    def judge(self):
        """None, or the first deviation."""
        ways = [Way()]
        for _ in self.calls:
            found = {}
            for w in ways:
                for told in self._steps(w):
                    found[told.key()] = told
            if not found:
                for w in ways:
                    for told in self._steps_freely(w):
                        found[told.key()] = told
            if not found:
                return self._explain(ways[0])
            ways = list(found.values())
            if len(ways) > WAYS_MOST:
                return None  # too many fit to find fault
        return None

    # ---- which promise it is ----

    def _explain(self, w):
        call = self.calls[self._candidates(w)[0]]
        special = call.result != NOTHING and self._special(call)
        due = self.entry(w.at)
        if w.kept and due:
            return Deviation("buffers", call, "%s was shown to a buffer that was too small, and now comes %s"
                             % (due.record, self._said(call)))
        if call.result == NOTHING:
            return self._explain_nothing(w, call)
        if special == "handle-close":
            return self._explain_close(w, call)
        if special == "lost" and "lost_first" in call.o:
            return self._explain_loss(w, call, due)
        if special:
            return Deviation("complete", call, "%s, which no registration with that key asked for" % self._said(call))
        return self._explain_event(w, call, due)

    def _said(self, call):
        if call.result == NOTHING:
            return "nothing"
        o = call.o
        what = o.get("kind") or ("flag %#x" % o["flag"] if "flag" in o else "type %s flag %s" % (o.get("otype"),
                                                                                             o.get("oflag")))
        if o.get("lost_first"):
            return "a loss of %d to %d (%d)" % (o["lost_first"], o["lost_last"], o["lost_count"])
        return "%s %r key %d%s" % (what, o.get("name"), o["key"],
                                   ", revision %d" % o["revision"] if o.get("revision") else "")

    def _life_of(self, index):
        return self.log.play[index].life if index >= 0 else None

    def _promise_of_gap(self, w, missing):
        """Which promise an entry that is left out breaks."""
        if w.last < 0 and (self.port.since is not None or self.port.snapshot):
            return "resumable"
        if w.last >= 0:
            told = self.log.play[w.last]
            if told.life != missing.record.life:
                return "resumable"
            if told.transaction == missing.record.transaction and told.branch == missing.record.branch:
                return "atomic"
        return "complete"

    def _explain_nothing(self, w, call):
        first, seen = self._bound(call)
        probe = w.copy()
        missing = self._skip_to(probe, seen, call.end)
        if missing is None:
            r = next(self.registrations[i] for i in self.closing if self._close_is_due(w, i, call))
            return Deviation("complete", call, "there is nothing, but the HANDLE_CLOSE of %s has not come" % r.close)
        return Deviation(self._promise_of_gap(w, missing), call,
                         "there is nothing, but %s has not come" % missing.record)

    def _explain_close(self, w, call):
        those = [i for i in self.closing if self.registrations[i].key == call.o["key"]]
        if not those:
            return Deviation("complete", call, "%s, which no registration with that key has to get" % self._said(call))
        if all(w.closes >> i & 1 for i in those):
            return Deviation("unique", call, "%s came before" % self._said(call))
        r = next(self.registrations[i] for i in those if not w.closes >> i & 1)
        if r.names is not None and call.o.get("name") not in r.names:
            return Deviation("complete", call, "%s: the object's name was %r" % (self._said(call), sorted(r.names)))
        missing = self._skip_to(w.copy(), r.close_low, call.end)
        if missing:
            return Deviation("ordered", call, "%s comes before %s, which was there before the close"
                             % (self._said(call), missing.record))
        return Deviation("ordered", call, "%s comes after what was made later" % self._said(call))

    def _explain_loss(self, w, call, due):
        o = call.o
        if o["lost_count"] != o["lost_last"] - o["lost_first"] + 1:
            return Deviation("complete", call, "%s: its count is not its extent" % self._said(call))
        if w.last >= 0 and self.log.play[w.last].revision >= o["lost_first"]:
            return Deviation("unique", call, "%s: revision %d was told (or told to be lost) before"
                             % (self._said(call), self.log.play[w.last].revision))
        if not self.log.was_limit(o["lost_last"] + 1, call.end):
            return Deviation("complete", call, "%s: the journal never began with revision %d"
                             % (self._said(call), o["lost_last"] + 1))
        return Deviation(self._promise_of_gap(w, due) if due else "complete", call,
                         "%s, and %s came not" % (self._said(call), due and due.record))

    def _explain_event(self, w, call, due):
        fits, missing, later = self._fits(call), None, None
        probe = w.copy()
        for at in range(w.at, w.at + LOOK_AHEAD):
            e = self.entry(at)
            if e is None:
                break
            if fits(e):
                later = e
                break
            if missing is None and not self._pass_over(probe, e, call.end):
                missing = e
        if later is None:
            return self._explain_unexpected(w, call, fits)
        if later.record.visible > call.end:
            return Deviation("durable", call, "%s is told before its commit (%s) is done"
                             % (later.record, later.record.where))
        if missing is None:
            return self._explain_forbidden(w, call, later)
        if self._comes_later(w, call, missing):
            return Deviation("ordered", call, "%s is told before %s" % (later.record, missing.record))
        return Deviation(self._promise_of_gap(w, missing), call, "%s is told, but %s has not come"
                         % (later.record, missing.record))

    def _comes_later(self, w, call, missing):
        rest = [c for c in self.calls[w.next_call:w.next_call + 1000]
                if c is not call and c.result == TAKEN and not self._special(c)]
        for c in rest:
            if self._fits(c)(missing):
                return c is rest[0] or "revision" in c.o or not self._explained_otherwise(w, c, missing)
        return False

    def _explained_otherwise(self, w, c, missing):
        """A later entry says the same, so the call need not be the missing one."""
        fits = self._fits(c)
        return any(e is not missing and fits(e) for e in self.entries[w.at:w.at + 2000])

    def _explain_forbidden(self, w, call, later):
        if w.owes and self.asks_for_loss:
            return Deviation("complete", call, "%s is told, and the loss before it is not" % later.record)
        for i in self.closing:
            r = self.registrations[i]
            if later.record.index >= r.close_sure and not w.closes >> i & 1:
                return Deviation("ordered", call, "%s is told before the HANDLE_CLOSE of %s" % (later.record, r.close))
        return Deviation("complete", call, "%s is told to a registration that has ended" % later.record)

    def _explain_unexpected(self, w, call, fits):
        o = call.o
        if any(fits(e) for e in self.entries[max(0, w.at - 2000):w.at]):
            told = next(e for e in reversed(self.entries[max(0, w.at - 2000):w.at]) if fits(e))
            if self._was_told(w, call, told):
                return Deviation("unique", call, "%s was told before" % told.record)
            return Deviation("ordered", call, "%s is told after what came later" % told.record)
        if "revision" in o:
            record = self.log.at_revision(o["revision"], call.end)
            if record is None:
                return Deviation("durable", call, "%s: no such revision was committed" % self._said(call))
            return self._explain_out_of_range(call, record)
        if not any(self._is_like(o, r) for r in self.log.play):
            return Deviation("durable", call, "%s: nothing like it was committed" % self._said(call))
        return Deviation("complete", call, "%s: nothing that is left to tell is like it" % self._said(call))

    def _explain_out_of_range(self, call, record):
        mine = [r for r in self.registrations if r.key == call.o["key"] and r.matches(record)]
        if not mine:
            return Deviation("complete", call, "%s matches no registration with that key" % record)
        if record.index <= min(r.low for r in mine):
            promise = "resumable" if self.port.since is not None or self.port.snapshot else "complete"
            return Deviation(promise, call, "%s is from before the registration" % record)
        return Deviation("complete", call, "%s is from after the registration's end" % record)

    def _is_like(self, o, record):
        if "otype" in o:
            return self._fits_v2(o, record)
        return record.kind.v1 == o.get("flag") and o.get("name", clip(record.name)) == clip(record.name)

    def _was_told(self, w, call, entry):
        """Rather told twice than told late: a call before this one said the same, and the log has it once."""
        like = 0
        fits = self._fits(call)
        for c in self.calls[max(0, w.next_call - 3000):w.next_call]:
            if c.result == TAKEN and not self._special(c) and self._fits(c)(entry):
                like += 1
        return like >= sum(1 for e in self.entries[max(0, w.at - 3000):w.at] if fits(e))
