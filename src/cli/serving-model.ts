import type { ServiceConfig } from '../config/service.ts';
import { ModelFormatError } from '../model/format-error.ts';
import { ModelRefusedError } from '../service/model-checks.ts';
import { chooseStartModel, type StartModel, type StartOptions } from '../service/model-start.ts';
import { SignatureError } from '../service/signatures.ts';
import { readInputFile } from './input-file.ts';
import { UsageError } from './usage-error.ts';

/** The model that a service of this config starts with.
 * @throws ModelFormatError, UsageError with the file's name in front */
export async function chooseServingModel(
  { model: path }: ServiceConfig,
  options: Omit<StartOptions, 'bytes'>,
): Promise<StartModel> {
  const bytes = readInputFile(path, 'model');
  try {
    return await chooseStartModel({ ...options, bytes });
  } catch (error) {
    const message = `${path}: ${(error as Error).message}`;
    if (error instanceof ModelFormatError) throw new ModelFormatError(message, { cause: error });
    if (error instanceof SignatureError || error instanceof ModelRefusedError)
      throw new UsageError(message, { cause: error });
    throw error;
  }
}
