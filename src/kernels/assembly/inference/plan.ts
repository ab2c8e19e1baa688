// What a kernel's step reads of a model: words of 32 bits that wasm.ts writes in the same order.

/** Addresses and sizes in bytes, but where it says otherwise. */
export const SLOTS: usize = 0;
export const PHASES: usize = 4;
export const CHANNELS: usize = 8;
export const INPUTS: usize = 12;
export const INPUT_STRIDE: usize = 16;
export const OUTPUTS: usize = 20;
/** O */
export const OUTPUT_ROWS: usize = 24;
export const STATES: usize = 28;
export const STATE_STRIDE: usize = 32;
export const PHASE_STRIDE: usize = 36;
/** H */
export const HIDDEN: usize = 40;
/** I */
export const INPUT_SIZE: usize = 44;
/** How many. */
export const LAYER_COUNT: usize = 48;
/** d; V and S lie at HEAD_WEIGHTS and SKIP_WEIGHTS. 0 where there is no head. */
export const HEAD_BIAS: usize = 52;
export const HEAD_WEIGHTS: usize = 56;
export const SKIP_WEIGHTS: usize = 60;
/** r of channel 0; 0 where there is no highway. */
export const HIGHWAY_BIAS: usize = 64;
export const HIGHWAY_WEIGHTS: usize = 68;
/** From a channel's highway to the next one's; 0 where all channels have the same. */
export const HIGHWAY_BIAS_STRIDE: usize = 72;
export const HIGHWAY_STRIDE: usize = 76;
/** How many parts of the answer look at inputs of their own, each BLOCK_COLUMNS of them. */
export const BLOCK_COUNT: usize = 80;
export const BLOCK_COLUMNS: usize = 84;
export const BLOCK_STRIDE: usize = 88;
/** Where the layers' words begin, LAYER_BYTES each. */
export const LAYERS: usize = 92;

export const LAYER_BYTES: usize = 40;
export const W: usize = 0;
export const U: usize = 4;
export const INPUT_SCALES: usize = 8;
export const RECURRENT_SCALES: usize = 12;
export const BIAS: usize = 16;
/** From a channel's bias to the next one's; 0 above the first layer. */
export const BIAS_STRIDE: usize = 20;
/** float32 */
export const INPUT_LIMIT: usize = 24;
/** float32 */
export const HIDDEN_LIMIT: usize = 28;
/** Whether W and U are packed in quads. */
export const W_IN_QUADS: usize = 32;
export const U_IN_QUADS: usize = 36;
