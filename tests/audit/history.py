"""What happened to each job, as far as it was seen."""

import collections
import time


class History:
    """Jobs go by their prompt, which is the same everywhere; "" is for what concerns all."""

    def __init__(self):
        self.began = time.monotonic()
        self.lines = collections.defaultdict(list)

    def add(self, job, what):
        self.lines[job].append((time.monotonic() - self.began, what))

    def of(self, job):
        return "\n".join(
            f"    {at:8.3f} {what}"
            for at, what in sorted(self.lines[""] + (self.lines[job] if job else []))
        )
