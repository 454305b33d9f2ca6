#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The judge itself on trial: it must find nothing wrong in a history as it was recorded, and object to each kind of
falsified one in the name of the right promise. test_judge.py RECORDER SAMPLE"""

import glob
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from judge.history import History  # noqa: E402
from judge.promises import PROMISES, judge  # noqa: E402

LAST = 1  # the flag of a record


class Falsified:
    """A copy of a recorded history, with handles to what can be falsified."""

    def __init__(self, folder):
        self.folder = tempfile.mkdtemp(prefix="clusport-falsified-")
        shutil.copytree(folder, self.folder, dirs_exist_ok=True)
        self.path = next(p for p in glob.glob(self.folder + "/*.history") if "/test_sample" in p)
        with open(self.path, encoding="ascii") as f:
            self.lines = [json.loads(line) for line in f]
        self.sort_ports()

    def sort_ports(self):
        makers = ("CreateClusterNotifyPort", "CreateClusterNotifyPortV2", "ClusportCreatePort")
        made = [end.get("port", end["r"]) for begin, end in self.calls(makers)]
        # What online_and_wait() and remove_resource() make of their own lies between.
        closed = [begin["h"] for begin, end in self.calls(("CloseClusterNotifyPort",))][-6:]
        self.v1, self.v2, self.own, self.slow, self.resumed, self.joined = closed
        assert set(closed) <= set(made)

    def calls(self, functions):
        ends = {line["n"]: line for line in self.lines if "r" in line}
        return [(line, ends[line["n"]]) for line in self.lines if line.get("f") in functions]

    def told(self, port, result=0):
        gets = ("GetClusterNotify", "GetClusterNotifyV2", "ClusportGetNotification")
        return [end for begin, end in self.calls(gets) if begin["port"] == port and end["r"] == result]

    def write(self):
        with open(self.path, "w", encoding="ascii") as f:
            for line in self.lines:
                f.write(json.dumps(line, separators=(",", ":")) + "\n")

    def remove(self, end):
        self.lines = [line for line in self.lines if line["n"] != end["n"]]

    def begin_of(self, end):
        return next(line for line in self.lines if line["n"] == end["n"] and "f" in line)

    def add_after(self, end, **changes):
        """Another call like it, right after it."""
        number = 1 + max(line["n"] for line in self.lines)
        begin = dict(self.begin_of(end), n=number, t=end["t"] + 1)
        self.lines += [begin, dict(end, n=number, t=end["t"] + 2, **changes)]
        return self.lines[-1]

    def service_file(self, ending, which):
        files = [p for p in glob.glob(self.folder + "/clusportd*." + ending) if os.path.getsize(p)]
        return sorted(files, key=lambda p: int(p.rsplit("-", 1)[1].split(".")[0]))[which]


    def change_records(self, change):
        """Of the last life; change(bytes, where records start). The journal would tell, so it is gone too."""
        with open(self.service_file("records", -1), "r+b") as file:
            data, starts, at = bytearray(file.read()), [], 0
            while at < len(data):
                starts.append(at)
                at += int.from_bytes(data[at:at + 4], "little")
            change(data, starts)
            file.seek(0)
            file.write(data)
        for path in glob.glob(self.folder + "/*.db"):
            os.remove(path)


def exchange(a, b):
    for key in set(a) | set(b):
        if key not in ("t", "n", "p"):
            a[key], b[key] = b.get(key), a.get(key)
    for line in (a, b):
        for key in [k for k, v in line.items() if v is None]:
            del line[key]


def neighbours(told, want):
    return next((a, b) for a, b in zip(told, told[1:]) if want(a, b))


def says(end):
    return {k: v for k, v in end.items() if k not in ("t", "n", "p")}


# ---- one function for each falsification; its docstring is what it does, its name begins with the promise ----

def ordered_v1_swapped(f):
    """two events of version 1 change places"""
    a, b = neighbours(f.told(f.v1)[8:], lambda a, b: says(a) != says(b) and a["key"] == b["key"])
    exchange(a, b)


def ordered_own_swapped(f):
    """two notifications change places"""
    exchange(*neighbours(f.told(f.own), lambda a, b: a["transaction"] != b["transaction"]))


def ordered_v2_swapped(f):
    """two events of version 2 change places"""
    told = f.told(f.v2)
    exchange(*neighbours(told, lambda a, b: says(a) != says(b)))


def ordered_close_early(f):
    """a HANDLE_CLOSE comes before what happened before the close"""
    told = f.told(f.v1)
    close = next(i for i, e in enumerate(told) if e["flag"] == 0x80000000)
    exchange(told[close - 1], told[close])
    closed = next(begin for begin, end in f.calls(("CloseClusterGroup",)) if begin["h"])
    for line in f.lines:
        if line["n"] == closed["n"]:
            line["t"] = told[close - 1]["t"] - (2 if "f" in line else 1)


def ordered_same_change(f):
    """the registrations of one change are told in the wrong order"""
    exchange(*neighbours(f.told(f.resumed), lambda a, b: a["revision"] == b["revision"]))


def renumber(data, at, by):
    for field in (8, 16):
        number = int.from_bytes(data[at + field:at + field + 8], "little") + by
        data[at + field:at + field + 8] = number.to_bytes(8, "little")


def ordered_revision_skipped(f):
    """the service gives a revision to no change"""
    def skip(data, starts):
        for at in starts:
            renumber(data, at, 1)
    f.change_records(skip)


def unique_v1_doubled(f):
    """an event of version 1 is told twice"""
    end = next(e for e in f.told(f.v1)[4:] if e["flag"] == 0x400 or e["flag"] == 0x200)
    f.add_after(end)


def unique_own_doubled(f):
    """a notification is told twice"""
    f.add_after(f.told(f.own)[5])


def unique_close_doubled(f):
    """a HANDLE_CLOSE is told twice"""
    f.add_after(next(e for e in f.told(f.v1) if e["flag"] == 0x80000000))


def unique_loss_of_told(f):
    """a loss speaks of what was told before"""
    told = f.told(f.slow)
    before = [e for e in told[:2] if e.get("revision")][-1]
    for e in [e for e in told if e.get("lost_first")]:
        e["lost_first"] = before["revision"]
        e["lost_count"] = e["lost_last"] - e["lost_first"] + 1


def complete_v1_dropped(f):
    """an event of version 1 is not told"""
    f.remove(next(e for e in f.told(f.v1)[4:] if e["flag"] == 0x200))


def complete_v2_dropped(f):
    """an event of version 2 is not told"""
    f.remove([e for e in f.told(f.v2) if (e["otype"], e["oflag"]) == (3, 0x4)][-1])


def complete_own_dropped(f):
    """a notification is not told"""
    told = f.told(f.resumed)
    alone = [e for e in told if e["last"] and e["revision"] == e["transaction"]][-1]
    for end in [e for e in told if e["revision"] == alone["revision"]]:
        f.remove(end)


def complete_close_dropped(f):
    """a HANDLE_CLOSE is not told"""
    f.remove(next(e for e in f.told(f.v1) if e["flag"] == 0x80000000))


def complete_close_name(f):
    """a HANDLE_CLOSE has another object's name"""
    next(e for e in f.told(f.v1) if e["flag"] == 0x80000000)["name"] = "other"


def complete_loss_too_short(f):
    """a loss ends before what is kept begins"""
    for e in f.told(f.slow):
        if e.get("lost_first"):
            e["lost_last"] -= 5
            e["lost_count"] -= 5


def complete_loss_too_late(f):
    """a loss begins after the first change that is gone"""
    for e in f.told(f.slow):
        if e.get("lost_first"):
            e["lost_first"] += 5
            e["lost_count"] -= 5


def complete_loss_count(f):
    """a loss counts wrongly"""
    for e in f.told(f.slow):
        if e.get("lost_first"):
            e["lost_count"] += 1


def complete_loss_dropped(f):
    """a loss is not told"""
    for e in [e for e in f.told(f.slow) if e.get("lost_first")]:
        f.remove(e)


def complete_wrong_registration(f):
    """a notification has the key of a registration that it does not match"""
    next(e for e in f.told(f.own) if e["kind"].startswith("resource."))["key"] = 6


def complete_last_one(f):
    """there is nothing, says the port, and one is left that others had seen"""
    told = f.told(f.joined)
    for end in [e for e in told if e["transaction"] == told[-1]["transaction"]]:
        f.remove(end)


def atomic_told_in_part(f):
    """the second change of a transaction is not told"""
    told = f.told(f.resumed)
    second = next(e for e in told if e["last"] and e["revision"] != e["transaction"])
    for end in [e for e in told if e["revision"] == second["revision"]]:
        f.remove(end)


def atomic_seen_in_part(f):
    """between two changes of a transaction there is nothing"""
    told = f.told(f.resumed)
    _, first = neighbours(told[::-1], lambda b, a: a["transaction"] == b["transaction"] and
                          a["revision"] != b["revision"])
    end = f.add_after(first)
    for key in [k for k in end if k not in ("t", "n", "p")]:
        del end[key]
    end["r"] = 258


def atomic_committed_in_part(f):
    """a commit ends in the middle of a transaction"""
    def tear(data, starts):
        data[starts[-1] + 6] &= ~LAST
    f.change_records(tear)


def atomic_wrong_transaction(f):
    """a notification names another transaction"""
    f.told(f.own)[3]["transaction"] += 1


def resumable_since_jumps(f):
    """a port that begins after a revision leaves out what came first"""
    for end in f.told(f.resumed)[:2]:
        f.remove(end)


def resumable_since_too_early(f):
    """a port that begins after a revision tells what is older"""
    first = f.told(f.own)[0]
    end = f.add_after(f.told(f.resumed)[0])
    end.update(says(first))
    for line in f.lines:
        if line["n"] == end["n"]:
            line["t"] = f.begin_of(f.told(f.resumed)[0])["t"] - (2 if "f" in line else 1)


def resumable_restart_jumps(f):
    """a port leaves out the first change after a restart"""
    starts = sorted(int(p.rsplit("-", 1)[1].split(".")[0]) for p in glob.glob(f.folder + "/clusportd*.history"))
    history = History(f.folder)
    log = history.logs[0]
    first = next(r for r in log.play if r.visible > starts[-1])
    for end in [e for e in f.told(f.own) if e.get("revision") == first.revision]:
        f.remove(end)


def resumable_snapshot_gap(f):
    """a snapshot and its stream do not join"""
    told = [e for e in f.told(f.joined) if not e.get("initial")]
    revision = told[0]["revision"]
    for end in [e for e in told if e["revision"] == revision]:
        f.remove(end)


def durable_told_early(f):
    """a notification is told while its commit is under way"""
    end = f.told(f.resumed)[-1]
    f.write()
    history = History(f.folder)
    record = history.logs[0].at_revision(end["revision"], end["t"])
    path = record.where.file
    with open(path, encoding="ascii") as file:
        lines = [json.loads(line) for line in file]
    for line in lines:
        if line["n"] == record.where.a["n"] and "r" in line:
            line["t"] = end["t"] + 1
    with open(path, "w", encoding="ascii") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def durable_not_committed(f):
    """a value is acknowledged that no commit has"""
    sets = f.calls(("ClusterRegSetValue",))
    sets[3][0]["data"] = "11223344"


def durable_group_not_committed(f):
    """a group is acknowledged that no commit has"""
    begin, end = f.calls(("CreateClusterGroup",))[0]
    number = 1 + max(line["n"] for line in f.lines)
    f.lines += [dict(begin, n=number, t=end["t"] + 1, name="nobody"), dict(end, n=number, t=end["t"] + 2, r=77)]


def durable_row_gone(f):
    """the journal has lost what it had"""
    change_journal(f, "DELETE FROM change WHERE revision = (SELECT max(revision) - 2 FROM change)")


def durable_row_changed(f):
    """the journal has other bytes than were committed"""
    change_journal(f, "UPDATE change SET record = (SELECT record FROM change ORDER BY revision LIMIT 1) "
                      "WHERE revision = (SELECT max(revision) FROM change)")


def change_journal(f, sql):
    db = sqlite3.connect(glob.glob(f.folder + "/*.db")[0])
    db.execute(sql)
    db.commit()
    db.close()


def durable_given_again(f):
    """after a restart a committed revision is given to another change"""
    def give_again(data, starts):
        for at in starts:
            renumber(data, at, -2)
    f.change_records(give_again)


def durable_invented(f):
    """an event is told that nobody committed"""
    next(e for e in f.told(f.v1)[4:] if e["flag"] == 0x400 or e["flag"] == 0x200)["name"] = "nobody"


def durable_other_content(f):
    """a notification says something else than the journal"""
    next(e for e in f.told(f.resumed) if e["kind"] == "resource.deleted")["name"] = "nobody"


def close_told_after(f):
    """a closed port tells an event"""
    begin, end = next((b, e) for b, e in f.calls(("GetClusterNotify",)) if b["port"] == f.v1 and e["r"] == 6)
    end.update(says(f.told(f.v1)[-1]))


def close_waits_on(f):
    """a closed port gives a time-out"""
    begin, end = next((b, e) for b, e in f.calls(("ClusportGetNotification",)) if b["port"] == f.own and e["r"] == 6)
    end["r"] = 258


def close_handle_again(f):
    """the handle of a closed port is given out again"""
    begin, end = f.calls(("ClusportCreatePort",))[-1]
    number = 1 + max(line["n"] for line in f.lines)
    after = max(line["t"] for line in f.lines)
    f.lines += [dict(begin, n=number, t=after + 1), dict(end, n=number, t=after + 2, port=f.own)]


def close_tells_later(f):
    """a call that was in flight brings what was made after the close"""
    end = f.told(f.resumed)[-1]
    close = next(b for b, _ in f.calls(("CloseClusterNotifyPort",)) if b["h"] == f.resumed)
    history = History(f.folder)
    made = history.logs[0].at_revision(end["revision"], end["t"]).visible
    for line in f.lines:
        if line["n"] == close["n"]:
            line["t"] = made - (20 if "f" in line else 10)
        elif line["n"] == end["n"] and "f" in line:
            line["t"] = made - 30
    for other in f.told(f.resumed) + f.told(f.resumed, 258):
        if other["n"] != end["n"] and other["t"] > made - 40:
            f.remove(other)


def close_never_returns(f):
    """a call has not returned though its port was closed"""
    begin, end = f.calls(("GetClusterNotify",))[-1]
    waiting = next(e for e in reversed(f.told(f.v1, 258)))
    f.lines = [line for line in f.lines if not (line["n"] == waiting["n"] and "r" in line)]
    begin["t"] += int(60e9)
    end["t"] += int(60e9)


def buffers_event_gone(f):
    """what a small buffer was shown does not come"""
    shown = f.told(f.v1, 234)[-1]
    f.remove(next(e for e in f.told(f.v1) if e["t"] > shown["t"]))


def buffers_loss_instead(f):
    """what a small buffer was shown is replaced by a loss"""
    shown = f.told(f.v1, 234)[-1]
    end = next(e for e in f.told(f.v1) if e["t"] > shown["t"])
    end.update(flag=0x80000, key=1, name="testcluster", length=11)


def buffers_nothing_instead(f):
    """what a small buffer was shown is gone at the next look"""
    shown = f.told(f.v1, 234)[-1]
    nothing = f.add_after(shown)
    for key in ("key", "flag", "length"):
        nothing.pop(key)
    nothing["r"] = 258


# ---- running ----

def record(recorder, sample, folder):
    env = dict(os.environ, LD_PRELOAD=recorder, CLUSPORT_HISTORY=folder)
    done = subprocess.run([sample], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit("the sample failed: %s" % done.stdout.decode())


def main():
    folder = tempfile.mkdtemp(prefix="clusport-sample-")
    failures = 0
    try:
        record(sys.argv[1], sys.argv[2], folder)
        found = judge(History(folder))
        if found:
            failures += 1
            print("FAILED: the history as it was recorded: %s" % [(p, str(w), t) for p, w, t in found[:3]])
        failures += sum(not try_one(folder, fn) for name, fn in sorted(globals().items())
                        if name.split("_")[0] in PROMISES and callable(fn) and (not sys.argv[3:] or name in sys.argv[3:]))
        for promise in PROMISES:
            if sum(name.startswith(promise + "_") for name in globals()) < 2:
                failures += 1
                print("FAILED: %s has fewer than two falsified histories" % promise)
    finally:
        shutil.rmtree(folder)
    return 1 if failures else 0


def try_one(folder, falsify):
    f = Falsified(folder)
    try:
        falsify(f)
        f.write()
        found = judge(History(f.folder))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        found = []
    finally:
        shutil.rmtree(f.folder)
    promise = falsify.__name__.split("_")[0]
    good = bool(found) and found[0][0] == promise and all(p == promise for p, _, _ in found)
    print("%s: %s: %s" % ("ok" if good else "FAILED", promise, falsify.__doc__))
    for p, where, what in found[:1 if good else 6]:
        print("    %s: %s: %s" % (p, where, what))
    return good


if __name__ == "__main__":
    sys.exit(main())
