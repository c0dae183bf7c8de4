"""One JSON object a line: how the peers of the interop tests take commands and answer."""

import hashlib
import json
import sys
import threading

_writing = threading.Lock()


def write(answer):
    """Writes one line. Strict JSON: what is no JSON (NaN, long integers) goes into texts."""
    line = json.dumps(answer, allow_nan=False)
    with _writing:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def serve(handle):
    """Answers each command with what `handle` returns, or with {"error": ...}, until stdin ends."""
    for line in sys.stdin:
        try:
            answer = handle(json.loads(line))
        except Exception as error:
            answer = {"error": "%s: %s" % (type(error).__name__, error)}
        write(answer)


def wait_for_end():
    """Returns when stdin ends."""
    for _ in sys.stdin:
        pass


def describe(value):
    """A value as canonical JSON text (Python's dialect, so NaN and long integers survive) and its digest."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    facts = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "length": len(text)}
    if len(text) <= 65536:
        facts["json"] = text
    return facts
