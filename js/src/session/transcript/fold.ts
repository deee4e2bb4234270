// Turns a session's events into what a transcript shows. Unchanged turns and items keep their identity.
import type { Attachment, Event, Permission, Person, Plan, ToolCall, Turn } from '../../protocol/generated.js';

export interface ToolView {
  readonly id: string;
  /** The title of the call that started the subagent whose call this is. */
  readonly parent: string | null;
  readonly title: string;
  readonly toolKind: string;
  readonly status: 'pending' | 'in_progress' | 'completed' | 'failed';
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: string;
  readonly changes: NonNullable<ToolCall['changes']>;
  readonly locations: readonly string[];
  readonly exitCode: number | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

export type Item =
  | { readonly kind: 'prompt'; readonly key: string; readonly text: string; readonly by: Person; readonly attachments: readonly Attachment[] }
  | { readonly kind: 'text'; readonly key: string; readonly text: string; readonly messageId: string | null }
  | {
      readonly kind: 'thought';
      readonly key: string;
      readonly text: string;
      readonly messageId: string | null;
      readonly startedAt: string;
      readonly endedAt: string;
    }
  | { readonly kind: 'tool'; readonly key: string; readonly tool: ToolView }
  | { readonly kind: 'permission'; readonly key: string; readonly permission: Permission }
  | { readonly kind: 'notice'; readonly key: string; readonly code: string; readonly text: string }
  | { readonly kind: 'error'; readonly key: string; readonly code: string; readonly text: string };

export interface TurnBlock {
  readonly turnId: string;
  readonly items: readonly Item[];
  readonly startedAt: string;
  /** As it was when it ended. */
  readonly ended: Turn | null;
}

export interface TranscriptView {
  readonly blocks: readonly TurnBlock[];
  readonly plan: Plan | null;
}

export const emptyView: TranscriptView = { blocks: [], plan: null };

/** The next view. Events must come in order of `seq`. */
export function fold(view: TranscriptView, events: readonly Event[]): TranscriptView {
  const blocks = [...view.blocks];
  const touched = new Map<number, Item[]>();
  let plan = view.plan;

  const itemsOf = (index: number): Item[] => {
    const known = touched.get(index);
    if (known) return known;
    const copy = [...(blocks[index]?.items ?? [])];
    touched.set(index, copy);
    return copy;
  };

  for (const event of events) {
    const { body } = event;
    if (body.kind === 'plan') plan = body;
    const turnId = event.turnId ?? blocks.at(-1)?.turnId;
    if (turnId === undefined) continue;
    let index = blocks.findLastIndex(block => block.turnId === turnId);
    if (index < 0) {
      index = blocks.push({ turnId, items: [], startedAt: event.at, ended: null }) - 1;
      if (body.kind === 'prompt') plan = null;
    }
    const items = itemsOf(index);
    if (body.kind === 'turn_ended') {
      const block = blocks[index];
      if (block) blocks[index] = { ...block, ended: body.turn };
    } else take(items, event, () => blocks.map((block, i) => touched.get(i) ?? block.items));
  }
  for (const [index, items] of touched) {
    const block = blocks[index];
    if (block) blocks[index] = { ...block, items };
  }
  return { blocks, plan };
}

function take(items: Item[], { body, at, seq, n }: Event, turns: () => readonly (readonly Item[])[]): void {
  const key = String(seq ?? `n${n}`);
  const last = items.at(-1);
  switch (body.kind) {
    case 'prompt':
      items.push({ kind: 'prompt', key, text: body.text, by: body.by, attachments: body.attachments });
      break;
    case 'text':
      if (last?.kind === 'text' && last.messageId === body.messageId) items[items.length - 1] = { ...last, text: last.text + body.text };
      else items.push({ kind: 'text', key, text: body.text, messageId: body.messageId });
      break;
    case 'thought':
      if (last?.kind === 'thought' && last.messageId === body.messageId)
        items[items.length - 1] = { ...last, text: last.text + body.text, endedAt: at };
      else items.push({ kind: 'thought', key, text: body.text, messageId: body.messageId, startedAt: at, endedAt: at });
      break;
    case 'tool_call':
      changeTool(items, key, body.toolCallId, at, tool => merge(tool, body, at, parentOf(items, turns, body)));
      break;
    case 'tool_output':
      changeTool(items, key, body.toolCallId, at, tool => ({ ...tool, output: tool.output + body.text }));
      break;
    case 'permission_asked':
      items.push({ kind: 'permission', key, permission: body.permission });
      break;
    case 'permission_settled': {
      const asked = items.findLastIndex(item => item.kind === 'permission' && item.permission.id === body.permission.id);
      const settled: Item = { kind: 'permission', key: asked < 0 ? key : (items[asked]?.key ?? key), permission: body.permission };
      if (asked < 0) items.push(settled);
      else items[asked] = settled;
      break;
    }
    case 'notice':
      items.push({ kind: 'notice', key, code: body.code, text: body.text });
      break;
    case 'error':
      items.push({ kind: 'error', key, code: body.code, text: body.text });
      break;
    default:
      // Usage and mode are shown in the head; news of records are the store's.
      break;
  }
}

/** Of this turn, or of one before it: a subagent may go on after the turn that started it. */
function parentOf(items: readonly Item[], turns: () => readonly (readonly Item[])[], { parentId }: ToolCall): string | null {
  if (parentId === null) return null;
  const titleIn = (some: readonly Item[]): string | undefined => {
    const found = some.findLast(item => item.kind === 'tool' && item.tool.id === parentId);
    return found?.kind === 'tool' ? found.tool.title : undefined;
  };
  return (
    titleIn(items) ??
    [...turns()]
      .reverse()
      .map(titleIn)
      .find(title => title !== undefined) ??
    ''
  );
}

function changeTool(items: Item[], key: string, id: string, at: string, change: (tool: ToolView) => ToolView): void {
  const index = items.findLastIndex(item => item.kind === 'tool' && item.tool.id === id);
  const known = items[index];
  if (known?.kind === 'tool') {
    items[index] = { ...known, tool: change(known.tool) };
    return;
  }
  const fresh: ToolView = {
    id,
    parent: null,
    title: '',
    toolKind: 'other',
    status: 'pending',
    input: {},
    output: '',
    changes: [],
    locations: [],
    exitCode: null,
    startedAt: at,
    endedAt: null,
  };
  items.push({ kind: 'tool', key, tool: change(fresh) });
}

function merge(tool: ToolView, call: ToolCall, at: string, parent: string | null): ToolView {
  const status = call.status ?? tool.status;
  const isOver = status === 'completed' || status === 'failed';
  return {
    ...tool,
    parent: parent ?? tool.parent,
    title: call.title ?? tool.title,
    toolKind: call.toolKind ?? tool.toolKind,
    status,
    input: call.input ?? tool.input,
    output: call.output ?? tool.output,
    changes: call.changes ?? tool.changes,
    locations: call.locations ?? tool.locations,
    exitCode: call.exitCode ?? tool.exitCode,
    endedAt: tool.endedAt ?? (isOver ? at : null),
  };
}

export type Group =
  | { readonly kind: 'item'; readonly item: Item }
  | { readonly kind: 'reads'; readonly key: string; readonly tools: readonly ToolView[] };

const READING = new Set(['read', 'search', 'fetch']);

/** Neighbouring tools that only read are one block. */
export function group(items: readonly Item[]): Group[] {
  const groups: Group[] = [];
  let run: { key: string; tools: ToolView[] } | undefined;
  const flush = () => {
    if (!run) return;
    const [only] = run.tools;
    if (run.tools.length === 1 && only) groups.push({ kind: 'item', item: { kind: 'tool', key: run.key, tool: only } });
    else groups.push({ kind: 'reads', ...run });
    run = undefined;
  };
  for (const item of items) {
    if (item.kind === 'tool' && READING.has(item.tool.toolKind)) {
      if (run && run.tools[0]?.parent !== item.tool.parent) flush();
      run ??= { key: item.key, tools: [] };
      run.tools.push(item.tool);
    } else {
      flush();
      groups.push({ kind: 'item', item });
    }
  }
  flush();
  return groups;
}
