"""Serves the methods of the bench with oslo.messaging, until stdin ends.

Argument: {"url", "topic"}, with more that is not for it. Prints a line when it serves.
"""

import json
import sys
import threading

import oslo_messaging

import oslo_setup


class Endpoint:
    def __init__(self):
        self._noted = 0
        self._changed = threading.Condition()

    def echo(self, ctxt, text):
        return text

    def note(self, ctxt, text):
        with self._changed:
            self._noted += 1
            self._changed.notify_all()

    def noted(self, ctxt, count):
        with self._changed:
            self._changed.wait_for(lambda: self._noted >= count)


plan = json.loads(sys.argv[1])
server = oslo_messaging.get_rpc_server(
    oslo_setup.rpc_transport(plan["url"]),
    oslo_messaging.Target(topic=plan["topic"], server="bench"),
    [Endpoint()],
    executor="threading",
)
server.start()
print("ready", flush=True)
sys.stdin.read()
server.stop()
server.wait()
