// The tools, bottom centre.
import type { ReactNode } from 'react';

import type { Commands, LocalState } from '../../store/types';
import { tools } from '../tools';
import { Icon } from './Icon';

interface Props {
  readonly local: LocalState;
  readonly commands: Commands;
  readonly isWritable: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  undo(): void;
  redo(): void;
}

export function Dock({ local, commands, isWritable, canUndo, canRedo, undo, redo }: Props): ReactNode {
  const { select, hand, ...making } = tools;
  const tool = (one: (typeof tools)[keyof typeof tools]): ReactNode => (
    <button
      key={one.name}
      type="button"
      className={`agor-ib ${local.tool === one.name ? 'agor-on' : ''}`}
      aria-label={one.label}
      aria-pressed={local.tool === one.name}
      aria-keyshortcuts={one.key}
      title={`${one.label}  ${one.key}`}
      onClick={() => commands.setTool(one.name)}
    >
      <Icon name={one.icon} />
    </button>
  );
  return (
    <div className="agor-dock" role="toolbar" aria-label="Tools">
      {tool(select)}
      {tool(hand)}
      {isWritable && (
        <>
          <span className="agor-sep" />
          <button
            type="button"
            className="agor-ib"
            aria-label="New worktree"
            aria-keyshortcuts="W"
            title="New worktree  W"
            onClick={() => commands.openDialog('worktree')}
          >
            <Icon name="card" />
          </button>
          {Object.values(making).map(tool)}
          <span className="agor-sep agor-wide" />
          <button type="button" className="agor-ib agor-wide" aria-label="Undo" title="Undo  Ctrl Z" disabled={!canUndo} onClick={undo}>
            <Icon name="undo" />
          </button>
          <button type="button" className="agor-ib agor-wide" aria-label="Redo" title="Redo  Ctrl Shift Z" disabled={!canRedo} onClick={redo}>
            <Icon name="redo" />
          </button>
        </>
      )}
    </div>
  );
}
