"""Sends a request as kombu programs do and waits for its reply.

Command: {"url", "routing_key", "body"}. Answer: {"reply": body, "content_type", "correlated": whether the ids agree}.
"""

import socket
import uuid

import kombu

import peer_lines


def handle(command):
    with kombu.Connection(command["url"], transport_options={"confirm_publish": True}) as connection:
        correlation_id = str(uuid.uuid4())
        # kombu would declare a queue that the broker has named once more, and be refused.
        replies = kombu.Queue("replies." + correlation_id, exclusive=True)(connection.default_channel)
        replies.declare()
        answer = {}

        def on_reply(body, message):
            answer.update(
                reply=body,
                content_type=message.content_type,
                correlated=message.properties["correlation_id"] == correlation_id,
            )
            message.ack()

        connection.Producer().publish(
            command["body"],
            exchange="",
            routing_key=command["routing_key"],
            reply_to=replies.name,
            correlation_id=correlation_id,
        )
        with connection.Consumer([replies], callbacks=[on_reply], accept=["json"]):
            for _ in range(30):
                try:
                    connection.drain_events(timeout=1)
                except socket.timeout:
                    continue
                break
        return answer or {"error": "no reply came"}


peer_lines.serve(handle)
