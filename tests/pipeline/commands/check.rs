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
    check.envs(google.environment()).env("PROJECT_ID", "my-project").env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", dir.join("token"));
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
    assert!(stdout.contains(&format!("✓ push endpoint            {}/service/\n", google.url)), "{stdout}");
    assert!(stdout.contains("✓ ack deadline             60s; the service answers within 50s\n"), "{stdout}");
    let in_order = [
        "pixel ",
        "CDN",
        "URL map",
        "forwarding rules",
        "log sink",
        "topic",
        "push subscription",
        "dead-letter topic",
        "service ",
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

/// Each fault: request, changed member (empty: the resource is absent), broken link, part of its fix.
fn faults() -> Vec<(&'static str, &'static str, Value, &'static str, &'static str)> {
    let none = Value::Null;
    let required = json!({"name": "shop", "type": "STRING", "mode": "REQUIRED"});
    let elsewhere = json!("projects/my-project/topics/other");
    let env = "/spec/template/spec/containers/0/env";
    let variable = |index: usize| -> &'static str { format!("{env}/{index}/value").leak() };
    vec![
        (BUCKET, "", none.clone(), "pixel", "gcloud storage buckets create gs://my-project-pixel"),
        (OBJECT, "", none.clone(), "pixel", "gcloud storage cp deploy/pixel.png gs://my-project-pixel/pixel.png"),
        (OBJECT, "/contentType", json!("text/html"), "pixel", "gcloud storage objects update gs://my-project-pixel/pixel.png"),
        (BUCKET_POLICY, "/bindings/1", none.clone(), "pixel is public", "--member=allUsers --role=roles/storage.legacyObjectReader"),
        (BACKEND, "", none.clone(), "CDN", "gcloud compute backend-buckets create pixel"),
        (BACKEND, "/bucketName", json!("other"), "CDN", "--gcs-bucket-name=my-project-pixel"),
        (BACKEND, "/enableCdn", json!(false), "CDN", "gcloud compute backend-buckets update pixel"),
        (BACKEND, "/cdnPolicy/cacheMode", json!("CACHE_ALL_STATIC"), "CDN", "--cache-mode=FORCE_CACHE_ALL"),
        (BACKEND, "/cdnPolicy/clientTtl", json!(3600), "CDN", "--client-ttl=0"),
        (BACKEND, "/cdnPolicy/clientTtl", none.clone(), "CDN", "--client-ttl=0"),
        (URL_MAP, "", none.clone(), "URL map", "gcloud compute url-maps create pixel"),
        (
            URL_MAP,
            "/defaultService",
            json!("projects/p/global/backendBuckets/other"),
            "URL map",
            "gcloud compute url-maps set-default-service pixel",
        ),
        (HTTP, "", none.clone(), "forwarding rules", "gcloud compute forwarding-rules create pixel-http"),
        (
            HTTP,
            "/target",
            json!("projects/p/global/targetHttpProxies/other"),
            "forwarding rules",
            "gcloud compute forwarding-rules set-target pixel-http",
        ),
        (
            HTTP_PROXY,
            "/urlMap",
            json!("projects/p/global/urlMaps/other"),
            "forwarding rules",
            "gcloud compute target-http-proxies update pixel-http",
        ),
        (HTTPS, "/target", json!("projects/p/global/targetHttpsProxies/other"), "forwarding rules", "--target-https-proxy=pixel-https"),
        (SINK, "", none.clone(), "log sink", "gcloud logging sinks create pixel pubsub.googleapis.com/projects/my-project/topics/pixel"),
        (
            SINK,
            "/destination",
            json!("pubsub.googleapis.com/projects/my-project/topics/other"),
            "log sink",
            "gcloud logging sinks update pixel",
        ),
        (SINK, "/filter", json!("resource.type=\"http_load_balancer\""), "log sink", "httpRequest.requestUrl:\"/pixel.png\" AND NOT"),
        (SINK, "/disabled", json!(true), "log sink", "--no-disabled"),
        (SINK, "/exclusions", json!([{"name": "half", "filter": "sample(insertId, 0.5)"}]), "log sink", "--clear-exclusions"),
        (TOPIC, "", none.clone(), "topic", "gcloud pubsub topics create pixel "),
        (TOPIC_POLICY, "/bindings/0", none.clone(), "sink publisher", "gcloud pubsub topics add-iam-policy-binding pixel "),
        (PUSH, "", none.clone(), "push subscription", "gcloud pubsub subscriptions create pixel-push"),
        (PUSH, "/topic", elsewhere.clone(), "push subscription", "gcloud pubsub subscriptions delete pixel-push"),
        (PUSH, "/expirationPolicy", json!({"ttl": "2678400s"}), "push subscription", "--expiration-period=never"),
        (
            PUSH,
            "/pushConfig/pushEndpoint",
            json!("https://old.example.com/"),
            "push endpoint",
            "gcloud pubsub subscriptions update pixel-push",
        ),
        (PUSH, "/pushConfig/oidcToken/audience", json!("https://old.example.com"), "push identity", "--push-auth-token-audience="),
        (
            PUSH,
            "/pushConfig/oidcToken",
            none.clone(),
            "push identity",
            "--push-auth-service-account=pixel-push@my-project.iam.gserviceaccount.com",
        ),
        (PUSH, "/ackDeadlineSeconds", json!(50), "ack deadline", "--ack-deadline=60"),
        (PUSH, "/ackDeadlineSeconds", none.clone(), "ack deadline", "--ack-deadline=60"),
        (PUSH, "/retryPolicy", none.clone(), "retries", "--min-retry-delay=10s --max-retry-delay=600s"),
        (
            PUSH,
            "/deadLetterPolicy",
            none.clone(),
            "dead-letter policy",
            "--dead-letter-topic=pixel-dead-letter --max-delivery-attempts=100",
        ),
        (PUSH, "/deadLetterPolicy/maxDeliveryAttempts", json!(5), "dead-letter policy", "--max-delivery-attempts=100"),
        (LETTERS, "", none.clone(), "dead-letter topic", "gcloud pubsub topics create pixel-dead-letter"),
        (LETTERS_KEPT, "", none.clone(), "dead-letter subscription", "gcloud pubsub subscriptions create pixel-dead-letter"),
        (LETTERS_KEPT, "/topic", elsewhere, "dead-letter subscription", "gcloud pubsub subscriptions delete pixel-dead-letter"),
        (
            LETTERS_POLICY,
            "/bindings/0",
            none.clone(),
            "dead-letter publisher",
            "topics add-iam-policy-binding pixel-dead-letter --project=my-project --member=serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com",
        ),
        (
            PUSH_POLICY,
            "/bindings/0",
            none.clone(),
            "dead-letter subscriber",
            "gcloud pubsub subscriptions add-iam-policy-binding pixel-push",
        ),
        (RUN, "", none.clone(), "service", "PROJECT_ID=my-project deploy/deploy.sh"),
        (RUN, "/status/conditions/0/status", json!("False"), "service", "gcloud run services logs read pixel-pipeline"),
        (
            RUN,
            "/spec/template/spec/serviceAccountName",
            json!("123456789012-compute@developer.gserviceaccount.com"),
            "service account",
            "--service-account=pixel-run@my-project.iam.gserviceaccount.com",
        ),
        (RUN, variable(0), json!("other"), "service settings", "--update-env-vars='^|''^GOOGLE_CLOUD_PROJECT=my-project'"),
        (RUN, variable(4), json!("order_id"), "service settings", "--update-env-vars='^|''^VALID_ATTRIBUTES=order_id,type,user_id'"),
        (RUN, variable(8), json!("8s"), "service settings", "--update-env-vars='^|''^PUSH_DEADLINE=50s'"),
        // Without the variable, the service's own default applies: 8s.
        (RUN, "/spec/template/spec/containers/0/env/8", none.clone(), "service settings", "--update-env-vars='^|''^PUSH_DEADLINE=50s'"),
        (
            RUN_POLICY,
            "/bindings/0/members/0",
            json!("user:you@example.com"),
            "push invoker",
            "gcloud run services add-iam-policy-binding pixel-pipeline",
        ),
        (
            RUN_POLICY,
            "/bindings/0/condition",
            json!({"expression": "false"}),
            "push invoker",
            "gcloud run services add-iam-policy-binding pixel-pipeline",
        ),
        (
            RUN_POLICY,
            "/bindings/1",
            json!({"role": "roles/run.invoker", "members": ["allUsers"]}),
            "unauthenticated access",
            "remove-iam-policy-binding pixel-pipeline --project=my-project --region=us-central1 --member=allUsers",
        ),
        (
            RUN,
            "/metadata/annotations/run.googleapis.com~1invoker-iam-disabled",
            json!("true"),
            "unauthenticated access",
            "--invoker-iam-check",
        ),
        (DATASET, "", none.clone(), "dataset", "bq --project_id=my-project --location=US mk --dataset parsed_pixel"),
        (DATASET, "/location", json!("EU"), "dataset", "LOCATION=EU"),
        (DATASET, "/access/1", none.clone(), "service writes", "GRANT `roles/bigquery.dataEditor` ON SCHEMA `my-project.parsed_pixel`"),
        (TEMPLATE, "", none.clone(), "template table", "mk --table parsed_pixel.pixel schema/pixel.json"),
        (TEMPLATE, "/expirationTime", json!("1767323045402"), "template table", "update --table --expiration=0 parsed_pixel.pixel"),
        (TEMPLATE, "/timePartitioning", json!({"type": "DAY"}), "template table", "TABLE_SUFFIX= PROJECT_ID=my-project deploy/deploy.sh"),
        (TEMPLATE, "/rangePartitioning", json!({"field": "n"}), "template table", "TABLE_SUFFIX= PROJECT_ID=my-project deploy/deploy.sh"),
        (
            TEMPLATE,
            "/schema/fields/4",
            none.clone(),
            "columns",
            "ALTER TABLE `my-project.parsed_pixel.pixel` ADD COLUMN IF NOT EXISTS `type` STRING",
        ),
        (
            TEMPLATE,
            "/schema/fields/4/type",
            json!("RECORD"),
            "columns",
            "VALID_ATTRIBUTES='order_id,user_id' PROJECT_ID=my-project deploy/deploy.sh",
        ),
        (TEMPLATE, "/schema/fields/5", required, "columns", "ALTER COLUMN `shop` DROP NOT NULL"),
        (DEAD_LETTERS, "", none.clone(), "dead-letter table", "mk --table parsed_pixel.dead_letters schema/dead_letters.json"),
        (DEAD_LETTERS, "/schema/fields/9", none.clone(), "dead-letter table", "update --table parsed_pixel.dead_letters"),
        (
            DEAD_LETTERS,
            "/expirationTime",
            json!("1767323045402"),
            "dead-letter table",
            "update --table --expiration=0 parsed_pixel.dead_letters",
        ),
        (EVENTS, "", none.clone(), "views", "deploy/deploy.sh"),
        (EVENTS, "/type", json!("TABLE"), "views", "rm --table parsed_pixel.events"),
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
    assert_eq!((code, named(&links, Value::Null)), (Some(1), vec!["template table", "columns", "views"]), "{links:#?}");
}

#[tokio::test]
async fn each_fault_breaks_only_its_link_and_names_the_fix() {
    let (google, dir) = (Google::start().await, TempDir::new());
    for (question, pointer, value, link, fix) in faults() {
        google.reset();
        match pointer {
            "" => google.refuse(question, 404, "not found"),
            pointer => google.change(question, pointer, value),
        }
        let (code, links) = links(check_of(&google, dir.path(), &[])).await;
        assert_eq!(named(&links, json!(false)), [link], "{question} {pointer}: {links:#?}");
        assert_eq!(code, Some(1));
        let broken = links.iter().find(|other| other["link"] == link).unwrap();
        let commands = broken["fix"].as_str().unwrap();
        assert!(commands.contains(fix), "{question} {pointer}: {commands}");
        // Each line can be pasted into a shell; --nocapture prints it.
        for command in commands.lines() {
            assert!(
                ["gcloud ", "bq ", "PROJECT_ID=", "VALID_ATTRIBUTES=", "TABLE_SUFFIX=", "echo "]
                    .iter()
                    .any(|begin| command.starts_with(begin)),
                "{command}"
            );
            println!("{command}");
        }
        assert!(broken["found"].is_null() && !broken["problem"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_link_that_depends_on_an_absent_part_is_unknown() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.refuse(PUSH, 404, "not found");
    google.refuse(PUSH_POLICY, 404, "not found");
    let (code, stdout, _) = run(check_of(&google, dir.path(), &[])).await;
    assert_eq!(code, Some(1));
    for link in ["push endpoint", "push identity", "ack deadline", "retries", "dead-letter policy", "dead-letter subscriber"] {
        assert!(stdout.contains(&format!("? {link:<24} subscription pixel-push does not exist yet\n")), "{stdout}");
    }
    assert!(
        stdout.contains("\n✗ push subscription        subscription pixel-push does not exist\n    gcloud pubsub subscriptions create "),
        "{stdout}"
    );
    assert!(stdout.ends_with(" links are broken, 6 could not be checked.\n") && stdout.contains("\n1 of "), "{stdout}");
}

#[tokio::test]
async fn a_denied_read_names_the_role_to_grant() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.refuse(SINK, 403, "Permission logging.sinks.get denied");
    google.refuse(PROJECT_POLICY, 403, "The caller does not have permission");
    google.refuse(BACKEND, 403, "Compute Engine API has not been used in project 123456789012 before or it is disabled.");
    let (code, links) = links(check_of(&google, dir.path(), &[])).await;
    assert_eq!((code, named(&links, json!(false))), (Some(1), Vec::new()));
    assert_eq!(named(&links, Value::Null), ["CDN", "log sink", "sink publisher"], "the project's policy is not needed");
    let fix = |link: &str| links.iter().find(|other| other["link"] == link).unwrap()["fix"].as_str().unwrap().to_owned();
    assert!(fix("log sink").contains("--role=roles/logging.viewer"), "{}", fix("log sink"));
    assert_eq!(fix("CDN"), "gcloud services enable compute.googleapis.com --project=my-project");
    println!("{}\n{}", fix("log sink"), fix("CDN"));
}

#[tokio::test]
async fn a_role_on_the_project_counts_for_its_parts() {
    let (google, dir) = (Google::start().await, TempDir::new());
    google.change(TOPIC_POLICY, "/bindings/0", Value::Null);
    google.change(DATASET, "/access/1", Value::Null);
    let bindings = json!([
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
        (problem("dataset"), problem("topic"), problem("service settings"))
    };
    std::fs::create_dir(dir.path().join("deploy")).unwrap();
    let file = dir.path().join("deploy/pipeline.env");
    std::fs::write(&file, "# a comment\nDATASET=of_the_file\nPIPELINE=of-the-file\nREGION=\nTABLE_SUFFIX=_{date}\nCPU=2\n").unwrap();
    let (_, of_file) = links(check_of(&google, dir.path(), &[])).await;
    let (dataset, topic, _) = names(&of_file);
    assert_eq!((dataset.as_str(), topic.as_str()), ("dataset of_the_file does not exist", "topic of-the-file does not exist"));

    let mut check = check_of(&google, dir.path(), &["--dataset", "of_the_flag"]);
    let (_, of_flag) = links({
        check.env("DATASET", "of_the_environment").env("PIPELINE", "pixel");
        check
    })
    .await;
    let (dataset, topic, settings) = names(&of_flag);
    assert_eq!((dataset.as_str(), topic.as_str()), ("dataset of_the_flag does not exist", ""));
    assert_eq!(
        settings,
        "DATASET is parsed_pixel in the service and of_the_flag here; TABLE_SUFFIX is _{user_id}_{date} in the service and _{date} here"
    );

    std::fs::rename(&file, dir.path().join("other.env")).unwrap();
    let (_, of_other) = links(check_of(&google, dir.path(), &["--settings", "other.env"])).await;
    assert_eq!(names(&of_other).0, "dataset of_the_file does not exist");
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
    assert!(links[0]["problem"].as_str().unwrap().contains("cannot reach storage.googleapis.com"), "{}", links[0]);
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
