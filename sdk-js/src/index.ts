/** InsightHub for Node.js. */

export { InsightHub } from './node/client.js';
export { Logger } from './node/logger.js';
export type { DeadLetter, Options, SpoolOptions } from './node/options.js';
export type { DropReason, Stats } from './core/counters.js';
export type { Fields } from './core/line.js';
export type { Level } from './core/level.js';
export { VERSION } from './core/version.js';
