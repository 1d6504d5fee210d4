// Names and settings, asked for once.

/** @type {{project: string, dataset: string, table: string, dead_letter_table: string, pixel: string,
 *          attributes: {name: string, description: string?}[], samples: {title: string, sql: string}[], version: string}} */
export let setup;

export async function loadSetup() {
  const answer = await fetch('/console/setup');
  if (!answer.ok) throw new Error(`The console's settings could not be read: ${await answer.text()}`);
  setup = await answer.json();
}
