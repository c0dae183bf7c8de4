"""Calls and casts with a real oslo.messaging RPC client.

Argument: {"url", "exchange"}, and optionally "options" (of the group oslo_messaging_rabbit), "conf" (of DEFAULT) and
"allowed_modules", whose exceptions it rebuilds.
Command: {"topic", "method"}, and optionally "args", "context", "exchange", "server", "fanout", "namespace", "version",
"cast" (true: no reply is wanted), "floats" (more arguments, texts for float()), "timeout", "call_monitor_timeout"
(seconds), "retry", "at_least_once", "version_cap".
Answer: {"result"}, with "exact" in the command {"json"} in its place, as text in Python's dialect; or {"raised":
{"type", "module", "text"}} with what the client raised, and "remote" with the class that a RemoteError names,
"details" with what a rebuilt OutOfStock was made of. A cast gives a result of null.
Command {"at_once": [command, ...]} sends them all at the same time, and answers {"answers": [...]} in their order.
"""

import concurrent.futures
import json
import sys

import oslo_messaging

import oslo_rpc_errors
import oslo_transport
import peer_lines

command = json.loads(sys.argv[1])
transport = oslo_transport.rpc_transport(
    command["url"],
    command["exchange"],
    command.get("options", {}),
    command.get("conf", {}),
    command.get("allowed_modules", []),
)

TARGET = ("exchange", "server", "fanout", "namespace", "version")
CLIENT = ("timeout", "call_monitor_timeout", "retry", "version_cap")


def handle(command):
    if "at_once" in command:
        commands = command["at_once"]
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as threads:
            return {"answers": list(threads.map(answer, commands))}
    return answer(command)


def answer(command):
    parts = {name: command[name] for name in TARGET if name in command}
    target = oslo_messaging.Target(topic=command["topic"], **parts)
    more = {name: command[name] for name in CLIENT if name in command}
    if command.get("at_least_once"):
        more["transport_options"] = oslo_messaging.TransportOptions(at_least_once=True)
    client = oslo_transport.rpc_client(transport, target, **more)
    send = client.cast if command.get("cast") else client.call
    args = {name: float(text) for name, text in command.get("floats", {}).items()}
    args.update(command.get("args", {}))
    try:
        result = send(command.get("context", {}), command["method"], **args)
    except Exception as error:
        return {"raised": described(error)}
    if command.get("exact"):
        return {"json": json.dumps(result)}
    return {"result": result}


def described(error):
    raised = {"type": type(error).__name__, "module": type(error).__module__, "text": str(error)}
    if isinstance(error, oslo_messaging.RemoteError):
        raised.update(remote=error.exc_type, text=error.value)
    if isinstance(error, oslo_rpc_errors.OutOfStock):
        raised["details"] = {"missing": error.missing}
    return raised


peer_lines.serve(handle)
transport.cleanup()
