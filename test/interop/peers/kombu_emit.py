"""Publishes with a plain kombu Producer.

Command: {"url", "exchange": {"name", "type"?, "durable"?}, "routing_key", "body"}, and optionally "serializer",
"compression", "headers". The exchange is declared. Answer: {"ok": true}.
"""

import functools

import kombu

import peer_lines


@functools.lru_cache(maxsize=None)
def producer(url):
    return kombu.Connection(url, transport_options={"confirm_publish": True}).Producer()


def handle(command):
    exchange = command["exchange"]
    to = kombu.Exchange(
        exchange["name"], type=exchange.get("type", "topic"), durable=exchange.get("durable", False)
    )
    producer(command["url"]).publish(
        command["body"],
        exchange=to,
        declare=[to],
        routing_key=command["routing_key"],
        serializer=command.get("serializer", "json"),
        compression=command.get("compression"),
        headers=command.get("headers"),
    )
    return {"ok": True}


peer_lines.serve(handle)
