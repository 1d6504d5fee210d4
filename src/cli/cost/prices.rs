//! Google Cloud's list prices in US dollars, for us-central1 and for data in the US, without discounts.
//!
//! Google's pages were not reachable when this was written. Each price names its page, the day on which the figure
//! was read, and the source it was read in. To change one, look at its page and set `read` and `source`.

use serde::Serialize;

/// A price for each `per` units beyond the monthly free tier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Price {
    /// Dollars for `per` units.
    pub(crate) dollars: f64,
    /// Base units that they buy: bytes, seconds or items.
    pub(crate) per: f64,
    /// `per` in words.
    pub(crate) unit: &'static str,
    /// Base units that cost nothing in a month. Shared by all that a project or billing account does.
    pub(crate) free: f64,
    /// Google's page of the price.
    pub(crate) page: &'static str,
    /// The day on which the figure was read.
    pub(crate) read: &'static str,
    pub(crate) source: PriceSource,
}

/// The source of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PriceSource {
    /// A transcription of Google's page from September 2026, by API Evangelist.
    Transcribed,
    /// A stored copy of Google's page, of no certain date.
    Copy,
    /// Third-party texts about Google's page, from 2025 or later.
    ThirdParty,
}

impl Price {
    /// Dollars for `quantity` base units in a month, less the free ones.
    pub(crate) fn of(&self, quantity: f64) -> f64 {
        (quantity - self.free).max(0.0) / self.per * self.dollars
    }
}

pub(crate) const KIB: f64 = 1024.0;
pub(crate) const MIB: f64 = 1024.0 * KIB;
pub(crate) const GIB: f64 = 1024.0 * MIB;
pub(crate) const TIB: f64 = 1024.0 * GIB;

const LOAD_BALANCING: &str = "https://cloud.google.com/load-balancing/pricing";
const CDN: &str = "https://cloud.google.com/cdn/pricing";
const STORAGE: &str = "https://cloud.google.com/storage/pricing";
const LOGGING: &str = "https://cloud.google.com/stackdriver/pricing";
const PUBSUB: &str = "https://cloud.google.com/pubsub/pricing";
const RUN: &str = "https://cloud.google.com/run/pricing";
const BIGQUERY: &str = "https://cloud.google.com/bigquery/pricing";

/// The day on which all of them were read. It is the date of the estimate.
pub(crate) const READ: &str = "2026-11-27";

/// The first five global forwarding rules together. One for HTTP and one for HTTPS are two of them.
pub(crate) const FORWARDING_RULES: Price =
    Price { dollars: 0.025, per: 3600.0, unit: "hour", free: 0.0, page: LOAD_BALANCING, read: READ, source: PriceSource::Transcribed };

/// Each byte that goes in or out through the load balancer. Answers of the CDN do not go through it.
pub(crate) const DATA_PROCESSED: Price =
    Price { dollars: 0.008, per: GIB, unit: "GiB", free: 0.0, page: LOAD_BALANCING, read: READ, source: PriceSource::Transcribed };

/// Each GET or HEAD that the cache is asked for, hit or miss.
pub(crate) const CACHE_LOOKUPS: Price =
    Price { dollars: 0.0075, per: 10_000.0, unit: "10,000 lookups", free: 0.0, page: CDN, read: READ, source: PriceSource::Transcribed };

/// Responses of the cache to North America or Europe, the first 10 TiB in a month. More is cheaper;
/// Asia, Oceania and South America cost $0.09 to $0.11, China $0.20.
pub(crate) const CACHE_TRANSFER: Price =
    Price { dollars: 0.08, per: GIB, unit: "GiB", free: 0.0, page: CDN, read: READ, source: PriceSource::Transcribed };

/// The bucket's answers on their way into a cache, across continents. Within one it is $0.01.
pub(crate) const CACHE_FILL: Price =
    Price { dollars: 0.04, per: GIB, unit: "GiB", free: 0.0, page: CDN, read: READ, source: PriceSource::Copy };

/// A read of the pixel by the cache: a class B operation.
pub(crate) const BUCKET_READS: Price =
    Price { dollars: 0.0004, per: 1_000.0, unit: "1,000 reads", free: 0.0, page: STORAGE, read: READ, source: PriceSource::Copy };

/// A month in a bucket of standard class in the US multi-region ($0.000035616 a GiB and hour).
pub(crate) const BUCKET_STORAGE: Price =
    Price { dollars: 0.026, per: GIB, unit: "GiB-month", free: 0.0, page: STORAGE, read: READ, source: PriceSource::Copy };

/// Log entries that a bucket of Cloud Logging stores, thirty days included. Routing them to Pub/Sub or
/// Cloud Storage costs nothing.
pub(crate) const LOG_STORAGE: Price =
    Price { dollars: 0.50, per: GIB, unit: "GiB", free: 50.0 * GIB, page: LOGGING, read: READ, source: PriceSource::Copy };

/// Throughput, of publishing and of delivery ("Message Delivery Basic").
pub(crate) const MESSAGE_THROUGHPUT: Price =
    Price { dollars: 40.0, per: TIB, unit: "TiB", free: 10.0 * GIB, page: PUBSUB, read: READ, source: PriceSource::Transcribed };

/// Minimum bytes that are billed for a publish or push request.
pub(crate) const MIN_MESSAGE_REQUEST: f64 = 1000.0;

/// CPU of an instance while it has a request, with request-based billing in a region of tier 1.
pub(crate) const RUN_CPU: Price =
    Price { dollars: 0.000024, per: 1.0, unit: "vCPU-second", free: 180_000.0, page: RUN, read: READ, source: PriceSource::Copy };

/// Memory of an instance while it has a request. The figure was read in third-party texts only; the free
/// tier in a copy of the page.
pub(crate) const RUN_MEMORY: Price =
    Price { dollars: 0.0000025, per: 1.0, unit: "GiB-second", free: 360_000.0, page: RUN, read: READ, source: PriceSource::ThirdParty };

/// Requests, likewise.
pub(crate) const RUN_REQUESTS: Price = Price {
    dollars: 0.40,
    per: 1_000_000.0,
    unit: "million requests",
    free: 2_000_000.0,
    page: RUN,
    read: READ,
    source: PriceSource::ThirdParty,
};

/// Rows that insertAll stored. There is no free tier. The copy that was read has 200 MB and says that its
/// GB are binary.
pub(crate) const STREAMED_ROWS: Price =
    Price { dollars: 0.01, per: 200.0 * MIB, unit: "200 MiB", free: 0.0, page: BIGQUERY, read: READ, source: PriceSource::Copy };

/// Least bytes that a streamed row counts.
pub(crate) const MIN_STREAMED_ROW: f64 = KIB;

/// Rows in tables, logical size, for the first 90 days after a table's last change; half of it afterwards.
pub(crate) const TABLE_STORAGE: Price =
    Price { dollars: 0.02, per: GIB, unit: "GiB-month", free: 10.0 * GIB, page: BIGQUERY, read: READ, source: PriceSource::Copy };

/// Bytes that queries read, on demand.
pub(crate) const QUERIES: Price =
    Price { dollars: 6.25, per: TIB, unit: "TiB", free: TIB, page: BIGQUERY, read: READ, source: PriceSource::ThirdParty };

/// Least bytes that a query is charged for each table that it reads.
pub(crate) const MIN_TABLE_READ: f64 = 10.0 * MIB;

/// All prices by name, for the JSON output.
pub(crate) const ALL: [(&str, Price); 15] = [
    ("forwarding_rules", FORWARDING_RULES),
    ("data_processed", DATA_PROCESSED),
    ("cache_lookups", CACHE_LOOKUPS),
    ("cache_transfer", CACHE_TRANSFER),
    ("cache_fill", CACHE_FILL),
    ("bucket_reads", BUCKET_READS),
    ("bucket_storage", BUCKET_STORAGE),
    ("log_storage", LOG_STORAGE),
    ("message_throughput", MESSAGE_THROUGHPUT),
    ("run_cpu", RUN_CPU),
    ("run_memory", RUN_MEMORY),
    ("run_requests", RUN_REQUESTS),
    ("streamed_rows", STREAMED_ROWS),
    ("table_storage", TABLE_STORAGE),
    ("queries", QUERIES),
];
