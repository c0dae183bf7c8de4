"""Runs the functional tests that oslo.messaging ships, each in a process of its own.

Argument: {"url", "options": {name: value} of the rabbit driver, "atOnce": how many run beside each other, "alone":
names of those that run one by one, at the end, "tries": how often these may be tried, "leftOut": names of those that
do not run}. Modules are imported once, before the first fork. Says outcomes as outcomes.py does.
"""

import json
import os
import selectors
import sys
import unittest

import outcomes

MODULES = ("test_functional", "notify.test_logger", "test_rabbitmq")
PREFIX = "oslo_messaging.tests.functional."


class Outcome(unittest.TestResult):
    """What became of the one test that a process runs."""

    outcome = "passed"
    detail = ""

    def addSkip(self, test, reason=None, details=None):
        self.outcome = "skipped"
        self.detail = reason or " ".join(content.as_text() for content in (details or {}).values())

    def addError(self, test, err=None, details=None):
        self.outcome = "failed"
        if err is not None:
            self.detail = self._exc_info_to_string(err, test)
        else:
            self.detail = "\n".join(content.as_text() for _, content in sorted(details.items()))

    addFailure = addError


def short_name(test):
    """Debian's file of tests of a failover needs a module that it does not have."""
    return test.id().replace(PREFIX, "").replace("unittest.loader._FailedTest.", "")


def tests_of(suite):
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from tests_of(part)
        else:
            yield part


def load(left_out):
    os.environ["RPC_TRANSPORT_URL"] = os.environ["NOTIFY_TRANSPORT_URL"] = config["url"]
    from oslo_config import cfg
    from oslo_messaging._drivers import impl_rabbit

    cfg.set_defaults(impl_rabbit.rabbit_opts, **config["options"])
    suite = unittest.TestSuite()
    for name in MODULES:
        try:
            __import__(PREFIX + name)
        except ImportError as error:
            if name not in left_out:
                outcomes.say(outcomes.text(name, "failed", str(error)))
            continue
        suite.addTest(unittest.defaultTestLoader.loadTestsFromName(PREFIX + name))
    return [test for test in tests_of(suite) if short_name(test) not in left_out]


def run_one(test, pipe):
    """In the child."""
    result = Outcome()
    test(result)
    with os.fdopen(pipe, "w") as out:
        out.write(outcomes.text(short_name(test), result.outcome, result.detail))
    # Threads of libraries that outlive their test must not keep the process.
    os._exit(0)


def run(tests, at_once):
    """Yields each test with its line."""
    waiting = list(reversed(tests))
    running = selectors.DefaultSelector()
    while waiting or running.get_map():
        while waiting and len(running.get_map()) < at_once:
            test = waiting.pop()
            reads, writes = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(reads)
                run_one(test, writes)
            os.close(writes)
            running.register(os.fdopen(reads), selectors.EVENT_READ, (child, test))
        for key, _ in running.select():
            child, test = key.data
            line = key.fileobj.read()
            running.unregister(key.fileobj)
            key.fileobj.close()
            _, status = os.waitpid(child, 0)
            yield test, line or outcomes.text(short_name(test), "failed", "ended with status %d" % status)


config = json.loads(sys.argv[1])
tests = load(config["leftOut"])
alone = [test for test in tests if short_name(test) in config["alone"]]
for _, line in run([test for test in tests if test not in alone], config["atOnce"]):
    outcomes.say(line)
for _ in range(config["tries"]):
    lines = [(test, line, json.loads(line)) for test, line in run(alone, 1)]
    alone = [test for test, _, facts in lines if facts["outcome"] == "failed"]
    for test, line, _ in lines:
        if test not in alone:
            outcomes.say(line)
    failed = [line for test, line, _ in lines if test in alone]
    if not alone:
        break
for line in failed if alone else []:
    outcomes.say(line)
