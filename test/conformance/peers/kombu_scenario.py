"""Plays the scenario of test/conformance/clients with kombu. Argument: the URL. Prints what it saw, as JSON."""

import json
import sys

import kombu
from amqp.exceptions import ConsumerCancelled, NotFound


def count(channel, queue):
    return channel.queue_declare(queue, passive=True).message_count


def play(url):
    connection = kombu.Connection(url, transport_options={"confirm_publish": True})
    channel = connection.default_channel
    counts = channel.queue_declare("", exclusive=True, auto_delete=False)
    queue = counts.queue
    entity = kombu.Queue(queue, channel=channel, exclusive=True, no_declare=True)
    seen = {"declared": [counts.message_count, counts.consumer_count]}
    returned = []
    lossy = connection.channel()
    on_return = lambda error, exchange, key, message: returned.append([error.reply_code, error.reply_text.split(" - ")[-1]])
    kombu.Producer(lossy, on_return=on_return).publish("lost", routing_key="nowhere", mandatory=True)
    while not returned:
        connection.drain_events(timeout=10)
    seen["returned"] = returned[0]
    producer = kombu.Producer(channel)
    producer.publish("one", routing_key=queue)
    seen["confirmed"] = True
    first = entity.get()
    got = [[first.payload, first.delivery_info["redelivered"]]]
    first.requeue()
    second = entity.get()
    got.append([second.payload, second.delivery_info["redelivered"]])
    second.ack()
    seen["got"] = got + [entity.get()]

    for body in ("a", "b", "c"):
        producer.publish(body, routing_key=queue)
    consumed = []

    def on_message(message):
        consumed.append([message.payload, message.delivery_info["redelivered"]])
        if len(consumed) == 2:
            message.reject()
        elif len(consumed) == 3:
            message.requeue()
        else:
            message.ack()

    with kombu.Consumer(channel, [entity], on_message=on_message, prefetch_count=1):
        while len(consumed) < 4:
            connection.drain_events(timeout=10)
    seen["consumed"] = consumed
    seen["left"] = count(channel, queue)

    # A connection that confirms may not have transactions.
    with kombu.Connection(url) as plain:
        other = plain.channel()
        other.tx_select()
        other.queue_declare("scenario-kombu-tx", auto_delete=False)
        kombu.Producer(other).publish("t", routing_key="scenario-kombu-tx")
        other.tx_rollback()
        after = [count(channel, "scenario-kombu-tx")]
        kombu.Producer(other).publish("t", routing_key="scenario-kombu-tx")
        other.tx_commit()
        seen["transactions"] = after + [count(channel, "scenario-kombu-tx")]
        other.queue_delete("scenario-kombu-tx")

    answers = []
    channel.basic_consume("amq.rabbitmq.reply-to", callback=lambda message: answers.append(message.body), no_ack=True)
    server = connection.channel()

    def answer(message):
        kombu.Producer(server).publish("pong", routing_key=message.properties["reply_to"])

    with kombu.Consumer(server, [entity(server)], on_message=answer, no_ack=True):
        producer.publish("ping", routing_key=queue, reply_to="amq.rabbitmq.reply-to")
        while not answers:
            connection.drain_events(timeout=10)
    seen["answered"] = answers[0] if isinstance(answers[0], str) else bytes(answers[0]).decode()

    watching = connection.channel()
    watching.queue_declare("scenario-kombu", auto_delete=True)
    watching.basic_consume("scenario-kombu")
    channel.queue_delete("scenario-kombu", nowait=True)
    try:
        while True:
            connection.drain_events(timeout=10)
    except ConsumerCancelled:
        seen["cancelled"] = True

    try:
        connection.channel().queue_declare("nowhere", passive=True)
    except NotFound as error:
        seen["refused"] = error.code
    connection.close()
    return seen


print(json.dumps(play(sys.argv[1])))
