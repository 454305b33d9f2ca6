# SPDX-License-Identifier: MIT
"""The promises, each with its validator. Those of delivery have one way of looking in common (delivery.py): where a
port stops fitting, it says which of them is broken."""

from .delivery import GONE, KEPT, NOTHING, TAKEN, Delivery
from .history import FOREVER, clip, fold
from .kinds import REGISTRY

TEXT_TYPES = (1, 2, 7)  # REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ
MUST_HAVE_RETURNED = 20e9  # ns that a program lives on after a close

PROMISES = {
    "ordered": "there is one order of events, and every reader is told in it",
    "unique": "nothing is told twice",
    "complete": "what matches is told, or reported lost with its exact extent",
    "atomic": "a transaction is seen as a whole or not at all",
    "resumable": "after a restart, and from a revision, a port goes on where it was",
    "durable": "nothing is told or acknowledged before it is on disk, and it stays there",
    "close": "a close is a point in time, and a closed handle stays closed",
    "buffers": "a buffer that is too small keeps the event",
}


def judge(history):
    """(promise, where, what): the first that is wrong of the histories themselves, of each log, of each port. What
    follows from it is not told."""
    found = list(history.complaints)
    for log in history.logs:
        found += log.complaints[:1]
    for port in history.ports:
        if port.log and port.registrations and not port.log.complaints:
            found += judge_port(history, port)[:1]
    return found + keeps_what_it_acknowledged(history)


def judge_port(history, port):
    found = closes(history, port) + says_what_is_kept(port) + tells_nothing_too_early(port)
    if not found:
        deviation = Delivery(history, port).judge()
        if deviation:
            found.append((deviation.promise, deviation.call, "port %#x: %s" % (port.handle.value, deviation.what)))
    return found


def closes(history, port):
    close, found = port.handle.closed, []
    if not close:
        return found
    last_line = history.last_line[close.process]
    for c in port.gets:
        if c.begin > close.end:
            if c.result not in (GONE, None):
                found.append(("close", c, "it returns %d from the port that was closed at %s" % (c.result, close)))
        elif c.result is None and last_line > close.end + MUST_HAVE_RETURNED:
            found.append(("close", c, "it has not returned, though the port was closed at %s" % close))
        elif c.result in (TAKEN, KEPT) and c.o.get("revision"):
            record = port.log.at_revision(c.o["revision"], c.end)
            if record and record.visible > close.end:
                found.append(("close", c, "%s is from after the close at %s" % (record, close)))
    return found


def says_what_is_kept(port):
    """What a notification says of a revision is what the journal holds."""
    for c in port.gets:
        o = c.o
        if c.result != TAKEN or not o.get("revision") or o.get("initial"):
            continue
        record = port.log.at_revision(o["revision"], c.end)
        if record is None:
            continue  # delivery.py finds it
        if (o["transaction"], bool(o["last"])) != (record.transaction, record.last):
            return [("atomic", c, "it gives transaction %d%s; %s is of %d%s" % (
                o["transaction"], " (last)" if o["last"] else "", record, record.transaction,
                " (last)" if record.last else ""))]
        for said in ("id", "parent", "node", "name", "type"):
            if o.get(said, "") != clip(getattr(record, said)):
                return [("durable", c, "it gives %r as the %s of %s, which has %r in the journal" % (
                    o.get(said), said, record, getattr(record, said)))]
        if (o["kind"], o["time"]) != (record.kind.name, record.time):
            return [("durable", c, "it gives kind %s and time %d for %s" % (o["kind"], o["time"], record))]
    return []


def tells_nothing_too_early(port):
    for c in port.gets:
        if c.result == TAKEN and c.o.get("revision"):
            record = port.log.at_revision(c.o["revision"], c.end)
            if record and record.visible > c.end:
                return [("durable", c, "%s is told before its commit (%s) is done" % (record, record.where))]
    return []


# ---- what was acknowledged ----

def keeps_what_it_acknowledged(history):
    found = []
    indexes = {id(log): Acknowledged(log) for log in history.logs}
    for c in history.calls:
        ask = ACKNOWLEDGES.get(c.f)
        if not ask or c.result is None:
            continue
        table = history._table(c.process)
        handle = table.get(c.a.get("through") or c.a.get("group") or c.a.get("h"))
        log = handle and history.log_of(handle)
        if log and not log.branches and not log.complaints:
            what = ask(indexes[id(log)], c, handle)
            if what:
                found.append(("durable", c, what))
    return found


class Acknowledged:
    def __init__(self, log):
        self.log = log
        self.values, self.named = {}, {}
        for r in log.play:
            if r.kind.name == "registry.value":
                self.values.setdefault((fold(clip(r.name)), fold(clip(r.parent))), []).append(r)
            elif r.kind.name in ("group.added", "resource.added"):
                self.named.setdefault((r.kind.name, fold(clip(r.name))), []).append(r)

    @staticmethod
    def _until(records, i):
        return records[i + 1].visible if i + 1 < len(records) else FOREVER

    def created(self, kind, c):
        if not c.result:
            return None
        records = self.named.get((kind, fold(c.a.get("name", ""))), [])
        if any(c.begin < r.visible < c.end for r in records):
            return None
        return "%r was acknowledged, and no commit before that has it" % c.a.get("name")

    def value(self, c, handle):
        if c.result != 0 or "data" not in c.a or handle.kind != REGISTRY:
            return None
        records = self.values.get((fold(clip(handle.name)), fold(c.a.get("name", ""))), [])
        wire = wire_value(c.a["type"], bytes.fromhex(c.a["data"]), c.a.get("wide", 4))
        for i, r in enumerate(records):  # a value that is set to what it is makes no change
            if r.visible < c.end and self._until(records, i) > c.begin and r.new[1] == c.a["type"]:
                if wire is None or r.new[2].rstrip(b"\0") == wire.rstrip(b"\0"):
                    return None
        return "the value %r of %r was acknowledged, and no commit before that has it" % (c.a.get("name"), handle.name)


def wire_value(kind, data, wide):
    """As the service keeps it: texts in UTF-16; None: it is no text, and what is kept of it is not judged."""
    if kind not in TEXT_TYPES:
        return data
    try:
        text = data.decode("utf-16-le" if wide == 2 else "utf-32-le")
    except UnicodeDecodeError:
        return None
    return text.encode("utf-16-le")


ACKNOWLEDGES = {
    "CreateClusterGroup": lambda a, c, handle: a.created("group.added", c),
    "CreateClusterResource": lambda a, c, handle: a.created("resource.added", c),
    "ClusterRegSetValue": lambda a, c, handle: a.value(c, handle),
}
