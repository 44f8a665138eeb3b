"""python-logging-loki: fields are labels, and labels are texts."""

import records
import setup


def tags(record):
    fields = dict(record["fields"])
    cart = fields.pop("cart")
    fields.update({f"cart_{name}": value for name, value in cart.items()})
    return {"tags": {name: value if isinstance(value, str) else str(value).lower() for name, value in fields.items()}}


records.log_all(setup.logger, tags)
