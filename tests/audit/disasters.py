"""What is done to the processes while jobs go through them."""

import asyncio
import signal

from programs import START_S, wait_until
from wire import redis
from world import LEASE_S


class Disasters:
    def __init__(self, world, dice):
        self.world, self.dice = world, dice

    def tell(self, what):
        self.world.history.add("", what)

    # ---- Processes -------------------------------------------------------------------------------

    async def kill_worker(self):
        worker = self.dice.choice(self.world.workers)
        if worker.runs:
            worker.excused.add(worker.life)
            self.tell(f"{worker.life} is killed")
            await worker.kill()

    async def stop_worker(self):
        """Past its lease, so that others take its jobs; then it goes on as if nothing had been."""
        worker = self.dice.choice(self.world.workers)
        if worker.runs:
            worker.excused.add(worker.life)
            worker.stood_still.add(worker.life)
            self.tell(f"{worker.life} stands still")
            worker.signal(signal.SIGSTOP)
            await asyncio.sleep(LEASE_S * self.dice.uniform(0.5, 2))
            worker.signal(signal.SIGCONT)
            self.tell(f"{worker.life} goes on")

    async def kill_submitter(self):
        submitter = self.dice.choice(self.world.submitters)
        self.tell(f"{submitter.life} is killed")
        await submitter.kill()
        await submitter.start()

    # ---- Redis -----------------------------------------------------------------------------------

    async def restart_redis(self, loses=False):
        primary = self.world.primary
        self.tell(f"{primary.name} is killed" + (", its log cut" if loses else ""))
        await primary.kill()
        if loses:
            primary.cut_log(self.dice)
        await asyncio.sleep(self.dice.uniform(0, 0.5))
        await primary.start()
        if loses:
            # Redis 7.0 leaves the beginning of a torn MULTI in its log, and half of what that was
            # would be done at the next start. Nor does it start where such a log is not the last.
            await redis(primary.port, "BGREWRITEAOF")
            await wait_until(self.log_is_new, START_S, f"{primary.name} has not rewritten its log")
        self.tell(f"{primary.name} is back")

    async def log_is_new(self):
        info = await redis(self.world.primary.port, "INFO", "persistence")
        return "aof_rewrite_in_progress:0" in info and "aof_rewrite_scheduled:0" in info

    async def cut_redis_log(self):
        await self.restart_redis(loses=True)

    async def empty_redis(self):
        self.tell("FLUSHALL")
        await redis(self.world.primary.port, "FLUSHALL")

    async def forget_scripts(self):
        self.tell("SCRIPT FLUSH")
        await redis(self.world.primary.port, "SCRIPT", "FLUSH")

    async def promote_replica(self):
        """It has not heard of the last writes."""
        world = self.world
        await redis(world.replica.port, "REPLICAOF", "NO", "ONE")
        await asyncio.sleep(self.dice.uniform(0, 0.5))
        world.primary, world.replica = world.replica, world.primary
        self.tell(f"{world.primary.name} takes over")
        world.proxy.lead_to(world.primary)
        await redis(world.replica.port, "REPLICAOF", "127.0.0.1", world.primary.port)

    async def lose_replies(self):
        self.world.proxy.lose_every = self.dice.randint(3, 12)
        self.tell(f"of {self.world.proxy.lose_every} replies of Redis one is lost")
        await asyncio.sleep(self.dice.uniform(0.5, 1.5))
        self.world.proxy.lose_every = 0
        self.tell("no more replies are lost")

    # ---- All of it -------------------------------------------------------------------------------

    def kinds(self):
        """Those of a list never happen at the same time."""
        yield [self.kill_worker, self.stop_worker, self.kill_submitter]
        yield [
            self.restart_redis,
            self.cut_redis_log,
            self.empty_redis,
            self.forget_scripts,
            self.promote_replica,
            self.lose_replies,
        ]

    async def strike(self, kinds, pause_s):
        """Each of them once, in any order, and so on."""
        while True:
            for kind in self.dice.sample(kinds, len(kinds)):
                await asyncio.sleep(self.dice.uniform(0, 2 * pause_s))
                if not self.world.is_rough:
                    return
                await kind()

    async def be_over(self, is_quick):
        """Workers that were to end at some step are replaced by others."""
        for worker in self.world.workers:
            if worker.runs:
                worker.excused.add(worker.life)
                await worker.kill()
        if is_quick:
            await asyncio.sleep(2 * LEASE_S)  # what dead workers held is let go of
            await self.restart_redis()
            await redis(self.world.primary.port, "DEL", "phx:{v}:lock")  # of a dead one
        self.tell("all is calm")
