// What an agent asks, in words, by the kind of the tool it asks for: the same on a card, in a panel, in the inbox and spoken.

const WHATS: Readonly<Record<string, string>> = {
  execute: 'run a command',
  edit: 'change a file',
  delete: 'delete a file',
  move: 'move a file',
  read: 'read a file',
  search: 'search',
  fetch: 'fetch from the web',
};

const what = (kind: string): string | undefined => (Object.hasOwn(WHATS, kind) ? WHATS[kind] : undefined);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const said = (kind: string): string =>
  kind === 'trust' ? 'wants to load untrusted files' : what(kind) ? `asks to ${what(kind)}` : 'asks for permission';

/** “Asks to run a command”, where it is seen whose question it is. */
export const question = (kind: string): string => capital(said(kind));

/** “Claude Code asks to run a command”. */
export const questionOf = (agent: string, kind: string): string => `${agent || 'The agent'} ${said(kind)}`;

/** “Run a command?”, where there is room for three words. */
export const shortQuestion = (kind: string): string =>
  kind === 'trust' ? 'Trust files?' : what(kind) ? `${capital(what(kind) ?? '')}?` : question(kind);
