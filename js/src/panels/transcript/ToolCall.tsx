// One tool call, and several that only read as one.

import { memo, useMemo, useState } from 'react';
import type { IconName } from '../../icons.js';
import type { ToolView } from '../../session/transcript/fold.js';
import { dialogTexts } from '../../texts';
import { took } from '../../texts/ages.js';
import { Icon, Mark, type MarkState } from '../common/Icon.js';
import { visible } from '../common/safe.js';
import { Changes, Diff } from './Diff.js';
import { compare } from './patch.js';
import { Terminal } from './Terminal.js';

const ICONS: Record<string, IconName> = {
  read: 'file',
  edit: 'pencil',
  delete: 'trash',
  move: 'next',
  search: 'search',
  execute: 'terminal',
  think: 'thought',
  fetch: 'download',
};
const MARKS: Record<ToolView['status'], MarkState> = { pending: 'queued', in_progress: 'running', completed: 'done', failed: 'failed' };

/** The real command from the input, else the agent's title for it. */
export function commandOf(tool: ToolView): string | null {
  for (const name of ['command', 'cmd', 'code', 'script']) {
    const value = tool.input[name];
    if (typeof value === 'string' && value) return value;
    if (Array.isArray(value) && value.every(part => typeof part === 'string')) return value.join(' ');
  }
  return null;
}

export const ToolCall = memo(function ToolCall({ tool }: { tool: ToolView }) {
  const isCommand = tool.toolKind === 'execute';
  const files = useMemo(() => tool.changes.map(change => compare(change.path, change.oldText, change.newText)), [tool.changes]);
  const hasBody = tool.output !== '' || files.length > 0;
  // What runs, failed or changed something is open; a long finished reading is not.
  const [isChosen, setChosen] = useState<boolean | null>(null);
  const isOpen = hasBody && (isChosen ?? (isCommand || files.length > 0 || tool.status === 'failed' || tool.status === 'in_progress'));
  return (
    <div className={classOf(tool)} data-tool={tool.id}>
      <Subagent tool={tool} />
      <ToolRow
        tool={tool}
        isOpen={isOpen}
        onToggle={hasBody ? () => setChosen(!isOpen) : undefined}
        added={sum(files, 'added')}
        deleted={sum(files, 'deleted')}
      />
      {isOpen && files.map(file => <Diff key={file.path} file={file} />)}
      {isOpen && tool.output !== '' && <Terminal command={isCommand ? commandOf(tool) : null} output={tool.output} />}
    </div>
  );
});

const classOf = (tool: ToolView | undefined): string => `agor-tools${typeof tool?.parent === 'string' ? ' agor-of-subagent' : ''}`;

/** Whose call it is, where it is not the agent's own. */
function Subagent({ tool }: { tool: ToolView | undefined }) {
  return tool?.parent ? <p className="agor-xs agor-t3 agor-ell">{visible(dialogTexts.transcript.ofSubagent(tool.parent))}</p> : null;
}

const sum = (files: readonly { added: number; deleted: number }[], name: 'added' | 'deleted') => files.reduce((total, file) => total + file[name], 0);

export const ToolGroup = memo(function ToolGroup({ tools }: { tools: readonly ToolView[] }) {
  const isRunning = tools.some(tool => tool.status === 'in_progress' || tool.status === 'pending');
  const [isChosen, setChosen] = useState<boolean | null>(null);
  const isOpen = isChosen ?? isRunning;
  const first = tools[0];
  const last = tools.at(-1);
  return (
    <div className={classOf(first)}>
      <Subagent tool={first} />
      <button type="button" className="agor-tool agor-tool-group" aria-expanded={isOpen} onClick={() => setChosen(!isOpen)}>
        <Icon name={isOpen ? 'down' : 'right'} size={14} />
        <b>
          {dialogTexts.transcript.reads(
            tools.filter(t => t.toolKind === 'read').length,
            tools.filter(t => t.toolKind === 'search').length,
            tools.filter(t => t.toolKind === 'fetch').length,
          )}
        </b>
        <span className="agor-grow" />
        {first && last?.endedAt && <span className="agor-xs agor-t3">{took(first.startedAt, last.endedAt)}</span>}
        <Mark state={isRunning ? 'running' : tools.some(tool => tool.status === 'failed') ? 'failed' : 'done'} size={14} />
      </button>
      {isOpen && tools.map(tool => <ToolRow key={tool.id} tool={tool} isOpen={false} onToggle={undefined} added={0} deleted={0} />)}
    </div>
  );
});

interface RowProps {
  tool: ToolView;
  isOpen: boolean;
  onToggle: (() => void) | undefined;
  added: number;
  deleted: number;
}

function ToolRow({ tool, isOpen, onToggle, added, deleted }: RowProps) {
  const what = commandOf(tool) ?? tool.changes[0]?.path ?? tool.locations[0] ?? tool.title;
  const verb = dialogTexts.transcript.tools[tool.toolKind] ?? dialogTexts.transcript.tools['other'] ?? '';
  const content = (
    <>
      <Icon name={ICONS[tool.toolKind] ?? 'bolt'} size={14} />
      <b>{verb}</b>
      <code className="agor-ell" title={visible(what)}>
        {visible(what.split('\n', 1)[0] ?? '')}
      </code>
      <span className="agor-grow" />
      {added + deleted > 0 && <Changes added={added} deleted={deleted} />}
      {tool.exitCode !== null && tool.exitCode !== 0 && <span className="agor-xs agor-fail-text">{dialogTexts.transcript.exit(tool.exitCode)}</span>}
      {tool.endedAt && <span className="agor-xs agor-t3">{took(tool.startedAt, tool.endedAt)}</span>}
      <Mark state={MARKS[tool.status]} size={14} />
    </>
  );
  if (!onToggle) return <div className="agor-tool">{content}</div>;
  return (
    <button type="button" className="agor-tool" aria-expanded={isOpen} onClick={onToggle}>
      {content}
    </button>
  );
}
