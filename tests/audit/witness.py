"""Stands between each worker and the stand-in for Vertex AI, and writes down what is said.

What Veo was asked, and whether the answer came through, is known here even where neither the worker
nor the stand-in lives to tell. It also saves the machine from filming: the stand-in films once, and
every further video is the same film with the name of its object in a box at the end, so that each
can be told from all others.
"""

import asyncio
import dataclasses
import re
import struct
import time
import urllib.parse

from wire import Unanswered, ask, read_message, write_request

TITLE = b"free"  # a box of MP4 that players skip


@dataclasses.dataclass
class Start:
    """A call that costs."""

    prompt: str
    worker: str  # the life of the program that made it
    at: float
    until: float = 0  # its answer was passed on, or did not come
    answer: str = "none"
    operation: str = ""  # as answered


@dataclasses.dataclass
class Operation:
    polled_at: list = dataclasses.field(default_factory=list)
    end: str = ""  # "video", "failed", "refused", "lost", as last seen
    ended_at: float = 0


def titled(film, name):
    return film + struct.pack(">I", 8 + len(name)) + TITLE + name.encode()


class Witness:
    def __init__(self, vertex_port, history):
        self.vertex_port, self.history = vertex_port, history
        self.starts, self.operations = [], {}
        self.objects = set()  # names that the stand-in has told
        self.film, self.filming = b"", asyncio.Lock()
        self.tasks = set()

    async def stand_before(self, worker, port):
        async def serve(reader, writer):
            task = asyncio.current_task()
            self.tasks.add(task)  # asyncio itself may forget one that waits
            try:
                await self.serve(worker, await read_message(reader), writer)
            except (OSError, EOFError, Unanswered):
                pass
            finally:
                writer.close()
                self.tasks.discard(task)

        await asyncio.start_server(serve, "127.0.0.1", port, limit=1 << 20)

    async def serve(self, worker, request, writer):
        method, path, _ = request.start
        if path.endswith(":predictLongRunning"):
            await self.start(worker, request, writer)
        elif path.endswith(":fetchPredictOperation"):
            await self.poll(worker, request, writer)
        elif method == "GET" and self.object_of(path) in self.objects:
            await self.give(request, writer, self.object_of(path))
        else:
            await self.pass_on(request, writer)

    async def pass_on(self, request, writer):
        """The answer as the stand-in sends it, broken off where that breaks off."""
        headers = request.headers | {"connection": "close"}
        reader, vertex = await asyncio.open_connection("127.0.0.1", self.vertex_port)
        answer = b""
        try:
            vertex.write(write_request(*request.start[:2], headers, request.body))
            while piece := await reader.read(1 << 16):
                if not answer and piece[9:12] in (b"429", b"503"):
                    piece = piece.replace(b"\r\n", b"\r\nRetry-After: 1\r\n", 1)
                answer += piece
                self.learn_objects(answer)
                writer.write(piece)
            await writer.drain()
        finally:
            vertex.close()
        return answer

    # ---- What costs ------------------------------------------------------------------------------

    async def start(self, worker, request, writer):
        prompt = request.json["instances"][0]["prompt"]
        start = Start(prompt, worker.life, time.monotonic())
        self.starts.append(start)
        self.history.add(prompt, f"{start.worker} asks Veo")
        try:
            answer = await self.pass_on(request, writer)
            status = answer[9:12].decode()
            name = re.search(rb'"name":"([^"]+/operations/[^"]+)"\}$', answer)
            start.answer = status if name or status != "200" else "broken"
            start.operation = name[1].decode() if name else ""
        finally:
            start.until = time.monotonic()
            self.history.add(
                prompt, f"Veo answers {start.worker}: {start.answer} {start.operation[-12:]}"
            )

    async def poll(self, worker, request, writer):
        name = request.json["operationName"]
        operation = self.operations.setdefault(name, Operation())
        operation.polled_at.append(time.monotonic())
        end = ending(await self.pass_on(request, writer))
        if end and end != operation.end:
            operation.end, operation.ended_at = end, time.monotonic()
            for start in self.starts:
                if start.operation == name:
                    self.history.add(start.prompt, f"{worker.life} polls {name[-12:]}: {end}")

    # ---- Objects ---------------------------------------------------------------------------------

    @staticmethod
    def object_of(path):
        return urllib.parse.unquote(path.partition("?")[0].rpartition("/")[2])

    def learn_objects(self, answer):
        for name in re.findall(rb'"(?:gcsUri":"gs://[^/"]+/|name":")([^"]+\.mp4)"', answer):
            self.objects.add(name.decode())

    async def give(self, request, writer, name):
        async with self.filming:
            if not self.film:
                path = request.start[1]
                headers = {"Authorization": request.headers["authorization"]}
                self.film = (await ask(self.vertex_port, "GET", path, headers)).body
        whole = titled(self.film, name)
        first, last = 0, len(whole) - 1
        status, extra = "200 OK", ""
        if asked := re.match(r"bytes=(\d+)-(\d+)", request.headers.get("range", "")):
            first, last = int(asked[1]), min(last, int(asked[2]))
            status, extra = (
                "206 Partial Content",
                f"Content-Range: bytes {first}-{last}/{len(whole)}\r\n",
            )
        piece = whole[first : last + 1]
        head = f"HTTP/1.1 {status}\r\nContent-Type: video/mp4\r\n{extra}"
        head += f"Content-Length: {len(piece)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + piece)
        await writer.drain()


def ending(answer):
    """What a poll's answer says of the operation; empty: nothing for good."""
    status, body = answer[9:12], answer.partition(b"\r\n\r\n")[2]
    if status == b"404":
        return "lost"
    if status != b"200" or b'"done":true' not in body or not body.endswith(b"}"):
        return ""
    if b'"error"' in body:
        return "refused" if b'"code":3,' in body else "failed"
    if b'"raiMediaFilteredReasons"' in body:
        return "refused"
    return "video" if b'"gcsUri"' in body else "failed"
