"""Encodes and decodes AMQP with pika and with py-amqp, to compare them with a codec of another language."""

import amqp.serialization
import pika.data
import pika.spec
from amqp.basic_message import Message
from peer_lines import serve
from pika_values import from_json, to_json


def read_table(library, raw):
    if library == "pika":
        table, end = pika.data.decode_table(raw, 0)
    else:
        (table,), end = amqp.serialization.loads("F", raw, 0)
    if end != len(raw):
        raise ValueError("read %d of %d bytes" % (end, len(raw)))
    return table


def write_table(library, table):
    if library == "pika":
        pieces = []
        pika.data.encode_table(pieces, table)
        return b"".join(pieces)
    return amqp.serialization.dumps("F", [table])


def read_properties(library, raw):
    if library == "pika":
        return {name: value for name, value in vars(pika.spec.BasicProperties().decode(raw)).items() if value is not None}
    properties, end = amqp.serialization.decode_properties_basic(raw, 0)
    if end != len(raw):
        raise ValueError("read %d of %d bytes" % (end, len(raw)))
    return properties


def write_properties(library, properties):
    if library == "pika":
        return b"".join(pika.spec.BasicProperties(**properties).encode())
    return Message("", **properties)._serialize_properties()


def handle(command):
    verb, library = command["do"], command["library"]
    raw = bytes.fromhex(command.get("hex", ""))
    if verb == "read table":
        return {"value": to_json(read_table(library, raw))}
    if verb == "write table":
        return {"hex": write_table(library, from_json(command["value"])).hex()}
    if verb == "read properties":
        return {"value": to_json(read_properties(library, raw))}
    if verb == "write properties":
        return {"hex": write_properties(library, from_json(command["value"])).hex()}
    if verb == "method" and library == "pika":
        method = pika.spec.methods[command["code"]]().decode(raw)
        return {"value": to_json(vars(method)), "hex": b"".join(method.encode()).hex()}
    if verb == "method":
        values, end = amqp.serialization.loads(command["format"], raw, 0)
        if end != len(raw):
            raise ValueError("read %d of %d bytes" % (end, len(raw)))
        return {"value": to_json(values), "hex": amqp.serialization.dumps(command["format"], values).hex()}
    raise ValueError("unknown command %s" % verb)


serve(handle)
