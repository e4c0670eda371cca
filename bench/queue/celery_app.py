#!/usr/bin/python3
"""The same on Celery: celery_app.py enqueue FIRST COUNT | work COUNT WORKERS | latency COUNT."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import celery
import redis

PAYLOAD = "x" * 400
URL = os.environ["REDIS_URL"]

app = celery.Celery("celery_app", broker=URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,  # at least once, like the others
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@app.task(name="job")
def job(_payload, sent_s=None, told=None):
    if told:
        with open(told, "a", encoding="ascii") as file:
            file.write(f"{(time.monotonic() - sent_s) * 1e6:.0f}\n")


@contextlib.contextmanager
def worker(concurrency):
    """Starting up is not measured: `told` by the worker's own ready line."""
    command = ["/usr/bin/python3", "-m", "celery", "--app", "celery_app", "worker"]
    command += ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle"]
    command += ["--without-heartbeat", "--loglevel", "ERROR"]
    here = pathlib.Path(__file__).resolve().parent
    settings = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "C_FORCE_ROOT": "1"}
    with subprocess.Popen(
        command, cwd=here, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def left(broker):
    return broker.llen("celery") + broker.hlen("unacked")


def enqueue(_first, count):
    job.delay(PAYLOAD)  # connects
    begun = time.monotonic()
    for _ in range(count - 1):
        job.delay(PAYLOAD)
    print(round((count - 1) / (time.monotonic() - begun)))


def work(count, concurrency):
    broker = redis.Redis.from_url(URL)
    with worker(concurrency):
        while left(broker) == count:
            time.sleep(0.001)
        begun, begun_with = time.monotonic(), left(broker)
        while left(broker) > 0:
            time.sleep(0.005)
        print(round(begun_with / (time.monotonic() - begun)))


def latency(count):
    with tempfile.TemporaryDirectory() as folder, worker(1):
        told = pathlib.Path(folder) / "told"
        told.touch()

        def told_lines():
            return told.read_text(encoding="ascii").splitlines()

        job.delay(PAYLOAD, time.monotonic(), str(told))
        while len(told_lines()) < 1:
            time.sleep(0.01)
        for _ in range(count):
            time.sleep(0.004)
            job.delay(PAYLOAD, time.monotonic(), str(told))
        while len(told_lines()) < count + 1:
            time.sleep(0.01)
        print("\n".join(told_lines()[1:]))


if __name__ == "__main__":
    verb, *numbers = sys.argv[1:]
    {"enqueue": enqueue, "work": work, "latency": latency}[verb](*map(int, numbers))
