// Files of a worktree that an agent would obey by itself, as a question names them: each can be read before the answer.

import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import type { Permission, ProjectFile } from '../../protocol/generated.js';
import { projectFiles } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { size } from '../../texts/counts.js';
import { Icon } from '../common/Icon.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { useApp, useCommand } from '../context.js';

const words = dialogTexts.trust;
const SHOWN = 3;

export const paths = (files: readonly ProjectFile[]): string[] => files.map(({ path }) => path);

/** What the agent would obey. Only an owner may read it here; it is read as it is now, once, when the first one is opened. */
export function AskedFiles({ permission, mayRead }: { permission: Permission; mayRead: boolean }) {
  const { client } = useApp();
  const { run, isRunning, problem } = useCommand();
  const [found, setFound] = useState<ReadonlyMap<string, ProjectFile> | null>(null);
  const files = permission.files ?? [];
  const read = () => {
    if (found || isRunning) return;
    void run(async () => {
      const now = await projectFiles.list(client, permission.worktreeId);
      setFound(new Map(now.map(file => [file.path, file])));
    });
  };
  return (
    <>
      <ul className="agor-plain-list agor-files" aria-label={words.list} tabIndex={mayRead ? undefined : 0}>
        {files.map(file => (
          <FileFold key={file.path} file={file} onOpen={read} isReady={found !== null || problem !== null} isFixed={!mayRead}>
            {found ? (
              <AskedContent asked={file} now={found.get(file.path)} />
            ) : problem ? (
              <Problem text={problem} />
            ) : (
              <p className="agor-advice" role="status">
                {words.reading}
              </p>
            )}
          </FileFold>
        ))}
      </ul>
      <p className="agor-permission-why">{words.meaning(files.length)}</p>
    </>
  );
}

function AskedContent({ asked, now }: { asked: ProjectFile; now: ProjectFile | undefined }) {
  if (!now) return <p className="agor-advice">{words.gone}</p>;
  return (
    <>
      {now.sha256 !== asked.sha256 && <Problem text={words.newer} />}
      <FileContent file={now} />
    </>
  );
}

interface FoldProps {
  file: ProjectFile;
  /** What is in it. */
  children: ReactNode;
  onOpen?: () => void;
  /** `children` is what will be there, not that it is awaited. */
  isReady?: boolean;
  /** It cannot be opened. */
  isFixed?: boolean;
  /** A second line, instead of its size. */
  detail?: ReactNode;
  /** Beside it. */
  actions?: ReactNode;
  /** Below it, open or not. */
  problem?: string | null;
}

export function FileFold({ file, children, onOpen, isReady = true, isFixed = false, detail, actions, problem = null }: FoldProps) {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isOpen && isReady && row.current) reveal(row.current);
  }, [isOpen, isReady]);
  const state = words.states[file.state];
  // In a question all are undecided.
  const isSaid = state !== '' && file.sha256 !== null && (file.state === 'changed' || detail !== undefined);
  const name = (
    <>
      {!isFixed && <Icon name={isOpen ? 'down' : 'right'} size={14} />}
      <span className="agor-file-what">
        <code>{visible(file.path)}</code>
        {detail && <span className="agor-advice">{detail}</span>}
      </span>
      {isSaid && <span className={`agor-pill${file.state === 'changed' ? ' agor-tint-need' : ''}`}>{state}</span>}
      {detail === undefined && file.size > 0 && <span className="agor-xs agor-t3">{size(file.size)}</span>}
    </>
  );
  const toggle = () => {
    if (!isOpen) onOpen?.();
    setOpen(!isOpen);
  };
  return (
    <li ref={row} className="agor-file" data-path={file.path} data-state={file.state}>
      <div className="agor-file-head">
        {isFixed ? (
          <div className="agor-file-name">{name}</div>
        ) : (
          <button type="button" className="agor-file-name" aria-expanded={isOpen} aria-controls={isOpen ? id : undefined} onClick={toggle}>
            {name}
          </button>
        )}
        {actions}
      </div>
      <Problem text={problem} />
      {isOpen && (
        <div id={id} className="agor-file-body">
          {children}
        </div>
      )}
    </li>
  );
}

/** Scrolls its list so far that what was opened is seen, and nothing around the list. */
function reveal(row: HTMLElement): void {
  const list = row.closest('.agor-trust > .agor-files, .agor-dialog-body');
  if (!list) return;
  const [inside, around] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  list.scrollTop += Math.max(0, Math.min(inside.bottom - around.bottom, inside.top - around.top));
}

/** Whoever can write into the repository wrote it. */
export function FileContent({ file }: { file: ProjectFile }) {
  if (file.problem !== null) return <p className="agor-advice">{visible(file.problem)}</p>;
  if (file.text === null) return <p className="agor-advice">{words.notText}</p>;
  if (file.text === '') return <p className="agor-advice">{words.nothing}</p>;
  return (
    <>
      <pre>{visible(file.text)}</pre>
      {file.isCut && <p className="agor-advice">{words.cut}</p>}
    </>
  );
}

/** “Ann trusted CLAUDE.md, .mcp.json”. */
export function SettledFiles({ permission, files }: { permission: Permission; files: readonly string[] }) {
  const isTrusted = permission.state === 'allowed';
  return (
    <>
      {permission.answeredBy ? (
        <>
          <b>{permission.answeredBy.name}</b> {isTrusted ? words.trusted : words.notTrusted}
        </>
      ) : (
        words.ended[permission.state]
      )}{' '}
      {files.length > SHOWN && `${words.many(files.length)} `}
      {files.slice(0, SHOWN).map((path, index) => (
        <span key={path}>
          {index > 0 && ', '}
          <code>{visible(path)}</code>
        </span>
      ))}
      {files.length > SHOWN && ', …'}
    </>
  );
}
