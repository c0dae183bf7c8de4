"""Sends with a real oslo.messaging one of everything, over several transports at the same time, and ends.

A server of topic "test" and server "server1", which has the methods echo(arg=None), fail(message) (a ValueError) and
delay(seconds) in the namespace "ns", version 1.1; a listener of "listened" at info and error, one of the pool "pool1" in
two exchanges; then calls, casts and notifications, one after the other; then all is closed in order.

Argument: {"urls"}, with the options in their queries. The exchange is "peer".
A line for each at its end: {"done": url}, or {"error"}.
"""

import json
import os
import sys
import tempfile
import threading
import time

# Where the queue manager locks; read when oslo.concurrency is imported.
os.environ.setdefault("OSLO_LOCK_PATH", tempfile.gettempdir())

import oslo_messaging
from oslo_config import cfg

import oslo_transport
import peer_lines

failures = oslo_transport.Failures()
urls = json.loads(sys.argv[1])["urls"]
CONTEXT = {"user": "u-17", "roles": ["member"], "none": None}


class Endpoint:
    target = oslo_messaging.Target(namespace="ns", version="1.1", legacy_namespaces=[None])

    def echo(self, ctxt, arg=None):
        return arg

    @oslo_messaging.expected_exceptions(ValueError)
    def fail(self, ctxt, message):
        raise ValueError(message)

    def delay(self, ctxt, seconds):
        time.sleep(seconds)


class Listener:
    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        pass

    def error(self, ctxt, publisher_id, event_type, payload, metadata):
        pass


def listener(transport, targets, pool=None):
    return oslo_messaging.get_notification_listener(
        transport, targets, [Listener()], executor="threading", pool=pool
    )


def call(client):
    assert client.call(CONTEXT, "echo", arg=[1, "\u00e9\U0001f600", None, {"a": 0.5}]) is not None
    assert client.prepare(server="server1").call({}, "echo", arg=None) is None
    assert client.prepare(server="server1").call({}, "echo", arg={}) == {}
    try:
        client.call({}, "fail", message="gone")
    except ValueError:
        pass
    client.prepare(call_monitor_timeout=8).call({}, "delay", seconds=6)
    sure = oslo_messaging.TransportOptions(at_least_once=True)
    client.prepare(transport_options=sure).call({}, "echo", arg=False)
    client.prepare(transport_options=sure).cast({}, "echo", arg=2)
    client.cast(CONTEXT, "echo", arg=1)
    client.prepare(namespace=None, version=None).cast({}, "echo")
    client.prepare(server="server1").cast({}, "echo", arg=1)
    client.prepare(fanout=True).cast({}, "echo", arg=1)
    client.prepare(fanout=True, topic="nobody").cast({}, "echo", arg=1)
    client.prepare(exchange="other", topic="nobody").cast({}, "echo", arg=1)


def run(url, rpc, notifications):
    target = oslo_messaging.Target(topic="test", server="server1")
    server = oslo_messaging.get_rpc_server(rpc, target, [Endpoint()], executor="threading")
    pooled = [
        oslo_messaging.Target(topic="pooled"),
        oslo_messaging.Target(topic="pooled", exchange="other"),
    ]
    running = [
        server,
        listener(notifications, [oslo_messaging.Target(topic="listened")]),
        listener(notifications, pooled, pool="pool1"),
    ]
    for one in running:
        one.start()

    target = oslo_messaging.Target(topic="test", namespace="ns", version="1.0")
    call(oslo_transport.rpc_client(rpc, target, timeout=30))
    for topic in ("listened", "unheard"):
        for driver in ("messagingv2", "messaging"):
            notifier = oslo_messaging.Notifier(
                notifications, publisher_id="peer.host", driver=driver, topics=[topic]
            )
            notifier.info({}, "some.event", {"text": "\u00e9", "number": 1.5, "none": None})
            notifier.prepare(publisher_id="other.host").warn({}, "some.event", [])
            notifier.sample({}, "some.event", "text")
    for one in running:
        one.stop()
        one.wait()
    rpc.cleanup()
    notifications.cleanup()


def report(url, *transports):
    try:
        run(url, *transports)
        failures.raise_first()
        peer_lines.write({"done": url})
    except Exception as error:
        peer_lines.write({"error": "%s: %r" % (url, error)})


def transports(url):
    rpc = oslo_transport.rpc_transport(url, "peer", {}, {})
    rabbit_url = url.replace("amqp://", "rabbit://", 1)
    return url, rpc, oslo_messaging.get_notification_transport(cfg.CONF, url=rabbit_url)


threads = [threading.Thread(target=report, args=made) for made in [transports(url) for url in urls]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
os._exit(0)
