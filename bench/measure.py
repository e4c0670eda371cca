"""What the benchmarks share: servers started and stopped, CPU and memory read, tables and charts."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def cpus():
    """One for who is measured, the others for the equipment; all for both on a single CPU."""
    first, *others = sorted(os.sched_getaffinity(0))
    return {first}, set(others) or {first}


def environment(settings):
    return {"PATH": "/usr/bin:/bin"} | {key: str(value) for key, value in settings.items()}


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def start(ends, command, settings, port, on, log):
    """Starts a server that `ends` will stop, waits until it listens, returns its process id."""
    command = [str(word) for word in command]
    if not os.access(command[0], os.X_OK):
        sys.exit(f"{command[0]} is not there.")
    with open(log, "w", encoding="utf-8") as output:
        process = subprocess.Popen(
            command,
            env=environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, on),
        )
    ends.callback(stop, process)
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return process.pid
        time.sleep(0.05)
    sys.exit(f"{command[0]} did not start:\n{pathlib.Path(log).read_text(encoding='utf-8')}")


def cpu_s(pid):
    """CPU time of all threads of a process, also of those that have ended, to the nanosecond."""
    return time.clock_gettime(~pid << 3 | 2)  # clock_getcpuclockid(3)


def memory_mb(pid):
    """(PSS, what of it no file stands behind), in MB."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        if name in ("Pss", "Anonymous"):
            sizes[name] = int(rest.split()[0]) * 1024 / 1e6
    return sizes["Pss"], sizes["Anonymous"]


def table(header, rows):
    """Rows of words as a table in Markdown, the first column to the left."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]

    def line(row):
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def bars(title, panels):
    """An SVG of bar charts, one under the other: [(caption, [(name, value, label)])]."""
    text, width, left, row = [], 760, 170, 22
    top = 48
    for caption, entries in panels:
        most = max(value for _, value, _ in entries) or 1
        text.append(f'<text x="12" y="{top}" class="caption">{caption}</text>')
        for name, value, label in entries:
            top += row
            length = max(1, (width - left - 110) * value / most)
            own = ' class="own"' if name == entries[0][0] else ""
            text.append(f'<text x="{left - 8}" y="{top}" text-anchor="end">{name}</text>')
            text.append(
                f'<rect x="{left}" y="{top - 13}" width="{length:.1f}" height="16" rx="2"{own}/>'
            )
            text.append(f'<text x="{left + length + 6:.1f}" y="{top}">{label}</text>')
        top += row + 18
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        f'viewBox="0 0 {width} {top}">\n'
        "<style>text{font:13px system-ui,sans-serif;fill:#334}"
        ".title{font-size:16px;font-weight:600}.caption{font-weight:600}"
        "rect{fill:#b9c3d6}.own{fill:#e8590c}</style>\n"
        f'<rect width="{width}" height="{top}" style="fill:#fff"/>\n'
        f'<text x="12" y="24" class="title">{title}</text>\n' + "\n".join(text) + "\n</svg>\n"
    )
