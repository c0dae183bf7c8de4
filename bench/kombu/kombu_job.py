"""Runs one job with kombu over py-amqp: the argument is the job as JSON, and the sample is printed as JSON.

What `bench/src/jobs/job.worker.ts` is to the libraries of Node.
"""

import json
import os
import resource
import sys
import time

import kombu


def publish(connection, job, queue, count):
    """Confirmed; whatever window the job asks for, kombu waits for each confirm before its publish returns."""
    body = b"x" * job["bodySize"]
    with connection.channel() as channel:
        producer = kombu.Producer(channel)
        for _ in range(count):
            producer.publish(
                body,
                exchange="",
                routing_key=queue,
                content_type="application/octet-stream",
                content_encoding="binary",
                delivery_mode=1,
            )


def consume(connection, job, queue, count):
    left = count

    def on_message(message):
        nonlocal left
        message.ack()
        if len(message.body) != job["bodySize"]:
            raise SystemExit(f"a delivery has {len(message.body)} bytes instead of {job['bodySize']}")
        left -= 1

    with connection.channel() as channel:
        consumer = kombu.Consumer(
            channel,
            queues=[kombu.Queue(queue, no_declare=True)],
            on_message=on_message,
            prefetch_count=job["window"],
            auto_declare=False,
        )
        # Leaving the block cancels the consumer, which the broker answers when it has taken the acks before.
        with consumer:
            while left > 0:
                connection.drain_events()


def broker_cpu_seconds(job):
    """User and system CPU seconds of the broker, in ticks of the clock; None where /proc cannot tell."""
    try:
        with open(f"/proc/{job['brokerPid']}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(") ")[2].split(" ")
    except (KeyError, OSError):
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    job = json.loads(sys.argv[1])
    run = {"publish": publish, "consume": consume}[job["kind"]]
    with kombu.Connection(job["url"], transport_options={"confirm_publish": True}) as connection:
        run(connection, job, job["warmUpQueue"], job["warmUpCount"])
        broker, cpu, start = broker_cpu_seconds(job), cpu_seconds(), time.perf_counter()
        run(connection, job, job["queue"], job["count"])
        seconds = time.perf_counter() - start
        cpu = cpu_seconds() - cpu
        broker_after = broker_cpu_seconds(job)
    sample = {"messages": job["count"], "seconds": seconds, "clientCpuSeconds": cpu}
    if broker is not None and broker_after is not None:
        sample["brokerCpuSeconds"] = broker_after - broker
    print(json.dumps(sample))


main()
