import { ImportError } from './import-error.ts';
import type { Network } from './network.ts';
import { readOnnx } from './onnx-file.ts';
import { readOnnxNetwork } from './onnx-network.ts';
import { readSafetensors } from './safetensors.ts';
import { type ModuleNames, readStateDict } from './state-dict.ts';

/** Four layers of 1024 units in float32, and room. */
const MAX_FILE_BYTES = 192 * 1024 * 1024;

/** The network of a safetensors or ONNX file: its content tells which it is.
 * @throws ImportError with what was found and what was expected */
export function readNetwork(bytes: Uint8Array, names?: ModuleNames): Network {
  if (bytes.length === 0) throw new ImportError('an empty file, expected safetensors or ONNX');
  if (bytes.length > MAX_FILE_BYTES)
    throw new ImportError(`${bytes.length} bytes, expected at most ${MAX_FILE_BYTES}`);
  if (startsWith(bytes, 0, 'PK') || bytes[0] === 0x80) {
    throw new ImportError(
      'a pickle of PyTorch, expected safetensors: safetensors.torch.save_file(model.state_dict(), "weights.safetensors")',
    );
  }
  if (startsWith(bytes, 0, '\x89HDF'))
    throw new ImportError('an HDF5 file, expected ONNX (python -m tf2onnx.convert)');
  // a header of JSON after its length
  if (startsWith(bytes, 8, '{')) return readStateDict(readSafetensors(bytes), names);
  const network = readOnnxNetwork(readOnnx(bytes));
  if (names === undefined) return network;
  return {
    ...network,
    notes: [...network.notes, 'weights in the spec name modules of a state_dict, an ONNX graph needs none'],
  };
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return [...text].every((character, i) => bytes[at + i] === character.charCodeAt(0));
}
