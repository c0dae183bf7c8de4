"""Does with a real oslo.messaging all that declares something, and stays until stdin ends.

A server of topic "test" and server "server1" that is called, and called in a fanout; a notifier; a listener of
"listened" at info and error; and one of the pool "pool1" in two exchanges.

Argument: {"url"}, with the options in its query. The exchange is "peer".
One line when all is declared: {"ready": true, "pid"}.
"""

import json
import os
import sys
import tempfile

# Where the queue manager locks; read when oslo.concurrency is imported.
os.environ.setdefault("OSLO_LOCK_PATH", tempfile.gettempdir())

import oslo_messaging
from oslo_config import cfg
from oslo_messaging import transport as transport_module
from oslo_messaging._metrics import client as metrics

import oslo_transport
import peer_lines

failures = oslo_transport.Failures()
url = json.loads(sys.argv[1])["url"].replace("amqp://", "rabbit://", 1)

# In this process alone: the dispatcher of the newest releases reads the global options.
cfg.CONF([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
cfg.CONF.register_opts(transport_module._transport_opts)
cfg.CONF.register_opts(metrics.oslo_messaging_metrics, group="oslo_messaging_metrics")
cfg.CONF.set_override("control_exchange", "peer")


class Endpoint:
    def echo(self, ctxt, arg):
        return arg


class Listener:
    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        pass

    def error(self, ctxt, publisher_id, event_type, payload, metadata):
        pass


def main():
    rpc = oslo_messaging.get_rpc_transport(cfg.CONF, url=url)
    notifications = oslo_messaging.get_notification_transport(cfg.CONF, url=url)
    target = oslo_messaging.Target(topic="test", server="server1")
    running = [oslo_messaging.get_rpc_server(rpc, target, [Endpoint()], executor="threading")]
    topics = [oslo_messaging.Target(topic="listened")]
    running.append(listener(notifications, topics))
    topics = [
        oslo_messaging.Target(topic="pooled"),
        oslo_messaging.Target(topic="pooled", exchange="other"),
    ]
    running.append(listener(notifications, topics, pool="pool1"))
    for server in running:
        server.start()

    client = oslo_messaging.get_rpc_client(rpc, oslo_messaging.Target(topic="test"), timeout=30)
    assert client.call({}, "echo", arg=1) == 1
    client.prepare(fanout=True).cast({}, "echo", arg=1)
    client.prepare(topic="nobody", fanout=True).cast({}, "echo", arg=1)
    notifier = oslo_messaging.Notifier(
        notifications, publisher_id="peer", driver="messagingv2", topics=["unheard"]
    )
    notifier.warn({}, "some.event", {})
    failures.raise_first()
    peer_lines.write({"ready": True, "pid": os.getpid()})
    peer_lines.wait_for_end()
    os._exit(0)


def listener(transport, targets, pool=None):
    return oslo_messaging.get_notification_listener(
        transport, targets, [Listener()], executor="threading", pool=pool
    )


main()
