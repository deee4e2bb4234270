// The tools of the dock, in its order. A new tool is one file and one line here.
import type { ToolName } from '../../store/types';
import { hand } from './hand';
import { note } from './note';
import { select } from './select';
import type { Tool } from './tool';
import { zone } from './zone';

export const tools = { select, hand, zone, note } satisfies { [K in ToolName]: Tool };
