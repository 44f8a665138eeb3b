"""Logs 100 records, numbered by `n`, and ends in the way it is told: `end.py EVENT URL SERVICE [SPOOL]`."""

import atexit
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time

import insighthub

EVENT, URL, SERVICE = sys.argv[1:4]
SPOOL = sys.argv[4] if len(sys.argv) > 4 else None
RECORDS = 100

log = logging.getLogger("program")


def set_up(**options):
    flush_secs = float(os.environ.get("FLUSH_SECS", "5"))
    handler = insighthub.InsightHubHandler(URL, service=SERVICE, spool_dir=SPOOL, flush_secs=flush_secs, **options)
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    return handler.client


def write(first, last):
    for number in range(first, last):
        log.info("record %d", number, extra={"n": number})


def ready_for_signal():
    print("ready", flush=True)
    while True:
        time.sleep(60)


def child(first, last):
    write(first, last)


def spawned(first, last):
    set_up()
    write(first, last)


def worker(number):
    write(number, number + 1)
    time.sleep(0.001)
    return number


def in_processes(method, target):
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=target, args=(25 * part, 25 * part + 25)) for part in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, process.exitcode


def main():
    if EVENT.startswith("mp_") and EVENT not in ("mp_fork", "mp_pool"):
        in_processes(EVENT[3:], spawned)
        return
    if EVENT == "client_exit":
        # Without a handler, which logging would close.
        direct = insighthub.Client(URL, service=SERVICE, spool_dir=SPOOL)
        for number in range(RECORDS):
            direct.info("record", n=number)
        return
    client = set_up()
    if EVENT == "exit":
        write(0, RECORDS)
    elif EVENT == "atexit":
        # The first record comes when Python may start no more threads.
        atexit.register(write, 0, RECORDS)
    elif EVENT == "sys_exit":
        write(0, RECORDS)
        sys.exit(3)
    elif EVENT == "uncaught":
        write(0, RECORDS)
        raise RuntimeError("nobody catches this")
    elif EVENT == "uncaught_in_thread":

        def work():
            write(0, RECORDS)
            raise RuntimeError("nobody catches this")

        threading.Thread(target=work).start()
    elif EVENT in ("sigterm", "sigint", "sighup"):
        write(0, RECORDS)
        ready_for_signal()
    elif EVENT == "sigterm_exits":
        # As a server would: its own handler, set before or after, decides.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        write(0, RECORDS)
        ready_for_signal()
    elif EVENT == "sigterm_os_exit":
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        insighthub.install_signal_handlers()
        write(0, RECORDS)
        ready_for_signal()
    elif EVENT == "sigterm_while_logging":
        write(0, RECORDS)
        print("ready", flush=True)
        number = RECORDS
        while True:
            write(number, number + 1)
            number += 1
    elif EVENT == "fork":
        write(0, 50)
        pid = os.fork()
        if pid == 0:
            write(50, RECORDS)
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    elif EVENT == "mp_fork":
        write(RECORDS, RECORDS + 1)  # The parent has a thread of ours by now.
        in_processes("fork", child)
    elif EVENT == "mp_pool":
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert sorted(pool.map(worker, range(RECORDS))) == list(range(RECORDS))
    elif EVENT == "kill_nine":
        write(0, RECORDS)
        os.kill(os.getpid(), signal.SIGKILL)
    elif EVENT == "kill_nine_later":
        write(0, RECORDS)
        # Just when the first batch is being sent, or was.
        time.sleep(float(os.environ["LATER_SECS"]))
        os.kill(os.getpid(), signal.SIGKILL)
    elif EVENT == "os_exit":
        write(0, RECORDS)
        os._exit(0)
    elif EVENT == "replay":
        log.info("the next process")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and client.stats().adopted < int(os.environ.get("ADOPT_MIN", "1")):
            time.sleep(0.01)
        while time.monotonic() < deadline and client.stats().waiting:
            time.sleep(0.01)
        print(client.stats(), flush=True)


if __name__ == "__main__":
    main()
