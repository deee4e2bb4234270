// What a transcript says of what an agent did.
import { files, number, times } from './counts';

export const transcript = {
  loading: 'Loading',
} as const;

export const transcriptMore = {
  label: 'Transcript',
  notLoaded: 'The earlier part could not be loaded. Try again.',
  empty: 'Nothing here yet. Prompt the agent below.',
  earlier: 'Show earlier',
  toEnd: 'To the end',
  turn: (n: number) => `Turn ${n}`,
  continued: 'continued by the agent',
  promptWhole: (lines: number, characters: number) =>
    lines > 1 ? `Show the whole prompt, ${number(lines)} lines` : `Show the whole prompt, ${number(characters)} characters`,
  promptLess: 'Show its beginning',
  ofSubagent: (what: string) => `Part of: ${what}`,
  thinking: 'Thinking',
  thoughtFor: (time: string) => `Thought for ${time}`,
  changes: 'Changes',
  commit: 'commit',
  isCut: 'The diff is cut off here: it is larger than 2 MB. Read it with git in the worktree.',
  binary: 'Binary file',
  diffOf: (path: string) => `Diff of ${path}`,
  output: 'Output',
  code: 'code',
  copy: 'Copy',
  copied: 'Copied',
  showAll: (n: number) => `Show all, ${number(n)} more lines`,
  exit: (code: number) => `exit ${code}`,
  reads: (read: number, search: number, fetch: number) => {
    const parts = [read ? `read ${files(read)}` : '', search ? `searched ${times(search)}` : '', fetch ? `fetched ${times(fetch)}` : ''].filter(
      Boolean,
    );
    const text = parts.join(', ');
    return text.charAt(0).toUpperCase() + text.slice(1);
  },
  tools: {
    read: 'Read',
    edit: 'Edit',
    delete: 'Delete',
    move: 'Move',
    search: 'Search',
    execute: 'Run',
    think: 'Think',
    fetch: 'Fetch',
    other: 'Use',
  } as Readonly<Record<string, string>>,
} as const;
