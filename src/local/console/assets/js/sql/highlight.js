// Tokens of GoogleSQL for syntax highlighting. A lexer; it does not parse.

const KEYWORDS = new Set(`ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT
DEFAULT DEFINE DELETE DESC DISTINCT DROP ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING
GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF
OFFSET ON OR ORDER OUTER OVER PARTITION PIVOT PRECEDING PROTO QUALIFY RANGE RECURSIVE REPLACE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT
TABLE TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST UNPIVOT USING VIEW WHEN WHERE WINDOW WITH WITHIN`.split(/\s+/));

// Tried in this order.
/** @type {[kind: string, rule: RegExp][]} */
const RULES = [
  ['comment', /--[^\n]*|#[^\n]*|\/\*[^]*?(?:\*\/|$)/y],
  ['string', /[rRbB]{0,2}(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)/y],
  ['name', /`[^`\n]*`?/y],
  ['parameter', /@@?[A-Za-z_]\w*/y],
  ['number', /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['word', /[A-Za-z_]\w*/y],
  ['plain', /\s+|[^]/y],
];

/**
 * Splits the text into tokens `[kind, text]`. Joined, they are the text again.
 *
 * @param {string} text
 */
export function tokens(text) {
  /** @type {[kind: string, text: string][]} */
  const found = [];
  let at = 0;
  while (at < text.length) {
    for (const [kind, rule] of RULES) {
      rule.lastIndex = at;
      const match = rule.exec(text);
      if (!match || match[0] === '') continue;
      const of = kind === 'word' ? (KEYWORDS.has(match[0].toUpperCase()) ? 'keyword' : 'plain') : kind;
      const last = found.at(-1);
      if (last?.[0] === 'plain' && of === 'plain') last[1] += match[0];
      else found.push([of, match[0]]);
      at += match[0].length;
      break;
    }
  }
  return found;
}
