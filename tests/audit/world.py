"""All that a video goes through, as real processes on ports and in a folder of their own."""

import asyncio
import base64
import collections
import json
import pathlib
import signal
import sqlite3

from history import History
from programs import Program, Redis, RedisProxy
from wire import Unanswered, ask, free_ports, redis
from witness import Witness

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRICE = 10
LEASE_S = 1.5

# The steps at which a worker can be made to end: functions/video_worker/fault_point.h.
STEPS = """claimed before_start after_start operation_stored polled before_fetch stored_object
before_document after_document before_finish finished""".split()


class Worker(Program):
    """Has an event to work on at all times, as Pub/Sub brings back what is not acknowledged."""

    def __init__(self, name, build, port, folder, settings):
        super().__init__(name, [build / "tests/video_worker_faulty"], port, folder, settings)
        self.excused = set()  # lives that did not end or run as they would have
        self.stood_still = set()  # those of them that went on after their lease

    async def serve(self, world, dice):
        while not world.is_over:
            if not self.runs:
                await self.rise(world, dice)
            try:
                answer = await self.wake()
                if answer.status >= 400:
                    world.history.add("", f"{self.life} answers {answer.status}")
                await asyncio.sleep(0.05)
            except Unanswered:
                await self.lie_down(world)

    async def rise(self, world, dice):
        step = dice.choice(STEPS) if world.is_rough and dice.random() < 0.7 else None
        await self.start(**({"FAULT_POINT": f"{step}:{dice.randint(1, 4)}"} if step else {}))
        world.history.add("", f"{self.life} begins" + (f", to end at {step}" if step else ""))

    async def wake(self):
        message = {"data": base64.b64encode(b"{}").decode(), "messageId": "1"}
        headers = {
            "ce-id": "1",
            "ce-source": "//pubsub.googleapis.com/projects/p/topics/t",
            "ce-specversion": "1.0",
            "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
        }
        body = json.dumps({"message": message, "subscription": "projects/p/subscriptions/s"})
        return await ask(self.port, "POST", "/", headers, body.encode(), patience_s=120)

    async def lie_down(self, world):
        try:
            async with asyncio.timeout(10):
                await self.ended()
        except TimeoutError:
            world.complain("", f"{self.life} lives and does not answer")
            await self.kill()
        self.excused.add(self.life)
        world.history.add("", f"{self.life} is dead: status {self.process.returncode}")
        if self.process.returncode != -signal.SIGKILL:
            world.complain("", f"{self.life} ended by itself:\n{self.log()[-2000:]}")


class World:
    """`weather`: the stand-in's settings; the tokens of each user are enough for so many videos."""

    def __init__(self, build, folder, weather, submitters, workers, videos_each):
        port = free_ports()
        self.folder = folder
        self.history = History()
        self.stored = collections.defaultdict(set)  # job -> operations seen in its document
        self.complaints = []
        self.is_rough, self.is_over = True, False
        self.database, self.store = folder / "phoenix.db", None
        self.seen = {}
        self.objects = folder / "objects"
        self.objects.mkdir()

        self.primary = Redis("redis-a", next(port), folder)
        self.replica = Redis("redis-b", next(port), folder)
        self.proxy = RedisProxy(next(port), self.primary)
        self.vertex = Program("vertex", [build / "bin/vertex"], next(port), folder, weather)
        self.witness = Witness(self.vertex.port, self.history)
        self.gateway = Program(
            "gateway",
            [build / "bin/gateway"],
            next(port),
            folder,
            {"OBJECTS_DIR": self.objects, "WEB_DIR": ROOT / "web", "SERVICES_FILE": self.manifest()}
            | {"UPSTREAMS": "none=http://127.0.0.1:1"},
        )
        worker_ports = [(next(port), next(port)) for _ in range(workers)]
        self.submitters = [
            Program(
                f"submit-{i}",
                [build / "bin/submit_video"],
                next(port),
                folder,
                self.shared()
                | {
                    "EVENTS_URL": f"http://127.0.0.1:{worker_ports[0][0]}",
                    "AUTH_GUEST": f"user_{i}",
                }
                | {"SIGNUP_TOKENS": PRICE * videos_each, "VIDEO_TOKENS": PRICE}
                | {"GENERATIONS_PER_HOUR": 0},
            )
            for i in range(submitters)
        ]
        self.workers = [
            Worker(f"worker-{i}", build, own, folder, self.shared() | self.of_worker(witness))
            for i, (own, witness) in enumerate(worker_ports)
        ]
        self.witness_ports = [witness for _, witness in worker_ports]

    # ---- Settings --------------------------------------------------------------------------------

    def manifest(self):
        path = self.folder / "services.json"
        path.write_text('{"services": {}}', encoding="ascii")
        return path

    def shared(self):
        return {
            "STORE_URL": f"sqlite:{self.database}",
            "REDIS_URL": f"redis://127.0.0.1:{self.proxy.port}/0",
            "QUEUE_LEASE_MS": int(LEASE_S * 1000),
            "QUEUE_WAITING_PER_USER": 0,
        }

    def of_worker(self, witness_port):
        return {
            "OBJECTS_URL": f"file:{self.objects}",
            "OBJECTS_PUBLIC_URL": f"http://127.0.0.1:{self.gateway.port}/objects",
            "VERTEX_URL": f"http://127.0.0.1:{witness_port}",
            "STORAGE_EMULATOR_HOST": f"127.0.0.1:{witness_port}",
            "VIDEO_STORAGE_URI": "gs://bucket/films",
            "GOOGLE_CLOUD_PROJECT": "audit",
            "GCE_METADATA_HOST": f"127.0.0.1:{self.vertex.port}",
            "EVENTS_URL": "http://127.0.0.1:1",
            "QUEUE_RUNNING_PER_USER": 5,
            "VIDEO_POLL_MS": 50,
            "VIDEO_SEARCH_S": 2,
            "VIDEO_RETRY_MS": 100,
            "MAX_CONCURRENCY": 1,
            "REQUEST_TIMEOUT_S": 40,
        }

    # ---- Beginning and end -----------------------------------------------------------------------

    async def begin(self):
        await self.primary.start()
        await self.replica.start()
        await redis(self.replica.port, "REPLICAOF", "127.0.0.1", self.primary.port)
        await self.proxy.open()
        await self.vertex.start()
        await self.gateway.start()
        for worker, port in zip(self.workers, self.witness_ports):
            await self.witness.stand_before(worker, port)
        for submitter in self.submitters:
            await submitter.start()

    async def retire(self):
        """What is asked to end does so, and in order."""
        for program in [*self.submitters, *self.workers]:
            if (code := await program.end()) not in (0, -signal.SIGKILL):
                self.complain("", f"{program.life} ends with {code}:\n{program.log()[-2000:]}")

    async def end(self):
        for program in [self.gateway, self.vertex, self.primary, self.replica]:
            await program.kill()

    # ---- What is known ---------------------------------------------------------------------------

    def complain(self, job, sentence):
        self.complaints.append((job, sentence))

    def documents(self, collection):
        if not self.store:
            self.store = sqlite3.connect(self.database, timeout=30)
        try:
            rows = self.store.execute(
                "SELECT id, fields FROM documents WHERE collection = ?", [collection]
            ).fetchall()
        except sqlite3.OperationalError:  # nobody has written anything yet
            return {}
        return {name: json.loads(fields) for name, fields in rows}

    def stored_files(self):
        """All but what a put that was killed has left in a folder that no object can be in."""
        return [path for path in self.objects.glob("[!~]*/**/*") if path.is_file()]

    def see(self, creation):
        job, operation = creation["prompt"], creation["operation"]
        state = f"{creation['status']}, attempt {creation['attempts']}"
        if operation:
            state += f", operation {operation[-12:]}"
            self.stored[job].add(operation)
        if creation["call_begun_at_ms"]:
            state += ", call begun"
        if creation["cancel_wanted"]:
            state += ", to be canceled"
        if self.seen.get(job) != state:
            self.seen[job] = state
            self.history.add(job, f"document: {state}")
