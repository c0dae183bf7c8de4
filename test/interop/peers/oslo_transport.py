"""Transports of a real oslo.messaging."""

import functools
import logging
import urllib.parse

import oslo_messaging
from oslo_config import cfg
from oslo_messaging._metrics import client as metrics
from oslo_messaging import transport as transport_module
from oslo_messaging.rpc import dispatcher


class Failures(logging.Handler):
    """Collects what oslo.messaging logs as errors: its notifier swallows the exceptions themselves."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self._texts = []
        logging.getLogger("oslo_messaging").addHandler(self)

    def emit(self, record):
        text = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            text += ": %r" % record.exc_info[1]
        self._texts.append(text)

    def raise_first(self):
        texts, self._texts = self._texts, []
        if texts:
            raise RuntimeError(texts[0][:2000])


@functools.lru_cache(maxsize=None)
def notification_transport(url, exchange):
    conf = cfg.ConfigOpts()
    conf([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
    conf.register_opts(transport_module._transport_opts)
    # A client on a bare ConfigOpts fails at its first call without these.
    conf.register_opts(metrics.oslo_messaging_metrics, group="oslo_messaging_metrics")
    conf.set_override("control_exchange", exchange)
    # In oslo.messaging amqp:// is AMQP 1.0.
    rabbit_url = url.replace("amqp://", "rabbit://", 1)
    return oslo_messaging.get_notification_transport(conf, url=rabbit_url)


def rpc_transport(url, exchange, options, settings, allowed_modules=()):
    """`options` of the group oslo_messaging_rabbit as in a file, and `settings` of DEFAULT.

    Exceptions of `allowed_modules` are rebuilt for callers.

    On the configuration of the process, where every release of the library has registered what it needs; so there is
    one such transport in a process.
    """
    conf = cfg.CONF
    conf([], project="hermod-interop", default_config_files=[], default_config_dirs=[])
    conf.register_opts(transport_module._transport_opts)
    conf.register_opts(dispatcher._dispatcher_opts)
    conf.set_override("control_exchange", exchange)
    rabbit_url = url.replace("amqp://", "rabbit://", 1)
    if options:
        rabbit_url += "?" + urllib.parse.urlencode(options)
    transport = oslo_messaging.get_rpc_transport(
        conf, url=rabbit_url, allowed_remote_exmods=list(allowed_modules)
    )
    for name, value in settings.items():
        conf.set_override(name, value)
    return transport


def rpc_client(transport, target, **more):
    """Newer releases warn of a client that is made directly; 14.0 has no other way."""
    make = getattr(oslo_messaging, "get_rpc_client", oslo_messaging.RPCClient)
    return make(transport, target, **more)
