"""Was anything lost, made twice or charged twice? Looks at what is left when all is over."""

import collections
import os
import struct
import subprocess

from witness import titled
from wire import ask, redis
from world import PRICE, ROOT

ENDS = {"succeeded", "failed", "canceled"}
CRASHES = 4  # after which a job is given up


class Verdict:
    """Complains of what must not be; `sums` is for people."""

    def __init__(self, world, answered):
        self.world, self.answered = world, answered  # job -> id of those that were promised
        self.creations = world.documents("creations")
        self.sums = collections.Counter()
        self.explained = []

    def complain(self, job, sentence):
        self.world.complain(job, sentence)

    async def reach(self):
        self.look_at_promises()
        self.look_at_money()
        await self.look_at_calls()
        await self.look_at_objects()
        await self.look_at_queue()
        self.look_at_answers()

    def look_at_promises(self):
        jobs = collections.Counter(creation["prompt"] for creation in self.creations.values())
        for creation in self.creations.values():
            self.sums[creation["status"]] += 1
            if creation["status"] not in ENDS:
                self.complain(creation["prompt"], f"is still {creation['status']}")
            elif creation["status"] == "failed" and not self.may_fail(creation):
                self.complain(creation["prompt"], f"has failed for no reason: {creation['reason']}")
        for job, count in jobs.items():
            if count > 1:
                self.complain(job, f"one request has become {count} videos")
        for job, name in self.answered.items():
            if self.creations.get(name, {}).get("prompt") != job:
                self.complain(job, f"{name} was promised and is not there")

    def may_fail(self, creation):
        """Veo would not, or its workers died one after the other."""
        for start in self.world.witness.starts:
            if start.prompt == creation["prompt"]:
                operation = self.world.witness.operations.get(start.operation)
                if start.answer == "400" or (operation and operation.end not in ("", "video")):
                    return True
        return creation["attempts"] >= CRASHES

    # ---- Money -----------------------------------------------------------------------------------

    def look_at_money(self):
        entries = sorted(
            self.world.documents("ledger").values(), key=lambda one: (one["user_id"], one["number"])
        )
        by_user, by_creation = collections.defaultdict(list), collections.defaultdict(list)
        for entry in entries:
            by_user[entry["user_id"]].append(entry)
            by_creation[entry["creation_id"]].append(entry["amount"])
        for user, own in by_user.items():
            self.look_at_balance(user, own)
        for name, creation in self.creations.items():
            paid = by_creation.pop(name, [])
            wanted = [-PRICE] if creation["status"] == "succeeded" else [-PRICE, PRICE]
            if paid != wanted:
                self.complain(
                    creation["prompt"], f"{creation['status']}, and its tokens went {paid}"
                )
        by_creation.pop(None, None)  # what everybody begins with
        for name, paid in by_creation.items():
            self.complain("", f"{name} is no video and moved tokens: {paid}")

    def look_at_balance(self, user, entries):
        balance = self.world.documents("balances")[user]
        if [entry["number"] for entry in entries] != list(range(1, balance["entries"] + 1)):
            self.complain("", f"the ledger of {user} has gaps")
        if sum(entry["amount"] for entry in entries) != balance["tokens"]:
            self.complain("", f"the ledger of {user} does not add up to its balance")

    # ---- Veo -------------------------------------------------------------------------------------

    async def look_at_calls(self):
        """Once, unless that call ended without a video, or nobody could know of it."""
        begun = (await ask(self.world.vertex.port, "GET", "/stats")).json["begun"]
        calls = collections.defaultdict(list)
        for start in self.world.witness.starts:
            if start.answer in ("200", "broken", "none"):
                calls[start.prompt].append(start)
        self.sums["calls of Veo"] = sum(begun.values())
        for job, own in calls.items():
            for call, following in zip(own, own[1:]):
                self.look_at_repeat(job, call, following)
            named = sum(bool(call.operation) for call in own)
            if not named <= begun.get(job, 0) <= len(own):
                self.complain(job, f"Veo counts {begun.get(job, 0)} calls, seen were {len(own)}")

    def look_at_repeat(self, job, call, following):
        operation = self.world.witness.operations.get(call.operation)
        is_known = operation or call.operation in self.world.stored[job]
        if is_known and operation and operation.end in ("failed", "lost"):
            if operation.ended_at <= following.at:
                self.sums["calls after one that failed"] += 1
                return
        if is_known and any(following.worker in worker.stood_still for worker in self.world.workers):
            self.excuse(job, f"{following.worker} stood still between its last look and its call")
        elif is_known:
            self.complain(job, f"asks Veo again, though {call.operation[-12:]} was known")
        elif not call.operation:
            self.excuse(job, f"{call.worker} got no answer ({call.answer})")
        elif any(call.worker in worker.excused for worker in self.world.workers):
            self.excuse(job, f"{call.worker} ended or stood still before it could write it down")
        else:
            self.complain(job, f"{call.worker} has forgotten {call.operation[-12:]}")

    def excuse(self, job, why):
        self.sums["ambiguous calls"] += 1
        self.explained.append(f"{job}: asked again, since {why}")

    # ---- Videos ----------------------------------------------------------------------------------

    async def look_at_objects(self):
        stored = collections.defaultdict(list)
        for path in self.world.stored_files():
            stored[path.stem].append(path.relative_to(self.world.objects))
        for name, creation in self.creations.items():
            own = stored.pop(name, [])
            if creation["status"] != "succeeded":
                if own:
                    self.complain(
                        creation["prompt"], f"{creation['status']}, and its video is there"
                    )
            elif len(own) != 1:
                self.complain(creation["prompt"], f"has {len(own)} objects")
            else:
                await self.look_at_video(name, creation)
        for paths in stored.values():
            self.complain("", f"{paths} belong to nobody")
        if self.sums["succeeded"] and not is_film(self.world.witness.film):
            self.complain("", "the film does not play")

    async def look_at_video(self, name, creation):
        path = "/objects/" + creation["url"].partition("/objects/")[2]
        answer = await ask(self.world.gateway.port, "GET", path)
        own = [one for one in self.world.witness.objects if f"/{name}/" in one]
        films = [titled(self.world.witness.film, one) for one in own]
        if answer.status != 200 or answer.body not in films:
            is_what = (
                f"{answer.status}, {len(answer.body)} bytes that end with {answer.body[-90:]!r}"
            )
            self.complain(creation["prompt"], f"{path} is not its video: {is_what}")

    # ---- Redis -----------------------------------------------------------------------------------

    async def look_at_queue(self):
        port = self.world.primary.port
        kinds = {"phx:{v}:w": "waits", "phx:{v}:r": "is ready", "phx:{v}:l": "has a lease"}
        kinds["phx:{v}:d"] = "is delayed"
        for key, what in kinds.items():
            for name in await redis(port, "ZRANGE", key, 0, -1):
                self.complain(self.job(name), f"{what} in the queue")
        dead = set(await redis(port, "ZRANGE", "phx:{v}:x", 0, -1))
        for key in await redis(port, "KEYS", "*"):
            kind, _, rest = key.removeprefix("phx:{v}:").partition(":")
            if kind == "j" and rest in dead:
                if self.creations.get(rest, {}).get("status") != "failed":
                    self.complain(self.job(rest), "is a dead letter and has not failed")
            elif kind == "j" and await redis(port, "TTL", key) < 0:
                self.complain(self.job(rest), "stays in Redis for ever")
            elif kind == "u":
                self.complain("", f"{key} is left in Redis")
        for field in await redis(port, "HKEYS", "phx:{v}:n"):
            if field.startswith("f:"):
                self.complain("", f"{field} still has jobs in flight")

    def job(self, name):
        return self.creations.get(name, {}).get("prompt", "")

    # ---- The API ---------------------------------------------------------------------------------

    def look_at_answers(self):
        npm = os.environ.get("PHOENIX_NPM", "build/npm")
        checked = subprocess.run(
            ["node", "tests/e2e/openapi_check.js", "docs/openapi.yaml", os.environ["EXCHANGES"]],
            cwd=ROOT,
            env=os.environ | {"NODE_PATH": f"{npm}/node_modules"},
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if checked.returncode != 0:
            self.complain("", f"docs/openapi.yaml says otherwise: {checked.stdout.strip()}")


def is_film(film):
    """Boxes that fill it to the byte, among them what a player needs."""
    kinds, at = [], 0
    while at + 8 <= len(film):
        size, kind = struct.unpack_from(">I4s", film, at)
        kinds.append(kind)
        at += max(size, 8)
    return at == len(film) and {b"ftyp", b"moov", b"mdat"} <= set(kinds) and b"avc1" in film
