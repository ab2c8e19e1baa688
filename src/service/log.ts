import { type DestinationStream, type LoggerOptions, pino } from 'pino';

/** One JSON line an event. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface LogOptions {
  /** Warnings and errors only. */
  readonly quiet?: boolean;
  /** Standard error unless set. */
  readonly destination?: DestinationStream;
}

/** Writes JSON lines with the level and the time in words. */
export function createLog(name: string, { quiet = false, destination }: LogOptions = {}): Log {
  const options: LoggerOptions = {
    name,
    level: quiet ? 'warn' : 'info',
    base: { name },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (level) => ({ level }) },
  };
  // in order and whole, even when the process ends right after
  return pino(options, destination ?? pino.destination({ dest: 2, sync: true }));
}
