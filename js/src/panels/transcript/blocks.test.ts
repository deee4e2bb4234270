import { expect, test } from 'vitest';

import { MarkdownBlocks, parse } from './blocks.js';

const RICH = [
  '# Title\n\nSome **bold** text,\nand more of it.\n\n1. one\n\n2. two\n   - deep\n\n     ```sh\n     make\n     ```\n3. three\n\npara\n- interrupts\n',
  '> quoted\nlazily\n\n| a | b |\n|:--|--:|\n| 1 | 2 |\n\n```py\nif x:\n\n    y()\n```\n\n- [x] done\n- [ ] open\n\nTitle\n=====\n\n***\nend\n',
  'a | b\n- | -\nc | d\n\n<b>raw</b>\n\n~~~\n``` not closed by these\n~~~\n2\n3. x\n\n#\n#no\n\n    not code\n\n[a]: https://example.org\n\n- a\n--\n',
];

const bare = (nodes: unknown) => JSON.parse(JSON.stringify(nodes, (key, value) => (key === 'position' ? undefined : value)));

test.each(RICH)('a text that grows by one letter is at each the same as one that is read at once', rich => {
  const growing = new MarkdownBlocks();

  for (let end = 1; end <= rich.length; end += 1) {
    const text = rich.slice(0, end);
    expect(bare(growing.of(text)), JSON.stringify(text.slice(-40))).toEqual(bare(parse(text)));
  }
});

test('a finished block is not read again, and stays the same object', () => {
  const read: string[] = [];
  const growing = new MarkdownBlocks(source => {
    read.push(source);
    return parse(source);
  });
  const blocks = Array.from({ length: 20 }, (_, i) => `Block ${i}. with **some** words.\n\n`);
  let text = '';
  let first: unknown = null;

  for (const block of blocks) {
    for (const word of block.split(' ')) growing.of((text += `${word} `));
    if (growing.of(text).length === 4) first = growing.of(text)[0];
  }

  expect(growing.of(text)).toHaveLength(20);
  expect(growing.of(text)[0]).toBe(first);
  for (let i = 0; i < blocks.length - 3; i += 1) {
    const after = read.findIndex(source => source.includes(`Block ${i + 3}.`));
    expect(read.slice(after).some(source => source.includes(`Block ${i}.`))).toBe(false);
  }
});

test('code that grows is not read again', () => {
  let count = 0;
  const growing = new MarkdownBlocks(source => {
    count += 1;
    return parse(source);
  });
  let text = 'See:\n\n```py\nx = 1\n';
  growing.of(text);
  const before = count;

  for (let i = 0; i < 200; i += 1) growing.of((text += `y = ${i}\n`));

  expect(count).toBe(before);
  expect(growing.of(`${text}\`\`\`\n\nSo it is.`).map(({ type }) => type)).toEqual(['paragraph', 'code', 'paragraph']);
});

test('a long list is read in parts and stays one list', () => {
  let longest = 0;
  const list = new MarkdownBlocks(source => {
    longest = Math.max(longest, source.length);
    return parse(source);
  });

  const [node, ...others] = list.of(Array.from({ length: 300 }, () => '1. the same number each time').join('\n'));

  expect(others).toEqual([]);
  expect(node?.type === 'list' && node.children.length).toBe(300);
  expect(longest).toBeLessThan(2100);
});

test('another text than before is read anew', () => {
  const blocks = new MarkdownBlocks();
  blocks.of('# One\n\na\n\nb\n\nc');

  expect(bare(blocks.of('Two'))).toEqual(bare(parse('Two')));
});

test('hostile texts are read in short parts, and lines that nobody writes not at all', () => {
  let longest = 0;
  const read = (text: string) =>
    new MarkdownBlocks(source => {
      longest = Math.max(longest, source.length);
      return parse(source);
    }).of(text);

  for (const line of ['[a](\n', '**a *b \n', '- a\n', '> a\n', 'a\n']) read(line.repeat(500));
  for (const line of ['> '.repeat(5000), '1. '.repeat(2000), '[a]('.repeat(5000), `${'*'.repeat(5000)}a${'*'.repeat(5000)}`]) {
    expect(bare(parse(line))).toEqual([{ type: 'paragraph', children: [{ type: 'text', value: line }] }]);
  }

  expect(longest).toBeLessThan(2100);
});
