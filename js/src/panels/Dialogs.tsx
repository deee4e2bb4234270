// What opens over the board.
import type { ReactElement } from 'react';

import type { Dialog } from '../store/types.js';
import { CommandMenu } from './board/CommandMenu.js';
import { KeysHelp } from './board/KeysHelp.js';
import { RulesDialog } from './consent/Rules.js';
import { TrustDialog } from './consent/TrustDialog.js';
import { useShared } from './context.js';
import { ScheduleDialog } from './schedules/ScheduleDialog.js';
import { SchedulesDialog } from './schedules/SchedulesDialog.js';
import { SlotsDialog } from './schedules/Slots.js';
import { ForkDialog } from './session/ForkDialog.js';
import { SessionDialog } from './session/SessionDialog.js';
import { AgentsDialog } from './settings/Agents.js';
import { BudgetDialog } from './settings/Budget.js';
import { DestinationsDialog } from './settings/Destinations.js';
import { TokensDialog } from './settings/Tokens.js';
import { VariablesDialog } from './settings/Variables.js';
import { ChecksDialog } from './worktree/Checks.js';
import { HistoryDialog } from './worktree/History.js';
import { ArchiveDialog, RemoveDialog } from './worktree/PutAway.js';
import { RepoDialog } from './worktree/RepoDialog.js';
import { WorktreeDialog } from './worktree/WorktreeDialog.js';
import { AskDialog } from './zone/AskDialog.js';
import { FiringsDialog } from './zone/Firings.js';
import { ZoneDialog } from './zone/ZoneDialog.js';

export function Dialogs({ dialog }: { dialog: Dialog }): ReactElement | null {
  const shared = useShared();
  const session = dialog.sessionId ? shared.sessions.get(dialog.sessionId) : undefined;
  const worktree = shared.worktrees.get(dialog.worktreeId ?? session?.worktreeId ?? '');
  switch (dialog.name) {
    case 'worktree':
      return <WorktreeDialog at={dialog.at} start={dialog.repo} />;
    case 'repo':
      return <RepoDialog back={dialog.back} />;
    case 'session':
      return worktree ? <SessionDialog worktree={worktree} agent={dialog.agent} text={dialog.text} /> : null;
    case 'fork':
      return session ? <ForkDialog session={session} asked={dialog} /> : null;
    case 'agents':
      return <AgentsDialog agent={dialog.agent} back={dialog.back} />;
    case 'variables':
      return <VariablesDialog first={dialog.text} back={dialog.back} />;
    case 'destinations':
      return <DestinationsDialog />;
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
    case 'zone':
      return <ZoneDialog key={dialog.zoneId} zoneId={dialog.zoneId ?? ''} />;
    case 'ask':
      return <AskDialog key={dialog.firingId} firingId={dialog.firingId ?? ''} />;
    case 'firings':
      return <FiringsDialog zoneId={dialog.zoneId ?? ''} back={dialog.back} />;
    case 'schedules':
      return <SchedulesDialog />;
    case 'schedule':
      return <ScheduleDialog key={dialog.scheduleId} scheduleId={dialog.scheduleId} back={dialog.back} />;
    case 'slots':
      return <SlotsDialog key={dialog.scheduleId} scheduleId={dialog.scheduleId ?? ''} name={dialog.text ?? ''} back={dialog.back} />;
    case 'commands':
      return <CommandMenu />;
    case 'keys':
      return <KeysHelp />;
  }
}
