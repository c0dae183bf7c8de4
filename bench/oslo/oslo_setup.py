"""Transports and methods that the job and the server share."""

import oslo_messaging
from oslo_config import cfg
from oslo_messaging._metrics import client as metrics
from oslo_messaging import transport as transport_module


def configure():
    """Everything at its default."""
    cfg.CONF([], project="hermod-bench", default_config_files=[], default_config_dirs=[])
    cfg.CONF.register_opts(transport_module._transport_opts)
    # A client fails at its first call without these.
    cfg.CONF.register_opts(metrics.oslo_messaging_metrics, group="oslo_messaging_metrics")
    return cfg.CONF


def rabbit_url(url):
    """In oslo.messaging amqp:// is AMQP 1.0."""
    return url.replace("amqp://", "rabbit://", 1)


def rpc_transport(url):
    return oslo_messaging.get_rpc_transport(configure(), url=rabbit_url(url))


def notification_transport(url):
    return oslo_messaging.get_notification_transport(configure(), url=rabbit_url(url))
