"""One open pika channel for each URL, for as long as the peer lives."""

import functools

import pika


@functools.lru_cache(maxsize=None)
def channel(url):
    parameters = pika.URLParameters(url)
    # The peer waits for its next command and answers no heartbeat meanwhile.
    parameters.heartbeat = 0
    opened = pika.BlockingConnection(parameters).channel()
    opened.confirm_delivery()
    return opened
