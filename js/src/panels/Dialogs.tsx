// What opens over the board.
import type { Dialog } from '../store/types.js';
import { CommandMenu } from './board/CommandMenu.js';
import { KeysHelp } from './board/KeysHelp.js';
import { RulesDialog } from './consent/Rules.js';
import { TrustDialog } from './consent/TrustDialog.js';
import { useShared } from './context.js';
import { ForkDialog } from './session/ForkDialog.js';
import { SessionDialog } from './session/SessionDialog.js';
import { AgentsDialog } from './settings/Agents.js';
import { BudgetDialog } from './settings/Budget.js';
import { TokensDialog } from './settings/Tokens.js';
import { VariablesDialog } from './settings/Variables.js';
import { ChecksDialog } from './worktree/Checks.js';
import { HistoryDialog } from './worktree/History.js';
import { ArchiveDialog, RemoveDialog } from './worktree/PutAway.js';
import { RepoDialog } from './worktree/RepoDialog.js';
import { WorktreeDialog } from './worktree/WorktreeDialog.js';

export function Dialogs({ dialog }: { dialog: Dialog }) {
  const shared = useShared();
  const session = dialog.sessionId ? shared.sessions.get(dialog.sessionId) : undefined;
  const worktree = shared.worktrees.get(dialog.worktreeId ?? session?.worktreeId ?? '');
  switch (dialog.name) {
    case 'worktree':
      return <WorktreeDialog at={dialog.at} />;
    case 'repo':
      return <RepoDialog back={dialog.back} />;
    case 'session':
      return worktree ? <SessionDialog worktree={worktree} agent={dialog.agent} text={dialog.text} /> : null;
    case 'fork':
      return session ? <ForkDialog session={session} agent={dialog.agent} text={dialog.text} /> : null;
    case 'agents':
      return <AgentsDialog agent={dialog.agent} back={dialog.back} />;
    case 'variables':
      return <VariablesDialog first={dialog.text} back={dialog.back} />;
    case 'tokens':
      return <TokensDialog />;
    case 'rules':
      return worktree ? <RulesDialog worktree={worktree} session={session} /> : null;
    case 'trust':
      return worktree ? <TrustDialog worktree={worktree} /> : null;
    case 'budget':
      return <BudgetDialog worktree={worktree} session={session} />;
    case 'history':
      return worktree ? <HistoryDialog worktree={worktree} /> : null;
    case 'archive':
      return worktree ? <ArchiveDialog worktree={worktree} /> : null;
    case 'remove':
      return worktree ? <RemoveDialog worktree={worktree} /> : null;
    case 'checks':
      return <ChecksDialog />;
    case 'commands':
      return <CommandMenu />;
    case 'keys':
      return <KeysHelp />;
  }
}
