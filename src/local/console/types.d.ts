// Types of the console's scripts, for the type check: JSON of this server and of BigQuery's API, and shared shapes.

/** A column of a BigQuery schema. */
interface Field {
  name: string;
  type: string;
  mode?: string;
  description?: string;
  fields?: Field[];
}

/** A row of BigQuery's API. A cell contains a string, null, a nested row or a list of cells. */
interface Row {
  f: { v: any }[];
}

/** What the decoder expects for a message (`GET /console/explain`). */
interface Explanation {
  outcome: string;
  reason: string | null;
  detail: string | null;
  table: string | null;
  insert_id: string | null;
  row: object | null;
  /** Names of parameters that VALID_ATTRIBUTES does not list. */
  not_kept?: string[];
  /** Whether `&amp;` in the URL was read as `&`. */
  html_escaped?: boolean;
}

/** One push delivery. */
interface DeliveryEvent {
  number: number;
  time_ms: number;
  message_id: string;
  attempt: number;
  status: number | null;
  acked: boolean;
  duration_ms: number;
  method: string | null;
  url: string | null;
  explanation: Explanation;
  entry: string | null;
}

interface OutcomeCount {
  outcome: string;
  reason: string;
  count: number;
}

/** The `state` of `GET /console/live`. */
interface OverviewState {
  counts: {
    requests: number;
    cache_hits: number;
    excluded: number;
    published: number;
    acked: number;
    nacked: number;
    dead_lettered: number;
  };
  outcomes: OutcomeCount[];
  rate: number;
  p50: number | null;
  p95: number | null;
  events: DeliveryEvent[];
}

/** One minute of `GET /console/minutes`. */
interface Minute {
  minutes_ago: number;
  stored: number;
  filtered: number;
  dead_letters: number;
  nacked: number;
  p50: number | null;
  p95: number | null;
}

/** A part of the overview. */
interface OverviewPart {
  element: HTMLElement;
  update(state: OverviewState): void;
  shown?(): void;
  end?(): void;
}

/** The arguments of `pager`. */
interface Page {
  from: number;
  shown: number;
  total: number;
  size: number;
  go: (from: number) => void;
}

/** A position in a query. Line and column start at 1. */
interface Position {
  line: number;
  column: number;
}

interface HistoryEntry {
  sql: string;
  rows: number;
  error?: string;
  at: number;
}

/** A message of the dead-letter topic (`GET /console/dead-letter-topic`). */
interface TopicMessage {
  id: string;
  time_ms: number;
  attributes: Record<string, string>;
  data: string;
}
