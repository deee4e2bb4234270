// What opens over the board.
import type { Dialog } from '../store/types.js';
import { AgentsDialog } from './Agents.js';
import { BudgetDialog } from './Budget.js';
import { ChecksDialog } from './Checks.js';
import { CommandMenu } from './CommandMenu.js';
import { useShared } from './context.js';
import { ForkDialog } from './ForkDialog.js';
import { HistoryDialog } from './History.js';
import { KeysHelp } from './KeysHelp.js';
import { ArchiveDialog, RemoveDialog } from './PutAway.js';
import { RepoDialog } from './RepoDialog.js';
import { RulesDialog } from './Rules.js';
import { SessionDialog } from './SessionDialog.js';
import { TokensDialog } from './Tokens.js';
import { TrustDialog } from './TrustDialog.js';
import { VariablesDialog } from './Variables.js';
import { WorktreeDialog } from './WorktreeDialog.js';

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
