"""Publishes raw bytes with any properties and headers, with pika.

Command: {"url", "exchange", "routing_key", "body_base64"}, and optionally "properties" (pika's names: "headers",
"content_type", "expiration", "timestamp", ...; values as in pika_values.py), "mandatory"; "queue": {"name",
"durable"?, "exclusive"?, "auto_delete"?, "arguments"?, "bind"?: {"exchange", "routing_key"}} is declared first.
Without "exchange" nothing is published. Answer: {"ok": true, "queue"?: the name}.
"""

import base64

import pika

import peer_lines
import pika_channel
from pika_values import from_json


def declare(channel, facts):
    name = channel.queue_declare(
        facts["name"],
        durable=facts.get("durable", False),
        exclusive=facts.get("exclusive", False),
        auto_delete=facts.get("auto_delete", False),
        arguments=from_json(facts.get("arguments")),
    ).method.queue
    if "bind" in facts:
        channel.queue_bind(name, facts["bind"]["exchange"], facts["bind"]["routing_key"])
    return name


def handle(command):
    channel = pika_channel.channel(command["url"])
    answer = {"ok": True}
    if "queue" in command:
        answer["queue"] = declare(channel, command["queue"])
    if "exchange" in command:
        channel.basic_publish(
            command["exchange"],
            command["routing_key"],
            base64.b64decode(command["body_base64"]),
            pika.BasicProperties(**from_json(command.get("properties", {}))),
            mandatory=command.get("mandatory", False),
        )
    return answer


peer_lines.serve(handle)
