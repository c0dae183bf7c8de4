"""What docs/call-nova.md calls, with a real oslo.messaging: a conductor, and nova-compute of host-1.

Argument: {"url"}.
Lines: {"ready": true} once they serve; then {"method", "context"} for each request.
"""

import json
import sys

import oslo_messaging

import oslo_transport
import peer_lines


class BaseApi:
    """The namespace that all services of nova have."""

    target = oslo_messaging.Target(namespace="baseapi", version="1.1")

    def __init__(self, service):
        self._service = service

    def ping(self, ctxt, arg):
        peer_lines.write({"method": "ping", "context": ctxt})
        return {"service": self._service, "arg": arg}


class ComputeManager:
    target = oslo_messaging.Target(version="6.1")

    def get_host_uptime(self, ctxt):
        peer_lines.write({"method": "get_host_uptime", "context": ctxt})
        return " 12:00:01 up 3 days\n"


command = json.loads(sys.argv[1])
transport = oslo_transport.rpc_transport(command["url"], "nova", {}, {})
servers = []
for topic, server, more in (("conductor", "host-9", []), ("compute", "host-1", [ComputeManager()])):
    target = oslo_messaging.Target(topic=topic, server=server)
    endpoints = [BaseApi(topic)] + more
    servers.append(oslo_messaging.get_rpc_server(transport, target, endpoints, executor="threading"))
    servers[-1].start()
peer_lines.write({"ready": True})
peer_lines.wait_for_end()
for server in servers:
    server.stop()
for server in servers:
    server.wait()
