import { Reader } from 'protobufjs/minimal.js';
import { ModelFormatError } from './format-error.ts';

/** More than any model has. The decoder makes an object of each field before a check can see how many there are. */
const MOST_FIELDS = 131_072;

/** Stops a file of millions of tiny fields or numbers, which would take 20 to 40 times its size in memory. */
export class BoundedReader extends Reader {
  private fields = 0;

  private count(more: number): void {
    this.fields += more;
    if (this.fields > MOST_FIELDS) {
      throw new ModelFormatError(`more than ${MOST_FIELDS} fields and numbers, expected a model's few`);
    }
  }

  /** A packed list: a number takes at least one byte. */
  private countPacked(): void {
    const start = this.pos;
    this.count(this.size());
    this.pos = start;
  }

  override tag(): number {
    this.count(1);
    return super.tag();
  }

  override uint32s(list: number[]): number[] {
    this.countPacked();
    return super.uint32s(list);
  }

  override floats(list: number[]): number[] {
    this.countPacked();
    return super.floats(list);
  }
}
