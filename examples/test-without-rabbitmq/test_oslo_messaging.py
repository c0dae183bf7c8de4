"""python3 -m unittest discover examples/test-without-rabbitmq -p test_oslo_messaging.py"""

import unittest

import oslo_messaging
from hermod_broker import hermod_broker
from oslo_config import cfg

TARGET = oslo_messaging.Target(topic='disks', server='one')


class Disks:
    """The code under test."""

    def resize(self, ctxt, size):
        if size <= 0:
            raise ValueError('a disk has a size')
        return size * 2


class ResizeDisks(unittest.TestCase):
    def setUp(self):
        url = self.enterContext(hermod_broker()).replace('amqp:', 'rabbit:', 1)
        cfg.CONF([])
        self.transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
        self.addCleanup(self.transport.cleanup)
        server = oslo_messaging.get_rpc_server(self.transport, TARGET, [Disks()], executor='threading')
        server.start()
        self.addCleanup(server.wait)
        self.addCleanup(server.stop)

    def call(self, size):
        client = oslo_messaging.RPCClient(
            self.transport, oslo_messaging.Target(topic='disks'), timeout=10)
        return client.call({}, 'resize', size=size)

    def test_a_call_has_its_answer(self):
        self.assertEqual(self.call(7), 14)

    def test_an_error_of_the_method_reaches_the_caller(self):
        with self.assertRaisesRegex(ValueError, 'a disk has a size'):
            self.call(0)


if __name__ == '__main__':
    unittest.main()
