// A new session in a worktree: its agent, its first prompt, and what it may cost.
import type { Worktree } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { useDraft } from '../common/drafts.js';
import { useApp } from '../context.js';
import { useAgentChoice } from './AgentChoice.js';
import { AttachedDrafts } from './Attached.js';
import { useAttachments } from './attachments.js';
import { StartDialog } from './StartDialog.js';

const words = dialogTexts.session;

interface Props {
  worktree: Worktree;
  agent: string | undefined;
  text: string | undefined;
}

export function SessionDialog({ worktree, agent, text }: Props) {
  const { commands } = useApp();
  const choice = useAgentChoice(agent);
  const draft = useDraft(`session ${worktree.id}`, { prompt: text ?? '' });
  const { prompt } = draft.values;
  const refusal = choice.status?.agent.capabilities.takesImages === false ? dialogTexts.attach.refused(choice.status.agent.label) : null;
  const attached = useAttachments(`new ${worktree.id}`, worktree.id, refusal, choice.renew);
  const start = async () => {
    const session = await choice.start(worktree.id, prompt || (attached.ids.length ? dialogTexts.attach.alone : ''), attached.ids);
    attached.clear();
    commands.closeDialog();
    commands.openSession(session.id, { focusPrompt: !prompt.trim() });
  };
  const back = { name: 'session', worktreeId: worktree.id, agent: choice.agent, text: prompt } as const;
  return (
    <StartDialog
      title={words.new(worktree.name)}
      choice={choice}
      hasBudget
      onManage={() => commands.openDialog('agents', { agent: choice.agent, back })}
      label={words.firstPrompt}
      hint={words.promptHint}
      draft={draft}
      onPaste={attached.paste}
      onDrop={attached.drop}
      onDragOver={attached.dragOver}
      act={prompt.trim() ? words.prompt(choice.status?.agent.label ?? '') : words.create}
      problem={attached.problem}
      isBlocked={attached.isBusy}
      onChange={choice.renew}
      start={start}
    >
      <AttachedDrafts list={attached.list} onRemove={attached.remove} />
    </StartDialog>
  );
}
