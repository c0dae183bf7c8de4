"""The usual kombu consumer: a ConsumerMixin on a few queues that prints what arrives and acks it.

Argument: {"url", "queues": [{"name", "exchange": {"name", "type"?, "durable"?}, "routing_key", "durable"?}]}.
Lines: {"ready": true} once it consumes; then {"queue", "routing_key", "body"} for each message.
"""

import json
import sys
import threading

import kombu
from kombu.mixins import ConsumerMixin

import peer_lines


class Listener(ConsumerMixin):
    def __init__(self, connection, queues):
        self.connection = connection
        self.queues = queues

    def get_consumers(self, make_consumer, channel):
        return [
            make_consumer(queues=[queue], accept=["json"], callbacks=[self.printer(queue.name)])
            for queue in self.queues
        ]

    def on_consume_ready(self, connection, channel, consumers, **kwargs):
        peer_lines.write({"ready": True})

    def printer(self, name):
        def on_message(body, message):
            peer_lines.write(
                {
                    "queue": name,
                    "routing_key": message.delivery_info["routing_key"],
                    "body": peer_lines.describe(body),
                }
            )
            message.ack()

        return on_message


def queue_of(facts):
    exchange = facts["exchange"]
    return kombu.Queue(
        facts["name"],
        kombu.Exchange(
            exchange["name"], type=exchange.get("type", "topic"), durable=exchange.get("durable", False)
        ),
        routing_key=facts["routing_key"],
        durable=facts.get("durable", False),
    )


command = json.loads(sys.argv[1])
with kombu.Connection(command["url"]) as connection:
    listener = Listener(connection, [queue_of(facts) for facts in command["queues"]])

    def stop_at_end():
        peer_lines.wait_for_end()
        listener.should_stop = True

    threading.Thread(target=stop_at_end, daemon=True).start()
    listener.run()
