"""kombu's SimpleQueue and SimpleBuffer.

Commands: {"do": "put" | "get" | "get_nowait" | "size" | "clear" | "close", "kind": "queue" | "buffer", "name"}; for put
"body" and "options", for get "timeout" in seconds. Answers: {"ok": true}, {"body"}, {"empty": true} or {"count"}.
What is got is acked. Argument: {"url"}.
"""

import json
import queue
import sys

import kombu
from kombu.simple import SimpleBuffer, SimpleQueue

import peer_lines

connection = kombu.Connection(json.loads(sys.argv[1])["url"], transport_options={"confirm_publish": True})
opened = {}


def simple(command):
    kind = SimpleQueue if command["kind"] == "queue" else SimpleBuffer
    key = (kind, command["name"])
    if key not in opened:
        opened[key] = kind(connection.channel(), command["name"])
    return opened[key]


def handle(command):
    one = simple(command)
    do = command["do"]
    if do == "put":
        one.put(command["body"], **command.get("options", {}))
        return {"ok": True}
    if do in ("get", "get_nowait"):
        try:
            message = one.get(timeout=command["timeout"]) if do == "get" else one.get_nowait()
        except queue.Empty:
            return {"empty": True}
        if not one.no_ack:
            message.ack()
        return {"body": message.payload}
    if do == "size":
        return {"count": one.qsize()}
    if do == "clear":
        return {"count": one.clear()}
    one.close()
    one.channel.close()
    opened.clear()
    return {"ok": True}


peer_lines.serve(handle)
