"""The client of the examples, with a real oslo.messaging.

Argument: {"url"}.
Line: {"result"}, what the call returned; the cast went out before it.
"""

import json
import sys

import oslo_messaging
from oslo_config import cfg

import oslo_transport
import peer_lines

command = json.loads(sys.argv[1])
cfg.CONF([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=command["url"])
target = oslo_messaging.Target(
    topic="test", namespace="namespace2", server="server1", version="1.0", fanout=True
)
client = oslo_transport.rpc_client(transport, target)
client.cast({}, "test", arg="to all")
peer_lines.write({"result": client.prepare(fanout=False).call({}, "test", arg="to one")})
transport.cleanup()
