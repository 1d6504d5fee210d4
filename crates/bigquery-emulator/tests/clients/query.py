"""Queries the emulator with Google's client, and prints the results as JSON.

Usage: query.py URL PROJECT ENDLESS-QUERY
"""

import datetime
import decimal
import io
import json
import sys

from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

url, project, endless = sys.argv[1:]
client = bigquery.Client(
    project=project,
    credentials=AnonymousCredentials(),
    client_options={"api_endpoint": url},
)
UTC = datetime.UTC
seen = {}


def catch_error(call):
    """Returns the code, reason and message of an error, or 'no error'."""
    try:
        call()
    except GoogleAPICallError as error:
        return [error.code, error.errors[0]["reason"] if error.errors else None, error.message]
    return "no error"


def config(*parameters, **settings):
    return bigquery.QueryJobConfig(query_parameters=parameters, **settings)


# A table with valid and invalid rows.
client.create_dataset("python")
schema = [
    bigquery.SchemaField("name", "STRING", mode="REQUIRED"),
    bigquery.SchemaField("n", "INTEGER"),
    bigquery.SchemaField("at", "TIMESTAMP"),
    bigquery.SchemaField("tags", "STRING", mode="REPEATED"),
    bigquery.SchemaField("point", "RECORD", fields=[bigquery.SchemaField("x", "FLOAT")]),
]
table = client.create_table(bigquery.Table(f"{project}.python.events", schema=schema))
at = datetime.datetime(2026, 1, 2, 3, 4, 5, 402197, tzinfo=UTC)
rows = [
    {"name": "a", "n": 1, "at": at.isoformat(), "tags": ["x", "y"], "point": {"x": 0.5}},
    {"name": "b", "n": None, "at": None, "tags": [], "point": None},
]
seen["inserted"] = client.insert_rows_json(table, rows, row_ids=["1", "2"])
seen["inserted_again"] = client.insert_rows_json(table, rows[:1], row_ids=["1"])
errors = client.insert_rows_json(table, [{"name": "c", "wrong": 1}])
seen["insert_errors"] = [errors[0]["index"], errors[0]["errors"][0]["reason"]]
seen["num_rows"] = client.get_table(table).num_rows
listed = [dict(row.items()) for row in client.list_rows(table, page_size=1)]
listed.sort(key=lambda row: row["name"])
seen["listed"] = listed == [
    {"name": "a", "n": 1, "at": at, "tags": ["x", "y"], "point": {"x": 0.5}},
    {"name": "b", "n": None, "at": None, "tags": [], "point": None},
]

# The same rows with the client's two query methods.
sql = "SELECT name, n, `at`, tags, point FROM python.events ORDER BY name"
seen["query"] = [dict(row.items()) for row in client.query(sql).result()] == listed
seen["query_and_wait"] = [dict(row.items()) for row in client.query_and_wait(sql)] == listed
default = config(default_dataset=f"{project}.python")
seen["default_dataset"] = [row.name for row in client.query_and_wait("SELECT name FROM events ORDER BY name", job_config=default)]

# Parameters of every type.
scalars = {
    "i": ("INT64", -9007199254740993),
    "f": ("FLOAT64", 0.1),
    "n": ("NUMERIC", decimal.Decimal("1.5")),
    "big": ("BIGNUMERIC", decimal.Decimal("0.00000000000000000000000000000000000001")),
    "s": ("STRING", "ü\"'\n"),
    "y": ("BYTES", b"\x00\xff"),
    "b": ("BOOL", True),
    "d": ("DATE", datetime.date(2026, 1, 2)),
    "t": ("TIME", datetime.time(3, 4, 5, 402197)),
    "dt": ("DATETIME", datetime.datetime(2026, 1, 2, 3, 4, 5, 402197)),
    "ts": ("TIMESTAMP", at),
    "none": ("INT64", None),
}
parameters = [bigquery.ScalarQueryParameter(name, kind, value) for name, (kind, value) in scalars.items()]
parameters.append(bigquery.ArrayQueryParameter("many", "DATE", [datetime.date(2026, 1, 2), datetime.date(2026, 1, 3)]))
parameters.append(bigquery.ArrayQueryParameter("no", "STRING", []))
parameters.append(
    bigquery.StructQueryParameter(
        "point",
        bigquery.ScalarQueryParameter("x", "INT64", 1),
        bigquery.ScalarQueryParameter("label", "STRING", "here"),
    )
)
expected = {name: value for name, (_, value) in scalars.items()}
expected |= {"many": [datetime.date(2026, 1, 2), datetime.date(2026, 1, 3)], "no": [], "point": {"x": 1, "label": "here"}}
columns = ", ".join(f"@{name} AS `{name}`" for name in expected)
[row] = client.query_and_wait(f"SELECT {columns}", job_config=config(*parameters))
seen["parameters"] = {name: repr(row[name]) for name in expected if row[name] != expected[name]}
positional = config(bigquery.ScalarQueryParameter(None, "STRING", "x"), bigquery.ScalarQueryParameter(None, "INT64", 2))
seen["positional"] = list(next(iter(client.query("SELECT ?, ? + 1", job_config=positional).result())).values())

# A result with several pages.
numbers = "SELECT n FROM UNNEST(GENERATE_ARRAY(1, 25000)) AS n"
job = client.query(numbers, job_config=config(labels={"from": "python"}))
result = job.result(page_size=4000)
seen["pages"] = [page.num_items for page in result.pages]
seen["sum"] = sum(row.n for row in client.query_and_wait(numbers))
seen["destination"] = sum(row.n for row in client.list_rows(job.destination))
job = client.get_job(job.job_id)
seen["job"] = [job.state, job.statement_type, job.labels, job.cache_hit, job.created <= job.started <= job.ended]
seen["jobs"] = client.list_jobs(max_results=1, state_filter="done") is not None
seen["newest"] = next(iter(client.list_jobs(max_results=1))).job_id != job.job_id

dry = client.query("SELECT name, n FROM python.events", job_config=config(dry_run=True))
seen["dry_run"] = [[field.name for field in dry.schema], dry.total_bytes_processed > 0]
seen["bad_query"] = catch_error(lambda: client.query("SELECT missing").result())
seen["bad_query_and_wait"] = catch_error(lambda: client.query_and_wait("SELECT missing"))
seen["load_file"] = catch_error(lambda: client.load_table_from_file(io.BytesIO(b"a,1\n"), table).result())
seen["load_json"] = catch_error(lambda: client.load_table_from_json(rows, table).result())
seen["copy"] = catch_error(lambda: client.copy_table(table, f"{project}.python.copy").result())
seen["extract"] = catch_error(lambda: client.extract_table(table, "gs://bucket/object").result())

running = client.query(endless)
seen["running"] = [running.state in ("PENDING", "RUNNING"), running.done()]
running.cancel()
seen["cancelled"] = [catch_error(running.result)[1], running.state, running.error_result["reason"]]

deletion = client.query("DELETE FROM python.events WHERE name = 'b'")
seen["deleted"] = [len(list(deletion.result())), deletion.num_dml_affected_rows, client.get_table(table).num_rows]
client.delete_dataset("python", delete_contents=True)
seen["datasets"] = [dataset.dataset_id for dataset in client.list_datasets()]
json.dump(seen, sys.stdout)
