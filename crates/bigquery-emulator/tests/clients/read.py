"""Reads a dataset of the emulator with Google's client, and prints it as JSON.

Usage: read.py URL PROJECT DATASET
"""

import json
import sys

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

url, project, dataset = sys.argv[1:]
client = bigquery.Client(
    project=project,
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": url},
)
# A page has one table or one row, so that the client requests several pages.
tables = {}
for item in client.list_tables(dataset, page_size=1):
    table = client.get_table(item.reference)
    # Views have no rows to list.
    if table.table_type == "VIEW":
        continue
    rows = [dict(row.items()) for row in client.list_rows(table, page_size=1)]
    tables[table.table_id] = {
        "columns": [[field.name, field.field_type, field.mode] for field in table.schema],
        "num_rows": table.num_rows,
        "rows": rows,
    }
datasets = [item.dataset_id for item in client.list_datasets()]
json.dump({"datasets": datasets, "tables": tables}, sys.stdout, default=lambda value: value.isoformat())
