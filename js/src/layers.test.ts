// The order of the layers is in `biome.jsonc`; Biome fails for an import that points up. Here: that it knows every folder.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** They hold no code that imports. */
const WITHOUT = ['styles'];

test('each folder has declared its layer', () => {
  const folders = readdirSync('src', { withFileTypes: true }).filter(entry => entry.isDirectory() && !WITHOUT.includes(entry.name));
  const rules = readFileSync('biome.jsonc', 'utf8');

  const undeclared = folders.map(entry => entry.name).filter(name => !rules.includes(`"src/${name}/**"`));

  expect(undeclared).toEqual([]);
});

test('no layer may import the one above it', () => {
  const order = ['protocol', 'transport', 'store', 'session', 'canvas', 'panels', 'page'];
  const rules = readFileSync('biome.jsonc', 'utf8');

  for (const [i, layer] of order.entries()) {
    const block = rules.slice(rules.indexOf(`"src/${layer}/**"`)).split('"message"')[0] ?? '';
    for (const above of order.slice(i + 1)) expect(block, `${layer} → ${above}`).toContain(`"**/${above}/**"`);
  }
});
