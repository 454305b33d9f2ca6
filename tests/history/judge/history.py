# SPDX-License-Identifier: MIT
"""Reads the recorded calls and says what stood behind their handles."""

import bisect
import glob
import json
import os

from . import log as logs
from .kinds import (CLUSTER, GROUP, HANDLE_CLOSE, KINDS, LINK, NETWORK, NODE, OBJECT_OF_PREFIX, RECONNECT, REGISTRY,
                    REGISTRY_SUBTREE, RESOURCE, TYPE, V2_HANDLE_CLOSE, V2_LOST, V2_RECONNECT, V2_STATE, V2_SUBTREE,
                    CLUSTER_STATE)

NOWHERE = (1 << 64) - 1  # INVALID_HANDLE_VALUE
FOREVER = float("inf")
TEXT_MOST = 200  # characters that the recorder writes of a text
SEEN_LATE = 32 << 10  # bytes at the log's end that no ring is too small for

OPENS = {"OpenCluster": CLUSTER, "OpenClusterNode": NODE, "OpenClusterGroup": GROUP, "OpenClusterResource": RESOURCE,
         "OpenClusterNetwork": NETWORK, "OpenClusterNetInterface": LINK, "CreateClusterGroup": GROUP,
         "CreateClusterResource": RESOURCE, "GetClusterKey": REGISTRY}
CLUSTER_OF = {"GetClusterFromNode", "GetClusterFromGroup", "GetClusterFromResource", "GetClusterFromNetwork",
              "GetClusterFromNetInterface"}
KEY_OPENS = {"ClusterRegOpenKey", "ClusterRegCreateKey"}
CLOSES = {"CloseCluster", "CloseClusterNode", "CloseClusterGroup", "CloseClusterResource", "CloseClusterNetwork",
          "CloseClusterNetInterface", "ClusterRegCloseKey", "CloseClusterNotifyPort"}
GETS = {"GetClusterNotify", "GetClusterNotifyV2", "ClusportGetNotification"}


def clip(text):
    return text[:TEXT_MOST]


def fold(text):
    """As the API compares names: one code point at a time."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


class Call:
    """a: what it was given; o: what it gave back; result None: it never returned."""
    __slots__ = ("f", "process", "thread", "begin", "end", "result", "a", "o", "file", "line")

    def __str__(self):
        return "%s:%d (%s)" % (os.path.basename(self.file), self.line, self.f)


class Handle:
    def __init__(self, value, kind, name, through, opened):
        self.value, self.kind, self.name, self.through, self.opened = value, kind, name, through, opened
        self.closed = None  # the call
        self.socket = through.socket if through else None

    def ending(self):
        """What ends it: its own close, or its cluster's."""
        calls = [h.closed for h in (self, self.through) if h and h.closed]
        return min(calls, key=lambda c: c.begin) if calls else None


class Registration:
    """kinds: numbers; ids: of the one object that it is for, any of these (None: of all); low and sure: after which
    record it began, and from which on it surely held; close, close_low, close_sure: the same of its end."""

    def __init__(self, port, call, key):
        self.port, self.call, self.key = port, call, key
        self.kinds, self.ids, self.path, self.subtree, self.unsure = set(), None, None, False, False
        self.reconnect = self.lost = self.handle_close = False
        self.owner = self.parent = None
        self.low = self.sure = 0
        self.close, self.close_low, self.close_sure = None, FOREVER, FOREVER
        self.names = None  # that HANDLE_CLOSE may give
        self.closed_away = False  # there may have been no service when its handle was closed

    def matches(self, record):
        if record.number not in self.kinds:
            return False
        if record.kind.object == REGISTRY and self.path is not None:
            name = fold(record.name)
            if not self.subtree or name == self.path:
                return name == self.path
            return self.path == "" or name.startswith(self.path + "\\")
        if self.ids is None:
            return True
        field = "id" if self.port.version != 2 else record.kind.target
        if field is None or (self.port.version == 1 and record.kind.object in (CLUSTER, TYPE, 9)):
            return True
        return fold(getattr(record, field)) in self.ids


class Port:
    def __init__(self, handle, version, call):
        self.handle, self.version, self.call = handle, version, call
        self.registrations, self.gets = [], []
        self.since, self.snapshot, self.log = None, False, None


class History:
    def __init__(self, folder):
        self.folder = folder
        self.calls, self.ports, self.complaints = [], [], []
        self.logs = []
        self.handles = {}  # of a process: value -> Handle
        self.seen_times, self.seen = {}, {}
        for path in sorted(glob.glob(os.path.join(folder, "*.history"))):
            self._read(path)
        self.calls.sort(key=lambda c: c.begin)
        self.last_line = {c.process: c.begin for c in self.calls}
        self._find_logs()
        for c in self.calls:
            self._follow(c)
        self._look_at_clocks()
        for port in self.ports:
            self._place(port)

    def complain(self, promise, where, what):
        self.complaints.append((promise, where, what))

    # ---- reading ----

    def _read(self, path):
        open_calls = {}
        with open(path, encoding="ascii") as lines:
            for number, text in enumerate(lines, 1):
                if not text.endswith("}\n"):
                    continue  # the program was killed in the middle of its last line
                line = json.loads(text)
                key = (line["p"], line["n"])
                if "f" in line:
                    c = Call()
                    c.f, c.process, c.thread, c.begin, c.a = line["f"], (path, line["p"]), line["i"], line["t"], line
                    c.end, c.result, c.o, c.file, c.line = FOREVER, None, {}, path, number
                    open_calls[key] = c
                    self.calls.append(c)
                else:
                    c = open_calls.pop(key)
                    c.end, c.result, c.o = line["t"], line["r"], line

    def _find_logs(self):
        by_state, replaced, data = {}, {}, {}
        for c in self.calls:
            if c.f == "service":
                log = by_state.get(c.a.get("state"))
                if log is None:
                    log = by_state[c.a.get("state")] = logs.Log(c.a.get("state"), c.a.get("socket"))
                    self.logs.append(log)
                log.life_starts.append(c.begin)
                by_state[c.process] = log, len(log.life_starts) - 1
            elif c.f == "journal":
                log = by_state[c.process][0]
                file = c.a["inode"], c.a["born_s"], c.a["born_ns"]
                replaced[c.process] = getattr(log, "file", file) != file
                log.file = file
            elif c.f == "commit":
                self._take_commit(c, by_state, replaced, data)
        for log in self.logs:
            name = os.path.basename(os.path.dirname(log.state or "")) + ".db"
            log.left = os.path.join(self.folder, name)
            log.build()

    def _take_commit(self, c, by_state, replaced, data):
        records = c.file.replace(".history", ".records")
        if records not in data:
            with open(records, "rb") as f:
                data[records] = f.read()
        log, life = by_state[c.process]
        commit = logs.Commit()
        commit.begin, commit.end, commit.result, commit.life = c.begin, c.end, c.result, life
        commit.drop, commit.where, commit.replaced = c.a["drop"], c, False
        try:
            commit.records = logs.split(data[records][c.a["from"]:c.a["to"]])
        except logs.Malformed as e:
            self.complain("durable", c, "it commits what is no record: %s" % e)
            commit.records = []
        if commit.records:
            commit.replaced = replaced.pop(c.process, False)
        log.commits.append(commit)

    # ---- handles ----

    def _table(self, process):
        """A child goes on with what its parent had open; both write to one file."""
        table = self.handles.get(process)
        if table is None:
            parent = next((t for (path, _), t in self.handles.items() if path == process[0]), {})
            table = self.handles[process] = dict(parent)
        return table

    def _open(self, c, value, kind, name, through):
        table = self._table(c.process)
        old = table.get(value)
        if old and kind == CLUSTER and old.kind == CLUSTER and not old.closed and c.f != "OpenCluster":
            return old  # GetClusterFrom... may give the one that there is
        if old:
            self.complain("close", c, "it gives the handle %#x, which was %s before (opened at %s)"
                          % (value, "closed" if old.closed else "open", old.opened))
        h = table[value] = Handle(value, kind, name, through, c)
        return h

    def _follow(self, c):
        if c.result is None:
            if c.f in GETS:
                self._get(c)
            return
        f, table = c.f, self._table(c.process)
        if f in OPENS:
            if c.result:
                through = table.get(c.a.get("through") or c.a.get("group"))
                if f == "CreateClusterResource" and through:
                    through = through.through
                h = self._open(c, c.result, OPENS[f], "" if f == "GetClusterKey" else c.a.get("name", ""), through)
                if f == "OpenCluster":
                    h.socket = c.a.get("socket")
        elif f in CLUSTER_OF:
            if c.result:
                of = table.get(c.a["h"])
                h = self._open(c, c.result, CLUSTER, "", None)
                h.socket = h.socket or (of and of.socket)
        elif f in KEY_OPENS:
            base = table.get(c.a["h"])
            if c.result == 0 and base:
                name = c.a.get("name", "").strip("\\")
                path = base.name + "\\" + name if base.name and name else base.name or name
                self._open(c, c.o["key"], REGISTRY, path, base.through)
        elif f in CLOSES:
            self._close(c, table)
        elif f in GETS:
            self._get(c)
        else:
            self._register(c, table)

    def _close(self, c, table):
        h = table.get(c.a["h"])
        done = c.result == 0 if c.f == "ClusterRegCloseKey" else c.result
        if h and done and not h.closed:
            h.closed = c

    # ---- ports ----

    def _register(self, c, table):
        if c.f in ("CreateClusterNotifyPort", "CreateClusterNotifyPortV2"):
            if not c.result:
                return
            if c.a["port"] == NOWHERE:
                h = self._open(c, c.result, "port", "", None)
                h.port = Port(h, 1 if c.f == "CreateClusterNotifyPort" else 2, c)
                self.ports.append(h.port)
            self._add(c, table, c.result)
        elif c.f == "ClusportCreatePort" and c.result == 0:
            h = self._open(c, c.o["port"], "port", "", None)
            h.port = Port(h, 3, c)
            h.port.since, h.port.snapshot = c.a.get("since"), bool(c.a.get("snapshot"))
            self.ports.append(h.port)
            self._add_own(c, table, h.port)
        elif c.f.startswith("RegisterCluster") and c.result == 0:
            self._add(c, table, c.a["port"])

    def _port_of(self, c, value):
        h = self._table(c.process).get(value)
        return getattr(h, "port", None)

    def _add(self, c, table, port_value):
        port, owner = self._port_of(c, port_value), table.get(c.a["h"])
        if not port or not owner or c.a["h"] == NOWHERE:
            return
        self._check_open(c, port)
        targeted = c.f.startswith("Register")
        if "count" in c.a:
            for i in range(min(c.a["count"], 10)):
                self._add_v2(c, port, owner, targeted, c.a["type%d" % i], c.a["flag%d" % i])
        elif c.f == "RegisterClusterResourceTypeNotifyV2":
            r = self._add_v2(c, port, owner, True, TYPE, c.a["flags"])
            r.ids = {fold(c.a["name"])}
        elif c.a["flags"]:
            self._add_v1(c, port, owner, targeted, c.a["flags"])

    def _new(self, c, port, owner, targeted):
        r = Registration(port, c, c.a.get("key", 0))
        r.owner, r.parent = owner, owner.through
        if targeted:
            r.target = owner
        port.registrations.append(r)
        if port.log is None:
            port.log = self.log_of(owner)
        return r

    def _add_v1(self, c, port, owner, targeted, flags):
        r = self._new(c, port, owner, targeted)
        r.kinds = {n for n, k in enumerate(KINDS) if k and k.v1 & flags}
        r.subtree = bool(flags & REGISTRY_SUBTREE)
        r.path = fold(owner.name) if targeted and owner.kind == REGISTRY else ""
        r.reconnect = r.lost = bool(flags & RECONNECT)
        r.cluster_state = bool(flags & CLUSTER_STATE)
        r.handle_close = bool(flags & HANDLE_CLOSE)

    def _add_v2(self, c, port, owner, targeted, object_type, flags):
        r = self._new(c, port, owner, targeted and object_type != TYPE)
        r.kinds = {n for n, k in enumerate(KINDS) if k and k.v2[0] == object_type and k.v2[1] & flags}
        r.subtree = object_type == REGISTRY and bool(flags & V2_SUBTREE)
        r.path = fold(owner.name) if targeted and owner.kind == REGISTRY else ""
        r.object_type = object_type
        is_cluster = object_type == CLUSTER
        r.reconnect = is_cluster and bool(flags & V2_RECONNECT[1])
        r.cluster_state = is_cluster and bool(flags & V2_STATE[1])
        r.lost = is_cluster and bool(flags & V2_LOST[1])
        r.handle_close = bool(flags & V2_HANDLE_CLOSE.get(object_type, 0))
        return r

    def _add_own(self, c, table, port):
        cluster = table.get(c.a["h"])
        if not cluster:
            return
        for i in range(min(max(c.a["count"], 1), 10)):
            r = self._new(c, port, cluster, False)
            r.owner = r.parent = None
            r.key = c.a.get("key%d" % i, 0)
            r.lost = True
            patterns = c.a.get("kind%d" % i, "*").split(",")
            r.kinds = {n for n, k in enumerate(KINDS) if k and any(
                k.name == p or p.endswith("*") and k.name.startswith(p[:-1]) for p in patterns)}
            target = table.get(c.a.get("obj%d" % i))
            r.subtree = True
            if target:
                r.kinds = {n for n in r.kinds if KINDS[n].object == target.kind}
                if target.kind == REGISTRY:
                    r.path = fold(target.name)
                elif target.kind != CLUSTER:
                    r.target = target

    def _check_open(self, c, port):
        closed = port.handle.closed
        if closed and c.begin > closed.end:
            self.complain("close", c, "it takes the port %#x, which was closed at %s" % (port.handle.value, closed))

    def _get(self, c):
        port = self._port_of(c, c.a["port"])
        if port:
            port.gets.append(c)

    def log_of(self, handle):
        found = [log for log in self.logs if log.socket == handle.socket]
        return found[-1] if found else None

    # ---- when what was seen ----

    def _look_at_clocks(self):
        """For each log: from which time on everybody can see how much of it."""
        marks = {id(log): [] for log in self.logs}
        for port in self.ports:
            if not port.log:
                continue
            for c in port.gets:
                if c.result == 0 and c.o.get("revision"):
                    self._mark(marks, port.log, c, c.o["revision"])
        for c in self.calls:
            if c.f == "ClusportGetRevision" and c.result == 0:
                h = self._table(c.process).get(c.a["h"])
                log = h and self.log_of(h)
                if log:
                    self._mark(marks, log, c, c.o["revision"])
        for log in self.logs:
            times, indexes, most = [], [], -1
            for time, index in sorted(marks[id(log)]):
                if index > most:
                    most = index
                    times.append(time)
                    indexes.append(most)
            self.seen[id(log)] = times, indexes

    def _mark(self, marks, log, c, revision):
        r = log.at_revision(revision, c.end)
        if r is None:
            return
        index = r.index
        while not log.play[index].last and index + 1 < len(log.play):
            index += 1  # a transaction is seen as a whole
        marks[id(log)].append((c.end, index))

    def seen_at(self, log, time):
        """The index of the last record that somebody had seen before that time; -1: none."""
        times, indexes = self.seen[id(log)]
        at = bisect.bisect_left(times, time)
        return indexes[at - 1] if at else -1

    # ---- where registrations begin and end ----

    def _place(self, port):
        for r in port.registrations:
            log = port.log
            if log is None:
                return
            # A process hears of a new life of the service when it does: until then it knows the one before.
            lives = log.lives_before(r.call.end)
            r.low = log.last_of(lives - 2 if lives > 1 else 0, self.seen_at(log, r.call.begin))
            r.sure = log.first_visible_after(r.call.end)
            r.life = log.play[r.sure - 1].life if r.sure > 0 else 0
            if port.since is not None:
                self._place_since(port, r, port.since + 1)
            target = getattr(r, "target", None)
            if target and target.kind not in (CLUSTER, REGISTRY):
                r.ids = self._ids_of(log, target)
                r.unsure = len(r.ids) > 1  # the name went from one object to another while it was opened
            if r.owner:
                self._place_end(log, r)
                r.names = self._names_of(log, r.owner, r.call)
        if port.snapshot:
            initial = [c.o["revision"] for c in port.gets if c.result == 0 and c.o.get("initial")]
            for r in port.registrations if initial else ():
                self._place_since(port, r, initial[0] + 1)

    def _place_since(self, port, r, first):
        log = port.log
        at = log.at_revision(first, r.call.end)
        if at is None or at.visible > r.call.end:
            at = log.at_revision(first - 1, r.call.end)
            r.low = at.index if at else r.sure - 1
        else:
            r.low = at.index - 1
        r.sure = r.low + 1

    def _place_end(self, log, r):
        r.close = min((h.closed for h in (r.owner, r.parent) if h and h.closed), key=lambda c: c.begin, default=None)
        if r.close:
            r.handle_close = r.handle_close and r.close is r.owner.closed
            r.close_low = max(self.seen_at(log, r.close.begin), r.low)
            r.close_sure = log.first_visible_after(r.close.end)
            r.closed_away = log.was_away(r.close.begin, r.close.end)
            if r.closed_away:
                r.close_sure = max(r.close_sure, log.last_of(len(log.life_starts) - 2, len(log.play) - 1) + 1)
        else:
            r.handle_close = False

    def _names_at(self, log, kind, begin, end):
        """(id, folded name) of the objects of that type at any moment between the two times."""
        sure, most = self.seen_at(log, begin), log.first_visible_after(end)
        now, found = {}, set()
        for r in log.play[:most]:
            if r.kind.object != kind or not r.id:
                continue
            if r.index > sure:
                found.update(now.items())
            if r.kind.name.endswith(".deleted"):
                now.pop(r.id, None)
            else:
                now[r.id] = r.name
        found.update(now.items())
        return found

    def _ids_of(self, log, handle):
        c = handle.opened
        wanted = fold(handle.name)
        local = handle.kind == NODE and wanted == ""  # the node of the service, and there is one
        ids = {fold(id) for id, name in self._names_at(log, handle.kind, c.begin, c.end)
               if local or wanted in (fold(clip(name)), fold(id))}
        return ids or {wanted}

    def _names_of(self, log, handle, c):
        if handle.kind in (REGISTRY, CLUSTER):
            return {""} if handle.kind == REGISTRY else None
        ids = self._ids_of(log, handle)
        return {clip(name) for id, name in self._names_at(log, handle.kind, c.begin, c.end) if fold(id) in ids}
