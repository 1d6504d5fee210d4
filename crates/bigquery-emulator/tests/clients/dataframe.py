"""Reads the result of a query into a pandas DataFrame, and tries to load a DataFrame.

Usage: dataframe.py URL PROJECT
"""

import json
import sys

import pandas
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

url, project = sys.argv[1:]
client = bigquery.Client(
    project=project,
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": url},
)
seen = {}
sql = "SELECT n, MOD(n, 2) = 0 AS even, DATE '2026-01-02' AS day FROM UNNEST(GENERATE_ARRAY(1, 3)) AS n ORDER BY n"
# Without the gRPC client of the Storage Read API, which the emulator does not support.
frame = client.query(sql).to_dataframe(create_bqstorage_client=False)
seen["columns"] = list(frame.columns)
seen["rows"] = [[int(row.n), bool(row.even), str(row.day)] for row in frame.itertuples()]
try:
    client.load_table_from_dataframe(pandas.DataFrame({"a": [1]}), f"{project}.python.frame").result()
    seen["load"] = "no error"
except GoogleAPICallError as error:
    seen["load"] = [error.code, error.message]
json.dump(seen, sys.stdout)
