# SPDX-License-Identifier: MIT
"""What a service made durable, and when: the one sequence that all readers are measured by.

It is put together from the commits of all the service's lives and from the journal that it left. Records are decoded
from their bytes (src/change/change.c has the format) by this module alone."""

import os
import sqlite3
import struct

from .kinds import KINDS

HEAD = struct.Struct("<IHBBQQqIIBBBBIIII7I")
HEAD_SIZE = 128
DONE = 101  # SQLITE_DONE
NUMBER, TEXT = 1, 2  # enum value_kind


class Record:
    __slots__ = ("revision", "transaction", "last", "kind", "number", "time", "id", "parent", "node", "name", "type",
                 "old", "new", "pid", "bytes", "index", "visible", "life", "overwritten", "branch", "where")

    def __str__(self):
        return "revision %d (%s %r)" % (self.revision, self.kind.name, self.name)


class Malformed(Exception):
    pass


def decode(data):
    """A record; raises Malformed."""
    if len(data) < HEAD_SIZE:
        raise Malformed("it has only %d bytes" % len(data))
    (size, version, flags, number, revision, transaction, time, _uid, pid, _reason, old_kind, new_kind, _, old_number,
     new_number, old_size, new_size, *lengths) = HEAD.unpack_from(data)
    if size != len(data) or size % 64 or version != 1 or not 0 < number < len(KINDS):
        raise Malformed("size %d of %d, version %d, kind %d" % (size, len(data), version, number))
    r = Record()
    r.revision, r.transaction, r.last, r.time, r.pid = revision, transaction, bool(flags & 1), time, pid
    r.kind, r.number, r.bytes = KINDS[number], number, data
    at, texts = HEAD_SIZE, []
    for length in lengths:
        texts.append(data[at:at + length].decode("utf-8", "surrogatepass"))
        at += length + 1
    r.id, r.parent, r.node, r.name, r.type = texts[:5]
    r.old = (old_kind, old_number, data[at:at + old_size])
    r.new = (new_kind, new_number, data[at + old_size:at + old_size + new_size])
    r.overwritten, r.branch, r.index, r.life, r.visible = False, 0, -1, -1, 0
    return r


def split(data):
    """The records that lie one after the other in data."""
    at, records = 0, []
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        if size < HEAD_SIZE or at + size > len(data):
            raise Malformed("a record of %d bytes where %d are left" % (size, len(data) - at))
        records.append(decode(data[at:at + size]))
        at += size
    return records


class Commit:
    """result None: it never returned."""
    __slots__ = ("begin", "end", "result", "records", "drop", "life", "where", "replaced")


class Log:
    """play: all records in the order in which readers could see them. Where an older journal was put in the place of
    the present one, what followed plays after what it overwrites, in another branch."""

    def __init__(self, state, socket):
        self.state, self.socket = state, socket
        self.commits, self.play, self.branches = [], [], []
        self.life_starts, self.complaints = [], []
        self.left = None  # the journal's file
        self.drops = []  # (when it could first be noticed, the first revision kept)
        self.by_revision = {}

    def complain(self, promise, where, what):
        self.complaints.append((promise, where, what))

    def build(self):
        self.commits.sort(key=lambda c: c.begin)
        uncertain = None
        for c in self.commits:
            if c.drop:
                self.drops.append((c.begin, c.drop))
            if not c.records:
                continue
            self._check_commit(c)
            first = c.records[0].revision
            if uncertain:
                if first == uncertain.records[-1].revision + 1:
                    self._append(uncertain, uncertain.begin)
                uncertain = None
            if self.play:
                self._join(c, first)
            if c.result == DONE:
                self._append(c, c.end)
            else:
                uncertain = c
        if self.left and os.path.exists(self.left):
            self._compare_with_journal(uncertain)

    def _join(self, c, first):
        expected = self.play[-1].revision + 1
        if first == expected:
            return
        if c.replaced:
            self.branches.append(first)
            for r in self.play:
                if r.revision >= first:
                    r.overwritten = True
        elif first < expected:
            self.complain("durable", c.where, "revision %d was committed (%s), and is given to another change by a "
                          "later commit" % (first, self.by_revision[first][-1].where))
            self.branches.append(first)
        else:
            self.complain("ordered", c.where, "revisions %d to %d are given to no change" % (expected, first - 1))

    def _check_commit(self, c):
        transaction, expected = None, c.records[0].revision
        for r in c.records:
            if r.revision != expected:
                self.complain("ordered", c.where, "%s follows revision %d" % (r, expected - 1))
                expected = r.revision
            if transaction is None:
                transaction = r.revision
            if r.transaction != transaction:
                self.complain("atomic", c.where, "%s says that its transaction began at %d, but it is %d that is open"
                              % (r, r.transaction, transaction))
            if r.last:
                transaction = None
            expected += 1
        if transaction is not None:
            self.complain("atomic", c.where, "the transaction of revision %d is not committed as a whole" % transaction)

    def _append(self, c, visible):
        for r in c.records:
            r.index, r.visible, r.life, r.where = len(self.play), visible, c.life, c.where
            r.branch = len(self.branches)
            self.play.append(r)
            self.by_revision.setdefault(r.revision, []).append(r)

    def _compare_with_journal(self, uncertain):
        db = sqlite3.connect("file:%s?mode=ro" % self.left, uri=True)
        try:
            found = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
            rows = db.execute("SELECT revision, record FROM change ORDER BY revision").fetchall()
            objects = db.execute("SELECT count(*) FROM object").fetchone()[0]
        except sqlite3.DatabaseError as e:
            self.complain("durable", self.left, "the journal cannot be read: %s" % e)
            return
        finally:
            db.close()
        if found != "ok":
            self.complain("durable", self.left, "the journal is damaged: %s" % found)
        if self.play and not objects:
            self.complain("durable", self.left, "the journal has changes and no objects")
        self._compare_rows(rows, uncertain)

    def _compare_rows(self, rows, uncertain):
        here = {revision: bytes(record) for revision, record in rows}
        kept_from = max((d for _, d in self.drops), default=0)
        for r in self.play:
            if r.overwritten or r.revision < kept_from:
                continue
            if here.get(r.revision) != r.bytes:
                what = "is not in the journal any more" if r.revision not in here else "is another one in the journal"
                self.complain("durable", r.where, "%s was committed and %s" % (r, what))
                return
        last = self.play[-1].revision if self.play else 0
        known = {r.revision for r in uncertain.records} if uncertain else set()
        for revision in here:
            if self.commits and revision > last and revision not in known:
                self.complain("durable", self.left, "the journal holds revision %d, which nobody committed" % revision)
                return

    def limit(self, time):
        """The first revision that is surely still kept at that time: what is older may be gone."""
        return max((first for begin, first in self.drops if begin <= time), default=0)

    def was_limit(self, revision, time):
        return any(first == revision and begin <= time for begin, first in self.drops)

    def lives_before(self, time):
        return sum(1 for start in self.life_starts if start < time)

    def was_away(self, begin, end):
        """The service may have been away at some moment between the two times: after the last commit of one life of
        it, and before the first of the next."""
        for life, start in enumerate(self.life_starts[1:], 1):
            quiet = max((c.begin for c in self.commits if c.life < life), default=0)
            back = min((c.end for c in self.commits if c.life >= life), default=float("inf"))
            if begin < max(start, back) and end > min(start, quiet):
                return True
        return False

    def last_of(self, life, index):
        """The last record of that life or an earlier one, but not after index."""
        while index >= 0 and self.play[index].life > life:
            index -= 1
        return index

    def at_revision(self, revision, time):
        """The record that had this revision for a reader at that time; None: there was none."""
        found = None
        for r in self.by_revision.get(revision, ()):
            if found is None or r.visible <= time:
                found = r
        return found

    def first_visible_after(self, time):
        """The index of the first record that nobody can have seen before that time."""
        low, high = 0, len(self.play)
        while low < high:
            middle = (low + high) // 2
            if self.play[middle].visible > time:
                high = middle
            else:
                low = middle + 1
        return low
