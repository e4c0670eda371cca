"""The same endpoint on the stack that Phoenix would otherwise be: FastAPI, Celery, SQLite.

Written as their documentation suggests: pydantic checks the request, a plain `def` endpoint runs in
the thread pool, one transaction writes the creation and what it costs, `delay` enqueues the task.
Serve it with: uvicorn celery_app:app
"""

import base64
import json
import os
import secrets
import sqlite3
import threading
import time
from datetime import datetime, timezone
from typing import Literal, Optional

import celery
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, Field

PRICE = 10
SIGNUP = 1_000_000_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS creations (id TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS balances (user TEXT PRIMARY KEY, tokens INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ledger
    (user TEXT, number INTEGER, amount INTEGER, creation TEXT, PRIMARY KEY (user, number));
"""


class VideoRequest(BaseModel, extra="forbid"):
    prompt: str = Field(min_length=1, max_length=2000)
    aspect_ratio: Literal["9:16", "16:9"] = "16:9"
    duration_s: Literal[4, 6, 8] = 8
    seed: Optional[int] = Field(default=None, ge=0, le=4294967295)
    audio: bool = True
    publish: bool = True


class Owner(BaseModel):
    id: str
    username: Optional[str]


class Creation(BaseModel):
    id: str
    type: str
    status: str
    prompt: str
    url: Optional[str]
    mime_type: str
    owner: Owner
    likes: int
    liked: bool
    published: bool
    created_at: datetime


app = FastAPI()

tasks = celery.Celery("celery_app", broker=os.environ["REDIS_URL"])
tasks.conf.update(task_ignore_result=True, task_acks_late=True)


@tasks.task(name="video")
def make_video(creation_id):
    raise NotImplementedError("the benchmark runs no worker")


of_thread = threading.local()


def database():
    """A connection per thread; an answered commit outlives a power cut, as in Phoenix."""
    if not hasattr(of_thread, "database"):
        of_thread.database = sqlite3.connect(
            os.environ["DATABASE"], timeout=30, isolation_level=None
        )
        of_thread.database.execute("PRAGMA journal_mode = WAL")
        of_thread.database.execute("PRAGMA synchronous = FULL")
        of_thread.database.executescript(SCHEMA)
    return of_thread.database


def charge(store, user, creation_id):
    row = store.execute("SELECT tokens FROM balances WHERE user = ?", (user,)).fetchone()
    tokens = row[0] if row else SIGNUP
    if tokens < PRICE:
        raise HTTPException(402, "too few tokens")
    store.execute("REPLACE INTO balances VALUES (?, ?)", (user, tokens - PRICE))
    store.execute(
        "INSERT INTO ledger SELECT ?, coalesce(max(number), 0) + 1, ?, ? FROM ledger"
        " WHERE user = ?",
        (user, -PRICE, creation_id, user),
    )


def user_of(authorization: str = Header()):
    """What the token says; that it is true is not looked into."""
    claims = authorization.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "==="))["sub"]


@app.post("/api/video/generate", status_code=202, response_model=Creation)
def generate_video(request: VideoRequest, response: Response, user: str = Depends(user_of)):
    creation = Creation(
        id=f"vid_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}",
        type="video",
        status="queued",
        prompt=request.prompt,
        url=None,
        mime_type="video/mp4",
        owner=Owner(id=user, username=None),
        likes=0,
        liked=False,
        published=request.publish,
        created_at=datetime.now(timezone.utc),
    )
    store = database()
    store.execute("BEGIN IMMEDIATE")
    with store:
        charge(store, user, creation.id)
        store.execute("INSERT INTO creations VALUES (?, ?)", (creation.id, creation.json()))
    make_video.delay(creation.id)
    response.headers["Location"] = f"/api/video/{creation.id}"
    return creation
