"""Runs one job with oslo.messaging: the argument is the job as JSON, and the sample is printed as JSON.

What `bench/src/jobs/job.worker.ts` is to the libraries of Node.
"""

import itertools
import json
import logging
import math
import os
import resource
import sys
import threading
import time

import oslo_messaging

import oslo_setup


class Calls:
    """Calls and casts: each waits in a thread of its own, so that the window of the job is a number of threads."""

    def __init__(self, job):
        self._job = job
        self._text = "x" * job["bodySize"]
        self._noted = 0
        target = oslo_messaging.Target(topic=job["queue"])
        self._client = oslo_messaging.RPCClient(oslo_setup.rpc_transport(job["url"]), target)

    def run(self, topic, count):
        if self._job["kind"] == "oslo-call":
            return in_threads(count, self._job["window"], self._echo)
        in_threads(count, self._job["window"], self._note)
        self._noted += count
        self._client.call({}, "noted", count=self._noted)
        return None

    def _echo(self):
        reply = self._client.call({}, "echo", text=self._text)
        if len(reply) != len(self._text):
            raise SystemExit("a reply is not as long as its call")

    def _note(self):
        self._client.cast({}, "note", text=self._text)


class Notifications:
    def __init__(self, job):
        self._job = job
        self._text = "x" * job["bodySize"]
        self._transport = oslo_setup.notification_transport(job["url"])

    def run(self, topic, count):
        if self._job["kind"] == "listen":
            self._listen(topic, count)
            return
        notifier = oslo_messaging.Notifier(
            self._transport, publisher_id="bench", driver="messagingv2", topics=[topic]
        )
        payload = {"text": self._text}
        in_threads(count, self._job["window"], lambda: notifier.info({}, "bench.event", payload))

    def _listen(self, topic, count):
        handled = threading.Event()
        endpoint = Handler(count, len(self._text), handled)
        listener = oslo_messaging.get_notification_listener(
            self._transport, [oslo_messaging.Target(topic=topic)], [endpoint], executor="threading"
        )
        listener.start()
        handled.wait()


class Handler:
    def __init__(self, count, length, handled):
        self._left = itertools.count(count - 1, -1)
        self._length = length
        self._handled = handled

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        if len(payload["text"]) != self._length:
            os._exit(1)
        if next(self._left) == 0:
            self._handled.set()


def in_threads(count, window, once):
    """Does it `count` times with `window` threads, and returns how long each took in milliseconds."""
    places = iter(range(count))
    took = [0.0] * count
    errors = []

    def work():
        try:
            for place in places:
                start = time.perf_counter()
                once()
                took[place] = (time.perf_counter() - start) * 1000
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(min(window, count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return took


def latency(took):
    ranked = sorted(took)
    return {name: ranked[math.ceil(share * len(ranked)) - 1] for name, share in (("p50", 0.5), ("p99", 0.99))}


def cpu_seconds_of(pid):
    """User and system CPU seconds of another process, in ticks of the clock; None where /proc cannot tell."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(") ")[2].split(" ")
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    # A notifier logs what it could not send, and goes on.
    logging.basicConfig(level=logging.ERROR)
    job = json.loads(sys.argv[1])
    session = (Calls if job["kind"] in ("oslo-call", "oslo-cast") else Notifications)(job)
    session.run(job["warmUpQueue"], job["warmUpCount"])
    others = {"broker": job.get("brokerPid"), "server": job.get("serverPid")}
    before = {name: cpu_seconds_of(pid) for name, pid in others.items()}
    cpu, start = cpu_seconds(), time.perf_counter()
    took = session.run(job["queue"], job["count"])
    seconds = time.perf_counter() - start
    cpu = cpu_seconds() - cpu
    sample = {"messages": job["count"], "seconds": seconds, "clientCpuSeconds": cpu}
    for name, pid in others.items():
        after = cpu_seconds_of(pid)
        if after is not None and before[name] is not None:
            sample[f"{name}CpuSeconds"] = after - before[name]
    if job["kind"] == "oslo-call":
        sample["latencyMs"] = latency(took)
    print(json.dumps(sample), flush=True)
    # The listener acks after its handler, on a thread of its own; nothing of it may be left behind.
    time.sleep(0.5 if job["kind"] == "listen" else 0)
    # Threads of the library that still wait for something are of no interest.
    os._exit(0)


main()
