"""The SQL for BigQuery, parsed by sqlglot, an independent parser of its dialect.

    pip install 'sqlglot>=30,<31' && python3 -m unittest discover -s tests/deploy

The emulator runs nearly all of it in `cargo test`; it has no CREATE MODEL.
"""

import re
import unittest
from pathlib import Path

try:
    import sqlglot
    from sqlglot import exp
except ImportError:
    sqlglot = None

ROOT = Path(__file__).resolve().parents[2]
QUERIES = sorted((ROOT / "schema/queries").glob("*.sql"))
VIEWS = sorted((ROOT / "schema/views").glob("*.sql"))
PLACEHOLDERS = {"PROJECT_ID": "my-project-1", "DATASET": "parsed_pixel", "TABLE_NAME": "pixel"}


def filled(path):
    """The text of a file, with values in place of the placeholders."""
    text = path.read_text(encoding="utf-8")
    for name, value in PLACEHOLDERS.items():
        text = text.replace("${%s}" % name, value)
    return text


def parsed(path):
    """The one statement of a file."""
    statements = sqlglot.parse(filled(path), read="bigquery", error_level=sqlglot.ErrorLevel.RAISE)
    if len(statements) != 1:
        raise AssertionError(f"{path.name} has {len(statements)} statements, expected 1")
    return statements[0]


def tables(statement):
    """The names of the tables that a statement reads, without its common table expressions."""
    own = {cte.alias for cte in statement.find_all(exp.CTE)}
    names = (".".join(part.name for part in table.parts) for table in statement.find_all(exp.Table))
    return {name for name in names if name not in own}


class Sql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if sqlglot is None:
            raise AssertionError("cannot check the SQL: sqlglot is not installed: run pip install 'sqlglot>=30,<31'")

    def test_there_are_files_to_parse(self):
        self.assertGreater(len(QUERIES), 0)
        self.assertEqual([path.stem for path in VIEWS], ["events", "events_daily"])

    def test_every_file_is_one_statement(self):
        for path in QUERIES + VIEWS:
            with self.subTest(path.name):
                # A Command is a statement that the parser does not parse.
                self.assertIsInstance(parsed(path), (exp.Query, exp.Create))
                self.assertFalse(list(parsed(path).find_all(exp.Command)))

    def test_the_parser_rejects_invalid_sql(self):
        with self.assertRaises(sqlglot.errors.ParseError):
            sqlglot.parse("SELECT a FROM (SELECT 1 AS a", read="bigquery")

    def test_a_view_has_only_the_three_placeholders(self):
        for path in VIEWS:
            with self.subTest(path.name):
                text = path.read_text(encoding="utf-8")
                self.assertLessEqual(set(re.findall(r"\$\{(.*?)\}", text)), set(PLACEHOLDERS))
                self.assertNotIn("${", filled(path))
                self.assertNotIn("%{", text, "Terraform's templatefile would read it as a directive")

    def test_a_view_reads_its_own_dataset_by_its_full_name(self):
        expected = {"events": {"my-project-1.parsed_pixel.pixel*"}, "events_daily": {"my-project-1.parsed_pixel.events"}}
        for path in VIEWS:
            with self.subTest(path.name):
                self.assertEqual(tables(parsed(path)), expected[path.stem])

    def test_the_model_is_the_only_create_statement(self):
        created = {path.name: parsed(path) for path in QUERIES if isinstance(parsed(path), exp.Create)}
        self.assertEqual(list(created), ["purchase_prediction.sql"])
        model = created["purchase_prediction.sql"]
        self.assertEqual(model.args["kind"], "MODEL")
        self.assertIsInstance(model.expression, exp.Query)
        options = {option.name: option.args["value"] for option in model.find_all(exp.Property)}
        self.assertEqual(options["model_type"].name, "LOGISTIC_REG")
        columns = [column.alias_or_name for column in model.expression.selects]
        label = options["input_label_cols"].expressions[0].name
        self.assertIn(label, columns)
        self.assertIn(options["data_split_col"].name, columns)
        self.assertFalse({"user_id", "cut_off", "event_id"} & set(columns), "not a feature")


if __name__ == "__main__":
    unittest.main()
