"""The notifier of the examples, with a real oslo.messaging.

Argument: {"url"}.
Line: {"sent": true}, when the broker has both notifications.
"""

import json
import sys

import oslo_messaging
from oslo_config import cfg

import oslo_transport
import peer_lines

command = json.loads(sys.argv[1])
failures = oslo_transport.Failures()
cfg.CONF([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
transport = oslo_messaging.get_notification_transport(cfg.CONF, url=command["url"])
notifier = oslo_messaging.Notifier(
    transport, publisher_id="publisher1", driver="messagingv2", topics=["notification_1"]
)
notifier.error({}, "this is type", {"reason": "an error"})
notifier.warn({}, "this is type", {"reason": "a warning"})
failures.raise_first()
peer_lines.write({"sent": True})
transport.cleanup()
