# shellcheck shell=bash
# The views of schema/views for the columns of the template table. Sourced by parts/bigquery.sh. src/schema_sql.rs describes the
# conditions at the ends of lines, and follows the same rules.

# columns_of: type, mode and name of each column of a schema in JSON, one column a line.
columns_of() {
  awk '
    { text = text $0 "\n" }
    END {
      while (match(text, /^[ \t\r\n,:]*("([^"\\]|\\.)*"|[][{}]|[^][{}",: \t\r\n]+)/)) {
        token = substr(text, 1, RLENGTH)
        text = substr(text, RLENGTH + 1)
        sub(/^[ \t\r\n,:]*/, "", token)
        if (token ~ /^[[{]$/) {
          if (++depth == 2) { type = name = ""; mode = "NULLABLE" }
          key = ""
        } else if (token ~ /^[]}]$/) {
          if (depth-- == 2) print toupper(type), toupper(mode), tolower(name)
        } else if (depth == 2) {
          gsub(/^"|"$/, "", token)
          if (key == "") { key = token; continue }
          if (key == "type") type = token
          if (key == "mode") mode = token
          if (key == "name") name = token
          key = ""
        }
      }
    }'
}

# for_columns FILE COLUMNS_FILE: the text for these columns. Without a column that it needs, prints "NAME TYPE" and fails.
for_columns() {
  awk '
    function is_present(name, class, column) {
      if (!(name in types)) return 0
      if (class == "") return 1
      if (class == "STRINGS") return modes[name] == "REPEATED" && types[name] == "STRING"
      if (modes[name] == "REPEATED") return 0
      if (class == "SCALAR") return types[name] ~ /^(STRING|INTEGER|INT64|NUMERIC|BIGNUMERIC|BOOLEAN|BOOL|BYTES|TIMESTAMP|DATE|TIME|DATETIME)$/
      return types[name] == class
    }
    FNR == NR { name = $0; sub(/^[^ ]* [^ ]* /, "", name); types[name] = $1; modes[name] = $2; next }
    / *-- (needs|if|unless) [A-Za-z0-9_]+( [A-Z]+)?$/ {
      at = match($0, / *-- (needs|if|unless) [A-Za-z0-9_]+( [A-Z]+)?$/)
      split(substr($0, at), part, /-- /)
      split(part[2], condition, " ")
      present = is_present(tolower(condition[2]), condition[3])
      if (condition[1] == "needs" && !present) { missing = condition[2] " " condition[3]; exit }
      if ((condition[1] == "unless") == present) next
      $0 = substr($0, 1, at - 1)
    }
    { text = text $0 "\n" }
    END {
      if (missing != "") { print missing; exit 1 }
      printf "%s", text
    }' "$2" "$1"
}
