"""How a play of test/conformance/clients/blocked-scenario.ts speaks to whoever started it: a line, and the answer to it."""

import json
import sys


def ask(what):
    """Has the pressure begin or end; gives the number of messages that this took."""
    print(what, flush=True)
    return int(sys.stdin.readline())


def tell(seen):
    """The last line: what was seen, as JSON."""
    print(json.dumps(seen), flush=True)
