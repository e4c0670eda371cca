"""hello on FastAPI, as its documentation has it."""

import fastapi
from fastapi.responses import PlainTextResponse

app = fastapi.FastAPI()


@app.get("/", response_class=PlainTextResponse)
async def hello():
    return "Hello, world!\n"
