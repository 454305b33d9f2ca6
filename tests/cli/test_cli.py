#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every subcommand, in text and JSON, against a real service with real agents."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BUILD, SOURCE = sys.argv[1], sys.argv[2]
CLUSPORT = os.path.join(BUILD, "src/cli/clusport")
CLUSPORTD = os.path.join(BUILD, "src/service/clusportd")
LIMIT = 60


class Service:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="clusport-cli-")
        self.socket = os.path.join(self.folder, "clusport.sock")
        self.state = os.path.join(self.folder, "state")
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = None
        os.environ["CLUSPORT_SOCKET"] = self.socket

    def start(self):
        self.process = subprocess.Popen(
            [CLUSPORTD, "--state", self.state, "--socket", self.socket, "--cluster-name", "testcluster",
             "--node-name", "node1", "--types", os.path.join(SOURCE, "types"), "--networks", "",
             "--ocf-path", os.path.join(SOURCE, "agents") + ":/usr/lib/ocf/resource.d"],
            stdout=self.log, stderr=self.log)
        result = run("wait", "--for", "service", "--timeout", "30s")
        if result.returncode != 0:
            self.print_log()
            self.end(signal.SIGKILL)
            raise RuntimeError(result.stderr)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(LIMIT)
        return self.process.returncode

    def print_log(self):
        with open(self.log.name, errors="replace") as log:
            sys.stderr.write("".join(log.readlines()[-50:]))

    def remove(self):
        self.log.close()
        shutil.rmtree(self.folder)


def run(*arguments, **options):
    return subprocess.run([CLUSPORT, *arguments], capture_output=True, text=True, timeout=LIMIT, **options)


class CommandLine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.service.start()

    @classmethod
    def tearDownClass(cls):
        code = cls.service.end(signal.SIGTERM)
        if code != 0:
            cls.service.print_log()
        cls.service.remove()
        if code != 0:
            raise RuntimeError(f"clusportd ended with {code}")

    def setUp(self):
        self.group = re.sub(r"^test_", "", self._testMethodName)
        self.done("group", "create", self.group)
        self.resources = []

    def tearDown(self):
        for name in reversed(self.resources):
            run("resource", "offline", name, "--wait", "--timeout", "30s")
            run("resource", "delete", name)
        run("group", "delete", self.group)

    def done(self, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, 0, f"{arguments}: {result.stdout}{result.stderr}")
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.done(*arguments, "--format", "json"))

    def lines(self, *arguments):
        return [json.loads(line) for line in self.done(*arguments, "--format", "json").splitlines()]

    def refused(self, code, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout}{result.stderr}")
        self.assertTrue(result.stderr.startswith("clusport"), result.stderr)
        return result.stderr

    def dummy(self, name):
        self.done("resource", "create", name, "--group", self.group, "--type", "ocf:heartbeat:Dummy")
        self.resources.append(name)
        return name

    def test_help(self):
        text = self.done("--help")
        for command in ("status", "watch", "wait", "group", "resource", "node", "network", "registry", "ports",
                        "version"):
            self.assertIn(f"  {command} ", text)
            self.assertIn("Usage: clusport " + command, self.done(command, "--help"))
        self.refused(2, "frobnicate")
        self.refused(2, "group", "frobnicate")
        self.refused(2, "status", "--format", "xml")
        self.assertEqual(run().returncode, 2)

    def test_version(self):
        self.assertRegex(self.done("version"), r"\d+\.\d+\.\d+")
        self.assertRegex(self.json("version")["library"], r"^\d+\.\d+\.\d+")

    def test_status(self):
        self.dummy("status-r")
        text = self.done("status")
        for word in ("testcluster", "node1", "status-r", self.group):
            self.assertIn(word, text)
        status = self.json("status")
        self.assertEqual(status["cluster"], "testcluster")
        self.assertFalse(status["stale"])
        self.assertGreater(status["revision"], 0)
        self.assertIn("node1", [n["name"] for n in status["nodes"]])
        self.assertIn("status-r", [r["name"] for r in status["resources"]])

    def test_group(self):
        self.assertIn(self.group, self.done("group", "list"))
        groups = {g["name"]: g for g in self.json("group", "list")["groups"]}
        self.assertEqual(groups[self.group]["state"], "Offline")
        self.assertEqual(groups[self.group]["owner"], "node1")
        self.refused(1, "group", "create", self.group.upper())
        self.refused(1, "group", "show", "no such group")
        self.done("group", "rename", self.group, "renamed")
        self.assertEqual(self.json("group", "show", "renamed")["name"], "renamed")
        self.done("group", "rename", "renamed", self.group)
        self.dummy("group-r")
        self.done("group", "online", self.group, "--wait", "--timeout", "30s")
        self.assertEqual(self.json("group", "show", self.group)["state"], "Online")
        self.refused(1, "group", "delete", self.group)
        self.refused(1, "group", "move", self.group)
        self.done("group", "offline", self.group, "--wait", "--timeout", "30s")
        self.assertIn("state: Offline", self.done("group", "show", self.group))

    def test_resource(self):
        name = self.dummy("resource-r")
        self.assertIn(name, self.done("resource", "list"))
        shown = self.json("resource", "show", name)
        self.assertEqual(shown["state"], "Offline")
        self.assertEqual(shown["type"], "ocf:heartbeat:Dummy")
        self.assertEqual(shown["group"], self.group)
        self.done("resource", "set", name, "fake=value one")
        self.assertEqual(self.json("resource", "show", name)["properties"]["fake"], "value one")
        self.done("resource", "set", name, "--common", "RestartDelay=250")
        self.assertEqual(self.json("resource", "show", name)["common"]["RestartDelay"], 250)
        self.refused(2, "resource", "set", name, "--common", "RestartDelay=soon")
        self.refused(2, "resource", "set", name, "=x")
        self.done("resource", "online", name, "--wait", "--timeout", "30s")
        self.assertIn("state: Online", self.done("resource", "show", name))
        self.refused(1, "resource", "delete", name)
        self.done("resource", "fail", name)
        self.done("wait", "--for", "state=online", "resource", name, "--timeout", "30s")
        self.done("resource", "offline", name, "--wait", "--timeout", "30s")
        self.done("resource", "rename", name, "resource-s")
        self.done("resource", "rename", "resource-s", name)
        self.refused(1, "resource", "create", "x", "--group", self.group, "--type", "No Such Type")
        self.refused(2, "resource", "create", "x")

    def test_dependency(self):
        lower, upper = self.dummy("lower"), self.dummy("upper")
        self.done("resource", "depend", upper, lower)
        self.assertEqual(self.json("resource", "show", upper)["depends_on"], [lower])
        self.refused(1, "resource", "depend", lower, upper)
        self.done("resource", "online", upper, "--wait", "--timeout", "30s")
        self.assertEqual(self.json("resource", "show", lower)["state"], "Online")
        self.done("resource", "offline", lower, "--wait", "--timeout", "30s")
        self.assertEqual(self.json("resource", "show", upper)["state"], "Offline")
        self.done("resource", "undepend", upper, lower)
        self.assertEqual(self.json("resource", "show", upper)["depends_on"], [])

    def test_resource_moves_between_groups(self):
        name = self.dummy("mover")
        self.done("group", "create", "other")
        self.done("resource", "move", name, "--group", "other")
        self.assertEqual(self.json("resource", "show", name)["group"], "other")
        self.done("resource", "move", name, "--group", self.group)
        self.done("group", "delete", "other")

    def test_node(self):
        self.assertIn("node1", self.done("node", "list"))
        self.assertEqual(self.json("node", "list")["nodes"][0]["state"], "Up")
        self.done("node", "pause", "node1")
        self.assertEqual(self.json("node", "show", "node1")["state"], "Paused")
        self.done("node", "resume", "node1")
        self.assertIn("state: Up", self.done("node", "show", "node1"))
        self.refused(1, "node", "resume", "node1")
        self.refused(1, "node", "show", "node9")

    def test_network(self):
        self.assertIn("KIND", self.done("network", "list"))
        self.assertIsInstance(self.json("network", "list")["networks"], list)
        self.refused(1, "network", "show", "no such network")

    def test_registry(self):
        key = "Software\\Test"
        self.done("registry", "create", key)
        self.done("registry", "set", key, "text", "häus")
        self.done("registry", "set", key, "number", "42", "--type", "dword")
        self.assertEqual(self.json("registry", "get", key, "text")["value"], "häus")
        self.assertEqual(self.json("registry", "get", key, "number")["value"], 42)
        self.assertIn("häus", self.done("registry", "list", key))
        names = [e["name"] for e in self.json("registry", "list", key)["entries"]]
        self.assertEqual(sorted(names), ["number", "text"])
        self.done("registry", "set", key, "n" * 16383, "1")
        self.assertIn("n" * 16383, [e["name"] for e in self.json("registry", "list", key)["entries"]])
        self.done("registry", "delete", key, "n" * 16383)
        self.done("registry", "delete", key, "text")
        self.refused(1, "registry", "get", key, "text")
        self.refused(2, "registry", "set", key, "n", "many", "--type", "dword")
        self.refused(2, "registry", "set", key, "n", "1", "2", "3")
        self.done("registry", "delete", key)
        self.refused(1, "registry", "list", key)

    def test_watch(self):
        revision = self.json("status")["revision"]
        name = self.dummy("watched")
        self.done("resource", "online", name, "--wait", "--timeout", "30s")
        seen = self.lines("watch", "--since", str(revision), "--count", "3", "--filter", "resource.*", "--object",
                          "resource/" + name, "--timeout", "30s")
        self.assertEqual([e["kind"] for e in seen], ["resource.added", "resource.state", "resource.state"])
        self.assertEqual([e.get("new") for e in seen][1:], ["OnlinePending", "Online"])
        self.assertEqual([e["revision"] for e in seen], sorted(e["revision"] for e in seen))
        for event in seen:
            self.assertEqual(event["name"], name)
            self.assertEqual(event["actor"]["node"], "node1")
        text = self.done("watch", "--since", str(revision), "--count", "1", "--filter", "resource.state")
        self.assertIn(name, text)
        self.assertIn("OnlinePending", text)

    def test_watch_tells_values_in_words(self):
        revision = self.json("status")["revision"]
        self.done("registry", "set", "Words", "v", "1")
        self.dummy("worded")
        text = run("watch", "--since", str(revision), "--timeout", "0").stdout
        self.assertIn("Words\\v", text)
        self.assertRegex(text, r"resource\.added +worded +Offline")
        self.done("registry", "delete", "Words")

    def test_watch_tells_what_was(self):
        revision = self.json("status")["revision"]
        self.done("group", "create", "short-lived")
        self.done("group", "delete", "short-lived")
        text = run("watch", "--since", str(revision), "--timeout", "0").stdout
        self.assertRegex(text, r"group\.deleted +short-lived +was Offline")

    def completions(self, *words):
        script = """
            source /usr/share/bash-completion/bash_completion
            source "$1"; shift
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
            _clusport; printf '%s\\n' "${COMPREPLY[@]}" """
        path = os.path.dirname(CLUSPORT) + ":" + os.environ["PATH"]
        result = subprocess.run(["bash", "-c", script, "bash", os.path.join(SOURCE, "src/cli/clusport.bash"),
                                 "clusport", *words], capture_output=True, text=True, timeout=LIMIT,
                                env=dict(os.environ, PATH=path))
        return result.stdout.split("\n")[:-1]

    def test_completion(self):
        commands = [c for c in self.completions("") if c]
        self.assertEqual(sorted(commands), sorted(line.split()[0] for line in self.done("--help").split("Commands:")[1]
                                                  .split("Options:")[0].strip().splitlines()))
        self.assertEqual(self.completions("wa"), ["watch", "wait"])
        self.assertIn(self.group, self.completions("group", "delete", self.group[:3]))
        self.assertEqual(self.completions("watch", "--filter", "resource.s"), ["resource.state"])
        self.assertIn("Physical\\ Disk", self.completions("resource", "create", "x", "--type", "P"))

    def test_watch_initial(self):
        name = self.dummy("there")
        seen = self.lines("watch", "--initial", "--filter", "resource.*", "--object", "resource/" + name, "--count", "1")
        self.assertTrue(seen[0]["initial"])
        self.assertEqual(seen[0]["name"], name)
        self.assertIsNone(seen[0]["time"])

    def test_numbers_are_not_cut(self):
        name = self.dummy("numbered")
        self.refused(2, "resource", "set", name, "--common", "PendingTimeout=4294967296")
        self.done("resource", "set", name, "--common", "PendingTimeout=4294967295")

    def test_options_are_not_names(self):
        self.refused(2, "group", "create", "--wait")
        self.done("group", "create", "--", "--wait")
        self.done("group", "delete", "--", "--wait")

    def test_watch_times_out(self):
        self.refused_silently(124, "watch", "--filter", "quorum.state", "--timeout", "10ms")
        self.refused(2, "watch", "--filter", "no.such.kind")
        self.refused(2, "watch", "--since", "yesterday")
        self.assertIn("resource.state", self.done("watch", "--kinds").splitlines())

    def refused_silently(self, code, *arguments):
        result = run(*arguments)
        self.assertEqual(result.returncode, code, result.stderr)

    def test_watch_goes_on_over_a_restart(self):
        name = self.dummy("survivor")
        watcher = subprocess.Popen([CLUSPORT, "watch", "--format", "json", "--filter", "resource.state", "--object",
                                    "resource/" + name, "--count", "3", "--timeout", "60s"],
                                   stdout=subprocess.PIPE, text=True)
        self.done("wait", "--for", "exists", "resource", name)
        while not any(p["pid"] == watcher.pid for p in self.json("ports")["ports"]):
            pass
        self.done("resource", "online", name, "--wait", "--timeout", "30s")
        self.service.end(signal.SIGKILL)
        self.service.start()
        self.done("resource", "offline", name)
        output, _ = watcher.communicate(timeout=LIMIT)
        self.assertEqual([json.loads(line)["new"] for line in output.splitlines()],
                         ["OnlinePending", "Online", "OfflinePending"])
        self.assertEqual(watcher.returncode, 0)

    def test_wait(self):
        name = self.dummy("waited")
        self.done("wait", "--for", "exists", "resource", name)
        self.done("wait", "--for", "state=offline", "resource", name)
        self.refused_silently(124, "wait", "--for", "state=online", "resource", name, "--timeout", "10ms")
        self.refused_silently(3, "wait", "--for", "state=online", "resource", "never made")
        waiter = subprocess.Popen([CLUSPORT, "wait", "--for", "state=online", "resource", name, "--timeout", "30s"])
        self.done("resource", "online", name)
        self.assertEqual(waiter.wait(LIMIT), 0)
        self.done("resource", "offline", name, "--wait", "--timeout", "30s")
        waiter = subprocess.Popen([CLUSPORT, "wait", "--for", "deleted", "resource", name, "--timeout", "30s"])
        self.done("resource", "delete", name)
        self.assertEqual(waiter.wait(LIMIT), 0)
        self.assertEqual(self.json("wait", "--for", "state=up", "node", "node1")["state"], "Up")
        self.refused(2, "wait", "resource", name)
        self.refused(2, "wait", "--for", "state=up", "cluster", "x")

    def test_ports(self):
        self.assertIn("PID", self.done("ports"))
        self.assertIsInstance(self.json("ports")["ports"], list)

    def test_no_service(self):
        environment = dict(os.environ, CLUSPORT_SOCKET="/nonexistent/socket")
        result = run("group", "list", env=environment)
        self.assertEqual(result.returncode, 1)
        self.assertIn("/nonexistent/socket", result.stderr)
        stale = run("status", "--state", self.service.state, "--format", "json", env=environment)
        self.assertEqual(stale.returncode, 1, "a stale answer is not a good one")
        status = json.loads(stale.stdout)
        self.assertTrue(status["stale"])
        self.assertIn("node1", [n["name"] for n in status["nodes"]])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
