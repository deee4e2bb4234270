import { renderToStaticMarkup } from 'react-dom/server';
import { expect, test } from 'vitest';

import { plain } from '../../store/plain.js';
import { parseAnsi } from '../transcript/ansi.js';
import { Markdown } from '../transcript/Markdown.js';
import { Prompt } from '../transcript/Prompt.js';
import { compare, parsePatch } from '../transcript/patch.js';
import { cut } from '../transcript/Terminal.js';
import { branchOf } from '../worktree/WorktreeDialog.js';
import { safeHref, visible } from './safe.js';

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} />);

test('markdown draws structure', () => {
  const shown = html('# Title\n\nSome **bold**, *slanted* and `code`.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```sql\nselect 1\n```\n');

  expect(shown).toContain('<strong>bold</strong>');
  expect(shown).toContain('<em>slanted</em>');
  expect(shown).toContain('<li>one</li>');
  expect(shown).toContain('<td>2</td>');
  expect(shown).toContain('select 1');
  expect(shown).toContain('sql');
});

test('points in a numbered list stay points, and numbers go on', () => {
  expect(html('1. one\n   - a\n   - b\n     1. deep\n2. two\n')).toContain(
    '<ol><li>one<ul><li>a</li><li>b<ol><li>deep</li></ol></li></ul></li><li>two</li></ol>',
  );
  expect(html('- a\n  1. x\n  2. y\n- b')).toContain('<ul><li>a<ol><li>x</li><li>y</li></ol></li><li>b</li></ul>');
  expect(html('1. run\n\n   ```sh\n   make\n   ```\n\n2. look')).toMatch(/<ol><li>run<div.*make.*<\/li><li>look<\/li><\/ol>/s);
  expect(html('3. c\n4. d')).toContain('<ol start="3">');
  expect(html('- a\n- b\n\n- c')).toContain('<ul><li>a</li><li>b</li><li>c</li></ul>');
  expect(html('- a\n1. b')).toContain('<ul><li>a</li></ul><ol><li>b</li></ol>');
  expect(html('   1. a\n      * b\n      * c\n   2. d')).toContain('<ol><li>a<ul><li>b</li><li>c</li></ul></li><li>d</li></ol>');
});

test('code in an item of a list keeps its own indent only', () => {
  expect(html('- how:\n\n      ```py\n      if x:\n          y()\n      ```')).toContain('if x:\n    y()');
});

test.each([
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](data:text/html,hi)',
  '![x](https://evil.example/pixel.png)',
  '[x](//evil.example)',
  '[x](java&#115;cript:alert(1))',
  '[x][y]\n\n[y]: javascript:alert(1)',
  '<javascript:alert(1)>',
  '[![x](https://evil.example/pixel.png)](https://example.org)',
  '```"><img src=x onerror=alert(1)>\nx\n```',
])('markdown makes nothing of %s', text => {
  const place = document.createElement('div');
  place.innerHTML = html(text);

  expect(place.querySelector('script, img, iframe, [onerror]')).toBeNull();
  for (const link of place.querySelectorAll('a')) {
    expect(link.getAttribute('href')).toMatch(/^https:/);
    expect(link.rel).toContain('noopener');
  }
});

test('markdown knows the marks of GitHub', () => {
  const shown = html('- [x] done\n- [ ] open ~~old~~\n\n| a | b |\n|:--|--:|\n| 1 | https://example.org |\n');

  expect(shown).toContain('☑ done');
  expect(shown).toContain('☐ open <del>old</del>');
  expect(shown).toContain('<td style="text-align:right"><a href="https://example.org/"');
});

test('raw HTML, definitions and footnotes are text like any other', () => {
  const place = document.createElement('div');
  place.innerHTML = html('<b>**bold**</b> <!-- hidden -->\n\n[//]: # (said)\n\nwhy[^1]\n\n[^1]: so');

  expect(place.textContent).toBe('<b>bold</b> <!-- hidden -->[//]: # (said)why[^1][^1]: so');
});

test('hostile markdown stays cheap', () => {
  const start = performance.now();

  html('['.repeat(20_000));
  html('*a '.repeat(10_000));
  html('`'.repeat(20_001));
  html('- a\n'.repeat(5000));
  html(Array.from({ length: 4000 }, (_, i) => `${' '.repeat(i % 40)}- a`).join('\n'));
  for (const mark of ['*', '**', '_', '`', '[', '~~', '# ', '- ']) plain(mark.repeat(20_000));
  visible('\u{1f468}\u200d'.repeat(20_000));

  expect(performance.now() - start).toBeLessThan(2000);
});

test('links of other schemes, and relative ones, are refused', () => {
  expect(['javascript:x', 'data:,x', '/lab', 'file:///etc/passwd', 'vbscript:x', ' JaVaScRiPt:x'].map(safeHref)).toEqual([
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
  expect(safeHref('https://example.org/a')).toBe('https://example.org/a');
});

test('characters that hide or turn text are shown', () => {
  expect(visible('rm -rf \u202e/ #safe\u200b')).toBe('rm -rf ⟨202E⟩/ #safe⟨200B⟩');
});

test.each(['👩‍👩‍👧‍👦', '🏳️‍🌈', '❤️‍🔥', '👩🏽‍💻', '🏴󠁧󠁢󠁳󠁣󠁴󠁿', 'می‌خواهم', 'ක්‍ෂ'])('%s is left as one picture or word', text => {
  expect(visible(`a ${text} b`)).toBe(`a ${text} b`);
});

test('a joiner that joins nothing is shown, and so is a name hidden behind a flag', () => {
  expect(visible('rm\u200d -rf')).toBe('rm⟨200D⟩ -rf');
  expect(visible('👩\u200d')).toBe('👩⟨200D⟩');
  expect(visible('\u{1f3f4}\u{e0072}\u{e006d}\u{e007f}')).toContain('⟨E0072⟩');
});

test.each([
  ['**Fix** the `null` keys', 'Fix the null keys'],
  ['# Make *it* fast', 'Make it fast'],
  ['- [ ] see [the docs](https://example.org/a)', 'see the docs'],
  ['~~old~~ __new words__', 'old new words'],
  ['`**kwargs` in __init__.py, a_b_c and 2 * 3 * 4', '**kwargs in __init__.py, a_b_c and 2 * 3 * 4'],
  ['f(*args, **kwargs) and **more', 'f(*args, **kwargs) and **more'],
  ['**', '**'],
])('a title of %s is %s', (line, title) => {
  expect(plain(line)).toBe(title);
});

test('a long prompt shows its beginning, a short one all of it', () => {
  const short = renderToStaticMarkup(<Prompt text="one\ntwo" />);
  const long = renderToStaticMarkup(<Prompt text={'line\n'.repeat(40)} />);

  expect(short).not.toContain('<button');
  expect(long).toContain('agor-beginning');
  expect(long).toContain('Show the whole prompt, 40 lines');
});

test('colours are kept, other escapes are dropped', () => {
  expect(parseAnsi('\u001b[1;32mok\u001b[0m \u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007\u001b[2J!')).toEqual([
    { text: 'ok', className: 'agor-ansi-green agor-ansi-bold' },
    { text: ' click!', className: '' },
  ]);
});

test('a progress bar shows where it ended', () => {
  expect(parseAnsi('10%\r50%\r100%\r\ndone')).toEqual([{ text: '100%\ndone', className: '' }]);
});

test('an escape that never ends does not eat the output', () => {
  expect(
    parseAnsi('a\u001b]0;title\nb')
      .map(({ text }) => text)
      .join(''),
  ).toBe('a\nb');
});

test('long output is cut between its beginning and its end', () => {
  const output = Array.from({ length: 500 }, (_, i) => `line ${i}`).join('\n');

  const { head, tail, hidden } = cut(output, false);

  expect(head.startsWith('line 0\n')).toBe(true);
  expect(tail.endsWith('line 499')).toBe(true);
  expect(hidden).toBe(500 - 8 - 24);
  expect(cut(output, true).hidden).toBe(0);
});

test("git's patch is read line by line", () => {
  const [file, ...rest] = parsePatch(
    [
      'diff --git a/m.sql b/m.sql',
      'index 1..2 100644',
      '--- a/m.sql',
      '+++ b/m.sql',
      '@@ -1,3 +1,3 @@ select',
      ' a',
      '--- b',
      '+++ c',
      ' d',
      '\\ No newline at end of file',
      '',
    ].join('\n'),
  );

  expect(rest).toEqual([]);
  expect(file).toMatchObject({ path: 'm.sql', added: 1, deleted: 1 });
  expect(file?.hunks[0]?.lines.map(({ kind, text, before, after }) => [kind, text, before, after])).toEqual([
    ['same', 'a', 1, 1],
    ['deleted', '-- b', 2, null],
    ['added', '++ c', null, 2],
    ['same', 'd', 3, 3],
  ]);
});

test('a patch that was cut off shows what there is of it', () => {
  const files = parsePatch(
    [
      'diff --git a/a.sql b/a.sql',
      '--- a/a.sql',
      '+++ b/a.sql',
      '@@ -1 +1 @@',
      '-a',
      '+b',
      'diff --git "a/\\303\\244.sql" "b/\\303\\244.sql"',
      'new file mode 100644',
      '--- /dev/null',
      '+++ "b/\\303\\244.sql"',
      '@@ -0,0 +1,90 @@',
      '+one',
      '+two',
    ].join('\n'),
  );

  expect(files.map(({ path, added, deleted }) => [path, added, deleted])).toEqual([
    ['a.sql', 1, 1],
    ['ä.sql', 2, 0],
  ]);
  expect(files[1]?.hunks[0]?.lines.map(({ after, text }) => [after, text])).toEqual([
    [1, 'one'],
    [2, 'two'],
  ]);
});

test('a file that is gone, a binary one and one that was only moved keep their names', () => {
  const files = parsePatch(
    [
      'diff --git a/gone.py b/gone.py',
      'deleted file mode 100644',
      '--- a/gone.py',
      '+++ /dev/null',
      '@@ -1 +0,0 @@',
      '-x',
      'diff --git a/p.png b/p.png',
      'Binary files a/p.png and b/p.png differ',
      'diff --git a/q.png b/q.png',
      'GIT binary patch',
      'literal 3',
      'diff --git a/old name b/new name',
      'rename from old name',
      'rename to new name',
      '',
    ].join('\n'),
  );

  expect(files.map(({ path, deleted, isBinary, hunks }) => [path, deleted, isBinary, hunks.length])).toEqual([
    ['gone.py', 1, false, 1],
    ['p.png', 0, true, 0],
    ['q.png', 0, true, 0],
    ['new name', 0, false, 0],
  ]);
});

test('texts that have nothing in common are shown as replaced', () => {
  const lines = (letter: string) => Array.from({ length: 3000 }, (_, i) => `${letter}${i}`).join('\n');

  const file = compare('a', lines('a'), lines('b'));

  expect([file.added, file.deleted, file.hunks.length]).toEqual([3000, 3000, 1]);
  expect(compare('a', null, 'x')).toMatchObject({ added: 1, deleted: 0 });
  expect(compare('a', 'x\n', 'x').hunks).toEqual([]);
});

test('two texts are compared line by line', () => {
  const file = compare('a', 'one\ntwo\nthree\n', 'one\n2\nthree\nfour\n');

  expect([file.added, file.deleted]).toEqual([2, 1]);
  expect(file.hunks[0]?.lines.map(line => line.text)).toEqual(['one', 'two', '2', 'three', 'four']);
});

test('a name becomes a branch that git accepts', () => {
  expect(branchOf('Fix: null  Schlüssel!')).toBe('fix-null-schlussel');
  expect(branchOf('../-x..y/')).toBe('x.y');
});
