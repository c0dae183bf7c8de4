"""A real oslo.messaging notification listener.

Argument: {"url", "targets": [{"exchange", "topic"}], "pool"?}.
Lines: {"ready": true} once its queues are bound; then one for each notification: {"priority", "publisher_id",
"event_type", "payload": {"sha256", "length", "json"?}, "message_id", "timestamp", "ctxt"}.
"""

import json
import sys

import oslo_messaging

import oslo_transport
import peer_lines


def reporter(priority):
    def report(self, ctxt, publisher_id, event_type, payload, metadata):
        peer_lines.write(
            {
                "priority": priority,
                "publisher_id": publisher_id,
                "event_type": event_type,
                "payload": peer_lines.describe(payload),
                "message_id": metadata["message_id"],
                "timestamp": metadata["timestamp"],
                "ctxt": ctxt,
            }
        )

    return report


Endpoint = type(
    "Endpoint",
    (),
    {name: reporter(name) for name in ("audit", "debug", "info", "warn", "error", "critical", "sample")},
)

command = json.loads(sys.argv[1])
targets = [oslo_messaging.Target(exchange=t["exchange"], topic=t["topic"]) for t in command["targets"]]
listener = oslo_messaging.get_notification_listener(
    oslo_transport.notification_transport(command["url"], "openstack"),
    targets,
    [Endpoint()],
    executor="threading",
    pool=command.get("pool"),
)
listener.start()
peer_lines.write({"ready": True})
peer_lines.wait_for_end()
listener.stop()
listener.wait()
