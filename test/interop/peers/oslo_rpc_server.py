"""A real oslo.messaging RPC server.

Argument: {"url", "exchange", "topic", "server"}, and optionally "namespace", "version", "options" (of the group
oslo_messaging_rabbit) and "conf" (of DEFAULT).
Lines: {"ready": true} once it serves; then an answer for each command: {"state": true} gives {"value", "text",
"calls": [{"method", "args", "context"}]}, what its endpoint was given so far.

Methods: add(increment) and subtract(increment) change a number and return it, the latter with a ValueError below
zero; append(text) adds to a text and returns it; echo(value); delay(seconds) sleeps and returns them; fail(kind,
message) raises a built-in exception of that name, or a RuntimeError in its place; nothing() returns None.
"""

import builtins
import json
import sys
import time

import oslo_messaging

import oslo_transport
import peer_lines

command = json.loads(sys.argv[1])


class Endpoint:
    target = oslo_messaging.Target(
        namespace=command.get("namespace"), version=command.get("version", "1.0")
    )

    def __init__(self):
        self.value = 0
        self.text = ""
        self.calls = []

    def _note(self, method, context, **args):
        self.calls.append({"method": method, "args": args, "context": context})

    def add(self, ctxt, increment):
        self._note("add", ctxt, increment=increment)
        self.value += increment
        return self.value

    def subtract(self, ctxt, increment):
        self._note("subtract", ctxt, increment=increment)
        if self.value < increment:
            raise ValueError("the value can't go negative!")
        self.value -= increment
        return self.value

    def append(self, ctxt, text):
        self._note("append", ctxt, text=text)
        self.text += text
        return self.text

    def echo(self, ctxt, value):
        self._note("echo", ctxt, value=value)
        return value

    def delay(self, ctxt, seconds):
        self._note("delay", ctxt, seconds=seconds)
        time.sleep(seconds)
        return seconds

    def fail(self, ctxt, kind, message):
        self._note("fail", ctxt, kind=kind, message=message)
        raise getattr(builtins, kind, RuntimeError)(message)

    def nothing(self, ctxt):
        self._note("nothing", ctxt)


endpoint = Endpoint()
server = oslo_messaging.get_rpc_server(
    oslo_transport.rpc_transport(
        command["url"], command["exchange"], command.get("options", {}), command.get("conf", {})
    ),
    oslo_messaging.Target(topic=command["topic"], server=command["server"]),
    [endpoint],
    executor="threading",
)
server.start()
peer_lines.write({"ready": True})
peer_lines.serve(
    lambda _: {"value": endpoint.value, "text": endpoint.text, "calls": endpoint.calls}
)
server.stop()
server.wait()
