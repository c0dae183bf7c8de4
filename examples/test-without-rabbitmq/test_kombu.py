"""python3 -m unittest discover examples/test-without-rabbitmq -p test_kombu.py"""

import socket
import unittest

from hermod_broker import hermod_broker
from kombu import Connection, Exchange, Queue

LOGS = Exchange('logs', 'topic')
ERRORS = Queue('errors', LOGS, routing_key='*.error')


def count_errors(connection):
    """The code under test: counts what is logged as an error, by service."""
    counts = {}

    def on_message(body, message):
        counts[body['service']] = counts.get(body['service'], 0) + 1
        message.ack()

    with connection.Consumer(ERRORS, callbacks=[on_message]):
        try:
            while True:
                connection.drain_events(timeout=0.2)
        except socket.timeout:
            return counts


class CountErrors(unittest.TestCase):
    def test_errors_are_counted_by_service(self):
        with hermod_broker() as url, Connection(url) as connection:
            with connection.Producer(exchange=LOGS) as producer:
                for service, level in [('shop', 'error'), ('shop', 'info'), ('mail', 'error'), ('shop', 'error')]:
                    producer.publish({'service': service}, routing_key=f'{service}.{level}', declare=[ERRORS])
            self.assertEqual(count_errors(connection), {'shop': 2, 'mail': 1})


if __name__ == '__main__':
    unittest.main()
