"""HTTP and RESP over asyncio, as much as the audit needs of them."""

import asyncio
import contextlib
import dataclasses
import json
import os
import socket

REDIS_TRIES = 200
FIRST_PORT, LAST_PORT = 12000, 30000  # below those that the kernel hands out to others


def free_ports():
    """Ports of a process that is killed stay free until it is started again."""
    port = FIRST_PORT + os.getpid() * 64 % (LAST_PORT - FIRST_PORT)
    while True:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            yield port
        port = port + 1 if port < LAST_PORT else FIRST_PORT


# ---- HTTP ----------------------------------------------------------------------------------------


class Unanswered(Exception):
    """Nobody knows what became of the request."""


@dataclasses.dataclass
class Message:
    """A request or an answer; of `start` the first line's words."""

    start: list
    headers: dict
    body: bytes

    @property
    def status(self):
        return int(self.start[1])

    @property
    def json(self):
        return json.loads(self.body or b"null")


async def read_message(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Message(first.split(" ", 2), headers, body)


def write_request(method, path, headers, body):
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def keep_exchange(method, path, answer):
    """What the API answers is compared with its document: see tests/support/exchanges.h."""
    if path.startswith("/api/") and "EXCHANGES" in os.environ:
        exchange = {
            "method": method,
            "target": path,
            "status": answer.status,
            "headers": list(answer.headers.items()),
            "body": answer.body.decode(),
        }
        with open(os.environ["EXCHANGES"], "a") as file:
            file.write(json.dumps(exchange) + "\n")


async def ask(port, method, path, headers=None, body=b"", patience_s=30):
    headers = {
        "Host": "localhost",
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": len(body),
    } | (headers or {})
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(write_request(method, path, headers, body))
                answer = await read_message(reader)
            finally:
                writer.close()
    except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise Unanswered(f"{method} {path}: {error!r}") from error
    keep_exchange(method, path, answer)
    return answer


# ---- RESP ----------------------------------------------------------------------------------------


async def read_frame(reader):
    """One command or reply, as it came."""
    line = await reader.readuntil(b"\r\n")
    kind, size = line[:1], line[1:-2]
    if kind == b"$" and size != b"-1":
        return line + await reader.readexactly(int(size) + 2)
    if kind == b"*" and size != b"-1":
        return line + b"".join([await read_frame(reader) for _ in range(int(size))])
    return line


async def read_reply(reader):
    line = (await reader.readuntil(b"\r\n"))[:-2].decode()
    kind, rest = line[0], line[1:]
    if kind == "-":
        raise RuntimeError(rest)
    if kind == "$" and rest != "-1":
        return (await reader.readexactly(int(rest) + 2))[:-2].decode("utf-8", "replace")
    if kind == "*" and rest != "-1":
        return [await read_reply(reader) for _ in range(int(rest))]
    return int(rest) if kind == ":" else None if rest == "-1" else rest


async def redis_once(port, words):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        parts = [str(word).encode() for word in words]
        writer.write(b"*%d\r\n" % len(parts))
        writer.write(b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return await read_reply(reader)
    finally:
        writer.close()


async def redis(port, *words):
    """One command over a connection of its own; a server that is just starting is waited for."""
    for _ in range(REDIS_TRIES):
        try:
            return await redis_once(port, words)
        except (OSError, EOFError):
            await asyncio.sleep(0.05)
    return await redis_once(port, words)
