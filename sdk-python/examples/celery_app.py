"""Celery in one file: `celery -A celery_app worker`, and `python celery_app.py 10` to send ten tasks.

Two signals are all there is to it: one keeps Celery from taking `logging` over, the other flushes a worker process before
it ends, because Celery ends it without Python's own clean-up.
"""

import logging
import os
import sys

from celery import Celery, signals

import insighthub

log = logging.getLogger("shop")
folder = os.environ.get("CELERY_FOLDER", "/tmp/insighthub-celery")
os.makedirs(folder, exist_ok=True)
app = Celery("shop", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": folder,
    "data_folder_out": folder,
    "control_folder": folder + "-control",
}
client = insighthub.Client(service="celery-shop")


@signals.setup_logging.connect
def set_up_logging(**_):
    root = logging.getLogger()
    root.addHandler(insighthub.InsightHubHandler(client=client))
    root.setLevel(logging.INFO)


@signals.task_prerun.connect
def bind_task(task_id=None, task=None, **_):
    insighthub.clear()
    insighthub.bind(task_id=task_id, task=task.name)


@signals.worker_process_shutdown.connect
def deliver(**_):
    client.close()


@app.task(name="shop.pay")
def pay(number):
    log.info("order paid", extra={"order": number})
    return number


if __name__ == "__main__":
    for number in range(int(sys.argv[1])):
        pay.delay(number)
