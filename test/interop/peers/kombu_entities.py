"""Declares kombu's entities and publishes to them.

Commands: {"do": "declare", "queue": {...}}, {"do": "broadcast", "name", "options"} or
{"do": "publish", "exchange": {...}, "routing_key", "body", "headers"?}; the entities as kombu's keyword arguments, a
queue's exchange as {"exchange": {...}}. Answer: {"name": ...} of what was declared, or {"ok": true}.
Argument: {"url"}.
"""

import json
import sys

import kombu
import kombu.common

import peer_lines

connection = kombu.Connection(json.loads(sys.argv[1])["url"], transport_options={"confirm_publish": True})


def queue_of(facts):
    facts = dict(facts)
    exchange = facts.pop("exchange", None)
    return kombu.Queue(exchange=kombu.Exchange(**exchange) if exchange else None, **facts)


def handle(command):
    # A refused declaration costs its channel.
    with connection.channel() as channel:
        if command["do"] == "declare":
            return {"name": queue_of(command["queue"])(channel).declare()}
        if command["do"] == "broadcast":
            queue = kombu.common.Broadcast(command["name"], **command["options"])
            return {"name": queue(channel).declare()}
        kombu.Producer(channel).publish(
            command["body"],
            exchange=kombu.Exchange(**command["exchange"]),
            routing_key=command["routing_key"],
            headers=command.get("headers"),
        )
        return {"ok": True}


with connection:
    peer_lines.serve(handle)
