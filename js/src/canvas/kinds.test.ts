// No line outside of the families of objects names a kind: what is different about one is a field of its view.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

import { objectViews } from './objects';

/** The views, what reads them out of the document, what is generated, and the targets of schedules, whose kinds are their own. */
const FAMILY = ['src/canvas/objects/', 'src/store/objects.ts', 'src/protocol/', 'src/panels/schedules/plan.ts'];
const KINDS = Object.keys(objectViews).join('|');
/** A kind that is compared or made, or a view that is taken by its kind. */
const NAMED = new RegExp(
  `\\bkind\\b['"\\]]*\\s*(?:[!=]==?|:)\\s*['"](?:${KINDS})['"]|['"](?:${KINDS})['"]\\s*[!=]==?[^;]*\\bkind\\b|objectViews\\s*[.[]`,
);

const sources = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sources(path) : /\.tsx?$/.test(entry.name) && !/\.test\./.test(entry.name) ? [path] : [];
  });

test('a kind of object is named in its family only', () => {
  const named = sources('src')
    .filter(path => !FAMILY.some(family => path.startsWith(family)))
    .flatMap(path =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, i) => (NAMED.test(line) ? [`${path}:${i + 1} ${line.trim()}`] : [])),
    );

  expect(named).toEqual([]);
});

test.each(["if (object.kind === 'card') return;", "add({ kind: 'zone', ...box })", "'note' !== item.object.kind", 'objectViews.card'])(
  'it would be found in: %s',
  line => {
    expect(NAMED.test(line)).toBe(true);
  },
);

test('a switch over kinds is found by its cases', () => {
  const cases = /switch \((?:\w+\.)*object\.kind\)/;

  expect(sources('src/canvas').filter(path => cases.test(readFileSync(path, 'utf8')))).toEqual([]);
});
