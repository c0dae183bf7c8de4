"""kombu's ConsumerProducerMixin: answers each request with {"echo": body}, and comes back when the broker does.

Argument: {"url", "queue"}. Lines: {"ready": true} each time it consumes, {"lost": "..."} each time it cannot connect.
"""

import json
import sys
import threading

import kombu
from kombu.mixins import ConsumerProducerMixin

import peer_lines


class Worker(ConsumerProducerMixin):
    def __init__(self, connection, queue):
        self.connection = connection
        self.queue = queue

    def get_consumers(self, make_consumer, channel):
        return [
            make_consumer(queues=[self.queue], on_message=self.answer, accept=["json"], prefetch_count=10)
        ]

    def on_consume_ready(self, connection, channel, consumers, **kwargs):
        peer_lines.write({"ready": True})

    def on_connection_error(self, exc, interval):
        peer_lines.write({"lost": str(exc)})

    def answer(self, message):
        self.producer.publish(
            {"echo": message.payload},
            exchange="",
            routing_key=message.properties["reply_to"],
            correlation_id=message.properties["correlation_id"],
            serializer="json",
            retry=True,
        )
        message.ack()


command = json.loads(sys.argv[1])
with kombu.Connection(command["url"], heartbeat=4) as connection:
    worker = Worker(connection, kombu.Queue(command["queue"]))

    def stop_at_end():
        peer_lines.wait_for_end()
        worker.should_stop = True

    threading.Thread(target=stop_at_end, daemon=True).start()
    worker.run()
