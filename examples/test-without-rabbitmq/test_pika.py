"""python3 -m unittest discover examples/test-without-rabbitmq -p test_pika.py"""

import unittest

import pika
from hermod_broker import hermod_broker


def move_spoilt(channel, queue, is_sound):
    """The code under test: what is not sound goes to the dead-letter exchange of its queue; gives the number."""
    spoilt = 0
    for method, _, body in channel.consume(queue, inactivity_timeout=0.2):
        if method is None:
            break
        if is_sound(body):
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)
            spoilt += 1
    channel.cancel()
    return spoilt


class MoveSpoilt(unittest.TestCase):
    def setUp(self):
        url = self.enterContext(hermod_broker())
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.addCleanup(self.connection.close)

    def test_spoilt_fruit_is_put_aside(self):
        channel = self.connection.channel()
        channel.queue_declare('spoilt')
        channel.queue_declare('fruit', arguments={
            'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'spoilt'})
        channel.confirm_delivery()
        for body in (b'apple', b'brown pear', b'plum'):
            channel.basic_publish('', 'fruit', body, mandatory=True)
        self.assertEqual(move_spoilt(channel, 'fruit', lambda body: b'brown' not in body), 1)
        _, properties, body = channel.basic_get('spoilt', auto_ack=True)
        self.assertEqual(body, b'brown pear')
        self.assertEqual(properties.headers['x-death'][0]['reason'], 'rejected')

    def test_a_queue_that_is_missing_is_an_error(self):
        with self.assertRaises(pika.exceptions.ChannelClosedByBroker) as caught:
            move_spoilt(self.connection.channel(), 'no such queue', bool)
        self.assertEqual(caught.exception.reply_code, 404)


if __name__ == '__main__':
    unittest.main()
