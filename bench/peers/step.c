// The int8 LSTM step in C with AVX2, for bench/peers.ts: the same integers and the same float32 operations in the same
// order as src/kernels/scalar.ts, so that its outputs must have the same bits (compile with -ffp-contract=off).
// Usage: step FILE, made by bench/step-peer.ts; then a line of JSON for each line of JSON, as the other peers do.
#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Rows that a product computes at once: eight accumulators of eight.
enum { BLOCK = 64 };
// Hidden units up to which U in 16 bits is the faster form: then it leaves the first cache.
enum { LAST_WIDE = 64 };

static int H, I, frames;
static float input_limit, hidden_limit;
static int16_t *W; // packed: [rows / 64][columns / 2][64][2]
static int16_t *U_wide; // the same, up to LAST_WIDE
static int8_t *U;       // beyond it, packed: [rows / 64][columns / 4][64][4]
static float *W_scales, *U_scales, *bias, *V, *S, d;
static float *inputs; // [frames, I]

static int16_t *x_integers, *h_integers;
static int8_t *h_bytes;
static int32_t *acc_W, *acc_U;
static float *h, *c;

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e6 * t.tv_sec + 1e-3 * t.tv_nsec;
}

static void *zeros(size_t count, size_t size) {
  size_t bytes = (count * size + 63) / 64 * 64;
  void *memory = aligned_alloc(64, bytes);
  return memset(memory, 0, bytes);
}

// x = integers * scale; integers to the nearest, half to even.
static float quantize(const float *x, int length, float limit, int16_t *integers) {
  const __m256 magnitude = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
  __m256 most = _mm256_setzero_ps();
  for (int k = 0; k < length; k += 8)
    most = _mm256_max_ps(most, _mm256_and_ps(_mm256_loadu_ps(x + k), magnitude));
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
  four = _mm_max_ps(four, _mm_movehl_ps(four, four));
  const float m = _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
  if (m <= 1e-30f) {
    memset(integers, 0, length * sizeof *integers);
    return 0;
  }
  const __m256 inverse = _mm256_set1_ps(limit / m);
  for (int k = 0; k < length; k += 8) {
    __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + k), inverse));
    _mm_store_si128((__m128i *)(integers + k),
                    _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256(q, 1)));
  }
  return m / limit;
}

// out = M x, M packed.
static void multiply16(const int16_t *M, const int16_t *x, int columns, int rows, int32_t *out) {
  const __m256i *weights = (const __m256i *)M;
  for (int row = 0; row < rows; row += BLOCK) {
    __m256i sums[8];
    for (int i = 0; i < 8; i++) sums[i] = _mm256_setzero_si256();
    for (int k = 0; k < columns; k += 2, weights += 8) {
      int32_t two;
      memcpy(&two, x + k, sizeof two);
      const __m256i pair = _mm256_set1_epi32(two);
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(weights[i], pair));
    }
    for (int i = 0; i < 8; i++) _mm256_store_si256((__m256i *)(out + row + 8 * i), sums[i]);
  }
}

// The same for integers within 127: |x| * (M with the sign of x), whose sums of two fit 16 bits.
static void multiply8(const int8_t *M, const int8_t *x, int columns, int rows, int32_t *out) {
  const __m256i *weights = (const __m256i *)M;
  const __m256i ones = _mm256_set1_epi16(1);
  for (int row = 0; row < rows; row += BLOCK) {
    __m256i sums[8];
    for (int i = 0; i < 8; i++) sums[i] = _mm256_setzero_si256();
    for (int k = 0; k < columns; k += 4, weights += 8) {
      int32_t bytes;
      memcpy(&bytes, x + k, sizeof bytes);
      const __m256i four = _mm256_set1_epi32(bytes);
      const __m256i magnitudes = _mm256_abs_epi8(four);
#pragma GCC unroll 8
      for (int i = 0; i < 8; i++) {
        const __m256i twos = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(weights[i], four));
        sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(twos, ones));
      }
    }
    for (int i = 0; i < 8; i++) _mm256_store_si256((__m256i *)(out + row + 8 * i), sums[i]);
  }
}

static void multiply_both(void) {
  multiply16(W, x_integers, I, 4 * H, acc_W);
  if (H <= LAST_WIDE) multiply16(U_wide, h_integers, H, 4 * H, acc_U);
  else multiply8(U, h_bytes, H, 4 * H, acc_U);
}

// The 13/6 rational of src/math/activations.ts.
static inline __m256 tanh8(__m256 value) {
  const __m256 clamp = _mm256_set1_ps(7.905311107635498f);
  const __m256 x = _mm256_max_ps(_mm256_min_ps(value, clamp), _mm256_sub_ps(_mm256_setzero_ps(), clamp));
  const __m256 x2 = _mm256_mul_ps(x, x);
  const float numerator[] = {2.00018790482477e-13f, -8.60467152213735e-11f, 5.12229709037114e-8f,
                             1.48572235717979e-5f,  6.37261928875436e-4f,   4.89352455891786e-3f};
  const float denominator[] = {1.18534705686654e-4f, 2.268434632439e-3f, 4.89352518554385e-3f};
  __m256 p = _mm256_set1_ps(-2.76076847742355e-16f);
#pragma GCC unroll 6
  for (int i = 0; i < 6; i++) p = _mm256_add_ps(_mm256_mul_ps(x2, p), _mm256_set1_ps(numerator[i]));
  __m256 q = _mm256_set1_ps(1.19825839466702e-6f);
#pragma GCC unroll 3
  for (int i = 0; i < 3; i++) q = _mm256_add_ps(_mm256_mul_ps(x2, q), _mm256_set1_ps(denominator[i]));
  return _mm256_div_ps(_mm256_mul_ps(x, p), q);
}

static inline __m256 sigmoid8(__m256 value) {
  const __m256 half = _mm256_set1_ps(0.5f);
  return _mm256_add_ps(half, _mm256_mul_ps(half, tanh8(_mm256_mul_ps(half, value))));
}

// z = (b + accW * (s_W * s_x)) + accU * (s_U * s_h)
static inline __m256 pre_activation(int j, __m256 x_scale, __m256 h_scale) {
  const __m256 from_input = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_load_si256((__m256i *)(acc_W + j))),
                                          _mm256_mul_ps(_mm256_load_ps(W_scales + j), x_scale));
  const __m256 from_hidden = _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_load_si256((__m256i *)(acc_U + j))),
                                           _mm256_mul_ps(_mm256_load_ps(U_scales + j), h_scale));
  return _mm256_add_ps(_mm256_add_ps(_mm256_load_ps(bias + j), from_input), from_hidden);
}

// c' = i*g + f*c, h' = o*tanh(c'), y = (d + V h) + S x
static float step(const float *x) {
  const __m256 x_scale = _mm256_set1_ps(quantize(x, I, input_limit, x_integers));
  const __m256 h_scale = _mm256_set1_ps(quantize(h, H, hidden_limit, h_integers));
  if (H > LAST_WIDE)
    for (int k = 0; k < H; k++) h_bytes[k] = (int8_t)h_integers[k];
  multiply_both();
  for (int j = 0; j < H; j += 8) {
    const __m256 i = sigmoid8(pre_activation(j, x_scale, h_scale));
    const __m256 f = sigmoid8(pre_activation(H + j, x_scale, h_scale));
    const __m256 g = tanh8(pre_activation(2 * H + j, x_scale, h_scale));
    const __m256 o = sigmoid8(pre_activation(3 * H + j, x_scale, h_scale));
    const __m256 cell = _mm256_add_ps(_mm256_mul_ps(i, g), _mm256_mul_ps(f, _mm256_load_ps(c + j)));
    _mm256_store_ps(c + j, cell);
    _mm256_store_ps(h + j, _mm256_mul_ps(o, tanh8(cell)));
  }
  float from_hidden = 0;
  for (int k = 0; k < H; k++) from_hidden += V[k] * h[k];
  float from_input = 0;
  for (int k = 0; k < I; k++) from_input += S[k] * x[k];
  return (d + from_hidden) + from_input;
}

static void *take(FILE *file, size_t count, size_t size) {
  void *memory = zeros(count, size);
  if (fread(memory, size, count, file) != count) {
    fprintf(stderr, "the file of the weights is too short\n");
    exit(1);
  }
  return memory;
}

// [rows, columns] to [rows / 64][columns / 2][64][2]
static int16_t *take_packed(FILE *file, int rows, int columns) {
  int16_t *plain = take(file, (size_t)rows * columns, sizeof *plain);
  int16_t *packed = zeros((size_t)rows * columns, sizeof *packed);
  for (int row = 0; row < rows; row++)
    for (int k = 0; k < columns; k++) {
      const size_t pair = (size_t)(row / BLOCK) * (columns / 2) + k / 2;
      packed[(pair * BLOCK + row % BLOCK) * 2 + k % 2] = plain[(size_t)row * columns + k];
    }
  free(plain);
  return packed;
}

// [rows, columns] to [rows / 64][columns / 4][64][4]
static int8_t *take_bytes(FILE *file, int rows, int columns) {
  int16_t *plain = take(file, (size_t)rows * columns, sizeof *plain);
  int8_t *packed = zeros((size_t)rows * columns, sizeof *packed);
  for (int row = 0; row < rows; row++)
    for (int k = 0; k < columns; k++) {
      const size_t four = (size_t)(row / BLOCK) * (columns / 4) + k / 4;
      packed[(four * BLOCK + row % BLOCK) * 4 + k % 4] = (int8_t)plain[(size_t)row * columns + k];
    }
  free(plain);
  return packed;
}

static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    perror(path);
    exit(1);
  }
  const int32_t *sizes = take(file, 5, sizeof *sizes);
  H = sizes[0], I = sizes[1], input_limit = sizes[2], hidden_limit = sizes[3], frames = sizes[4];
  if (H % 16 != 0 || I % 8 != 0) {
    fprintf(stderr, "H = %d and I = %d, expected a multiple of 16 and one of 8\n", H, I);
    exit(1);
  }
  const int rows = 4 * H;
  W = take_packed(file, rows, I);
  if (H <= LAST_WIDE) U_wide = take_packed(file, rows, H);
  else U = take_bytes(file, rows, H);
  W_scales = take(file, rows, sizeof *W_scales);
  U_scales = take(file, rows, sizeof *U_scales);
  bias = take(file, rows, sizeof *bias);
  V = take(file, H, sizeof *V);
  d = *(float *)take(file, 1, sizeof d);
  S = take(file, I, sizeof *S);
  inputs = take(file, (size_t)frames * I, sizeof *inputs);
  fclose(file);
  x_integers = zeros(I, sizeof *x_integers);
  h_integers = zeros(H, sizeof *h_integers);
  h_bytes = zeros(H, 1);
  acc_W = zeros(rows, sizeof *acc_W);
  acc_U = zeros(rows, sizeof *acc_U);
  h = zeros(H, sizeof *h);
  c = zeros(H, sizeof *c);
}

// Microseconds a step, in the mean of so many.
static void time_steps(int calls) {
  static int frame = 0;
  double sum = 0;
  const double start = now_us();
  for (int i = 0; i < calls; i++) {
    sum += step(inputs + (size_t)frame * I);
    frame = frame + 1 < frames ? frame + 1 : 0;
  }
  printf("{\"us\":%.9g,\"sum\":%.17g}\n", (now_us() - start) / calls, sum);
}

// The same of the two matrix products alone.
static void time_products(int calls) {
  long long sum = 0;
  const double start = now_us();
  for (int i = 0; i < calls; i++) {
    // the next product depends on this one, as in a step
    h_integers[i % H] = (int16_t)(acc_U[i % (4 * H)] & 63);
    h_bytes[i % H] = (int8_t)h_integers[i % H];
    multiply_both();
    sum += acc_W[0] + acc_U[4 * H - 1];
  }
  printf("{\"us\":%.9g,\"sum\":%lld}\n", (now_us() - start) / calls, sum);
}

// The outputs of the frames from a zero state, then the last h; nine digits name a float32.
static void trace(int steps) {
  memset(h, 0, H * sizeof *h);
  memset(c, 0, H * sizeof *c);
  printf("{\"y\":[");
  for (int t = 0; t < steps; t++) printf("%s%.9g", t ? "," : "", step(inputs + (size_t)t * I));
  printf("],\"h\":[");
  for (int j = 0; j < H; j++) printf("%s%.9g", j ? "," : "", h[j]);
  printf("]}\n");
}

int main(int count, char **arguments) {
  char line[256], ask[16];
  int calls;
  if (count != 2) {
    fprintf(stderr, "usage: step FILE\n");
    return 2;
  }
  if (!__builtin_cpu_supports("avx2")) {
    fprintf(stderr, "this machine has no AVX2\n");
    return 1;
  }
  load(arguments[1]);
  printf("{\"name\":\"C with AVX2, gcc %s\"}\n", __VERSION__);
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (sscanf(line, "{\"ask\":\"%15[a-z]\",\"calls\":%d}", ask, &calls) != 2) {
      fprintf(stderr, "cannot read %s", line);
      return 1;
    }
    if (strcmp(ask, "steps") == 0) time_steps(calls);
    else if (strcmp(ask, "products") == 0) time_products(calls);
    else trace(calls);
    fflush(stdout);
  }
  return 0;
}
