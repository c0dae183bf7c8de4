"""Takes one message from a queue with pika and acks it.

Command: {"url", "queue"}. Answer: {"message": null} when the queue is empty, else {"message": {"exchange",
"routing_key", "redelivered", "message_count", "properties" (with "headers"; values as in pika_values.py),
"body_base64"}}.
"""

import base64

import peer_lines
import pika_channel
from pika_values import to_json


def handle(command):
    channel = pika_channel.channel(command["url"])
    method, properties, body = channel.basic_get(command["queue"])
    if method is None:
        return {"message": None}
    channel.basic_ack(method.delivery_tag)
    present = {name: value for name, value in vars(properties).items() if value is not None}
    return {
        "message": {
            "exchange": method.exchange,
            "routing_key": method.routing_key,
            "redelivered": method.redelivered,
            "message_count": method.message_count,
            "properties": to_json(present),
            "body_base64": base64.b64encode(body).decode(),
        }
    }


peer_lines.serve(handle)
