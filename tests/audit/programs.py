"""The real programs, each of which may be killed at any instant and started again."""

import asyncio
import pathlib
import signal
import subprocess
import sys

from wire import ask, read_frame, redis

START_S = 30


async def wait_until(ready, seconds, what):
    """Polls: the processes that are waited for tell nobody when they are there."""
    try:
        async with asyncio.timeout(seconds):
            while not await ready():
                await asyncio.sleep(0.02)
    except TimeoutError:
        sys.exit(f"{what} within {seconds} s")


class Program:
    """`starts` counts how often it was started, so that a life of it has a name."""

    def __init__(self, name, command, port, folder, settings=None):
        self.name, self.port, self.folder = name, port, folder
        self.command = [str(word) for word in command]
        self.settings = {"PORT": port, "LISTEN_HOST": "127.0.0.1"} | (settings or {})
        self.process, self.starts = None, 0

    @property
    def life(self):
        return f"{self.name}.{self.starts}"

    @property
    def runs(self):
        return self.process is not None and self.process.poll() is None

    async def start(self, **more):
        self.starts += 1
        environment = {"PATH": "/usr/bin:/bin", "TMPDIR": self.folder} | self.settings | more
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                env={name: str(value) for name, value in environment.items()},
                stdout=log,
                stderr=log,
            )
        await wait_until(self.is_up, START_S, f"{self.name} is not up")

    async def is_up(self):
        if not self.runs:
            if self.process.returncode == -signal.SIGKILL:  # somebody did not wait for it
                return True
            sys.exit(f"{self.life} did not start:\n{self.log()[-2000:]}")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        except OSError:
            return False

    def log(self):
        return (self.folder / f"{self.name}.log").read_text(encoding="utf-8", errors="replace")

    def signal(self, number):
        if self.runs:
            self.process.send_signal(number)

    async def ended(self):
        """Waits for its end, and returns its exit code."""
        process = self.process  # somebody may start another meanwhile
        while process.poll() is None:
            await asyncio.sleep(0.01)
        return process.returncode

    async def kill(self):
        self.signal(signal.SIGKILL)
        await self.ended()

    async def end(self):
        self.signal(signal.SIGTERM)
        return await self.ended()


# ---- Redis ---------------------------------------------------------------------------------------


class Redis(Program):
    def __init__(self, name, port, folder):
        self.data = folder / name
        self.data.mkdir()
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", self.data]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "everysec"]
        super().__init__(name, command, port, folder)

    async def is_up(self):
        if not await super().is_up():
            return False
        try:
            return await redis(self.port, "PING") == "PONG"
        except RuntimeError:  # it loads its data
            return False

    def cut_log(self, dice):
        """As a crash of the machine would leave it: the last writes are gone, at any byte."""
        manifests = list(self.data.glob("appendonlydir/*.manifest"))  # since Redis 7
        names = (
            [line.split()[1] for line in manifests[0].read_text().splitlines()] if manifests else []
        )
        last = manifests[0].parent / names[-1] if names else self.data / "appendonly.aof"
        size = last.stat().st_size
        with open(last, "r+b") as log:
            log.truncate(size - dice.randrange(size // 2 + 1))


class RedisProxy:
    """Stands between the functions and Redis, command by command; can lose replies, and leads to
    whichever server is the primary."""

    def __init__(self, port, server):
        self.port, self.server = port, server
        self.lose_every = 0  # so many commands
        self.commands = 0
        self.writers = set()

    async def open(self):
        await asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=1 << 20)

    def lead_to(self, server):
        self.server = server
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, client_reader, client):
        writers = {client}
        try:
            server_reader, server = await asyncio.open_connection("127.0.0.1", self.server.port)
            writers.add(server)
            self.writers |= writers
            while True:
                server.write(await read_frame(client_reader))
                reply = await read_frame(server_reader)
                self.commands += 1
                if self.lose_every and self.commands % self.lose_every == 0:
                    break
                client.write(reply)
        except (OSError, EOFError):
            pass
        finally:
            self.writers -= writers
            for writer in writers:
                writer.transport.abort()
