// How a slot went, as a mark.
import type { SlotState } from '../../protocol/generated.js';
import { dialogTexts } from '../../texts';
import { Mark } from '../common/Icon.js';

const words = dialogTexts.schedules;

export function SlotMark({ state }: { state: SlotState }) {
  return <Mark state={words.marks[state]} label={words.states[state]} size={14} />;
}
