"""Says which options the rabbit driver of a real oslo.messaging has, and how it reads their values.

Command: {"list": true} → {"options": [{"name", "type", "default", "min", "max", "choices", "former"}]}.
Command: {"read": [[name, text], ...]} → {"values": [[value] or null, ...]}, null for a text that is refused.
"""

from oslo_messaging._drivers import amqp, base, impl_rabbit

import peer_lines

# In 14.0.3 those of connection pools stand apart.
all_options = amqp.amqp_opts + impl_rabbit.rabbit_opts + getattr(base, "base_opts", [])
options = {option.name: option for option in all_options}


def describe(option):
    kind = option.type
    return {
        "name": option.name,
        "type": type(option).__name__,
        "default": option.default,
        "min": getattr(kind, "min", None),
        "max": getattr(kind, "max", None),
        "choices": list(getattr(kind, "choices", None) or []),
        "former": sorted({other.name for other in option.deprecated_opts if other.name}),
    }


def read(name, text):
    try:
        return [options[name].type(text)]
    except ValueError:
        return None


def handle(command):
    if "list" in command:
        return {"options": [describe(option) for option in options.values()]}
    return {"values": [read(name, text) for name, text in command["read"]]}


peer_lines.serve(handle)
