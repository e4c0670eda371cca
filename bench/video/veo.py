"""A Veo with one video, of a hundred megabytes, for who wants to see what passing it on takes."""

import http.server
import json
import re
import struct
import sys

SIZE = 100_000_000
OPERATION = "projects/bench/locations/us-central1/publishers/google/models/veo/operations/1"
VIDEO = {"videos": [{"gcsUri": "gs://bucket/film.mp4", "mimeType": "video/mp4"}]}


def box(kind, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def film():
    """As much of an MP4 as a reader of headers wants, and a long box of nothing."""
    movie = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, 8000), bytes(80))
    track = box(b"tkhd", bytes(76), struct.pack(">II", 1280 << 16, 720 << 16))
    head = box(b"ftyp", b"isom", bytes(4)) + box(b"moov", movie, box(b"trak", track))
    return head + box(b"mdat", bytes(SIZE - len(head) - 8))


class Veo(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bytes = film()

    def reply(self, body, status=200, headers=()):
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", len(body))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def reply_json(self, **fields):
        headers = [("Metadata-Flavor", "Google"), ("Content-Type", "application/json")]
        self.reply(json.dumps(fields).encode(), headers=headers)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith(":predictLongRunning"):
            self.reply_json(name=OPERATION)
        else:
            self.reply_json(name=OPERATION, done=True, response=VIDEO)

    def do_GET(self):
        if "/token" in self.path:
            self.reply_json(access_token="bench", expires_in=3600, token_type="Bearer")
            return
        first, last = map(int, re.match(r"bytes=(\d+)-(\d+)", self.headers["Range"]).groups())
        piece = self.bytes[first : last + 1]
        place = f"bytes {first}-{first + len(piece) - 1}/{len(self.bytes)}"
        self.reply(piece, 206, [("Content-Range", place), ("Content-Type", "video/mp4")])

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Veo).serve_forever()
