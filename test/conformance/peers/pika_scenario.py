"""Plays the scenario of test/conformance/clients with pika. Argument: the URL. Prints what it saw, as JSON."""

import json
import sys

import pika
from pika.exceptions import ChannelClosedByBroker, UnroutableError


def take(channel, queue):
    method, _, body = channel.basic_get(queue)
    return method, (None if method is None else [body.decode(), method.redelivered])


def play(url):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    counts = channel.queue_declare("", exclusive=True).method
    queue = counts.queue
    seen = {"declared": [counts.message_count, counts.consumer_count]}
    channel.confirm_delivery()
    try:
        channel.basic_publish("", "nowhere", b"lost", mandatory=True)
    except UnroutableError as error:
        seen["returned"] = [error.messages[0].method.reply_code, error.messages[0].method.reply_text]
    channel.basic_publish("", queue, b"one")
    seen["confirmed"] = True
    first, first_facts = take(channel, queue)
    channel.basic_nack(first.delivery_tag)
    second, second_facts = take(channel, queue)
    channel.basic_ack(second.delivery_tag)
    seen["got"] = [first_facts, second_facts, take(channel, queue)[1]]

    for body in (b"a", b"b", b"c"):
        channel.basic_publish("", queue, body)
    consumed = []
    for method, _, body in channel.consume(queue):
        consumed.append([body.decode(), method.redelivered])
        if len(consumed) == 2:
            channel.basic_reject(method.delivery_tag, requeue=False)
        elif len(consumed) == 3:
            channel.basic_nack(method.delivery_tag)
        else:
            channel.basic_ack(method.delivery_tag)
        if len(consumed) == 4:
            break
    channel.cancel()
    seen["consumed"] = consumed
    seen["left"] = channel.queue_declare(queue, passive=True).method.message_count

    other = connection.channel()
    other.tx_select()
    other.basic_publish("", queue, b"t")
    other.tx_rollback()
    after = [channel.queue_declare(queue, passive=True).method.message_count]
    other.basic_publish("", queue, b"t")
    other.tx_commit()
    seen["transactions"] = after + [channel.queue_declare(queue, passive=True).method.message_count]
    channel.queue_purge(queue)

    answers = []
    channel.basic_consume("amq.rabbitmq.reply-to", lambda c, m, p, body: answers.append(body.decode()), auto_ack=True)
    server = connection.channel()
    server.basic_consume(queue, lambda c, m, p, body: c.basic_publish("", p.reply_to, b"pong"), auto_ack=True)
    properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to")
    channel.basic_publish("", queue, b"ping", properties)
    while not answers:
        connection.process_data_events(1)
    seen["answered"] = answers[0]

    watching = connection.channel()
    watching.queue_declare("scenario-pika", auto_delete=True)
    told = []
    watching.add_on_cancel_callback(told.append)
    watching.basic_consume("scenario-pika", lambda *_: None)
    channel.queue_delete("scenario-pika")
    while not told:
        connection.process_data_events(1)
    seen["cancelled"] = True

    try:
        connection.channel().queue_declare("nowhere", passive=True)
    except ChannelClosedByBroker as error:
        seen["refused"] = error.reply_code
    connection.close()
    return seen


print(json.dumps(play(sys.argv[1])))
