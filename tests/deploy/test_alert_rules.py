"""Each alert fires in the situation that it is for, and no alert fires while the pipeline works.

The conditions become rules of Prometheus, which `promtool test rules` evaluates over invented series. promtool is in
Debian's package prometheus. Without it these tests are skipped, or fail with PIXEL_REQUIRE_EXTERNAL=1.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"PIPELINE": "shop", "NO_EVENTS_AFTER": "1h", "PIXEL_HOST_PATTERN": "a[.]example[.]com|b[.]example[.]com", "PIXEL_HOST_COUNT": "2"}


def filled(path):
    text = path.read_text()
    for name, value in SETTINGS.items():
        text = text.replace("${%s}" % name, value)
    return json.loads(text)


ALERTS = {path.stem: filled(path) for path in sorted((ROOT / "deploy/monitoring/alerts").glob("*.json"))}
# Rates of Google's own: of an objective, and of uptime checks by place. Prometheus does not have them.
ONLY_GOOGLE = {"slo-fast-burn", "slo-slow-burn", "pixel-down"}
# The fault begins after this number of minutes.
FAULT = 120
END = 240


def counter(metric, resource, **labels):
    return selector(metric, resource, labels)


def report(name, **labels):
    return selector(f"logging.googleapis.com/user/shop_{name}_sum", "cloud_run_revision", labels)


def selector(metric, resource, labels):
    pairs = {"monitored_resource": resource, **labels}
    return plain(metric) + "{" + ",".join(f'{name}="{value}"' for name, value in pairs.items()) + "}"


def plain(metric):
    """A name that Prometheus accepts."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", metric)


REQUESTS = counter("loadbalancing.googleapis.com/https/request_count", "https_lb_rule", backend_target_name="shop", response_code="200")
SCANS = counter("loadbalancing.googleapis.com/https/request_count", "https_lb_rule", backend_target_name="shop", response_code="404")
PUBLISHED = counter("pubsub.googleapis.com/topic/message_sizes_count", "pubsub_topic", topic_id="shop")
ACKED = counter("pubsub.googleapis.com/subscription/push_request_count", "pubsub_subscription", subscription_id="shop-push", response_class="ack")
REFUSED = counter("pubsub.googleapis.com/subscription/push_request_count", "pubsub_subscription", subscription_id="shop-push", response_class="remote_server_5xx")
AGE = counter("pubsub.googleapis.com/subscription/oldest_unacked_message_age", "pubsub_subscription", subscription_id="shop-push")
WAITING = counter("pubsub.googleapis.com/subscription/num_undelivered_messages", "pubsub_subscription", subscription_id="shop-dead-letter")
STORED = report("deliveries", outcome="stored", reason="")
FILTERED = report("deliveries", outcome="filtered", reason="missing_attribute")
CHECKS = report("deliveries", outcome="filtered", reason="health_check")
CERTIFICATE, CERTIFICATE_B = (counter("monitoring.googleapis.com/uptime_check/time_until_ssl_cert_expires", "uptime_url", host=f"{name}.example.com")
                              for name in "ab")
# Another pipeline in the same project works all the time.
OTHER = counter("pubsub.googleapis.com/topic/message_sizes_count", "pubsub_topic", topic_id="shop-2")

# Counts a minute; the value of a gauge.
BUSY = {REQUESTS: 100, SCANS: 3, PUBLISHED: 100, ACKED: 100, REFUSED: 0, AGE: 2, WAITING: 0, STORED: 90, FILTERED: 9, CHECKS: 1, OTHER: 100,
        CERTIFICATE: 60, CERTIFICATE_B: 60}
# Nobody visits; Google's uptime check requests the pixel.
QUIET = {**BUSY, REQUESTS: 1, SCANS: 1, PUBLISHED: 1, ACKED: 1, STORED: 0, FILTERED: 0}
GAUGES = {AGE, WAITING, CERTIFICATE, CERTIFICATE_B}


def retry(reason):
    return report("deliveries", outcome="retry", reason=reason)


# What differs from BUSY from the minute FAULT on, and the alerts that fire.
FAULTS = {
    "the sink is deleted": ({PUBLISHED: 0, ACKED: 0, STORED: 0, FILTERED: 0, CHECKS: 0}, {"unpublished", "no-events"}),
    "the load balancer is deleted": ({REQUESTS: 0, SCANS: 0, PUBLISHED: 0, ACKED: 0, STORED: 0, FILTERED: 0, CHECKS: 0}, {"no-events"}),
    "nobody visits any longer": ({REQUESTS: 1, PUBLISHED: 1, ACKED: 1, STORED: 0, FILTERED: 0}, {"no-events"}),
    "a certificate is not issued": ({CERTIFICATE_B: None}, {"certificate"}),
    "a certificate is not renewed": ({CERTIFICATE_B: 9}, {"certificate"}),
    "the subscription is deleted": ({ACKED: None, REFUSED: None, AGE: None, STORED: 0, FILTERED: 0, CHECKS: 0}, {"unstored", "no-events"}),
    "every event is filtered": ({STORED: 0, FILTERED: 99}, {"unstored", "no-events"}),
    "BigQuery is down": ({ACKED: 0, REFUSED: 300, AGE: 3000, STORED: 0, FILTERED: 0, CHECKS: 0, retry("unavailable"): 300},
                         {"unstored", "oldest-unacked", "retry-ratio", "no-events"}),
    "the service has no permission": ({ACKED: 0, REFUSED: 300, AGE: 3000, STORED: 0, FILTERED: 0, CHECKS: 0, retry("denied"): 300},
                                      {"unstored", "oldest-unacked", "retry-ratio", "configuration", "no-events"}),
    "a view has the name of one table": ({retry("table_refused"): 1, AGE: 3000}, {"table-refused", "oldest-unacked"}),
    "messages wait for two days": ({AGE: 172800}, {"oldest-unacked", "backlog-1-day"}),
    "messages wait for six days": ({AGE: 518400}, {"oldest-unacked", "backlog-1-day", "backlog-5-days"}),
    "somebody invents user ids": ({report("overflow", cause="too_many_tables"): 5}, {"overflow"}),
    "a row does not fit": ({report("deliveries", outcome="dead_letter", reason="invalid"): 1}, {"dead-letters"}),
    "messages are given up": ({WAITING: 1}, {"dead-letters"}),
    "nothing is wrong": ({}, set()),
}


def expression(condition):
    """PromQL with names that Prometheus accepts, and the time that it has to hold."""
    if query := condition.get("conditionPrometheusQueryLanguage"):
        text = re.sub(r'\{__name__="([^"]+)",', lambda m: plain(m[1]) + "{", query["query"])
        return text, query.get("duration", "0s")
    threshold = condition["conditionThreshold"]
    pairs = dict(re.findall(r'([\w.]+)="([^"]*)"', threshold["filter"]))
    labels = {name.removeprefix("resource.labels."): value for name, value in pairs.items() if name.startswith("resource.labels.")}
    [aggregation] = threshold["aggregations"]
    reduce = {"REDUCE_MAX": "max", "REDUCE_SUM": "sum"}[aggregation["crossSeriesReducer"]]
    assert (aggregation["perSeriesAligner"], threshold["comparison"]) == ("ALIGN_MAX", "COMPARISON_GT")
    series = selector(pairs["metric.type"], pairs["resource.type"], labels)
    return f"{reduce}(max_over_time({series}[{aggregation['alignmentPeriod']}])) > {threshold['thresholdValue']}", threshold["duration"]


def samples(before, after, gauge):
    """Values a minute apart: before and after the fault. None: the series ends."""
    if gauge:
        return f"{before or 0}x{FAULT - 1} " + (f"{after}x{END - FAULT}" if after is not None else f"_x{END - FAULT}")
    start = f"0+{before or 0}x{FAULT - 1}"
    reached = (before or 0) * FAULT
    return f"{start} " + (f"{reached}+{after}x{END - FAULT}" if after is not None else f"_x{END - FAULT}")


@unittest.skipUnless(shutil.which("promtool") or os.environ.get("PIXEL_REQUIRE_EXTERNAL"), "promtool is not installed")
class Rules(unittest.TestCase):
    def test_each_alert_fires_for_its_fault_and_no_other(self):
        tests, alerts = [], sorted(ALERTS.keys() - ONLY_GOOGLE)
        for title, (fault, expected) in FAULTS.items():
            for usual in (BUSY, QUIET) if title == "nothing is wrong" else (BUSY,):
                series = {name: (usual.get(name, 0), {**usual, **fault}[name]) for name in {**usual, **fault}}
                checks = [{"eval_time": f"{FAULT - 1}m", "alertname": alert, "exp_alerts": []} for alert in alerts]
                checks += [{"eval_time": f"{FAULT + 100}m", "alertname": alert, "exp_alerts": [{}] if alert in expected else []} for alert in alerts]
                tests.append({"name": title, "interval": "1m", "alert_rule_test": checks, "input_series": [
                    {"series": name, "values": samples(*values, name in GAUGES)} for name, values in series.items()]})
        # One alert for each condition, without the labels of its series: promtool compares them.
        rules = [{"alert": name, "expr": f"max({text}) * 0", "for": duration}
                 for name in alerts for text, duration in map(expression, ALERTS[name]["conditions"])]
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "rules.json").write_text(json.dumps({"groups": [{"name": "alerts", "interval": "1m", "rules": rules}]}))
            Path(folder, "tests.json").write_text(json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "1m", "tests": tests}))
            done = subprocess.run(["promtool", "test", "rules", "tests.json"], cwd=folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set().union(*(expected for _, expected in FAULTS.values())), set(alerts), "an alert has no fault")
