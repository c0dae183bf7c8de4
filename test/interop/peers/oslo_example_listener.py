"""The listener of the examples, with a real oslo.messaging.

Argument: {"url"}.
Lines: {"ready": true} once it listens; then {"priority", "publisher_id", "event_type", "payload"} for each notification.
"""

import json
import sys

import oslo_messaging
from oslo_config import cfg

import peer_lines


def handled(priority, publisher_id, event_type, payload):
    notification = {"priority": priority, "publisher_id": publisher_id}
    peer_lines.write({**notification, "event_type": event_type, "payload": payload})
    return oslo_messaging.NotificationResult.HANDLED


class WarnEndpoint:
    def warn(self, ctxt, publisher_id, event_type, payload, metadata):
        return handled("warn", publisher_id, event_type, payload)


class ErrorEndpoint:
    def error(self, ctxt, publisher_id, event_type, payload, metadata):
        return handled("error", publisher_id, event_type, payload)


command = json.loads(sys.argv[1])
cfg.CONF([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
transport = oslo_messaging.get_notification_transport(cfg.CONF, url=command["url"])
targets = [oslo_messaging.Target(topic=topic) for topic in ("notification_1", "notification_2")]
listener = oslo_messaging.get_notification_listener(
    transport, targets, [WarnEndpoint(), ErrorEndpoint()], executor="threading"
)
listener.start()
peer_lines.write({"ready": True})
peer_lines.wait_for_end()
listener.stop()
listener.wait()
