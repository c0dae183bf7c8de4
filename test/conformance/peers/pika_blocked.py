"""Plays test/conformance/clients/blocked-scenario.ts with pika. Argument: the URL. Asks for the pressure on stdout."""

import sys

import pika
from blocked_dialogue import ask, tell


def play(url):
    publishing = pika.BlockingConnection(pika.URLParameters(url))
    reading = pika.BlockingConnection(pika.URLParameters(url))
    seen = []
    publishing.add_on_connection_blocked_callback(lambda _, frame: seen.append(f"blocked: {frame.method.reason}"))
    publishing.add_on_connection_unblocked_callback(lambda *_: seen.append("unblocked"))
    reading.add_on_connection_blocked_callback(lambda *_: seen.append("the reader is blocked"))
    # It waits for the confirm in the call that publishes: what is to be held up goes through a channel without.
    channel = publishing.channel()
    confirming = publishing.channel()
    confirming.confirm_delivery()
    reader = reading.channel()
    queue = channel.queue_declare("blocked-pika").method.queue
    confirming.basic_publish("", queue, b"first")
    ask("begin")
    published = 1
    while not seen:
        channel.basic_publish("", queue, bytes(1024))
        published += 1
        reader.queue_declare(queue, passive=True)
        publishing.process_data_events(0)
    _, _, body = reader.basic_get(queue, auto_ack=True)
    reading.process_data_events(0)
    seen.append(f"got {body.decode()}")
    taken = ask(f"end {queue}")
    while "unblocked" not in seen:
        publishing.process_data_events(1)
    confirming.basic_publish("", queue, b"last")
    published += 1
    seen.append("confirmed")
    left = channel.queue_delete(queue).method.message_count
    seen.append("nothing lost" if 1 + taken + left == published else f"{published}: {taken}, {left}")
    publishing.close()
    reading.close()
    return seen


tell(play(sys.argv[1]))
