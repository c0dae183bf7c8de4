"""Plays test/conformance/clients/blocked-scenario.ts with kombu. Argument: the URL. Asks for the pressure on stdout."""

import socket
import sys

import kombu
from blocked_dialogue import ask, tell


def heard(connection, timeout):
    try:
        connection.drain_events(timeout=timeout)
    except socket.timeout:
        pass


def play(url):
    seen = []
    # py-amqp does not read the reason: it gives the same text for every one.
    told = {
        "on_blocked": lambda reason: seen.append(f"blocked: {reason}"),
        "on_unblocked": lambda: seen.append("unblocked"),
    }
    publishing = kombu.Connection(url, transport_options=told)
    reading = kombu.Connection(url, transport_options={"on_blocked": lambda _: seen.append("the reader is blocked")})
    channel = publishing.channel()
    confirming = publishing.channel()

    def confirmed(body):
        confirming.basic_publish_confirm(confirming.prepare_message(body), routing_key=queue)

    reader = reading.channel()
    queue = channel.queue_declare("blocked-kombu", auto_delete=False).queue
    confirmed(b"first")
    ask("begin")
    published = 1
    while not seen:
        kombu.Producer(channel).publish(bytes(1024), routing_key=queue)
        published += 1
        reader.queue_declare(queue, passive=True)
        heard(publishing, 0.001)
    first = reader.basic_get(queue, no_ack=True)
    seen.append(f"got {bytes(first.body).decode()}")
    taken = ask(f"end {queue}")
    while "unblocked" not in seen:
        heard(publishing, 1)
    confirmed(b"last")
    published += 1
    seen.append("confirmed")
    left = channel.queue_delete(queue)
    seen.append("nothing lost" if 1 + taken + left == published else f"{published}: {taken}, {left}")
    publishing.close()
    reading.close()
    return seen


tell(play(sys.argv[1]))
