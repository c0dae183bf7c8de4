"""How the runners of foreign suites say what became of a test: one JSON object a line, on what was stdout."""

import json
import os
import sys

# What the suites print themselves goes to stderr.
_lines = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.stdout = sys.stderr

DETAIL = 3000


def text(name, outcome, detail=""):
    """A line; `outcome` is passed, failed or skipped."""
    return json.dumps({"name": name, "outcome": outcome, "detail": detail[-DETAIL:]})


def say(line):
    _lines.write(line + "\n")
    _lines.flush()
