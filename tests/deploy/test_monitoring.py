"""The files of deploy/monitoring agree with one another and with the log lines of the service.

    python3 -m unittest discover -s tests/deploy

Standard library only. These tests do not check the files against Google's APIs.
"""

import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "deploy/monitoring"
FILES = sorted(MONITORING.rglob("*.json"))
PLACEHOLDERS = {"PIPELINE", "PROJECT_ID", "REGION", "DATASET", "DEAD_LETTER_TABLE", "NO_EVENTS_AFTER", "PIXEL_HOSTS", "PIXEL_HOST_PATTERN",
                "PIXEL_HOST_COUNT", "HOST", "PATH", "BUDGET"}
# Labels that every metric has.
COMMON_LABELS = {"__name__", "monitored_resource", "le"}
RESOURCE_LABELS = {
    "pubsub_topic": {"topic_id"},
    "pubsub_subscription": {"subscription_id"},
    "cloud_run_revision": {"service_name"},
    "https_lb_rule": {"backend_target_name"},
    "uptime_url": {"host"},
}
# Labels of Google's own metrics in PromQL: https://cloud.google.com/monitoring/api/metrics_gcp
GOOGLE_LABELS = {
    "loadbalancing.googleapis.com/https/request_count": {"response_code"},
    "monitoring.googleapis.com/uptime_check/time_until_ssl_cert_expires": set(),
    "pubsub.googleapis.com/topic/message_sizes": set(),
    "pubsub.googleapis.com/subscription/num_undelivered_messages": set(),
    "pubsub.googleapis.com/subscription/oldest_unacked_message_age": set(),
    "pubsub.googleapis.com/subscription/push_request_count": {"response_class", "response_code", "delivery_type"},
}
# Reports that no metric reads.
LOG_ONLY_REPORTS = {"parameters_not_kept"}
LOG_METRICS = "logging.googleapis.com/user/${PIPELINE}_"


def read(path):
    return json.loads(path.read_text())


METRICS = {path.stem: read(path) for path in sorted((MONITORING / "metrics").glob("*.json"))}
ALERTS = {path.stem: read(path) for path in sorted((MONITORING / "alerts").glob("*.json"))}
DASHBOARD = read(MONITORING / "dashboard.json")


def values(tree, key):
    """The values of all members with that name, at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from values(value, key)


def scalars(tree, path=""):
    if isinstance(tree, dict):
        for name, value in tree.items():
            yield from scalars(value, f"{path}.{name}")
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from scalars(value, f"{path}[{index}]")
    else:
        yield path, tree


def queries():
    """Every PromQL query with the name of its file."""
    for name, tree in [("dashboard", DASHBOARD), *ALERTS.items()]:
        for query in [*values(tree, "prometheusQuery"), *values(tree, "query")]:
            yield name, query


def selectors(query):
    """The selectors of a query: label, value pairs of each pair of braces."""
    for braces in re.findall(r"\{(__name__=[^{}]*(?:\$\{\w+\}[^{}]*)*)\}", query):
        yield re.findall(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"', braces)


def documented_reports():
    """Reports and their fields, by the table in src/telemetry/report.rs."""
    source = (ROOT / "src/telemetry/report.rs").read_text()
    rows = re.findall(r"^//! \| `(\w+)` \|.*\| (`.+`) \|$", source, re.MULTILINE)
    return {report: set(re.findall(r"`(\w+)`", fields)) for report, fields in rows}


def written_reports():
    """Reports and their fields, by the code below the table."""
    source = (ROOT / "src/telemetry/report.rs").read_text()
    lines = re.findall(r'tracing::info!\(report = "(\w+)", (.*), "report"\)', source)
    return {report: {field.split(" = ")[0] for field in fields.split(", ")} for report, fields in lines}


def outcomes():
    source = (ROOT / "src/ack.rs").read_text()
    body = source.split("pub fn as_str(self)")[1].split("pub fn reason")[0]
    return set(re.findall(r'=> "(\w+)"', body))


class Files(unittest.TestCase):
    def test_only_known_placeholders_are_used(self):
        self.assertGreaterEqual(len(FILES), 10)
        for path in FILES:
            text = path.read_text()
            self.assertLessEqual(set(re.findall(r"\$\{([^}]*)", text)), PLACEHOLDERS, path.name)
            self.assertNotIn("%{", text, f"{path.name}: Terraform would read it as a directive")

    def test_the_dashboard_sets_no_value_that_the_api_omits(self):
        for path, value in scalars(DASHBOARD):
            self.assertFalse(value in (0, "", False, None, "0s"), f"dashboard{path} is {value!r}: Terraform would plan to change it forever")


class Metrics(unittest.TestCase):
    def test_the_documented_reports_are_the_logged_ones(self):
        self.assertEqual(documented_reports(), written_reports())
        self.assertIn("deliveries", documented_reports())
        # Every report is logged in the form that written_reports finds.
        sources = "".join(path.read_text() for path in (ROOT / "src").rglob("*.rs"))
        self.assertEqual(len(written_reports()), sources.count('report = "'))

    def test_every_metric_reads_fields_of_its_report(self):
        reports = documented_reports()
        for name, metric in METRICS.items():
            with self.subTest(name):
                self.assertEqual(metric["name"], "${PIPELINE}_" + name)
                report = re.search(r'jsonPayload\.report="(\w+)"', metric["filter"])[1]
                self.assertIn(report, reports)
                labels = metric.get("labelExtractors", {})
                for extractor in [metric["valueExtractor"], *labels.values()]:
                    field = re.fullmatch(r"EXTRACT\(jsonPayload\.(\w+)\)", extractor)[1]
                    self.assertIn(field, reports[report])
                declared = [label["key"] for label in metric["metricDescriptor"].get("labels", [])]
                self.assertEqual(sorted(declared), sorted(labels))

    def test_every_field_of_every_report_is_in_a_metric(self):
        read = {}
        for metric in METRICS.values():
            report = re.search(r'jsonPayload\.report="(\w+)"', metric["filter"])[1]
            extractors = [metric["valueExtractor"], *metric.get("labelExtractors", {}).values()]
            read.setdefault(report, set()).update(re.search(r"jsonPayload\.(\w+)", extractor)[1] for extractor in extractors)
        reports = documented_reports()
        self.assertEqual(read, {report: reports[report] for report in reports.keys() - LOG_ONLY_REPORTS})

    def test_every_metric_counts_only_lines_of_this_pipeline(self):
        for name, metric in METRICS.items():
            self.assertIn('resource.type="cloud_run_revision" AND resource.labels.service_name="${PIPELINE}-pipeline"', metric["filter"], name)
            descriptor = metric["metricDescriptor"]
            self.assertEqual((descriptor["metricKind"], descriptor["valueType"]), ("DELTA", "DISTRIBUTION"), name)

    def test_every_metric_documents_how_to_turn_it_off(self):
        for name, metric in METRICS.items():
            self.assertIn("RUST_LOG", metric["description"], name)


class Queries(unittest.TestCase):
    def test_the_metrics_that_are_read_are_those_that_exist(self):
        everything = json.dumps([DASHBOARD, ALERTS])
        read = re.findall(re.escape(LOG_METRICS) + r"(\w+)", everything)
        named = {re.sub(r"_(sum|count|bucket)$", "", name) for name in read}
        self.assertEqual(named, set(METRICS))
        self.assertEqual(everything.count("logging.googleapis.com/user/"), len(read), "a log-based metric does not begin with the name of the pipeline")

    def test_every_selector_uses_labels_of_its_metric(self):
        found = 0
        for file, query in queries():
            for selector in selectors(query):
                found += 1
                with self.subTest(file, query=query):
                    labels = dict(selector)
                    metric = labels["__name__"]
                    if metric.startswith(LOG_METRICS):
                        name = re.sub(r"_(sum|count|bucket)$", "", metric.removeprefix(LOG_METRICS))
                        self.assertNotEqual(name, metric.removeprefix(LOG_METRICS), "a distribution is read by _sum, _count or _bucket")
                        allowed = set(METRICS[name].get("labelExtractors", {}))
                    else:
                        allowed = GOOGLE_LABELS[re.sub(r"_(sum|count|bucket)$", "", metric) if metric not in GOOGLE_LABELS else metric]
                    allowed = allowed | RESOURCE_LABELS[labels["monitored_resource"]]
                    self.assertLessEqual({label for label, _ in selector}, allowed | COMMON_LABELS)
                    for outcome in labels.get("outcome", "stored").split("|"):
                        self.assertIn(outcome, outcomes())
        self.assertGreater(found, 20)

    def test_every_selector_is_found(self):
        # The test above would skip a selector that it cannot read.
        for file, query in queries():
            names = query.count("__name__")
            self.assertEqual(len(list(selectors(query))), names, f"{file}: {query}")
            self.assertGreater(names, 0, f"{file}: {query}")
            self.assertEqual(re.sub(r"\$\{\w+\}", "", query).count("{"), names, f"{file}: {query}")

    def test_every_grouping_is_by_labels_of_the_metric(self):
        for file, query in queries():
            for labels in re.findall(r"by \(([^)]*)\)", query):
                names = re.findall(re.escape(LOG_METRICS) + r"(\w+?)_(?:sum|count|bucket)", query)
                allowed = set().union(*(METRICS[name].get("labelExtractors", {}) for name in names))
                allowed |= set().union(*(RESOURCE_LABELS[dict(selector)["monitored_resource"]] for selector in selectors(query)))
                self.assertLessEqual(set(labels.split(", ")), allowed | {"le"}, f"{file}: {query}")


class Dashboard(unittest.TestCase):
    def test_tiles_fill_the_columns_without_gap_or_overlap(self):
        layout = DASHBOARD["mosaicLayout"]
        taken = set()
        for tile in layout["tiles"]:
            x, y = tile.get("xPos", 0), tile.get("yPos", 0)
            cells = {(column, line) for column in range(x, x + tile["width"]) for line in range(y, y + tile["height"])}
            self.assertFalse(cells & taken, tile["widget"]["title"])
            taken |= cells
        height = max(line for _, line in taken) + 1
        self.assertEqual(len(taken), layout["columns"] * height)
        self.assertEqual(max(column for column, _ in taken) + 1, layout["columns"])

    def test_every_tile_has_a_title(self):
        titles = [tile["widget"]["title"] for tile in DASHBOARD["mosaicLayout"]["tiles"]]
        self.assertEqual(len(titles), len(set(titles)))

    def test_every_filter_selects_resources_of_this_pipeline(self):
        filters = list(values(DASHBOARD, "filter")) + list(values(ALERTS, "filter"))
        self.assertGreater(len(filters), 15)
        for text in filters:
            if text.startswith("select_slo_burn_rate"):
                self.assertIn('("projects/${PROJECT_ID}/services/${PIPELINE}-pipeline/serviceLevelObjectives/stored"', text)
            elif 'resource.type="uptime_url"' in text:
                self.assertIn("resource.labels.host=one_of(${PIXEL_HOSTS})", text)
            else:
                self.assertRegex(text, r'resource\.labels\.(backend_target_name|topic_id|subscription_id|service_name)="\$\{PIPELINE\}')


class Alerts(unittest.TestCase):
    def test_every_alert_names_its_pipeline_and_what_to_do(self):
        self.assertGreater(len(ALERTS), 10)
        for name, alert in ALERTS.items():
            with self.subTest(name):
                self.assertTrue(alert["displayName"].startswith("${PIPELINE}: "))
                # By the label, a later version finds an alert whose title has changed.
                self.assertEqual(alert["userLabels"], {"alert": name, "pipeline": "${PIPELINE}"})
                self.assertIn(alert["severity"], {"CRITICAL", "ERROR", "WARNING"})
                # Both windows and the minimum count of a burn rate must be exceeded.
                self.assertEqual(alert["combiner"], "AND" if name.startswith("slo-") else "OR")
                self.assertIn("autoClose", alert["alertStrategy"])
                self.assertEqual(alert["documentation"]["mimeType"], "text/markdown")
                self.assertRegex(alert["documentation"]["content"], r"```sh\n(gcloud|bq|curl) ")
                self.assertLess(len(alert["documentation"]["content"]), 8192)
                self.assertNotIn("notificationChannels", alert)

    def test_every_alert_names_its_runbook_and_a_command(self):
        guide = (ROOT / "docs/operations.md").read_text()
        headings = re.findall(r"^### (\S+)$", guide.split("## Runbooks")[1].split("## Procedures")[0], re.MULTILINE)
        self.assertEqual(sorted(headings), sorted(ALERTS))
        summary = guide.split("## Alerts")[1].split("## Runbooks")[0]
        self.assertEqual(sorted(re.findall(r"^\| \[`(\S+)`\]\(#\1\)", summary, re.MULTILINE)), sorted(ALERTS))
        commands = set(re.findall(r"^ +[A-Z]\w+ (\w+)$", (ROOT / "src/config/command.rs").read_text(), re.MULTILINE))
        self.assertIn("replay", commands)
        for name, alert in ALERTS.items():
            with self.subTest(name):
                text = alert["documentation"]["content"]
                self.assertIn(f"docs/operations.md#{name}\n", text)
                used = set(re.findall(r"`pixel-pipeline (\w+)", text))
                self.assertTrue(used and used <= commands, used)

    def test_the_configuration_alert_explains_each_reason_that_it_counts(self):
        alert = ALERTS["configuration"]
        reasons = re.search(r'reason=~"([^"]+)"', alert["conditions"][0]["conditionPrometheusQueryLanguage"]["query"])[1].split("|")
        explained = re.findall(r"^\| `(\w+)` \|", alert["documentation"]["content"], re.MULTILINE)
        self.assertEqual(sorted(reasons), sorted(explained))
        source = (ROOT / "src/telemetry/metrics.rs").read_text()
        retries = re.search(r"^//! \| `retry` \| (.*) \|$", source, re.MULTILINE)[1]
        self.assertLessEqual(set(reasons), set(re.findall(r"`(\w+)`", retries)))

    def test_queries_of_metrics_that_may_not_exist_are_not_validated(self):
        for name, alert in ALERTS.items():
            for condition in alert["conditions"]:
                if "conditionThreshold" in condition:
                    self.assertNotIn("logging.googleapis.com/user", condition["conditionThreshold"]["filter"], name)
                else:
                    self.assertTrue(condition["conditionPrometheusQueryLanguage"]["disableMetricValidation"], name)
                    # Alone, a query does not depend on how Cloud Monitoring combines kinds of conditions.
                    self.assertEqual(len(alert["conditions"]), 1, name)


if __name__ == "__main__":
    unittest.main()
