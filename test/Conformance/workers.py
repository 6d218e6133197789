# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Worker processes that may crash, hang or eat memory: each of these is the
result of the item at hand, and another worker goes on with the next."""

import json
import os
import resource
import selectors
import signal
import time
import traceback

MEMORY_BYTES = 8 << 30
ITEMS_PER_WORKER = 200  # then a fresh one, so that leaks do not add up


class Worker:
    """A forked process that is sent indices of items and answers with results."""

    ends = set()  # of the parent's pipes, which no other worker may hold open

    def __init__(self, work, items):
        task_read, self._tasks = os.pipe()
        self._results, result_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            for end in Worker.ends | {self._tasks, self._results}:
                os.close(end)
            serve(work, items, task_read, result_write)
        os.close(task_read)
        os.close(result_write)
        Worker.ends |= {self._tasks, self._results}
        self.index = None
        self.done = 0
        self.began = 0.0
        self._text = b""

    def fileno(self):
        return self._results

    def start(self, index):
        self.index, self.began = index, time.monotonic()
        os.write(self._tasks, index.to_bytes(4, "little"))

    def receive(self):
        """A result; None while there is more to come; why it ended."""
        part = os.read(self._results, 1 << 16)
        if not part:
            return self.end()
        self._text += part
        if not self._text.endswith(b"\n"):
            return None
        text, self._text = self._text, b""
        self.done += 1
        return tuple(json.loads(text))

    def kill(self, why):
        os.kill(self.pid, signal.SIGKILL)
        self.end()
        return "crash", why

    def end(self):
        """Waits for the process; says how it ended."""
        for end in (self._tasks, self._results):
            Worker.ends.remove(end)
            os.close(end)
        status = os.waitpid(self.pid, 0)[1]
        self.pid = None
        if os.WIFSIGNALED(status):
            return "crash", signal.Signals(os.WTERMSIG(status)).name
        return "crash", f"exit status {os.WEXITSTATUS(status)}"


def serve(work, items, tasks, results):
    """What a worker does; never returns."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        while index := os.read(tasks, 4):
            kind, detail = work(items[int.from_bytes(index, "little")])
            text = memoryview(json.dumps([kind, detail[:2000]]).encode() + b"\n")
            while text:
                text = text[os.write(results, text):]
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def run_all(work, items, jobs, seconds):
    """work(item) of all items, each a pair (kind, detail) of strings."""
    outcomes = [None] * len(items)
    waiting = iter(range(len(items)))
    with selectors.DefaultSelector() as selector:
        def advance(worker):
            index = next(waiting, None)
            if worker and (index is None or worker.done >= ITEMS_PER_WORKER):
                selector.unregister(worker)
                worker.end()
                worker = None
            if index is None:
                return
            if not worker:
                worker = Worker(work, items)
                selector.register(worker, selectors.EVENT_READ)
            worker.start(index)

        for _ in range(jobs):
            advance(None)
        while selector.get_map():
            for key, _ in selector.select(timeout=1):
                worker = key.fileobj
                outcome = worker.receive()
                if outcome is None:
                    continue
                outcomes[worker.index] = outcome
                if worker.pid is None:
                    selector.unregister(worker)
                    worker = None
                advance(worker)
            for key in list(selector.get_map().values()):
                worker = key.fileobj
                if time.monotonic() - worker.began > seconds:
                    selector.unregister(worker)
                    outcomes[worker.index] = worker.kill(f"over {seconds} s")
                    advance(None)
    return outcomes
