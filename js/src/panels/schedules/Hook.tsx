// The address of a schedule that others post to, and its secret, which is shown once.
import type { Schedule, ScheduleMade } from '../../protocol/generated.js';
import { addressOf, schedules as requests } from '../../session/requests.js';
import { dialogTexts } from '../../texts';
import { Dialog } from '../common/Dialog.js';
import { DialogFoot } from '../common/DialogFoot.js';
import { Problem } from '../common/Problem.js';
import { CopyRows, Secret } from '../common/Secret.js';
import { visible } from '../common/safe.js';
import { canSteer, useApp, useCommand, useShared } from '../context.js';

const own = dialogTexts.schedules.dialog;

export function HookDialog({ made, onClose }: { made: ScheduleMade; onClose: () => void }) {
  const rows = [
    { label: own.address, line: addressOf(made.hook ?? '') },
    { label: own.secret, line: made.secret ?? '' },
  ];
  return (
    <Dialog
      title={own.madeHook(made.schedule.name)}
      onClose={onClose}
      width={560}
      footer={<DialogFoot act={own.done} isDisabled={false} onAct={onClose} />}
    >
      <p className="agor-t2">{own.hooks[made.schedule.when.kind === 'check_failed' ? 'check_failed' : 'webhook']}</p>
      <Secret label={own.madeHook(visible(made.schedule.name))} rows={rows} />
      <p className="agor-advice">{own.signs}</p>
    </Dialog>
  );
}

/** Of one that is there: its address, and another secret in place of the one that nobody can read any more. */
export function Address({ schedule, onMade }: { schedule: Schedule; onMade: (made: ScheduleMade) => void }) {
  const { client } = useApp();
  const shared = useShared();
  const { run, isRunning, problem } = useCommand();
  return (
    <div className="agor-secret">
      <CopyRows rows={[{ label: own.address, line: addressOf(`agor/hooks/${schedule.id}`) }]} />
      {canSteer(shared) && (
        <div className="agor-row">
          <span className="agor-advice agor-grow">{own.renewHint}</span>
          <button
            type="button"
            className="agor-btn agor-sm"
            disabled={isRunning}
            onClick={() => void run(async () => onMade(await requests.renewSecret(client, schedule.id)))}
          >
            {own.renew}
          </button>
        </div>
      )}
      <Problem text={problem} />
    </div>
  );
}
