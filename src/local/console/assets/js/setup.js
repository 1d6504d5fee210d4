// Names and settings, loaded once.

/**
 * The answer of `GET /console/setup`.
 *
 * @type {{
 *   project: string, dataset: string, table: string, dead_letter_table: string, pixel: string, pixel_paths: string[],
 *   url_signing: boolean, emulator: boolean, cloud_run: boolean, version: string,
 *   attributes: { name: string, description: string | null, in_table_suffix: boolean, is_hashed: boolean }[],
 *   samples: { title: string, about: string, sql: string | null, problem: string | null }[],
 * }}
 */
export let setup;

export async function loadSetup() {
  const answer = await fetch('/console/setup');
  if (!answer.ok) throw new Error(`Cannot load the console's settings: ${await answer.text()}`);
  setup = await answer.json();
}
