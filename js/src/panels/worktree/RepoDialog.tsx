// A repository: a checkout on the server's disk, or an address to clone from.
import { type FormEvent, useEffect, useRef, useState } from 'react';

import type { Repo } from '../../protocol/generated.js';
import { newKey, repos } from '../../session/requests.js';
import type { Dialog as Opened } from '../../store/types.js';
import { dialogTexts, texts } from '../../texts';
import { Dialog, Field } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Problem } from '../common/Problem.js';
import { useApp, useCommand, useShared } from '../context.js';

const ADDRESS = /^([a-z][a-z0-9+.-]*:\/\/|[\w.-]+@[\w.-]+:)/i;

export function RepoDialog({ back }: { back: Opened | undefined }) {
  const { client, commands } = useApp();
  const close = () => (back ? commands.openDialog(back.name, back) : commands.closeDialog());
  const shared = useShared();
  const [source, setSource] = useState('');
  const [added, setAdded] = useState<Repo | null>(null);
  const { run, isRunning, problem } = useCommand();
  const key = useRef(newKey());
  const isUrl = ADDRESS.test(source.trim());
  const current = added ? (shared.repos.get(added.id) ?? added) : null;

  useEffect(() => {
    if (current?.state === 'ready') commands.openDialog('worktree', { ...(back?.name === 'worktree' && back), repo: current.slug });
  }, [commands, back, current?.state]);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const value = source.trim();
    if (value) await run(async () => setAdded(await repos.add(client, isUrl ? { url: value } : { path: value }, key.current)));
  };
  return (
    <Dialog
      title={dialogTexts.repo.add}
      onClose={close}
      footer={
        <DialogFoot
          act={isUrl ? dialogTexts.repo.clone : dialogTexts.repo.register}
          form="agor-repo-form"
          isDisabled={isRunning || !source.trim() || current?.state === 'cloning'}
          onClose={close}
          cancel={current?.state === 'cloning' ? texts.close : texts.cancel}
        />
      }
    >
      <form id="agor-repo-form" onSubmit={event => void submit(event)} onChange={() => (key.current = newKey())}>
        <Field label={dialogTexts.repo.source} hint={dialogTexts.repo.hint(shared.me?.rootDir ?? '')}>
          {id => (
            <input
              id={id}
              data-autofocus
              className="agor-input agor-mono"
              value={source}
              autoComplete="off"
              spellCheck={false}
              onChange={event => setSource(event.target.value)}
            />
          )}
        </Field>
        {current?.state === 'cloning' && <Progress repo={current} />}
        <Problem text={problem ?? (current?.state === 'failed' ? current.reason : null)} />
      </form>
    </Dialog>
  );
}

function Progress({ repo }: { repo: Repo }) {
  const percent = repo.progress?.percent ?? 0;
  const label = repo.progress ? dialogTexts.repo.progress(repo.progress.phase, percent) : dialogTexts.repo.cloning;
  return (
    <div role="status">
      <div className="agor-xs agor-t2">{label}</div>
      <div className="agor-progress" role="progressbar" aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100} aria-label={label}>
        <i style={{ width: `${percent}%` }} />
      </div>
    </div>
  );
}
