/** Levels of InsightHub and the names and numbers other loggers give them. Knows nothing of records. */

export type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

/** pino and bunyan count in tens; winston and syslog have names of their own. */
const BY_NAME: ReadonlyMap<string, Level> = new Map<string, Level>([
  ['trace', 'TRACE'],
  ['silly', 'TRACE'],
  ['debug', 'DEBUG'],
  ['verbose', 'DEBUG'],
  ['info', 'INFO'],
  ['http', 'INFO'],
  ['notice', 'INFO'],
  ['log', 'INFO'],
  ['warn', 'WARN'],
  ['warning', 'WARN'],
  ['error', 'ERROR'],
  ['err', 'ERROR'],
  ['fatal', 'FATAL'],
  ['crit', 'FATAL'],
  ['alert', 'FATAL'],
  ['emerg', 'FATAL'],
]);

/** The level of a name in any case or of a number in tens; what is unknown is INFO: a record is never refused for it. */
export function levelOf(level: unknown): Level {
  if (typeof level === 'number') return levelOfNumber(level);
  return BY_NAME.get(String(level).toLowerCase()) ?? 'INFO';
}

function levelOfNumber(level: number): Level {
  if (level < 20) return 'TRACE';
  if (level < 30) return 'DEBUG';
  if (level < 40) return 'INFO';
  if (level < 50) return 'WARN';
  return level < 60 ? 'ERROR' : 'FATAL';
}
