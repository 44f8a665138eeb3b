"""rfc5424-logging-handler: fields are parameters of one element of structured data, and parameters are texts."""

import records
import setup


def structured_data(record):
    fields = dict(record["fields"])
    cart = fields.pop("cart")
    fields.update({f"cart_{name}": value for name, value in cart.items()})
    texts = {name: value if isinstance(value, str) else str(value).lower() for name, value in fields.items()}
    return {"structured_data": {"order": texts}, "msgid": "order"}


records.log_all(setup.logger, structured_data)
