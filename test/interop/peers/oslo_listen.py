"""Real oslo.messaging notification listeners.

Argument: {"url"} and the first listener, if any, as in a command.
Command: {"targets": [{"exchange", "topic"}]}, and optionally "name", "pool", "requeue" (true: each notification goes back
once before it is handled), "batch" ({"size", "timeout" in seconds}) and "filter" (of NotificationFilter), starts a
listener.
Lines: {"ready": true} once the queues of a listener are bound; and one for each notification: {"listener", "priority",
"publisher_id", "event_type", "payload": {"sha256", "length", "json"?}, "message_id", "timestamp", "ctxt"}, with "batch",
the number of its batch, where there are batches.
"""

import itertools
import json
import sys

import oslo_messaging

import oslo_transport
import peer_lines

PRIORITIES = ("audit", "debug", "info", "warn", "error", "critical", "sample")


def report(listener, priority, ctxt, publisher_id, event_type, payload, metadata, **more):
    peer_lines.write(
        {
            "listener": listener,
            "priority": priority,
            "publisher_id": publisher_id,
            "event_type": event_type,
            "payload": peer_lines.describe(payload),
            "message_id": metadata["message_id"],
            "timestamp": metadata["timestamp"],
            "ctxt": ctxt,
            **more,
        }
    )


def one_by_one(listener, priority, requeue):
    seen = set()

    def handle(self, ctxt, publisher_id, event_type, payload, metadata):
        report(listener, priority, ctxt, publisher_id, event_type, payload, metadata)
        if requeue and metadata["message_id"] not in seen:
            seen.add(metadata["message_id"])
            return oslo_messaging.NotificationResult.REQUEUE
        return oslo_messaging.NotificationResult.HANDLED

    return handle


def by_the_batch(listener, priority):
    numbers = itertools.count()

    def handle(self, messages):
        number = next(numbers)
        for message in messages:
            report(listener, priority, batch=number, **message)

    return handle


def start(url, targets, name=None, pool=None, requeue=False, batch=None, filter=None):
    members = {
        priority: by_the_batch(name, priority) if batch else one_by_one(name, priority, requeue)
        for priority in PRIORITIES
    }
    if filter:
        members["filter_rule"] = oslo_messaging.NotificationFilter(**filter)
    parts = [
        oslo_transport.notification_transport(url, "openstack"),
        [oslo_messaging.Target(exchange=t["exchange"], topic=t["topic"]) for t in targets],
        [type("Endpoint", (), members)()],
    ]
    options = {"executor": "threading", "pool": pool, "allow_requeue": requeue}
    if batch:
        options.update(batch_size=batch["size"], batch_timeout=batch["timeout"])
        made = oslo_messaging.get_batch_notification_listener(*parts, **options)
    else:
        made = oslo_messaging.get_notification_listener(*parts, **options)
    made.start()
    running.append(made)
    peer_lines.write({"ready": True})


running = []
first = json.loads(sys.argv[1])
if "targets" in first:
    start(**first)
for line in sys.stdin:
    start(first["url"], **json.loads(line))
for listener in running:
    listener.stop()
for listener in running:
    listener.wait()
