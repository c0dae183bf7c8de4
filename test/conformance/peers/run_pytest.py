"""Runs tests of a project with its pytest, in the folder it is started in.

Arguments: the tests to leave out, as JSON; then what pytest takes. Says outcomes as outcomes.py does.
"""

import json
import os
import sys

import outcomes
import pytest


class Reports:
    """Says what became of each test: its set-up, itself and its clean-up together."""

    def __init__(self, left_out):
        self.left_out = left_out
        self.bad = {}

    def pytest_collection_modifyitems(self, items):
        items[:] = [item for item in items if item.nodeid.split("::", 1)[1] not in self.left_out]

    def pytest_collectreport(self, report):
        if report.failed:
            outcomes.say(outcomes.text(report.nodeid, "failed", report.longreprtext))

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split("::", 1)[1]
        if not report.passed:
            self.bad.setdefault(name, (report.outcome, report.longreprtext or str(report.longrepr)))
        if report.when == "teardown":
            outcomes.say(outcomes.text(name, *self.bad.pop(name, ("passed", ""))))


sys.path.insert(0, os.getcwd())
options = ["-p", "no:cacheprovider", "-p", "no:warnings", "-o", "addopts=", "-o", "python_classes=test_*"]
pytest.main(options + sys.argv[2:], plugins=[Reports(json.loads(sys.argv[1]))])
