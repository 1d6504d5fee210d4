//! The table of all settings: the one place that defines them.
//!
//! From it come the arguments of the commands (`raw_settings`), the checks of their values (`values`), and the generated files
//! docs/settings.md, deploy/pipeline.env.example, deploy/checks.sh and deploy/terraform/{variables,variables_service,
//! service_settings}.tf (`generated`; a test compares them).
//!
//! To add a setting, add an entry here, read it where it is used (`values.number(&NAME)`), and regenerate the files:
//! `UPDATE_SETTINGS=1 cargo test -p pixel-pipeline --lib config::generated`.

use super::command::Command;
use super::command::Command::{Check, Explain, Forget, Local, Pixel, Pull, Query, Replay, Serve, Sign};
use super::setting::Kind::{Address, Boolean, Choice, Duration, Identifier, Number, Secret, Text};
use super::setting::Range::{Name, OfKind, Pattern};
use super::setting::{Deployed, Kind, Range, SERVICE_SECTION, Setting};

macro_rules! settings {
    ($($name:ident { $($field:ident: $value:expr),+ $(,)? })+) => {
        $(pub static $name: Setting = Setting { name: stringify!($name), $($field: $value,)+ ..UNSET };)+

        /// All of them, in the order of `--help` and of the generated files.
        pub static SETTINGS: &[&Setting] = &[$(&$name),+];
    };
}

/// The values of members that an entry below omits.
const UNSET: Setting = Setting {
    name: "",
    flag: None,
    alias: None,
    kind: Text,
    value: "TEXT",
    default: "",
    default_note: "",
    help: "",
    heading: "",
    commands: &[],
    optional_for: &[],
    hidden: &[],
    deployed: None,
};

/// Commands that decode entries into rows.
const DECODING: &[Command] = &[Serve, Pull, Local, Explain, Check, Replay];
/// The same, and `forget`, which needs the names of the tables.
const NAMING: &[Command] = &[Serve, Pull, Local, Explain, Check, Replay, Forget];
/// Commands that store rows, and `check`, which compares the settings with those of the service.
const STORING: &[Command] = &[Serve, Pull, Local, Check, Replay];
/// Commands that receive messages from Pub/Sub, and `check`.
const RECEIVING: &[Command] = &[Serve, Pull, Local, Check];
/// Commands that write a log, and `check`.
const LOGGING: &[Command] = &[Serve, Pull, Pixel, Local, Check, Replay, Forget];
/// Commands that send requests to Google's APIs with the user's credentials.
const OPERATING: &[Command] = &[Check, Replay, Forget];

const PORT_NUMBER: Kind = Number { min: 0, max: 65_535 };
/// Names of columns. `[^ -~[:cntrl:]]` is a character outside of ASCII.
const ATTRIBUTES: Range = Pattern {
    regex: "([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+(,([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+)*",
    expected: "a list of names of columns, separated by commas, such as order_id,type,user_id",
};
/// The name of a dataset, or of a table without a suffix.
const NAME: Range = Name { max_length: 1024 };

/// A setting that a deployment passes on to the service.
const SERVICE: Option<Deployed> = service(None, OfKind);

/// A key of a deployment is a secret in Secret Manager. Its name has fewer characters than a key, so that a key is never taken
/// for a name.
const KEY: Option<Deployed> = deployment(
    "Keys",
    Pattern {
        regex: "(generate|[A-Za-z0-9_-]{1,31})?",
        expected: "generate or the name of a secret in Secret Manager, of at most 31 characters. A key itself does not belong in the \
               settings: store it with `gcloud secrets create NAME --data-file=-`, and set this to NAME",
    },
);

const fn service(default: Option<&'static str>, range: Range) -> Option<Deployed> {
    Some(Deployed { section: SERVICE_SECTION, default, range, script_only: false })
}

/// A setting of the deployment itself.
const fn deployment(section: &'static str, range: Range) -> Option<Deployed> {
    Some(Deployed { section, default: None, range, script_only: false })
}

/// A setting of deploy.sh that Terraform does not have.
const fn script(section: &'static str, range: Range) -> Option<Deployed> {
    Some(Deployed { section, default: None, range, script_only: true })
}

settings! {
    PROJECT_ID {
        help: "Project of the dataset and of the deployment",
        alias: Some("project"),
        value: "PROJECT",
        default_note: "GOOGLE_CLOUD_PROJECT, else the project of the metadata server, of an emulator (local), or of gcloud (check)",
        heading: "Project",
        commands: &[Serve, Pull, Local, Check, Replay, Forget, Query],
        deployed: deployment("Location", Pattern {
            regex: "[a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z0-9.-]+:[a-z][a-z0-9-]+",
            expected: "a project id such as my-project-123 (not the project's name or number)",
        }),
    }
    REGION {
        help: "Region of the Cloud Run service and of the image",
        value: "REGION",
        default: "us-central1",
        heading: "Deployment",
        commands: OPERATING,
        deployed: deployment("Location", Pattern {
            regex: "[a-z]+-[a-z]+[0-9]+",
            expected: "a region such as us-central1 or europe-west1",
        }),
    }
    LOCATION {
        help: "Location of the dataset and the buckets: US, EU or a region. It cannot be changed later. Empty: EU for a REGION in \
               Europe, US for one in the United States, else REGION",
        value: "LOCATION",
        default_note: "follows REGION",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Location", Pattern {
            regex: "(US|EU|[a-z]+-[a-z]+[0-9]+)?",
            expected: "US, EU or a region such as europe-west1",
        }),
    }
    PIPELINE {
        help: "Prefix of the names of all resources. Two pipelines in one project need two names and two datasets",
        value: "NAME",
        default: "pixel",
        heading: "Deployment",
        commands: OPERATING,
        // The longest name made of it is that of a service account, which has at most 30 characters; the shortest is that
        // of the topic, which has at least 3.
        deployed: deployment("Location", Pattern {
            regex: "[a-z][a-z0-9-]{1,22}[a-z0-9]",
            expected: "3 to 24 characters a-z, 0-9 and -, beginning with a letter and not ending with -",
        }),
    }
    ADOPT {
        help: "Resources that exist under names of this pipeline and that it takes over, separated by commas, such as \
               topic/pixel,sink/pixel. deploy.sh lists them and stops. Needed once",
        value: "RESOURCES",
        deployed: script("Location", Pattern {
            regex: "([a-z-]+/[^,[:space:]]+(,[a-z-]+/[^,[:space:]]+)*)?",
            expected: "a list of resources as deploy.sh lists them, separated by commas, such as topic/pixel,sink/pixel",
        }),
    }
    DOMAIN {
        help: "Hosts of the pixel, separated by commas, such as track.example.com: adds HTTPS with a certificate for each, which \
               Google manages. The DNS record of each has to point to the address of the load balancer. deploy.sh keeps the \
               certificate of a host that is no longer in the list until REMOVE_DOMAIN names it. Empty: HTTP only, which a \
               browser does not load on pages with HTTPS",
        value: "HOSTS",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Pixel", Pattern {
            regex: "( *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *(, *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *)*)?",
            expected: "a list of host names in lower case, separated by commas, without https:// and path, such as \
                       track.example.com,pixel.example.org",
        }),
    }
    REMOVE_DOMAIN {
        help: "Hosts whose certificates deploy.sh deletes, separated by commas. Pixels in mail that was sent with such a host no \
               longer load",
        value: "HOSTS",
        deployed: script("Pixel", Pattern {
            regex: "( *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *(, *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *)*)?",
            expected: "a list of host names in lower case, separated by commas, such as track.example.com,pixel.example.org",
        }),
    }
    URL_MAP {
        help: "Name of the URL map of a load balancer that you have (global external Application Load Balancer), which then serves \
               the pixel: no other load balancer is created, which saves $18.25 a month. Yours needs the path rule that the \
               deployment shows. Empty: a load balancer of its own",
        value: "NAME",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Pixel", Pattern {
            regex: "([a-z]([a-z0-9-]{0,61}[a-z0-9])?)?",
            expected: "the name of a URL map: 1 to 63 characters a-z, 0-9 and -, beginning with a letter and not ending with -",
        }),
    }
    EXCLUDE_FROM_DEFAULT {
        help: "Exclude the pixel's log entries from the _Default bucket. They still reach the topic. Storing them in Cloud \
               Logging would cost more than the rest of the pipeline",
        value: "BOOL",
        kind: Boolean,
        default: "true",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Logs", OfKind),
    }
    ARCHIVE {
        help: "Store every log entry in a file in a Cloud Storage bucket, too, for ARCHIVE_DAYS",
        value: "BOOL",
        kind: Boolean,
        default: "false",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Logs", OfKind),
    }
    ARCHIVE_DAYS {
        help: "Days after which a file of the archive is deleted",
        value: "DAYS",
        kind: Number { min: 1, max: 36_500 },
        default: "400",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Logs", OfKind),
    }
    TABLE_EXPIRATION_DAYS {
        help: "Days after which a generated table is deleted. Not set: never",
        value: "DAYS",
        kind: Number { min: 1, max: 36_500 },
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("BigQuery", OfKind),
    }
    SHARE_DATASET {
        help: "Use a dataset that other pipelines or tables are in. The views are called events_TABLE_NAME and events_daily_TABLE_NAME. \
               destroy.sh --delete-data deletes only the tables and views of this pipeline",
        value: "BOOL",
        kind: Boolean,
        default: "false",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("BigQuery", OfKind),
    }
    IMAGE {
        help: "Image to run. ghcr.io/pixel-pipeline/pixel-pipeline:VERSION is the image of a release and compiles nothing. Empty: build the image from this repository",
        value: "IMAGE",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", Pattern {
            regex: "([^[:space:]/]+(/[^[:space:]/]+)+)?",
            expected: "the full name of an image, such as ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0",
        }),
    }
    CPU {
        help: "CPUs of an instance",
        value: "N",
        // Cloud Run has fractions of a CPU only for one request at a time, which would make each push an insert.
        kind: Choice(&["1", "2", "4", "6", "8"]),
        default: "1",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", OfKind),
    }
    MEMORY {
        help: "Memory of an instance. Cloud Run needs 2Gi or more for 4 CPUs, and 4Gi for 6 and 8",
        value: "SIZE",
        default: "512Mi",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", Pattern {
            regex: "[1-9][0-9]*(Mi|Gi)",
            expected: "an amount of memory such as 512Mi or 1Gi",
        }),
    }
    CONCURRENCY {
        help: "Maximum concurrent deliveries per instance",
        value: "N",
        kind: Number { min: 1, max: 1000 },
        default: "500",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", OfKind),
    }
    MIN_INSTANCES {
        help: "Minimum number of instances. They run and cost also without traffic",
        value: "N",
        kind: Number { min: 0, max: 10_000 },
        default: "0",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", OfKind),
    }
    MAX_INSTANCES {
        help: "Maximum number of instances",
        value: "N",
        kind: Number { min: 1, max: 10_000 },
        default: "10",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Cloud Run", OfKind),
    }
    ALERT_EMAIL {
        help: "Addresses that receive the alerts, separated by commas. Empty: the alerts appear only in the console",
        value: "EMAILS",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Monitoring", Pattern {
            regex: "([^@,[:space:]]+@[^@,[:space:]]+( *, *[^@,[:space:]]+@[^@,[:space:]]+)*)?",
            expected: "a list of email addresses separated by commas, such as you@example.com,ops@example.com",
        }),
    }
    ALERT_CHANNELS {
        help: "Existing notification channels that also receive the alerts, such as Slack or PagerDuty, separated by commas. \
               `gcloud beta monitoring channels list` prints their names",
        value: "CHANNELS",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Monitoring", Pattern {
            regex: "(projects/[^/,[:space:]]+/notificationChannels/[0-9]+( *, *projects/[^/,[:space:]]+/notificationChannels/[0-9]+)*)?",
            expected: "a list of names separated by commas, such as projects/my-project/notificationChannels/123",
        }),
    }
    NO_EVENTS_AFTER {
        help: "Time without an event after which an alert fires, or off",
        value: "DURATION",
        default: "24h",
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Monitoring", Pattern {
            regex: "off|[1-9][0-9]{0,3}m|([1-9][0-9]?|[1-4][0-9]{2})h|([1-9]|1[0-9]|2[01])d",
            expected: "off, or a number of minutes, hours or days up to 21d, such as 90m, 24h or 7d",
        }),
    }
    BUDGET {
        help: "Amount a month, in the currency of the billing account, of a budget for the project: mails are sent at 50 %, \
               90 % and 100 % of it. Empty: no budget",
        value: "AMOUNT",
        kind: Number { min: 1, max: 1_000_000_000 },
        heading: "Deployment",
        commands: &[Check],
        deployed: deployment("Monitoring", OfKind),
    }

    PORT {
        help: "Port of the service. `pull` has no default: it serves /health, /ready and /metrics only if a port is set",
        value: "PORT",
        kind: PORT_NUMBER,
        default: "8080",
        heading: "Service settings",
        commands: &[Serve, Pull, Pixel, Local],
        optional_for: &[Pull],
    }
    GOOGLE_CLOUD_PROJECT {
        help: "The same as PROJECT_ID, under Google's name, which Cloud Shell sets. PROJECT_ID wins over it",
        value: "PROJECT",
        heading: "Project",
        commands: &[Serve, Pull, Local, Check, Replay, Forget, Query],
        hidden: &[Serve, Pull, Local, Check, Replay, Forget, Query],
    }
    DATASET {
        help: "Dataset of all tables",
        value: "NAME",
        kind: Identifier { dashes: false },
        default: "parsed_pixel",
        heading: "Service settings",
        commands: &[Serve, Pull, Local, Check, Replay, Forget, Query],
        deployed: service(None, NAME),
    }
    BIGQUERY_ENDPOINT {
        help: "Address of BigQuery's API: a private or regional endpoint",
        value: "URL",
        kind: Address,
        default: "https://bigquery.googleapis.com",
        heading: "Service settings",
        commands: &[Serve, Pull, Check, Replay, Forget, Query],
        hidden: &[Query],
    }

    TABLE_NAME {
        help: "Template table. The name of a generated table is TABLE_NAME followed by the suffix",
        value: "NAME",
        kind: Identifier { dashes: true },
        default: "pixel",
        heading: "Events",
        commands: NAMING,
        deployed: service(None, Name { max_length: 512 }),
    }
    VALID_ATTRIBUTES {
        help: "URL parameters that may become columns, separated by commas. Each must be a column of the template table",
        value: "NAMES",
        default: "order_id,type,user_id",
        heading: "Events",
        commands: NAMING,
        deployed: service(None, ATTRIBUTES),
    }
    TABLE_SUFFIX {
        help: "Suffix of an event's table: letters, digits, _, {ATTRIBUTE}, {date} (UTC, such as 20260102) and \
               {date:STRFTIME}. Empty: a single table",
        value: "TEMPLATE",
        default: "_{user_id}_{date}",
        heading: "Events",
        commands: NAMING,
        deployed: service(None, Pattern {
            regex: "([A-Za-z0-9_]|[{][^{}:]+[}]|[{]date:[^{}%]*%[^{}]+[}])*",
            expected: "letters, digits and _ with fields in braces between them, such as _{user_id}_{date} or _{date:%Y%m}",
        }),
    }
    MAX_NEW_TABLES_PER_HOUR {
        help: "Maximum number of tables that are new to an instance within an hour. Events of further tables go to the overflow \
               table",
        value: "N",
        kind: Number { min: 1, max: 1_000_000 },
        default: "1000",
        heading: "New tables",
        commands: STORING,
        deployed: SERVICE,
    }
    OVERFLOW_SUFFIX {
        help: "Suffix of the overflow table: letters, digits, _, {date} and {date:STRFTIME}",
        value: "TEMPLATE",
        default: "_overflow_{date}",
        heading: "New tables",
        commands: &[Serve, Pull, Local, Check, Replay, Forget],
        deployed: service(None, Pattern {
            regex: "([A-Za-z0-9_]|[{]date(:[^{}%]*%[^{}]+)?[}])+",
            expected: "letters, digits, _ and dates, without an attribute, such as _overflow_{date}",
        }),
    }
    PIXEL_PATH {
        help: "Paths that count as the pixel, separated by commas. `*` at the end of a path means any rest, as in /t/*, and `*` \
               alone any path; a deployment needs whole paths",
        value: "PATHS",
        default: "/pixel.png",
        heading: "Events",
        commands: &[Serve, Pull, Pixel, Local, Explain, Check, Replay],
        deployed: service(None, Pattern {
            regex: " *(/[A-Za-z0-9._~-]+)+ *(, *(/[A-Za-z0-9._~-]+)+ *)*",
            expected: "a list of paths separated by commas, each beginning with /, of letters, digits, . _ ~ / and -, such as \
                       /pixel.png,/p.png",
        }),
    }
    PIXEL_METHODS {
        help: "Methods of requests that count, separated by commas. navigator.sendBeacon sends POST. The pixel on Cloud Run \
               answers it with 204, and a bucket with 405: set STATUS, too",
        value: "METHODS",
        default: "GET",
        heading: "Events",
        commands: DECODING,
        deployed: service(None, Pattern {
            regex: "(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)( *, *(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS))*",
            expected: "a list of methods separated by commas, such as GET,POST",
        }),
    }
    STATUS {
        help: "Statuses of requests that count, separated by commas: codes (304), classes (2xx) and none, for a client that \
               disconnected before the answer. any: every status",
        value: "STATUSES",
        default: "2xx,304,none",
        heading: "Events",
        commands: DECODING,
        deployed: service(None, Pattern {
            regex: "any|([1-5](xx|[0-9][0-9])|none)( *, *([1-5](xx|[0-9][0-9])|none))*",
            expected: "any, or a list of codes, classes and none, such as 2xx,304,none",
        }),
    }
    SCHEMA_FILE {
        help: "BigQuery schema file to create the template table from, in the format of `bq mk --schema`. In a deployment, a \
               relative path is relative to the folder of the repository",
        value: "FILE",
        default_note: "the built-in schema",
        heading: "Events",
        commands: NAMING,
        deployed: Some(Deployed { section: "BigQuery", default: Some("schema/pixel.json"), range: OfKind, script_only: false }),
    }

    IP_ANONYMIZATION {
        help: "Content of the column remote_ip: nothing (drop), the network (truncate: /24 of IPv4, /48 of IPv6) or the whole \
               address (full)",
        value: "MODE",
        kind: Choice(&["drop", "truncate", "full"]),
        default: "drop",
        heading: "Privacy",
        commands: DECODING,
        deployed: SERVICE,
    }
    HASH_USER_IDS {
        help: "Key of 32 characters or more that hashes ids before they become a column or part of a table's name. Empty: ids \
               are stored unchanged. In a deployment: generate, or the name of its secret in Secret Manager",
        value: "KEY",
        kind: Secret,
        heading: "Privacy",
        commands: NAMING,
        deployed: KEY,
    }
    HASH_ATTRIBUTES {
        help: "Attributes that contain ids, separated by commas. They are hashed with the key HASH_USER_IDS",
        value: "NAMES",
        default: "user_id",
        heading: "Privacy",
        commands: NAMING,
        deployed: service(None, ATTRIBUTES),
    }
    FORMER_HASH_KEYS {
        help: "Former keys of HASH_USER_IDS, separated by commas: rows with their hashes are found, too",
        value: "KEYS",
        kind: Secret,
        heading: "Privacy",
        commands: &[Forget],
    }
    RESPECT_OPT_OUT {
        help: "Only count an event with a parameter dnt=1 or gpc=1, and store nothing of it",
        value: "BOOL",
        kind: Boolean,
        default: "true",
        heading: "Privacy",
        commands: DECODING,
        deployed: SERVICE,
    }
    URL_SIGNING_KEY {
        help: "Key of 32 characters or more that signs the pixel's URLs. To replace a key, set the new and the old one, separated by \
               a comma: the new one signs, and both are accepted. Empty: URLs are not signed. In a deployment: generate, or \
               the name of its secret in Secret Manager",
        value: "KEY",
        kind: Secret,
        heading: "Signed URLs",
        commands: &[Serve, Pull, Local, Explain, Sign, Check, Replay],
        deployed: KEY,
    }
    SIGNATURE_MODE {
        help: "With URL_SIGNING_KEY: store only signed events (require), or store all events and fill the column signed (mark)",
        value: "MODE",
        kind: Choice(&["require", "mark"]),
        default: "require",
        heading: "Signed URLs",
        commands: DECODING,
        deployed: SERVICE,
    }

    DEAD_LETTER_TABLE {
        help: "Table for messages that can never become a row. Its name must not begin with TABLE_NAME",
        value: "NAME",
        kind: Identifier { dashes: true },
        default: "dead_letters",
        heading: "Delivery",
        commands: &[Serve, Pull, Local, Check, Replay, Forget],
        deployed: service(None, NAME),
    }
    AUTO_CREATE {
        help: "Create the dataset, the template table and the dead-letter table if they do not exist",
        value: "BOOL",
        kind: Boolean,
        default: "true",
        heading: "Delivery",
        commands: &[Serve, Pull, Local, Replay],
    }
    BATCH_MAX_ROWS {
        help: "Maximum rows per insertAll request",
        value: "N",
        kind: Number { min: 1, max: 50_000 },
        default: "500",
        heading: "Delivery",
        commands: STORING,
        deployed: SERVICE,
    }
    BATCH_MAX_BYTES {
        help: "Maximum bytes of rows per insertAll request",
        value: "BYTES",
        // BigQuery accepts 10 MB, insertIds and brackets included.
        kind: Number { min: 1, max: 9_000_000 },
        default: "8388608",
        heading: "Delivery",
        commands: STORING,
        deployed: SERVICE,
    }
    BATCH_MAX_INSERTS {
        help: "Maximum concurrent insertAll requests per instance",
        value: "N",
        kind: Number { min: 1, max: 10_000 },
        default: "1000",
        heading: "Delivery",
        commands: STORING,
        deployed: SERVICE,
    }
    BATCH_MAX_LINGER {
        help: "Maximum time that a row waits for others, so that they share an insertAll request. It waits only while its table has \
               requests in flight, for a 64th of this time for each of them. Longer: fewer requests, later answers",
        value: "DURATION",
        kind: Duration { min_ms: 0, max_ms: 590_000 },
        default: "16ms",
        heading: "Delivery",
        commands: STORING,
        deployed: service(None, Pattern {
            regex: "(0|[1-9][0-9]{0,4})ms|([0-9]|[1-5][0-9])([.][0-9]+)?s",
            expected: "a duration from 0ms to less than 60s, such as 16ms",
        }),
    }
    BATCH_GZIP {
        help: "Compress insertAll requests (gzip, level 1): less traffic, more CPU",
        value: "BOOL",
        kind: Boolean,
        default: "false",
        heading: "Delivery",
        commands: STORING,
        deployed: SERVICE,
    }
    MAX_IN_FLIGHT {
        help: "Maximum messages in progress per instance. Further pushes are rejected with 429; `pull` reads no further message",
        value: "N",
        kind: Number { min: 1, max: 1_000_000 },
        default: "2000",
        heading: "Delivery",
        commands: RECEIVING,
        deployed: SERVICE,
    }
    MAX_IN_FLIGHT_BYTES {
        help: "Maximum bytes of these messages: of each its body, or its payload and its row if they are larger, and 24 KiB for the connection of a push. \
               A single message may have more",
        value: "BYTES",
        kind: Number { min: 1, max: 1 << 40 },
        default_note: "an eighth of the container's memory",
        heading: "Delivery",
        commands: RECEIVING,
        deployed: SERVICE,
    }
    PUSH_DEADLINE {
        help: "Maximum time to answer a push, such as 8s or 500ms; with `pull`, to store a message before it is returned. Keep it \
               below the ack deadline of the push subscription, which is 60 s in a deployment",
        value: "DURATION",
        kind: Duration { min_ms: 100, max_ms: 590_000 },
        default: "8s",
        heading: "Delivery",
        commands: RECEIVING,
        deployed: service(Some("50s"), Pattern {
            regex: "[1-9][0-9]{2,3}ms|[1-5][0-9]{4}ms|([1-9]|[1-5][0-9])([.][0-9]+)?s|0[.][1-9][0-9]*s",
            expected: "a duration from 100ms to less than 60s, the subscription's ack deadline, such as 50s",
        }),
    }

    SUBSCRIPTION {
        help: "Pull subscription: its name in the project, or projects/PROJECT/subscriptions/NAME",
        value: "NAME",
        heading: "Delivery",
        commands: &[Pull],
    }

    PUSH_AUTH {
        help: "Check of the token of a push: iam (by Cloud Run, before the request reaches the service), oidc (by the service) or none",
        value: "MODE",
        kind: Choice(&["iam", "oidc", "none"]),
        default_note: "iam on Cloud Run, else none",
        heading: "Push authentication",
        commands: &[Serve, Local],
        hidden: &[Local],
    }
    PUSH_AUDIENCE {
        help: "Required audience of the token, which is set on the subscription (default: the URL of its endpoint). Needed for oidc",
        value: "AUDIENCE",
        heading: "Push authentication",
        commands: &[Serve],
    }
    PUSH_SERVICE_ACCOUNT {
        help: "Required service account of the token. Needed for oidc",
        value: "EMAIL",
        heading: "Push authentication",
        commands: &[Serve],
    }
    PUSH_JWKS_URL {
        help: "URL of Google's public keys, as a JWK set, for oidc",
        value: "URL",
        default: "https://www.googleapis.com/oauth2/v3/certs",
        heading: "Push authentication",
        commands: &[Serve],
    }
    PUSH_AUTH_FORCE {
        help: "Allow PUSH_AUTH=none on Cloud Run, and PUSH_AUTH=iam elsewhere, where a proxy has to check the token",
        value: "BOOL",
        kind: Boolean,
        default: "false",
        heading: "Push authentication",
        commands: &[Serve],
    }

    LOG_FORMAT {
        help: "Format of log lines on standard error: json, text, or auto (text on a terminal)",
        value: "FORMAT",
        kind: Choice(&["auto", "json", "text"]),
        default: "auto",
        heading: "Logging",
        commands: LOGGING,
        deployed: service(Some("json"), OfKind),
    }
    RUST_LOG {
        help: "Minimum level of log lines: error, warn, info, debug, trace; also by module, such as warn,pixel_pipeline=debug. Lines of \
               other crates below info are never logged",
        flag: Some("log-level"),
        value: "LEVEL",
        default: "info",
        heading: "Logging",
        commands: LOGGING,
        deployed: service(None, Pattern {
            regex: "[A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?(,[A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?)*",
            expected: "a level such as error, warn, info, debug or trace, also by module, such as warn,pixel_pipeline=debug",
        }),
    }

    DATA_DIR {
        help: "Directory of the tables, which are kept after a restart",
        value: "DIRECTORY",
        default: "./pixel-data",
        heading: "Local",
        commands: &[Local],
    }
    FRONT {
        help: "What answers requests for the pixel: Google's load balancer, CDN and bucket (load-balancer), or a service on Cloud \
               Run (cloud-run)",
        value: "FRONT",
        kind: Choice(&["load-balancer", "cloud-run"]),
        default: "load-balancer",
        heading: "Local",
        commands: &[Local],
    }
    PIXEL_PORT {
        help: "Port of the pixel",
        value: "PORT",
        kind: PORT_NUMBER,
        default: "8081",
        heading: "Local",
        commands: &[Local],
    }
    BIGQUERY_PORT {
        help: "Port of BigQuery's API",
        value: "PORT",
        kind: PORT_NUMBER,
        default: "9050",
        heading: "Local",
        commands: &[Local],
    }

    BIGQUERY_EMULATOR_HOST {
        help: "Address of a BigQuery emulator, such as http://127.0.0.1:9050, which is used without credentials",
        value: "URL",
        kind: Address,
        heading: "Emulators",
        commands: &[Serve, Pull, Check, Replay, Forget, Query],
    }
    PUBSUB_EMULATOR_HOST {
        help: "Address of Google's Pub/Sub emulator, such as 127.0.0.1:8085, which is used without credentials",
        value: "HOST:PORT",
        kind: Address,
        heading: "Emulators",
        commands: &[Pull, Local, Replay],
    }
    STORAGE_EMULATOR_HOST {
        help: "Address of a Cloud Storage emulator, such as http://127.0.0.1:4443, which is used without credentials",
        value: "URL",
        kind: Address,
        heading: "Emulators",
        commands: &[Replay],
    }

    CLOUDSDK_API_ENDPOINT_OVERRIDES_BIGQUERY {
        help: "Base URL of BigQuery's API",
        flag: Some("bigquery-api"),
        value: "URL",
        default_note: "BIGQUERY_ENDPOINT",
        heading: "Google Cloud CLI",
        commands: OPERATING,
        hidden: OPERATING,
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDRESOURCEMANAGER {
        help: "Base URL of the Resource Manager API",
        flag: Some("projects-api"),
        value: "URL",
        default: "https://cloudresourcemanager.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE {
        help: "Base URL of the Compute Engine API",
        flag: Some("compute-api"),
        value: "URL",
        default: "https://compute.googleapis.com/compute/v1/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_ARTIFACTREGISTRY {
        help: "Base URL of the Artifact Registry API",
        flag: Some("artifacts-api"),
        value: "URL",
        default: "https://artifactregistry.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM {
        help: "Base URL of the IAM API",
        flag: Some("iam-api"),
        value: "URL",
        default: "https://iam.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING {
        help: "Base URL of the Cloud Logging API",
        flag: Some("logging-api"),
        value: "URL",
        default: "https://logging.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING {
        help: "Base URL of the Cloud Monitoring API",
        flag: Some("monitoring-api"),
        value: "URL",
        default: "https://monitoring.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB {
        help: "Base URL of the Pub/Sub API",
        flag: Some("pubsub-api"),
        value: "URL",
        default: "https://pubsub.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN {
        help: "Base URL of the Cloud Run API",
        flag: Some("run-api"),
        value: "URL",
        default: "https://run.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check, Replay, Forget],
        hidden: &[Check, Replay, Forget],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER {
        help: "Base URL of the Secret Manager API",
        flag: Some("secretmanager-api"),
        value: "URL",
        default: "https://secretmanager.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: OPERATING,
        hidden: OPERATING,
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE {
        help: "Base URL of the Service Usage API",
        flag: Some("services-api"),
        value: "URL",
        default: "https://serviceusage.googleapis.com/",
        heading: "Google Cloud CLI",
        commands: &[Check],
        hidden: &[Check],
    }
    CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE {
        help: "Base URL of the Cloud Storage API",
        flag: Some("storage-api"),
        value: "URL",
        default: "https://storage.googleapis.com/storage/v1/",
        heading: "Google Cloud CLI",
        commands: &[Check, Replay],
        hidden: &[Check, Replay],
    }
    CLOUDSDK_AUTH_ACCESS_TOKEN_FILE {
        help: "File with an access token, which is used instead of the credentials of the environment",
        flag: Some("access-token-file"),
        value: "FILE",
        heading: "Google Cloud CLI",
        commands: OPERATING,
        hidden: OPERATING,
    }
}

/// The settings that a deployment passes on to the service.
pub fn service_settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().copied().filter(|setting| setting.is_passed_on())
}

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().copied().find(|setting| setting.name == name)
}
