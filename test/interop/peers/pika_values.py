"""AMQP values as JSON, for both pika peers.

What JSON has is written as it is. The rest: {"$bytes": base64}, {"$decimal": text}, {"$timestamp": seconds},
{"$long": number} (the 64-bit letter for a small number), {"$float": text} (read only: pika writes no floats)
and {"$int": text} where a JavaScript
number would not do.
"""

import base64
import calendar
import datetime
import decimal

import pika.compat

_SAFE = 2**53 - 1

_READERS = {
    "$bytes": base64.b64decode,
    "$decimal": decimal.Decimal,
    "$timestamp": lambda seconds: datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None),
    "$long": lambda number: pika.compat.long(number),
    "$float": float,
    "$int": int,
}


def from_json(value):
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if isinstance(value, dict):
        if len(value) == 1:
            (name, inner), = value.items()
            if name in _READERS:
                return _READERS[name](inner)
        return {name: from_json(inner) for name, inner in value.items()}
    return value


def to_json(value):
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, decimal.Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime.datetime):
        return {"$timestamp": calendar.timegm(value.utctimetuple())}
    if isinstance(value, float):
        return {"$float": repr(value)}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return {"$int": str(value)}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {name: to_json(inner) for name, inner in value.items()}
    return value
