"""Emits notifications with a real oslo.messaging Notifier.

Command: {"url", "exchange", "event_type", "payload"}, and optionally "driver" ("messaging" or "messagingv2"),
"topics", "publisher_id", "priority", "context", "raw_payload_python" (a Python literal in the place of the
payload, for what JSON cannot say: tuples, keys that are no texts).
Answer: {"ok": true, "message_id", "payload": {"sha256", "length", "json"?}}.
"""

import ast
import functools

import oslo_messaging
from oslo_serialization import jsonutils

import oslo_transport
import peer_lines

failures = oslo_transport.Failures()
sent = []


@functools.lru_cache(maxsize=None)
def notifier(url, exchange, driver, topics, publisher_id):
    made = oslo_messaging.Notifier(
        oslo_transport.notification_transport(url, exchange),
        publisher_id=publisher_id,
        driver=driver,
        topics=list(topics),
    )
    for extension in made._driver_mgr.extensions:
        extension.obj.notify = remembering(extension.obj.notify)
    return made


def remembering(notify):
    """notify() tells nobody the id that it gave to the message."""

    def remember(ctxt, message, priority, retry):
        sent.append(message["message_id"])
        return notify(ctxt, message, priority, retry)

    return remember


def handle(command):
    emitter = notifier(
        command["url"],
        command["exchange"],
        command.get("driver", "messagingv2"),
        tuple(command.get("topics", ["notifications"])),
        command.get("publisher_id", "interop.peer"),
    )
    if "raw_payload_python" in command:
        payload = ast.literal_eval(command["raw_payload_python"])
    else:
        payload = command.get("payload", {})
    emit = getattr(emitter, command.get("priority", "info").lower())
    emit(command.get("context", {}), command["event_type"], payload)
    failures.raise_first()
    as_sent = jsonutils.loads(jsonutils.dumps(payload))
    return {"ok": True, "message_id": sent.pop(), "payload": peer_lines.describe(as_sent)}


peer_lines.serve(handle)
