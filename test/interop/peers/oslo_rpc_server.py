"""Real oslo.messaging RPC servers.

Argument: {"url", "exchange"} and the first server, as in a command; optionally "options" (of the group
oslo_messaging_rabbit) and "conf" (of DEFAULT).
Lines: {"ready": true} once it serves; then an answer for each command:
- {"serve": {"topic", "server", "exchange"?, "endpoints"?}} starts another server and answers {"ready": true}. Its
  endpoints, each {"namespace"?, "version"?, "legacy_namespaces"?}, all have the methods below.
- {"state": true} gives {"value", "text", "calls": [{"method", "args", "context"}]}, what the first endpoint of the
  first server was given so far; {"state": name} the same of the server of that name.

Methods: add(increment) and subtract(increment) change a number and return it, the latter with a ValueError below
zero; append(text) adds to a text and returns it; echo(value); number(text) returns a float of it; delay(seconds)
sleeps and returns them; fail(kind, message) raises a built-in exception of that name, or a RuntimeError in its place;
run_out(message, missing) raises an OutOfStock, surprise(message) what no client knows; who() returns [server, namespace, version]; nothing() returns None.
"""

import builtins
import json
import sys
import time

import oslo_messaging

import oslo_rpc_errors
import oslo_transport
import peer_lines


class Surprise(Exception):
    pass


class Endpoint:
    def __init__(self, server, namespace=None, version="1.0", legacy_namespaces=None):
        self.target = oslo_messaging.Target(
            namespace=namespace, version=version, legacy_namespaces=legacy_namespaces
        )
        self._server = server
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

    def number(self, ctxt, text):
        return float(text)

    def delay(self, ctxt, seconds):
        self._note("delay", ctxt, seconds=seconds)
        time.sleep(seconds)
        return seconds

    def fail(self, ctxt, kind, message):
        self._note("fail", ctxt, kind=kind, message=message)
        raise getattr(builtins, kind, RuntimeError)(message)

    def run_out(self, ctxt, message, missing):
        raise oslo_rpc_errors.OutOfStock(message, missing=missing)

    def surprise(self, ctxt, message):
        raise Surprise(message)

    def who(self, ctxt):
        return [self._server, self.target.namespace, self.target.version]

    def nothing(self, ctxt):
        self._note("nothing", ctxt)


command = json.loads(sys.argv[1])
transport = oslo_transport.rpc_transport(
    command["url"], command["exchange"], command.get("options", {}), command.get("conf", {})
)
running = []
# The first endpoint of each server, by its name; that of the first server is also called True.
first = {}


def serve(topic, server, exchange=None, endpoints=None):
    made = [Endpoint(server, **parts) for parts in endpoints or [{}]]
    first.setdefault(True, made[0])
    first[server] = made[0]
    running.append(
        oslo_messaging.get_rpc_server(
            transport,
            oslo_messaging.Target(topic=topic, server=server, exchange=exchange),
            made,
            executor="threading",
        )
    )
    running[-1].start()
    return {"ready": True}


def handle(command):
    if "serve" in command:
        return serve(**command["serve"])
    endpoint = first[command["state"]]
    return {"value": endpoint.value, "text": endpoint.text, "calls": endpoint.calls}


peer_lines.write(serve(command["topic"], command["server"], endpoints=command.get("endpoints")))
peer_lines.serve(handle)
for server in running:
    server.stop()
for server in running:
    server.wait()
