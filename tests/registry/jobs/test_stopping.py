"""A worker that is told to stop by several signals at once."""

import signal
import subprocess
import sys
import time

PROGRAM = """
from registry.jobs.worker import Worker
from registry.settings import Settings

worker = Worker(None, Settings())
worker.stop_on_signals()
print("ready", flush=True)
while not worker.stopping.is_set():
    worker.stopping.wait(60)
"""


def test_signals_that_interrupt_each_other_s_handlers_still_stop_a_worker():
    for _ in range(5):
        with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            deadline = time.monotonic() + 0.3
            while process.poll() is None and time.monotonic() < deadline:
                process.send_signal(signal.SIGTERM)
                process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            finally:
                process.kill()
