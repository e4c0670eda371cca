"""The same endpoint on the stack that Phoenix would otherwise be: FastAPI, requests, boto3, SQLite.

Written as its documentation suggests: pydantic checks the request, sessions and clients are kept
between requests, a plain `def` endpoint runs in the thread pool, the picture is decoded once.
Serve it with: uvicorn fastapi_app:app
"""

import base64
import os
import secrets
import sqlite3
import struct
import threading
import time
from datetime import datetime, timezone
from typing import Literal, Optional

import boto3
import requests
from botocore.config import Config
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

UPSTREAM = os.environ["UPSTREAM_URL"]
MODEL_URL = (
    f"{UPSTREAM}/v1/projects/bench/locations/global/publishers/google"
    "/models/gemini-3.1-flash-image:generateContent"
)
BUCKET = "bucket"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
IN_FLIGHT = 8


class ImageRequest(BaseModel, extra="forbid"):
    prompt: str = Field(min_length=1, max_length=2000)
    aspect_ratio: Literal["1:1", "3:4", "4:3", "9:16", "16:9"] = "1:1"
    seed: Optional[int] = Field(default=None, ge=1, le=2147483647)
    negative_prompt: Optional[str] = Field(default=None, max_length=2000)
    publish: bool = True


class Owner(BaseModel):
    id: str
    username: Optional[str]


class Creation(BaseModel):
    id: str
    type: str
    status: str
    prompt: str
    url: str
    mime_type: str
    width: int
    height: int
    owner: Owner
    likes: int
    liked: bool
    published: bool
    created_at: datetime


# ---- What lives as long as the process ---------------------------------------------------------

app = FastAPI()

http = requests.Session()
http.trust_env = False
http.mount(UPSTREAM, requests.adapters.HTTPAdapter(pool_maxsize=IN_FLIGHT))

s3 = boto3.client(
    "s3",
    endpoint_url=UPSTREAM,
    aws_access_key_id="bench",
    aws_secret_access_key="bench-secret",
    region_name="auto",
    config=Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        max_pool_connections=IN_FLIGHT,
        proxies={},
    ),
)

of_thread = threading.local()


def database():
    """A connection per thread; an answered commit outlives a power cut, as in Phoenix."""
    if not hasattr(of_thread, "database"):
        of_thread.database = sqlite3.connect(os.environ["DATABASE"], timeout=30)
        of_thread.database.execute("PRAGMA journal_mode = WAL")
        of_thread.database.execute("PRAGMA synchronous = FULL")
        of_thread.database.execute(
            "CREATE TABLE IF NOT EXISTS creations (id TEXT PRIMARY KEY, fields TEXT NOT NULL)"
        )
    return of_thread.database


class Token:
    """The service's access token, kept until shortly before it ends."""

    lock = threading.Lock()
    value = ""
    fresh_until = 0.0

    @classmethod
    def get(cls):
        with cls.lock:
            if time.time() >= cls.fresh_until:
                answer = http.get(
                    f"{UPSTREAM}/computeMetadata/v1/instance/service-accounts/default/token",
                    headers={"Metadata-Flavor": "Google"},
                    timeout=5,
                ).json()
                cls.value = answer["access_token"]
                cls.fresh_until = time.time() + answer["expires_in"] - 300
            return cls.value


# ---- The endpoint ------------------------------------------------------------------------------


def paint(request: ImageRequest) -> bytes:
    config = {
        "responseModalities": ["IMAGE"],
        "candidateCount": 1,
        "imageConfig": {"aspectRatio": request.aspect_ratio},
    }
    if request.seed is not None:
        config["seed"] = request.seed
    text = request.prompt
    if request.negative_prompt:
        text += f"\nDo not show: {request.negative_prompt}"
    response = http.post(
        MODEL_URL,
        json={
            "contents": [{"role": "user", "parts": [{"text": text}]}],
            "generationConfig": config,
        },
        headers={"Authorization": f"Bearer {Token.get()}"},
        timeout=60,
    )
    if response.status_code != 200:
        raise HTTPException(502, "the model failed")
    for candidate in response.json().get("candidates", []):
        for part in candidate.get("content", {}).get("parts", []):
            if "inlineData" in part and not part.get("thought"):
                return base64.b64decode(part["inlineData"]["data"])
    raise HTTPException(422, "the model refused the prompt")


def size_of(picture: bytes):
    if not picture.startswith(PNG_SIGNATURE) or picture[12:16] != b"IHDR":
        raise HTTPException(502, "the model answered no picture")
    return struct.unpack(">II", picture[16:24])


def new_id() -> str:
    return f"img_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


@app.post("/api/image/generate", status_code=201, response_model=Creation)
def generate_image(request: ImageRequest):
    picture = paint(request)
    width, height = size_of(picture)
    creation_id = new_id()
    key = f"images/user_dev/{creation_id}.png"
    s3.put_object(
        Bucket=BUCKET,
        Key=key,
        Body=picture,
        ContentType="image/png",
        CacheControl="public, max-age=31536000, immutable",
    )
    creation = Creation(
        id=creation_id,
        type="image",
        status="succeeded",
        prompt=request.prompt,
        url=f"{UPSTREAM}/{BUCKET}/{key}",
        mime_type="image/png",
        width=width,
        height=height,
        owner=Owner(id="user_dev", username=None),
        likes=0,
        liked=False,
        published=request.publish,
        created_at=datetime.now(timezone.utc),
    )
    with database() as transaction:
        transaction.execute(
            "INSERT INTO creations (id, fields) VALUES (?, ?)", (creation_id, creation.json())
        )
    return creation
