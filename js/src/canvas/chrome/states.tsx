// The board before it is there, when it is empty, and when something in it could not be read.

import type { ReactNode } from 'react';
import { useState } from 'react';
import type { IconName } from '../../icons';
import type { Problem } from '../../protocol/generated';
import type { Commands } from '../../store/types';
import { count } from '../../texts/counts';
import { Icon } from './Icon';

export function Opening(): ReactNode {
  return (
    <div className="agor-opening" role="status">
      <div className="agor-skels" aria-hidden="true">
        {[76, 62, 70].map(width => (
          <div className="agor-skel" key={width}>
            <i style={{ width: `${width}%` }} />
            <i style={{ width: `${width - 28}%` }} />
          </div>
        ))}
      </div>
      <p>
        <span className="agor-st agor-st-starting">
          <Icon name="st-starting" size={14} />
        </span>
        Opening the board
      </p>
    </div>
  );
}

interface EmptyProps {
  readonly isWritable: boolean;
  readonly commands: Commands;
}

export function Empty({ isWritable, commands }: EmptyProps): ReactNode {
  const way = (icon: IconName, title: string, text: string, key: string, go: () => void): ReactNode => (
    <button type="button" className="agor-start" onClick={go}>
      <Icon name={icon} />
      <span className="agor-row agor-g8">
        <b>{title}</b>
        <span className="agor-grow" />
        <kbd className="agor-kbd">{key}</kbd>
      </span>
      <span className="agor-t2">{text}</span>
    </button>
  );
  return (
    <div className="agor-board-empty">
      <h2>An empty board</h2>
      <p>{isWritable ? 'Three ways to begin' : 'You can look on. Cards appear here as others make them.'}</p>
      {isWritable && (
        <div className="agor-starts">
          {way('card', 'New worktree', 'A branch of its own, for agents to work on', 'W', () => commands.openDialog('worktree'))}
          {way('zone', 'Draw a zone', 'A named place to sort cards in', 'Z', () => commands.setTool('zone'))}
          {way('note', 'Write a note', 'What this board is for, and what is next', 'N', () => commands.setTool('note'))}
        </div>
      )}
    </div>
  );
}

export function Problems({ problems }: { readonly problems: readonly Problem[] }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const [seen, setSeen] = useState(0);
  if (seen === problems.length) return null;
  return (
    <div className="agor-problems agor-pop" role="status">
      <div className="agor-row agor-g8">
        <span className="agor-st agor-st-failed">
          <Icon name="st-failed" size={14} />
        </span>
        <b>{count(problems.length, 'thing')} in this board cannot be read</b>
        <span className="agor-t2 agor-ell">The rest is shown</span>
        <span className="agor-grow" />
        <button type="button" className="agor-btn agor-sm" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Hide' : 'Show'}
        </button>
        <button type="button" className="agor-ib agor-sm" aria-label="Close" onClick={() => setSeen(problems.length)}>
          <Icon name="close" size={14} />
        </button>
      </div>
      {isOpen && (
        <ul>
          {problems.slice(0, 20).map((problem, i) => (
            <li key={i}>
              {problem.objectId !== null && <code>{problem.objectId}</code>} {problem.text}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
