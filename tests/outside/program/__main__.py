"""A provider's own system, written from the protocol page and `/api/v1/openapi.json` alone, in plain Python.

    python -I -S program '{"portal": …, "key": …, "secret": …, "level": "push"|"pull"|"two_way", "journal": file}'

It knows nothing of the portal's code. It prints the port it listens on, works off every task it is given, and writes
what it saw as JSON lines into `journal`.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from answers import Answers
from calls import Portal, Signer


class Provider:
    """Keeps the newest document of each task, and answers what it expects."""

    def __init__(self, portal: Portal, journal: str) -> None:
        self.portal, self.tasks, self.seen = portal, {}, {}
        self.to_do: queue.Queue = queue.Queue()
        self._journal, self._lock = journal, threading.Lock()
        self.answers = Answers(portal, self.note)

    def note(self, what: str, **facts: object) -> None:
        with self._lock, open(self._journal, "a", encoding="utf-8") as out:
            out.write(json.dumps({"what": what, **facts}, ensure_ascii=False) + "\n")

    def take(self, message_id: str, event: dict) -> None:
        """An event counts once; an older revision never replaces a newer one; unknown fields are ignored."""
        with self._lock:
            is_new = message_id not in self.seen
            self.seen[message_id] = event.get("type")
        document = event.get("data") or {}
        self.note("event", type=event.get("type"), is_new=is_new, case_no=document.get("case_no"))
        if is_new and "task_id" in document:
            self.keep(document)
            self.to_do.put(document["task_id"])

    def keep(self, document: dict) -> None:
        known = self.tasks.get(document["task_id"])
        if known is None or document["revision"] >= known["revision"]:
            self.tasks[document["task_id"]] = document

    def work_next(self) -> None:
        """Look the next task up and work on it; while the portal does not answer it stays to do."""
        task_id = self.to_do.get()
        status, document = self.portal.get(f"/api/v1/tasks/{task_id}")
        if status == 200:
            self.work(document)
        elif status == 0 or status >= 429:
            self.to_do.put(task_id)
            time.sleep(0.5)

    def work(self, document: dict) -> None:
        """Report until nothing more is expected of us now."""
        for _ in range(20):
            self.keep(document)
            body = self.answers.next_report(document)
            if body is None:
                return
            path = f"/api/v1/tasks/{document['task_id']}/reports"
            status, answer = self.portal.post(path, body)
            about = {"case_no": document["case_no"], "stage": document["stage"], "kind": body["kind"]}
            self.note("report", **about, status=status, code=answer.get("code"), errors=answer.get("errors"))
            if status == 200:
                document = answer["task"]
            elif status == 409:
                document = answer.get("task") or self.portal.get(f"/api/v1/tasks/{document['task_id']}")[1]
            elif answer.get("code") == "zero_investment":
                self.answers.done.add((document["task_id"], "free"))
            else:
                return


def serve(provider: Provider, signer: Signer) -> ThreadingHTTPServer:
    """The address events are pushed to, and the read-back of the two-way level."""

    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not signer.is_good(self.headers, body):
                return self._answer(401, {"error": "signature"})
            provider.take(self.headers["webhook-id"], json.loads(body))
            return self._answer(202, {})

        def do_GET(self) -> None:
            if not signer.is_good(self.headers, b""):
                return self._answer(401, {"error": "signature"})
            document = provider.tasks.get(self.path.rpartition("/tasks/")[2])
            provider.note("read_back", found=document is not None, case_no=(document or {}).get("case_no"))
            return self._answer(200 if document else 404, document or {})

        def _answer(self, status: int, body: dict) -> None:
            raw = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Routes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    given = json.loads(sys.argv[1])
    signer = Signer(given["secret"])
    portal = Portal(given["portal"], given["key"], signer)
    provider = Provider(portal, given["journal"])
    server = serve(provider, signer)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    cursor = ""
    while True:
        if given["level"] != "pull":
            provider.work_next()
            continue
        status, page = portal.get("/api/v1/tasks", after=cursor, wait=5)
        if status != 200:
            time.sleep(0.5)
            continue
        for document in page["items"]:
            provider.note("pulled", case_no=document["case_no"], stage=document["stage"])
            provider.work(document)
        cursor = page["next"]


if __name__ == "__main__":
    main()
