//! `pixel-pipeline check`: its report on a deployment, and on one event that it sends.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::bigquery::TempDir;
use crate::support::google::{Google, TOKEN};
use crate::support::local::Local;
use crate::support::service::{TIMEOUT, command};

const RUN: &str = "GET /run/apis/serving.knative.dev/v1/namespaces/my-project/services/pixel-pipeline";
const RUN_POLICY: &str = "GET /run/v1/projects/my-project/locations/us-central1/services/pixel-pipeline:getIamPolicy";
const TOPIC: &str = "GET /pubsub/v1/projects/my-project/topics/pixel";
const TOPIC_POLICY: &str = "GET /pubsub/v1/projects/my-project/topics/pixel:getIamPolicy";
const PUSH: &str = "GET /pubsub/v1/projects/my-project/subscriptions/pixel-push";
const PUSH_POLICY: &str = "GET /pubsub/v1/projects/my-project/subscriptions/pixel-push:getIamPolicy";
const LETTERS: &str = "GET /pubsub/v1/projects/my-project/topics/pixel-dead-letter";
const LETTERS_POLICY: &str = "GET /pubsub/v1/projects/my-project/topics/pixel-dead-letter:getIamPolicy";
const LETTERS_KEPT: &str = "GET /pubsub/v1/projects/my-project/subscriptions/pixel-dead-letter";
const SINK: &str = "GET /logging/v2/projects/my-project/sinks/pixel";
const BUCKET: &str = "GET /storage/b/my-project-pixel";
const BUCKET_POLICY: &str = "GET /storage/b/my-project-pixel/iam";
const OBJECT: &str = "GET /storage/b/my-project-pixel/o/pixel.png";
const BACKEND: &str = "GET /compute/projects/my-project/global/backendBuckets/pixel";
const URL_MAP: &str = "GET /compute/projects/my-project/global/urlMaps/pixel";
const HTTP: &str = "GET /compute/projects/my-project/global/forwardingRules/pixel-http";
const HTTP_PROXY: &str = "GET /compute/projects/my-project/global/targetHttpProxies/pixel-http";
const HTTPS: &str = "GET /compute/projects/my-project/global/forwardingRules/pixel-https";
const DATASET: &str = "GET /bigquery/projects/my-project/datasets/parsed_pixel";
const TEMPLATE: &str = "GET /bigquery/projects/my-project/datasets/parsed_pixel/tables/pixel";
const DEAD_LETTERS: &str = "GET /bigquery/projects/my-project/datasets/parsed_pixel/tables/dead_letters";
const EVENTS: &str = "GET /bigquery/projects/my-project/datasets/parsed_pixel/tables/events";
const CERTIFICATES: &str = "GET /compute/projects/my-project/global/sslCertificates";
const DEFAULT_SINK: &str = "GET /logging/v2/projects/my-project/sinks/_Default";
const REPOSITORY: &str = "GET /artifacts/v1/projects/my-project/locations/us-central1/repositories/pixel";
const RUN_ACCOUNT: &str = "GET /iam/v1/projects/my-project/serviceAccounts/pixel-run@my-project.iam.gserviceaccount.com";
const APIS: &str = "GET /services/v1/projects/my-project/services:batchGet";
const METRIC: &str = "GET /logging/v2/projects/my-project/metrics/pixel_inserts";
const ALERTS: &str = "GET /monitoring/v3/projects/my-project/alertPolicies";
const DASHBOARD: &str = "GET /monitoring/v1/projects/my-project/dashboards/pixel-pipeline";
/// Its number is also in the resource of the service.
const PROJECT: &str = "GET /projects/v1/projects/my-project";
const PROJECT_POLICY: &str = "POST /projects/v1/projects/my-project:getIamPolicy";

/// `check ARGS` in an empty folder that holds a token.
fn check(dir: &Path, args: &[&str]) -> Command {
    std::fs::write(dir.join("token"), TOKEN).unwrap();
    let mut check = command("check");
    check.args(args).current_dir(dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    check
}

/// `check ARGS` of that deployment.
fn check_of(google: &Google, dir: &Path, args: &[&str]) -> Command {
    let mut check = check(dir, args);
    check
        .envs(google.environment())
        .env("PROJECT_ID", "my-project")
        .env("DOMAIN", "track.example.com")
        .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", dir.join("token"));
    check
}

async fn run(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = tokio::time::timeout(TIMEOUT, command.output()).await.expect("it ends").unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// Exit code and links of the JSON report.
async fn links(mut command: Command) -> (Option<i32>, Vec<Value>) {
    command.args(["--format", "json"]);
    let (code, stdout, stderr) = run(command).await;
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("no JSON: {stdout}{stderr}"));
    assert_eq!(report["ok"], code == Some(0));
    (code, report["links"].as_array().unwrap().clone())
}

/// The names of the links with that result.
fn named(links: &[Value], ok: Value) -> Vec<&str> {
    links.iter().filter(|link| link["ok"] == ok).map(|link| link["link"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_deployment_without_a_fault_passes_every_link() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let (code, stdout, stderr) = run(check_of(&google, dir.path(), &[])).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.lines().all(|line| line.starts_with("✓ ")), "{stdout}");
    assert!(stdout.contains("✓ push subscription        pixel-push of topic pixel pushes to pixel-pipeline\n"), "{stdout}");
    let in_order = [
        "pixel ",
        "CDN",
        "URL map",
        "forwarding rules",
        "log sink",
        "topic",
        "dead-letter topic",
        "push subscription",
        "service  ",
        "dataset",
        "views",
    ];
    let places: Vec<usize> = in_order.iter().map(|link| stdout.find(&format!("✓ {link}")).expect(link)).collect();
    assert!(places.is_sorted(), "{stdout}");
}

#[tokio::test]
async fn check_only_reads() {
    let (google, dir) = (Google::start().await, TempDir::new());
    run(check_of(&google, dir.path(), &[])).await;
    let asked = google.asked();
    assert!(asked.len() > 25, "{asked:#?}");
    assert!(asked.iter().all(|question| question.starts_with("GET ") || question == PROJECT_POLICY), "{asked:#?}");
}

/// A change of the fixture: the request, the changed member (empty: the resource is absent) and its value; the link that it
/// breaks, and a part of the fix.
struct Mistake {
    at: &'static str,
    member: String,
    value: Value,
    link: &'static str,
    fix: &'static str,
}

fn mistakes(google: &Google) -> Vec<Mistake> {
    let service = google.resource(RUN);
    let env = "/spec/template/spec/containers/0/env";
    let variables = service.pointer(env).unwrap().as_array().unwrap();
    let without = |name: &str| format!("{env}/{}", variables.iter().position(|variable| variable["name"] == name).unwrap());
    let variable = |name: &str| format!("{}/value", without(name));
    let next_variable = format!("{env}/{}", variables.len());
    let none = || Value::Null;
    let mistake = |at, member: &str, value, link, fix| Mistake { at, member: member.to_owned(), value, link, fix };
    vec![
        mistake(BUCKET, "", none(), "pixel", "gcloud storage buckets create gs://my-project-pixel"),
        mistake(BUCKET, "/lifecycle", json!({"rule": [{"action": {"type": "Delete"}}]}), "pixel", "--clear-lifecycle"),
        mistake(BUCKET, "/billing", json!({"requesterPays": true}), "pixel", "--no-requester-pays"),
        mistake(OBJECT, "", none(), "pixel", "gcloud storage cp deploy/pixel.png gs://my-project-pixel/pixel.png"),
        mistake(OBJECT, "/contentType", json!("text/html"), "pixel", "gcloud storage objects update gs://my-project-pixel/pixel.png"),
        mistake(OBJECT, "/cacheControl", json!("public, max-age=3600"), "pixel", "--cache-control='public, max-age=0'"),
        mistake(BUCKET_POLICY, "/bindings/0", none(), "pixel is public", "--member=allUsers --role=roles/storage.legacyObjectReader"),
        mistake(
            BUCKET_POLICY,
            "/bindings/1",
            json!({"role": "roles/storage.objectAdmin", "members": ["allUsers"]}),
            "pixel is public",
            "remove-iam-policy-binding gs://my-project-pixel",
        ),
        mistake(BACKEND, "", none(), "CDN", "gcloud compute backend-buckets create pixel"),
        mistake(BACKEND, "/cdnPolicy/cacheMode", json!("CACHE_ALL_STATIC"), "CDN", "--cache-mode=FORCE_CACHE_ALL"),
        mistake(BACKEND, "/cdnPolicy/clientTtl", none(), "CDN", "--client-ttl=0"),
        mistake(URL_MAP, "", none(), "URL map", "gcloud compute url-maps create pixel"),
        mistake(URL_MAP, "/hostRules", json!([{"hosts": ["*"], "pathMatcher": "other"}]), "URL map", "gcloud compute url-maps edit pixel"),
        mistake(HTTP, "", none(), "forwarding rules", "gcloud compute forwarding-rules create pixel-http"),
        mistake(HTTP, "/IPAddress", json!("198.51.100.7"), "forwarding rules", "gcloud compute forwarding-rules delete pixel-http"),
        mistake(
            HTTP_PROXY,
            "/urlMap",
            json!("projects/p/global/urlMaps/other"),
            "forwarding rules",
            "gcloud compute target-http-proxies update pixel-http",
        ),
        mistake(
            HTTPS,
            "/target",
            json!("projects/p/global/targetHttpsProxies/other"),
            "forwarding rules",
            "--target-https-proxy=pixel-https",
        ),
        mistake(CERTIFICATES, "/items/0/managed/domains/0", json!("other.example.com"), "certificates", "deploy/deploy.sh"),
        mistake(
            CERTIFICATES,
            "/items/0/managed/status",
            json!("FAILED_NOT_VISIBLE"),
            "certificates",
            "gcloud compute ssl-certificates list",
        ),
        mistake(SINK, "", none(), "log sink", "gcloud logging sinks create pixel pubsub.googleapis.com/projects/my-project/topics/pixel"),
        mistake(
            SINK,
            "/filter",
            json!("resource.type=\"http_load_balancer\""),
            "log sink",
            "httpRequest.requestUrl:\"/pixel.png\" AND NOT",
        ),
        mistake(SINK, "/disabled", json!(true), "log sink", "--no-disabled"),
        mistake(SINK, "/exclusions", json!([{"name": "half", "filter": "sample(insertId, 0.5)"}]), "log sink", "--clear-exclusions"),
        mistake(DEFAULT_SINK, "/exclusions", none(), "log exclusion", "--add-exclusion='name=pixel,filter="),
        mistake(
            DEFAULT_SINK,
            "/exclusions/0/filter",
            json!("resource.type=\"http_load_balancer\""),
            "log exclusion",
            "--update-exclusion='name=pixel,filter=",
        ),
        mistake(TOPIC, "", none(), "topic", "gcloud pubsub topics create pixel "),
        mistake(TOPIC_POLICY, "/bindings/0", none(), "sink publisher", "gcloud pubsub topics add-iam-policy-binding pixel "),
        mistake(
            TOPIC_POLICY,
            "/bindings/1",
            json!({"role": "roles/pubsub.publisher", "members": ["allUsers"]}),
            "topic",
            "gcloud pubsub topics remove-iam-policy-binding pixel ",
        ),
        mistake(PUSH, "", none(), "push subscription", "gcloud pubsub subscriptions create pixel-push"),
        mistake(
            PUSH,
            "/topic",
            json!("projects/my-project/topics/other"),
            "push subscription",
            "gcloud pubsub subscriptions delete pixel-push",
        ),
        mistake(PUSH, "/expirationPolicy", json!({"ttl": "2678400s"}), "push subscription", "--expiration-period=never"),
        mistake(PUSH, "/messageRetentionDuration", json!("600s"), "push subscription", "--message-retention-duration=7d"),
        mistake(PUSH, "/filter", json!("attributes.a = \"b\""), "push subscription", "gcloud pubsub subscriptions delete pixel-push"),
        mistake(
            PUSH,
            "/pushConfig/pushEndpoint",
            json!("https://old.example.com/"),
            "push subscription",
            "gcloud pubsub subscriptions update pixel-push",
        ),
        mistake(
            PUSH,
            "/pushConfig/oidcToken",
            none(),
            "push subscription",
            "--push-auth-service-account=pixel-push@my-project.iam.gserviceaccount.com",
        ),
        mistake(PUSH, "/ackDeadlineSeconds", none(), "push subscription", "--ack-deadline=60"),
        mistake(PUSH, "/retryPolicy", none(), "push subscription", "--min-retry-delay=10s --max-retry-delay=600s"),
        mistake(
            PUSH,
            "/deadLetterPolicy",
            none(),
            "push subscription",
            "--dead-letter-topic=pixel-dead-letter --max-delivery-attempts=100",
        ),
        mistake(LETTERS, "", none(), "dead-letter topic", "gcloud pubsub topics create pixel-dead-letter"),
        mistake(LETTERS_KEPT, "", none(), "dead-letter subscription", "gcloud pubsub subscriptions create pixel-dead-letter"),
        mistake(LETTERS_KEPT, "/messageRetentionDuration", json!("600s"), "dead-letter subscription", "--message-retention-duration=7d"),
        mistake(LETTERS_KEPT, "/expirationPolicy", none(), "dead-letter subscription", "--expiration-period=never"),
        mistake(
            LETTERS_POLICY,
            "/bindings/0",
            none(),
            "dead-letter publisher",
            "topics add-iam-policy-binding pixel-dead-letter --project=my-project --member=serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
        ),
        mistake(
            PUSH_POLICY,
            "/bindings/0",
            none(),
            "dead-letter subscriber",
            "gcloud pubsub subscriptions add-iam-policy-binding pixel-push",
        ),
        mistake(REPOSITORY, "", none(), "image", "deploy/deploy.sh"),
        mistake(RUN, "", none(), "service", "PROJECT_ID=my-project deploy/deploy.sh"),
        mistake(RUN, "/status/conditions/0/status", json!("False"), "service", "gcloud run services logs read pixel-pipeline"),
        mistake(RUN, "/metadata/annotations/run.googleapis.com~1ingress", json!("all"), "service", "--ingress=internal"),
        mistake(RUN, "/spec/template/spec/containerConcurrency", json!(1), "service", "--concurrency=500"),
        mistake(RUN, "/spec/template/spec/timeoutSeconds", json!(5), "service", "--timeout=60"),
        mistake(
            RUN,
            "/spec/template/spec/containers/0/livenessProbe/httpGet/path",
            json!("/alive"),
            "service",
            "--liveness-probe=httpGet.path=/health",
        ),
        mistake(RUN, "/spec/traffic", json!([{"revisionName": "pixel-pipeline-00001-abc", "percent": 100}]), "service", "--to-latest"),
        mistake(
            RUN,
            &variable("GOOGLE_CLOUD_PROJECT"),
            json!("other"),
            "service settings",
            "--update-env-vars='^|''^GOOGLE_CLOUD_PROJECT=my-project'",
        ),
        mistake(
            RUN,
            &variable("VALID_ATTRIBUTES"),
            json!("order_id"),
            "service settings",
            "--update-env-vars='^|''^VALID_ATTRIBUTES=order_id,type,user_id'",
        ),
        mistake(RUN, &variable("PUSH_AUTH"), json!("none"), "service settings", "--update-env-vars='^|''^PUSH_AUTH=iam'"),
        mistake(RUN, &without("PUSH_DEADLINE"), none(), "service settings", "--update-env-vars='^|''^PUSH_DEADLINE=50s'"),
        mistake(
            RUN,
            &next_variable,
            json!({"name": "BIGQUERY_ENDPOINT", "value": "https://other.example.com"}),
            "service settings",
            "--remove-env-vars=BIGQUERY_ENDPOINT",
        ),
        mistake(
            RUN_POLICY,
            "/bindings/0/members/0",
            json!("user:you@example.com"),
            "push invoker",
            "gcloud run services add-iam-policy-binding pixel-pipeline",
        ),
        mistake(
            RUN_POLICY,
            "/bindings/0/condition",
            json!({"expression": "false"}),
            "push invoker",
            "gcloud run services add-iam-policy-binding pixel-pipeline",
        ),
        mistake(
            RUN_POLICY,
            "/bindings/1",
            json!({"role": "roles/run.invoker", "members": ["allUsers"]}),
            "unauthenticated access",
            "remove-iam-policy-binding pixel-pipeline --project=my-project --region=us-central1 --member=allUsers",
        ),
        mistake(
            RUN,
            "/metadata/annotations/run.googleapis.com~1invoker-iam-disabled",
            json!("true"),
            "unauthenticated access",
            "--invoker-iam-check",
        ),
        mistake(DATASET, "", none(), "dataset", "bq --project_id=my-project --location=US mk --dataset"),
        mistake(DATASET, "/location", json!("EU"), "dataset", "LOCATION=EU"),
        mistake(DATASET, "/defaultTableExpirationMs", json!("86400000"), "dataset", "update --default_table_expiration=0 parsed_pixel"),
        mistake(DATASET, "/access", none(), "service writes", "GRANT `roles/bigquery.dataEditor` ON SCHEMA `my-project.parsed_pixel`"),
        mistake(TEMPLATE, "", none(), "template table", "mk --table --label=pipeline:pixel parsed_pixel.pixel schema/pixel.json"),
        mistake(TEMPLATE, "/expirationTime", json!("1767323045402"), "template table", "update --table --expiration=0 parsed_pixel.pixel"),
        mistake(
            TEMPLATE,
            "/timePartitioning",
            json!({"type": "DAY"}),
            "template table",
            "TABLE_SUFFIX= PROJECT_ID=my-project deploy/deploy.sh",
        ),
        mistake(TEMPLATE, "/schema/fields/4", none(), "columns", "update --table parsed_pixel.pixel schema/pixel.json"),
        mistake(TEMPLATE, "/schema/fields/5/type", json!("INTEGER"), "columns", ""),
        mistake(
            TEMPLATE,
            "/schema/fields/8",
            json!({"name": "shop", "type": "STRING", "mode": "REQUIRED"}),
            "columns",
            "ALTER COLUMN `shop` DROP NOT NULL",
        ),
        mistake(
            DEAD_LETTERS,
            "",
            none(),
            "dead-letter table",
            "mk --table --label=pipeline:pixel parsed_pixel.dead_letters schema/dead_letters.json",
        ),
        mistake(DEAD_LETTERS, "/schema/fields/9", none(), "dead-letter table", "update --table parsed_pixel.dead_letters"),
        mistake(
            DEAD_LETTERS,
            "/expirationTime",
            json!("1767323045402"),
            "dead-letter table",
            "update --table --expiration=0 parsed_pixel.dead_letters",
        ),
        mistake(EVENTS, "", none(), "views", "deploy/deploy.sh"),
        mistake(EVENTS, "/type", json!("TABLE"), "views", "rm --force --table parsed_pixel.events"),
        mistake(
            EVENTS,
            "/view/query",
            json!("SELECT * FROM `my-project.parsed_pixel.pixel_*`"),
            "views",
            "rm --force --table parsed_pixel.events",
        ),
        mistake(APIS, "/services/0/state", json!("DISABLED"), "APIs", "gcloud services enable artifactregistry.googleapis.com"),
        mistake(RUN_ACCOUNT, "/disabled", json!(true), "service accounts", "gcloud iam service-accounts enable pixel-run@"),
        mistake(METRIC, "", none(), "log-based metrics", "gcloud logging metrics create pixel_inserts"),
        mistake(METRIC, "/filter", json!("severity>=ERROR"), "log-based metrics", "gcloud logging metrics update pixel_inserts"),
        mistake(ALERTS, "/alertPolicies", none(), "alerts", "deploy/deploy.sh"),
        mistake(ALERTS, "/alertPolicies/0/enabled", json!(false), "alerts", "--enabled"),
        mistake(ALERTS, "/alertPolicies/0/conditions/0/displayName", json!("other"), "alerts", "--update-user-labels=file=changed"),
        mistake(DASHBOARD, "/mosaicLayout/columns", json!(12), "dashboard", "gcloud monitoring dashboards delete"),
    ]
}

/// No command fixes the first one, and without columns the next link cannot be checked.
#[tokio::test]
async fn a_template_that_stores_no_rows_is_broken() {
    let (google, dir) = (Google::start().await, TempDir::new());
    for (pointer, value, problem) in [
        ("/type", json!("VIEW"), "pixel is of type VIEW"),
        ("/type", json!("SNAPSHOT"), "pixel is of type SNAPSHOT"),
        ("/schema", Value::Null, "pixel has no columns"),
    ] {
        google.reset();
        google.change(TEMPLATE, pointer, value);
        let (code, links) = links(check_of(&google, dir.path(), &[])).await;
        assert_eq!((code, named(&links, json!(false))), (Some(1), vec!["template table"]), "{problem}: {links:#?}");
        let broken = links.iter().find(|link| link["link"] == "template table").unwrap();
        assert!(broken["problem"].as_str().unwrap().contains(problem), "{broken}");
    }
    google.reset();
    google.change(TEMPLATE, "/type", json!(["TABLE"]));
    let (code, links) = links(check_of(&google, dir.path(), &[])).await;
    assert_eq!((code, named(&links, Value::Null)), (Some(1), vec!["template table", "columns"]), "{links:#?}");
}

#[tokio::test]
async fn each_mistake_breaks_only_its_link_and_names_effect_and_fix() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let mut failures = Vec::new();
    for Mistake { at, member, value, link, fix } in mistakes(&google) {
        google.reset();
        match &*member {
            "" => google.refuse(at, 404, "not found"),
            member => google.change(at, member, value),
        }
        let (code, links) = links(check_of(&google, dir.path(), &[])).await;
        assert_eq!(code, Some(1), "{at} {member}");
        if named(&links, json!(false)) != [link] {
            failures.push(format!("{at} {member}: {:?}", named(&links, json!(false))));
            continue;
        }
        let broken = links.iter().find(|other| other["link"] == link).unwrap();
        let commands = broken["fix"].as_str().unwrap_or_default();
        if !commands.contains(fix) {
            failures.push(format!("{at} {member}: {commands}"));
        }
        // Each line can be pasted into a shell; --nocapture prints it.
        for command in commands.lines() {
            let begins = ["gcloud ", "bq ", "PROJECT_ID=", "VALID_ATTRIBUTES=", "TABLE_SUFFIX=", "echo "];
            assert!(begins.iter().any(|begin| command.starts_with(begin)), "{command}");
            println!("{command}");
        }
        let differences = broken["differences"].as_array().unwrap();
        assert!(broken["found"].is_null() && !differences.is_empty(), "{broken}");
        for difference in differences {
            assert!(
                ["resource", "problem"].iter().all(|name| difference[name].as_str().is_some_and(|text| !text.is_empty())),
                "{difference}"
            );
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn a_link_that_depends_on_an_absent_part_is_unknown() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.refuse(PUSH, 404, "not found");
    google.refuse(PUSH_POLICY, 404, "not found");
    let (code, stdout, _) = run(check_of(&google, dir.path(), &[])).await;
    assert_eq!(code, Some(1));
    assert!(stdout.contains("? dead-letter subscriber   subscription pixel-push does not exist yet\n"), "{stdout}");
    assert!(
        stdout.contains(
            "\n✗ push subscription        subscription pixel-push: it does not exist: events wait in no queue and are lost\n    gcloud pubsub subscriptions create "
        ),
        "{stdout}"
    );
    assert!(stdout.ends_with(" links are broken, 1 could not be checked.\n") && stdout.contains("\n1 of "), "{stdout}");
}

/// The mistakes of one resource stand below each other.
#[tokio::test]
async fn several_differences_of_a_link_have_a_line_each() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.change(PUSH, "/ackDeadlineSeconds", json!(20));
    google.change(PUSH, "/messageRetentionDuration", json!("600s"));
    let (_, stdout, _) = run(check_of(&google, dir.path(), &[])).await;
    let lines: Vec<&str> = stdout.lines().skip_while(|line| !line.starts_with("✗ push subscription")).collect();
    assert!(
        lines[0].contains("ackDeadlineSeconds is 20 and not 60 (PUSH_DEADLINE is 50s): messages in progress are delivered again"),
        "{stdout}"
    );
    assert!(
        lines[1].starts_with("                           subscription pixel-push: messageRetentionDuration is 600s and not 604800s: "),
        "{stdout}"
    );
    assert!(lines[2].starts_with("    gcloud pubsub subscriptions update pixel-push ") && !lines[3].starts_with(' '), "{stdout}");
}

/// Whatever cannot be read is neither right nor broken.
#[tokio::test]
async fn a_resource_that_cannot_be_read_is_never_right() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let (_, whole) = links(check_of(&google, dir.path(), &[])).await;
    let right = named(&whole, json!(true)).len();
    let asked: std::collections::BTreeSet<String> =
        google.asked().into_iter().filter(|question| !question.contains("/service/") && !question.ends_with("-archive")).collect();
    for question in asked {
        for (status, message) in [(403, "The caller does not have permission"), (400, "bad request")] {
            google.reset();
            google.refuse(&question, status, message);
            let (code, links) = links(check_of(&google, dir.path(), &[])).await;
            // The roles on the resources are enough.
            let is_needed = question != PROJECT;
            assert_eq!(named(&links, json!(false)), Vec::<&str>::new(), "{question} {status}");
            assert_eq!(named(&links, json!(true)).len() < right, is_needed, "{question} {status}");
            assert_eq!(code == Some(1), is_needed, "{question} {status}");
        }
    }
}

#[tokio::test]
async fn a_denied_read_names_the_role_to_grant() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.refuse(SINK, 403, "Permission logging.sinks.get denied");
    google.refuse(PROJECT_POLICY, 403, "The caller does not have permission");
    google.refuse(BACKEND, 403, "Compute Engine API has not been used in project 123456789012 before or it is disabled.");
    let (code, links) = links(check_of(&google, dir.path(), &[])).await;
    assert_eq!((code, named(&links, json!(false))), (Some(1), Vec::new()));
    assert_eq!(named(&links, Value::Null), ["CDN", "log sink", "sink publisher", "image"], "only the build needs a role on the project");
    let fix = |link: &str| links.iter().find(|other| other["link"] == link).unwrap()["fix"].as_str().unwrap().to_owned();
    assert!(fix("log sink").contains("--role=roles/logging.viewer"), "{}", fix("log sink"));
    assert_eq!(fix("CDN"), "gcloud services enable compute.googleapis.com --project=my-project");
    println!("{}\n{}", fix("log sink"), fix("CDN"));
}

#[tokio::test]
async fn a_role_on_the_project_counts_for_its_parts() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.change(TOPIC_POLICY, "/bindings/0", Value::Null);
    google.change(DATASET, "/access", Value::Null);
    let bindings = json!([
        {"role": "roles/run.builder", "members": ["serviceAccount:pixel-build@my-project.iam.gserviceaccount.com"]},
        {"role": "roles/pubsub.editor", "members": ["serviceAccount:service-123456789012@gcp-sa-logging.iam.gserviceaccount.com"]},
        {"role": "roles/bigquery.dataEditor", "members": ["serviceAccount:pixel-run@my-project.iam.gserviceaccount.com"]},
    ]);
    google.change(PROJECT_POLICY, "/bindings", bindings);
    let (code, links) = links(check_of(&google, dir.path(), &[])).await;
    assert_eq!(code, Some(0), "{links:#?}");
}

#[tokio::test]
async fn a_service_that_answers_without_a_token_is_broken() {
    let (google, dir) = (Google::start().await, TempDir::new());
    for (status, ok) in [(401, json!(true)), (404, json!(true)), (503, json!(false)), (500, json!(false))] {
        google.refuse("GET /service/health", status, "said the container");
        let (_, links) = links(check_of(&google, dir.path(), &[])).await;
        let link = links.iter().find(|link| link["link"] == "unauthenticated access").unwrap();
        assert_eq!(link["ok"], ok, "{status}");
    }
}

#[tokio::test]
async fn settings_come_from_the_flag_the_environment_or_the_file() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let names = |links: &[Value]| {
        let problem =
            |link: &str| links.iter().find(|other| other["link"] == link).unwrap()["problem"].as_str().unwrap_or_default().to_owned();
        let start = |text: String| text.split(": ").take(2).collect::<Vec<_>>().join(": ");
        (start(problem("dataset")), start(problem("topic")), problem("service settings"))
    };
    std::fs::create_dir(dir.path().join("deploy")).unwrap();
    let file = dir.path().join("deploy/pipeline.env");
    std::fs::write(&file, "# a comment\nDATASET=of_the_file\nPIPELINE=of-the-file\nREGION=\nTABLE_SUFFIX=_{date}\nCPU=2\n").unwrap();
    let (_, of_file) = links(check_of(&google, dir.path(), &[])).await;
    let (dataset, topic, _) = names(&of_file);
    assert_eq!((dataset.as_str(), topic.as_str()), ("dataset of_the_file: it does not exist", "topic of-the-file: it does not exist"));

    let mut check = check_of(&google, dir.path(), &["--dataset", "of_the_flag"]);
    let (_, of_flag) = links({
        check.env("DATASET", "of_the_environment").env("PIPELINE", "pixel");
        check
    })
    .await;
    let (dataset, topic, settings) = names(&of_flag);
    assert_eq!((dataset.as_str(), topic.as_str()), ("dataset of_the_flag: it does not exist", ""));
    assert_eq!(
        settings,
        "service pixel-pipeline: DATASET is parsed_pixel and not of_the_flag: events are stored in other tables; \
         service pixel-pipeline: TABLE_SUFFIX is _{user_id}_{date} and not _{date}: events are stored in other tables"
    );

    std::fs::rename(&file, dir.path().join("other.env")).unwrap();
    let (_, of_other) = links(check_of(&google, dir.path(), &["--settings", "other.env"])).await;
    assert_eq!(names(&of_other).0, "dataset of_the_file: it does not exist");
    let service = of_other.iter().find(|link| link["link"] == "service").unwrap();
    assert_eq!(service["fix"], "PROJECT_ID=my-project PIPELINE=of-the-file deploy/deploy.sh other.env");
}

#[tokio::test]
async fn invalid_settings_are_all_named_before_any_request() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let mut wrong = check_of(&google, dir.path(), &["--push-deadline", "soon", "--pixel-path", "*", "--pipeline", "Pixel"]);
    let (code, stdout, stderr) = run({
        wrong.env("PROJECT_ID", "my project");
        wrong
    })
    .await;
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    for name in ["PUSH_DEADLINE", "PIPELINE", "PROJECT_ID"] {
        assert!(stderr.contains(&format!("{name}: ")), "{name}: {stderr}");
    }
    let (code, _, stderr) = run(check_of(&google, dir.path(), &["--pixel-path", "*"])).await;
    assert!(code == Some(2) && stderr.contains("PIXEL_PATH: "), "{stderr}");

    std::fs::write(dir.path().join("bad.env"), "PIPELINE=pixel\nexport REGION=us-central1\n").unwrap();
    let (code, _, stderr) = run(check_of(&google, dir.path(), &["--settings", "bad.env"])).await;
    assert_eq!((code, stderr.as_str()), (Some(2), "error: bad.env:2: \"export REGION=us-central1\" is not NAME=value\n"));
    let (code, _, stderr) = run(check_of(&google, dir.path(), &["--settings", "none.env"])).await;
    assert!(code == Some(2) && stderr.starts_with("error: cannot read none.env: "), "{stderr}");
    assert_eq!(google.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn without_credentials_it_fails_and_names_the_login_command() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let mut check = check_of(&google, dir.path(), &[]);
    // No gcloud, no file, no metadata server.
    check
        .env("PATH", dir.path())
        .env("HOME", dir.path())
        .env("GCE_METADATA_HOST", "127.0.0.1:1")
        .env_remove("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE");
    let (code, stdout, stderr) = run(check).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with("error: cannot get an access token: run `gcloud auth application-default login`"), "{stderr}");
    assert_eq!(google.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn the_account_of_gcloud_is_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let (google, dir) = (Google::start().await, TempDir::new());
    let gcloud = dir.path().join("gcloud");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n'auth print-access-token --quiet') echo {TOKEN} ;;\n'config get-value project --quiet') echo my-project ;;\nesac\n"
    );
    std::fs::write(&gcloud, script).unwrap();
    std::fs::set_permissions(&gcloud, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut check = check_of(&google, dir.path(), &[]);
    check.env("PATH", dir.path()).env("HOME", dir.path()).env("GCE_METADATA_HOST", "127.0.0.1:1");
    check.env_remove("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE").env_remove("PROJECT_ID");
    let (code, links) = links(check).await;
    assert_eq!(code, Some(0), "{links:#?}");
}

#[tokio::test]
async fn unreachable_apis_break_no_link() {
    let (google, dir) = (Google::start().await, TempDir::new());
    let mut check = check_of(&google, dir.path(), &[]);
    check.envs(google.environment().into_iter().map(|(name, _)| (name, "http://127.0.0.1:1/")));
    let (code, links) = links(check).await;
    assert_eq!((code, named(&links, json!(false))), (Some(1), Vec::new()));
    assert_eq!(named(&links, json!(true)), Vec::<&str>::new());
    assert!(links[0]["problem"].as_str().unwrap().contains("cannot reach serviceusage.googleapis.com"), "{}", links[0]);
}

/// The table that `local` creates last, shortly after it opens the ports.
async fn wait_for_tables(local: &Local) {
    local.wait_until("the dead-letter table is there", async || local.tables().await.contains(&"dead_letters".to_owned())).await;
}

/// `check --live` of that pipeline, with its settings.
fn live(local: &Local, dir: &Path, url: &str, timeout: &str, settings: &[(&str, &str)]) -> Command {
    let mut check = check(dir, &["--live", url, "--live-timeout", timeout]);
    check.env("BIGQUERY_EMULATOR_HOST", &local.bigquery).envs(settings.iter().copied());
    check
}

#[tokio::test]
async fn a_live_event_is_found_in_its_table() {
    let dir = TempDir::new();
    let schema = dir.path().join("schema.json");
    let columns = ["user_id", "order_id"].map(|name| json!({"name": name, "type": "STRING"}));
    let times = ["event_timestamp", "received_timestamp"].map(|name| json!({"name": name, "type": "TIMESTAMP"}));
    let number = json!({"name": "amount", "type": "INTEGER", "mode": "REQUIRED"});
    let all: Vec<Value> = columns.into_iter().chain(times).chain([json!({"name": "event_id", "type": "STRING"}), number]).collect();
    std::fs::write(&schema, json!(all).to_string()).unwrap();
    // In a table of probes only, which is listed, and in one of all events, which is queried.
    for (index, suffix) in ["_{user_id}_{date}", "_{date}"].into_iter().enumerate() {
        let data = dir.path().join(index.to_string());
        let settings = [("TABLE_SUFFIX", suffix), ("VALID_ATTRIBUTES", "user_id,amount,order_id")];
        let local = Local::start(&data, &[&settings[..], &[("SCHEMA_FILE", schema.to_str().unwrap())]].concat()).await;
        wait_for_tables(&local).await;
        let (code, links) = links(live(&local, dir.path(), &local.pixel, "20s", &settings)).await;
        assert_eq!(code, Some(0), "{links:#?}");
        let names: Vec<&str> = named(&links, json!(true));
        assert_eq!(
            names,
            ["dataset", "template table", "columns", "dead-letter table", "pixel response", "logged", "received", "row stored"],
            "an emulator has tables only"
        );
        let seconds: Vec<f64> = links[4..].iter().map(|stage| stage["seconds"].as_f64().unwrap()).collect();
        assert!(seconds.iter().all(|seconds| (-1.0..20.0).contains(seconds)), "{seconds:?}");
        let found = links.last().unwrap()["found"].as_str().unwrap();
        let table = found.rsplit('.').next().unwrap();
        assert!(table.starts_with(if index == 0 { "pixel_pixel__5fpipeline__5fcheck_2" } else { "pixel_2" }), "{found}");
        let markers = local.column(table, if index == 0 { "order_id" } else { "user_id" }).await;
        assert!(markers.len() == 1 && markers[0].starts_with("check-"), "{markers:?}");
        assert_eq!(local.column(table, "amount").await, ["0"]);
        // A second check adds a row to the same table.
        let (code, _, _) = run(live(&local, dir.path(), &local.pixel, "20s", &settings)).await;
        assert_eq!((code, local.column(table, "event_id").await.len()), (Some(0), 2));
    }
}

#[tokio::test]
async fn a_live_event_that_never_arrives_is_a_fault() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    wait_for_tables(&local).await;
    let elsewhere = local.pixel.replace("/pixel.png", "/favicon.ico");
    let (code, stdout, stderr) = run(live(&local, dir.path(), &elsewhere, "1s", &[])).await;
    assert_eq!((code, stderr.as_str()), (Some(1), ""));
    assert!(stdout.contains("✗ pixel response           the pixel's URL answers 404\n"), "{stdout}");
    let line = stdout.lines().find(|line| line.starts_with("✗ row stored")).expect("the link is reported");
    assert!(line.contains("no row with check-") && line.ends_with("the URL's path is not in PIXEL_PATH"), "{line}");
}
