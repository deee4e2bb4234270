// What agents obey of a worktree: who trusts it, and how to change that. What is decided is about the content that was read.

import { useCallback, useEffect, useRef, useState } from 'react';
import type { ProjectFile, Worktree } from '../../protocol/generated.js';
import { ApiError, projectFiles } from '../../session/requests.js';
import type { BoardState } from '../../store/types.js';
import { dialogTexts } from '../../texts';
import { ago } from '../../texts/ages.js';
import { size } from '../../texts/counts.js';
import { Dialog } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Problem } from '../common/Problem.js';
import { visible } from '../common/safe.js';
import { capital } from '../common/words.js';
import { agentLabel, useApp, useCommand, useNow, useShared } from '../context.js';
import { FileContent, FileFold } from './Trust.js';

const words = dialogTexts.trust;

export function TrustDialog({ worktree }: { worktree: Worktree }) {
  const { client, commands } = useApp();
  const shared = useShared();
  const [files, setFiles] = useState<readonly ProjectFile[] | null>(null);
  const [said, setSaid] = useState('');
  /** Where the person acted last. */
  const [place, setPlace] = useState('');
  const { run, isRunning, problem } = useCommand();
  /** A person who is fast decides about the next one while the last is under way. */
  const line = useRef<Promise<unknown>>(Promise.resolve());
  const now = useNow(60_000);
  const runs = useRef(run);
  runs.current = run;
  const load = useCallback(async () => setFiles(await projectFiles.list(client, worktree.id)), [client, worktree.id]);
  useEffect(() => void runs.current(load), [load]);

  const decide = (chosen: readonly ProjectFile[], isTrusted: boolean, said: string) => {
    const looked = Object.fromEntries(chosen.map(file => [file.path, file.sha256]));
    const job = async () => {
      setPlace(chosen.length === 1 ? (chosen[0]?.path ?? '') : '');
      setSaid('');
      try {
        await projectFiles.judge(client, worktree.id, looked, isTrusted);
      } catch (error) {
        // There is another content by now, which can be read then.
        if (error instanceof ApiError && error.status === 409) await load();
        throw error;
      }
      setSaid(said);
      await load();
    };
    line.current = line.current.then(() => run(job));
  };
  const undecided = files?.filter(file => file.sha256 !== null && (file.state === 'new' || file.state === 'changed')) ?? [];
  const isElsewhere = !files?.some(file => file.path === place);
  return (
    <Dialog
      title={words.title}
      onClose={() => commands.closeDialog()}
      width={600}
      footer={
        undecided.length > 1 && (
          <DialogFoot
            act={words.trustAll(undecided.length)}
            look="plain"
            isDisabled={isRunning}
            onAct={() => decide(undecided, true, words.allDone(undecided.length))}
          />
        )
      }
    >
      <p className="agor-advice">{words.intro}</p>
      {isElsewhere && <Problem text={problem} />}
      {!files && isRunning && (
        <p className="agor-nothing" role="status">
          {words.looking}
        </p>
      )}
      {files && !files.length && <p className="agor-nothing">{words.empty}</p>}
      {files && files.length > 0 && (
        <ul className="agor-plain-list agor-files" aria-label={words.title}>
          {files.map(file => (
            <FileFold
              key={file.path}
              file={file}
              isFixed={file.sha256 === null}
              detail={detailOf(file, shared, now)}
              problem={file.path === place ? problem : null}
              actions={
                isDecidable(file) && (
                  <Decision file={file} onDecide={isTrusted => decide([file], isTrusted, words.done(visible(file.path), isTrusted))} />
                )
              }
            >
              <FileContent file={file} />
            </FileFold>
          ))}
        </ul>
      )}
      <p className="agor-spoken" role="status">
        {said}
      </p>
    </Dialog>
  );
}

/** Not what cannot be read, and not where the configuration trusts everything. */
const isDecidable = (file: ProjectFile): boolean => file.sha256 !== null && !isConfigured(file);
const isConfigured = (file: ProjectFile): boolean => file.state === 'trusted' && file.decidedBy === null;

function detailOf(file: ProjectFile, shared: BoardState, now: number): string {
  if (file.problem !== null) return visible(file.problem);
  const { decidedAt, decidedBy } = file;
  const decided = decidedBy && decidedAt ? words.decided(file.state === 'trusted', decidedBy.name, ago(decidedAt, now)) : '';
  const agents = file.agents.map(name => agentLabel(shared, name)).join(', ');
  const about = [file.size > 0 ? size(file.size) : '', agents && words.for(agents)].filter(Boolean).join(', ');
  return [about, isConfigured(file) ? words.byConfiguration : decided].filter(Boolean).map(capital).join('. ');
}

/** Both stay where they are, so that the focus does. */
function Decision({ file, onDecide }: { file: ProjectFile; onDecide: (isTrusted: boolean) => void }) {
  const path = visible(file.path);
  const isTrusted = file.state === 'trusted';
  const isRefused = file.state === 'refused';
  return (
    <span className="agor-segmented" role="group" aria-label={words.decisionOf(path)}>
      <button type="button" aria-pressed={isTrusted} aria-label={words.trustOf(path)} onClick={() => !isTrusted && onDecide(true)}>
        {words.trust}
      </button>
      <button type="button" aria-pressed={isRefused} aria-label={words.refuseOf(path)} onClick={() => !isRefused && onDecide(false)}>
        {words.refuse}
      </button>
    </span>
  );
}
