"""Writes and reads messages with kombu: every serializer, compression and property.

Commands: {"do": "publish", "queue", "value" | "python", "options"} publishes to a queue through the default exchange;
"python" is the source of a literal that JSON cannot say, "options" are kombu's. {"do": "get", "queue", "accept"}
answers with what kombu makes of the next message: {"type", "text", "content_type", "content_encoding", "headers",
"properties"}, or {"refused": name of the exception}. {"do": "reply", "queue", "value", "accept"} answers the next message as
kombu.common.send_reply does. Argument: {"url"}.
"""

import ast
import base64
import json
import sys

import kombu
import kombu.common

import peer_lines

connection = kombu.Connection(json.loads(sys.argv[1])["url"], transport_options={"confirm_publish": True})
channel = connection.channel()
producer = kombu.Producer(channel)


def literal(command):
    """What the command wants to have published; names of values that have no literal come first."""
    source = command.get("python")
    if source is None:
        return command["value"]
    if source.startswith("datetime "):
        import datetime

        return {"at": datetime.datetime.fromisoformat(source.split()[1])}
    if source.startswith("decimal "):
        import decimal

        return {"price": decimal.Decimal(source.split()[1])}
    if source.startswith("uuid "):
        import uuid

        return {"id": uuid.UUID(source.split()[1])}
    return ast.literal_eval(source)


def next_message(command):
    message = kombu.Queue(command["queue"], no_declare=True)(channel).get(no_ack=True, accept=command["accept"])
    if message is None:
        raise LookupError("no message in %s" % command["queue"])
    return message


def describe(message):
    try:
        body = message.payload
    except Exception as error:
        return {"refused": type(error).__name__}
    if isinstance(body, bytes):
        text = base64.b64encode(body).decode()
    elif isinstance(body, str):
        text = body
    else:
        text = json.dumps(body, sort_keys=True, default=str)
    return {
        "type": type(body).__name__,
        "text": text,
        "content_type": message.content_type,
        "content_encoding": message.content_encoding,
        "headers": message.headers,
        "properties": {name: str(value) for name, value in message.properties.items()},
    }


def handle(command):
    if command["do"] == "publish":
        producer.publish(literal(command), routing_key=command["queue"], **command.get("options", {}))
        return {"ok": True}
    message = next_message(command)
    if command["do"] == "reply":
        kombu.common.send_reply("", message, command["value"], producer)
        return {"ok": True}
    return describe(message)


peer_lines.serve(handle)
