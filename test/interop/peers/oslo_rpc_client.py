"""Calls and casts with a real oslo.messaging RPC client.

Argument: {"url", "exchange"}, and optionally "options" (of the group oslo_messaging_rabbit) and "conf" (of DEFAULT).
Command: {"topic", "method"}, and optionally "args", "context", "server", "fanout", "namespace", "version", "cast" (true:
no reply is wanted), "timeout", "call_monitor_timeout" (seconds), "at_least_once".
Answer: {"result"}, or {"raised": {"type", "text"}} with what the client raised. A cast gives {"result": null}.
"""

import json
import sys

import oslo_messaging

import oslo_transport
import peer_lines

command = json.loads(sys.argv[1])
transport = oslo_transport.rpc_transport(
    command["url"], command["exchange"], command.get("options", {}), command.get("conf", {})
)


def handle(command):
    parts = {name: command[name] for name in ("server", "fanout", "namespace", "version") if name in command}
    target = oslo_messaging.Target(topic=command["topic"], **parts)
    more = {name: command[name] for name in ("timeout", "call_monitor_timeout") if name in command}
    if command.get("at_least_once"):
        more["transport_options"] = oslo_messaging.TransportOptions(at_least_once=True)
    client = oslo_transport.rpc_client(transport, target, **more)
    send = client.cast if command.get("cast") else client.call
    try:
        return {"result": send(command.get("context", {}), command["method"], **command.get("args", {}))}
    except Exception as error:
        return {"raised": {"type": type(error).__name__, "text": str(error)}}


peer_lines.serve(handle)
transport.cleanup()
