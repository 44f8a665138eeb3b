"""OpenTelemetry behind `logging`: fields are attributes."""

import records
import setup

records.log_all(setup.logger, lambda record: record["fields"])
setup.provider.shutdown()
