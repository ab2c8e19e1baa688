/** Of a disk that takes no write for now: it is read-only, full, or its quota is. */
const noWrite: readonly string[] = ['EROFS', 'ENOSPC', 'EDQUOT'];

/** Also of a file that cannot be changed: somebody else's, an immutable one, one on a broken block. */
const noChange: readonly string[] = [...noWrite, 'EACCES', 'EPERM', 'EIO'];

export function takesNoWrite(error: unknown): boolean {
  return noWrite.includes(codeOf(error));
}

/** Waits for what only tidies, which a disk may refuse.
 * @returns why it did; undefined when all is tidy
 * @throws what is no refusal of the disk */
export async function tidy(work: Promise<void>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    const code = codeOf(error);
    if (noChange.includes(code)) return code;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
