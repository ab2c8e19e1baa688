import type { ViewQuery } from './view.ts';

/** What was asked for is no query. The message is one line for whoever asked. */
export class ViewQueryError extends Error {
  override readonly name = 'ViewQueryError';
}

// a name is part of a topic, and a topic with long levels is still far below this
const longestStream = 1_000;
const longestFilter = 200;
const target = /^\d{1,4}$/;

/** `?stream=&filter=&target=`; what is left out is empty, other parameters are the page's own. */
export function parseViewQuery(search: string): ViewQuery {
  const given = new URLSearchParams(search);
  const wanted = given.get('target') || '0';
  if (!target.test(wanted)) {
    throw new ViewQueryError(`target is ${quote(wanted)}, expected a whole number from 0 on`);
  }
  return {
    stream: bounded('stream', given.get('stream') ?? '', longestStream),
    filter: bounded('filter', given.get('filter') ?? '', longestFilter),
    target: Number(wanted),
  };
}

function bounded(name: string, text: string, longest: number): string {
  if (text.length <= longest) return text;
  throw new ViewQueryError(`${name} has ${text.length} characters, expected at most ${longest}`);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 20 ? `${text.slice(0, 20)}…` : text);
}
