"""The server of the examples, with a real oslo.messaging.

Argument: {"url", "server"?}.
Lines: {"ready": true} once it serves; then {"namespace", "arg"} for each request.
"""

import json
import sys

import oslo_messaging
from oslo_config import cfg

import peer_lines


class Endpoint1:
    target = oslo_messaging.Target(namespace="namespace1", version="1.0")

    def test(self, ctxt, arg):
        peer_lines.write({"namespace": "namespace1", "arg": arg})
        return arg


class Endpoint2:
    target = oslo_messaging.Target(namespace="namespace2", version="1.0")

    def test(self, ctxt, arg):
        peer_lines.write({"namespace": "namespace2", "arg": arg})
        return arg


command = json.loads(sys.argv[1])
cfg.CONF([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
transport = oslo_messaging.get_rpc_transport(cfg.CONF, url=command["url"])
target = oslo_messaging.Target(topic="test", server=command.get("server", "server1"))
server = oslo_messaging.get_rpc_server(transport, target, [Endpoint1(), Endpoint2()], executor="threading")
cfg.CONF.set_override("executor_thread_pool_size", 1)
server.start()
peer_lines.write({"ready": True})
peer_lines.wait_for_end()
server.stop()
server.wait()
