// Multi-scale deformable attention as operations of TensorFlow on the processor, forward and backward. `relflow doctor
// --build-kernels` compiles this file with the system's C compiler; see compiled-kernels.ts.
//
// The numbers are bit by bit those of deformable-attention.as.ts, whatever the number of threads. Compile with
// -ffp-contract=off.
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// What is used of TensorFlow's stable C API (tensorflow/c/kernels.h, ops.h, tf_tensor.h, tf_status.h) and of Node-API, declared
// here since packages do not always contain the headers.
typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_OpDefinitionBuilder TF_OpDefinitionBuilder;
typedef struct TF_ShapeInferenceContext TF_ShapeInferenceContext;
typedef struct TF_ShapeHandle TF_ShapeHandle;
typedef struct TF_KernelBuilder TF_KernelBuilder;
typedef struct TF_OpKernelConstruction TF_OpKernelConstruction;
typedef struct TF_OpKernelContext TF_OpKernelContext;
enum { TF_FLOAT = 1 };
enum { TF_OK = 0, TF_INVALID_ARGUMENT = 3 };

extern TF_Status *TF_NewStatus(void);
extern void TF_DeleteStatus(TF_Status *);
extern void TF_SetStatus(TF_Status *, int code, const char *message);
extern int TF_GetCode(const TF_Status *);
extern const char *TF_Message(const TF_Status *);
extern void *TF_TensorData(const TF_Tensor *);
extern int TF_NumDims(const TF_Tensor *);
extern int64_t TF_Dim(const TF_Tensor *, int axis);
extern void TF_DeleteTensor(TF_Tensor *);
extern TF_OpDefinitionBuilder *TF_NewOpDefinitionBuilder(const char *name);
extern void TF_OpDefinitionBuilderAddInput(TF_OpDefinitionBuilder *, const char *spec);
extern void TF_OpDefinitionBuilderAddOutput(TF_OpDefinitionBuilder *, const char *spec);
extern void TF_OpDefinitionBuilderSetShapeInferenceFunction(
    TF_OpDefinitionBuilder *, void (*)(TF_ShapeInferenceContext *, TF_Status *));
extern void TF_RegisterOpDefinition(TF_OpDefinitionBuilder *, TF_Status *);
extern TF_ShapeHandle *TF_NewShapeHandle(void);
extern void TF_DeleteShapeHandle(TF_ShapeHandle *);
extern void TF_ShapeInferenceContextGetInput(TF_ShapeInferenceContext *, int, TF_ShapeHandle *, TF_Status *);
extern void TF_ShapeInferenceContextSetOutput(TF_ShapeInferenceContext *, int, TF_ShapeHandle *, TF_Status *);
extern void TF_ShapeInferenceContextSubshape(
    TF_ShapeInferenceContext *, TF_ShapeHandle *, int64_t start, int64_t end, TF_ShapeHandle *result, TF_Status *);
extern void TF_ShapeInferenceContextConcatenateShapes(
    TF_ShapeInferenceContext *, TF_ShapeHandle *, TF_ShapeHandle *, TF_ShapeHandle *result, TF_Status *);
extern TF_KernelBuilder *TF_NewKernelBuilder(
    const char *operation, const char *device, void *(*create)(TF_OpKernelConstruction *),
    void (*compute)(void *, TF_OpKernelContext *), void (*destroy)(void *));
extern void TF_RegisterKernelBuilder(const char *name, TF_KernelBuilder *, TF_Status *);
extern void TF_GetInput(TF_OpKernelContext *, int, TF_Tensor **, TF_Status *);
extern TF_Tensor *TF_AllocateOutput(
    TF_OpKernelContext *, int, int dtype, const int64_t *dims, int count, size_t bytes, TF_Status *);
extern void TF_OpKernelContext_Failure(TF_OpKernelContext *, TF_Status *);
extern int napi_throw_error(void *env, const char *code, const char *message);

enum { VALUE, LEVELS, LOCATIONS, WEIGHTS, DY, MAX_INPUTS };
enum { MAX_RANK = 6, MAX_OUTPUTS = 3, MAX_THREADS = 64 };

// Four numbers, at any address.
typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/** A call, see deformable-attention.as.ts: value [batch, tokens, heads, width], … */
typedef struct {
  int64_t batch, tokens, queries, heads, levels, points, width;
  const float *value, *locations, *weights, *dy;
  /** Height and width of each level. */
  const int32_t *sizes;
  float *to, *d_value, *d_locations, *d_weights;
} Call;

/** The part of the work that one thread does: units from `start` to before `end`. */
typedef struct {
  const Call *call;
  void (*work)(const Call *, int64_t start, int64_t end);
  int64_t start, end;
} Part;

/** Where a point lies: between four cells of a level. */
typedef struct {
  float right, below;
  int64_t column, row;
  int is_inside;
} Place;

/** Converts a coordinate in [0, 1] to cells: product and difference are rounded together, see `toCells`. */
static inline float to_cells(float coordinate, int32_t count) {
  float scaled = 2.0f * coordinate - 1.0f;
  return (float)((double)(scaled + 1.0f) * (count * 0.5) - 0.5);
}

static inline Place place_of(const float *location, int32_t height, int32_t columns) {
  Place place = {0};
  float x = to_cells(location[0], columns), y = to_cells(location[1], height);
  place.is_inside = x > -1 && y > -1 && x < (float)columns && y < (float)height;
  if (!place.is_inside) return place;
  // floor, for numbers above −1
  float left = x < 0 ? -1.0f : (float)(int32_t)x, top = y < 0 ? -1.0f : (float)(int32_t)y;
  place.right = x - left;
  place.below = y - top;
  place.column = (int64_t)left;
  place.row = (int64_t)top;
  return place;
}

/** to += weight · from */
static inline void add_scaled(float *to, const float *from, float weight, int64_t width) {
  int64_t d = 0;
  for (; d + 4 <= width; d += 4) *(four *)(to + d) = *(four *)(to + d) + weight * *(const four *)(from + d);
  for (; d < width; d++) to[d] = to[d] + weight * from[d];
}

/** Units are queries of all images. Heads are the outer loop, since the values of one head fit into a cache. */
static void attend(const Call *c, int64_t start, int64_t end) {
  int64_t stride = c->heads * c->width, samples = c->levels * c->points;
  for (int64_t head = 0; head < c->heads; head++)
    for (int64_t q = start; q < end; q++) {
      int64_t sample = (q * c->heads + head) * samples;
      float *to = c->to + (q * c->heads + head) * c->width;
      const float *level = c->value + (q / c->queries) * c->tokens * stride + head * c->width;
      memset(to, 0, c->width * sizeof(float));
      for (int64_t l = 0; l < c->levels; l++) {
        int32_t height = c->sizes[2 * l], columns = c->sizes[2 * l + 1];
        for (int64_t p = 0; p < c->points; p++, sample++) {
          Place at = place_of(c->locations + 2 * sample, height, columns);
          if (!at.is_inside) continue;
          float weight = c->weights[sample], left = 1 - at.right, above = 1 - at.below;
          const float *upper = level + (at.row * columns + at.column) * stride, *lower = upper + columns * stride;
          int in_left = at.column >= 0, in_right = at.column + 1 < columns;
          if (at.row >= 0 && in_left) add_scaled(to, upper, left * above * weight, c->width);
          if (at.row >= 0 && in_right) add_scaled(to, upper + stride, at.right * above * weight, c->width);
          if (at.row + 1 < height && in_left) add_scaled(to, lower, left * at.below * weight, c->width);
          if (at.row + 1 < height && in_right) add_scaled(to, lower + stride, at.right * at.below * weight, c->width);
        }
        level += (int64_t)height * columns * stride;
      }
    }
}

/** Returns dy · value of one cell, and adds weight · dy to its gradient. */
static inline float corner(const float *dy, const float *value, float *d_value, float weight, int64_t width) {
  four sums = {0, 0, 0, 0};
  int64_t d = 0;
  for (; d + 4 <= width; d += 4) {
    four g = *(const four *)(dy + d);
    sums = sums + g * *(const four *)(value + d);
    *(four *)(d_value + d) = *(four *)(d_value + d) + weight * g;
  }
  float sum = sums[0] + sums[1] + sums[2] + sums[3];
  for (; d < width; d++) {
    sum += dy[d] * value[d];
    d_value[d] = d_value[d] + weight * dy[d];
  }
  return sum;
}

/** Units are heads of all images: no two threads add to the same number, and each is summed in the order of the queries. */
static void attend_backward(const Call *c, int64_t start, int64_t end) {
  int64_t stride = c->heads * c->width, samples = c->levels * c->points;
  for (int64_t unit = start; unit < end; unit++) {
    int64_t image = unit / c->heads, head = unit % c->heads;
    int64_t first = image * c->tokens * stride + head * c->width;
    for (int64_t token = 0; token < c->tokens; token++)
      memset(c->d_value + first + token * stride, 0, c->width * sizeof(float));
    for (int64_t q = image * c->queries; q < (image + 1) * c->queries; q++) {
      const float *dy = c->dy + (q * c->heads + head) * c->width;
      int64_t sample = (q * c->heads + head) * samples, level = first;
      for (int64_t l = 0; l < c->levels; l++) {
        int32_t height = c->sizes[2 * l], columns = c->sizes[2 * l + 1];
        for (int64_t p = 0; p < c->points; p++, sample++) {
          Place at = place_of(c->locations + 2 * sample, height, columns);
          float d_weight = 0, dx = 0, d_y = 0;
          if (at.is_inside) {
            float weight = c->weights[sample], left = 1 - at.right, above = 1 - at.below;
            int64_t upper = level + (at.row * columns + at.column) * stride, lower = upper + columns * stride;
            int in_left = at.column >= 0, in_right = at.column + 1 < columns;
            int in_top = at.row >= 0, in_below = at.row + 1 < height;
            float d00 = 0, d01 = 0, d10 = 0, d11 = 0;
            const float *v = c->value;
            float *d = c->d_value;
            if (in_top && in_left) d00 = corner(dy, v + upper, d + upper, left * above * weight, c->width);
            if (in_top && in_right)
              d01 = corner(dy, v + upper + stride, d + upper + stride, at.right * above * weight, c->width);
            if (in_below && in_left) d10 = corner(dy, v + lower, d + lower, left * at.below * weight, c->width);
            if (in_below && in_right)
              d11 = corner(dy, v + lower + stride, d + lower + stride, at.right * at.below * weight, c->width);
            d_weight = left * above * d00 + at.right * above * d01 + left * at.below * d10 + at.right * at.below * d11;
            dx = weight * (float)columns * (above * (d01 - d00) + at.below * (d11 - d10));
            d_y = weight * (float)height * (left * (d10 - d00) + at.right * (d11 - d01));
          }
          c->d_weights[sample] = d_weight;
          c->d_locations[2 * sample] = dx;
          c->d_locations[2 * sample + 1] = d_y;
        }
        level += (int64_t)height * columns * stride;
      }
    }
  }
}

static void *run_part(void *argument) {
  const Part *part = argument;
  part->work(part->call, part->start, part->end);
  return NULL;
}

/** As many threads as TensorFlow uses for one operation. */
static int64_t thread_count(void) {
  const char *text = getenv("TF_NUM_INTRAOP_THREADS");
  long count = text ? atol(text) : 0;
  if (count < 1) count = sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

/** Fewer multiplications than these are not worth a thread. */
static const int64_t WORK_PER_THREAD = 1 << 20;

/** Divides units among threads. The caller works too; a thread that cannot be started leaves its part to it. */
static void run_in_threads(
    const Call *call, void (*work)(const Call *, int64_t, int64_t), int64_t units, int64_t multiplications) {
  int64_t threads = thread_count();
  if (threads > multiplications / WORK_PER_THREAD) threads = multiplications / WORK_PER_THREAD;
  if (threads > units) threads = units;
  if (threads < 1) threads = 1;
  Part parts[MAX_THREADS];
  pthread_t started[MAX_THREADS];
  int is_started[MAX_THREADS];
  for (int64_t k = 0; k < threads; k++) {
    parts[k] = (Part){call, work, units * k / threads, units * (k + 1) / threads};
    is_started[k] = k > 0 && pthread_create(&started[k], NULL, run_part, &parts[k]) == 0;
  }
  for (int64_t k = 0; k < threads; k++)
    if (!is_started[k]) run_part(&parts[k]);
  for (int64_t k = 0; k < threads; k++)
    if (is_started[k]) pthread_join(started[k], NULL);
}

/** Returns what is wrong with the shapes of the inputs; NULL if nothing is. */
static const char *problem_of(TF_Tensor **inputs, int count) {
  TF_Tensor *value = inputs[VALUE], *levels = inputs[LEVELS], *locations = inputs[LOCATIONS], *weights = inputs[WEIGHTS];
  if (TF_NumDims(value) != 4 || TF_NumDims(levels) != 2 || TF_NumDims(locations) != 6 || TF_NumDims(weights) != 5)
    return "deformable attention: expected value, levels, locations and weights of rank 4, 2, 6 and 5";
  for (int axis = 0; axis < 5; axis++)
    if (TF_Dim(locations, axis) != TF_Dim(weights, axis))
      return "deformable attention: locations and weights differ in shape";
  if (TF_Dim(locations, 5) != 2 || TF_Dim(levels, 1) != 2 || TF_Dim(levels, 0) != TF_Dim(weights, 3) ||
      TF_Dim(value, 0) != TF_Dim(weights, 0) || TF_Dim(value, 2) != TF_Dim(weights, 2))
    return "deformable attention: the shapes of the inputs do not fit together";
  const int32_t *sizes = TF_TensorData(levels);
  int64_t tokens = 0;
  for (int64_t l = 0; l < TF_Dim(levels, 0); l++) {
    if (sizes[2 * l] < 1 || sizes[2 * l + 1] < 1) return "deformable attention: a level has no cells";
    tokens += (int64_t)sizes[2 * l] * sizes[2 * l + 1];
  }
  if (tokens != TF_Dim(value, 1)) return "deformable attention: value does not have as many tokens as the levels have cells";
  if (count <= DY) return NULL;
  int64_t size = 1;
  for (int axis = 0; axis < TF_NumDims(inputs[DY]); axis++) size *= TF_Dim(inputs[DY], axis);
  if (size != TF_Dim(weights, 0) * TF_Dim(weights, 1) * TF_Dim(value, 2) * TF_Dim(value, 3))
    return "deformable attention: dy is not as large as the output";
  return NULL;
}

static float *allocate(
    TF_OpKernelContext *context, int output, const int64_t *dims, int rank, TF_Tensor **tensor, TF_Status *status) {
  int64_t size = 1;
  for (int axis = 0; axis < rank; axis++) size *= dims[axis];
  *tensor = TF_AllocateOutput(context, output, TF_FLOAT, dims, rank, size * sizeof(float), status);
  return TF_GetCode(status) == TF_OK ? TF_TensorData(*tensor) : NULL;
}

/** @param count number of inputs: without or with dy */
static void compute(TF_OpKernelContext *context, int count) {
  TF_Tensor *inputs[MAX_INPUTS] = {0}, *outputs[MAX_OUTPUTS] = {0};
  TF_Status *status = TF_NewStatus();
  for (int k = 0; k < count && TF_GetCode(status) == TF_OK; k++) TF_GetInput(context, k, &inputs[k], status);
  const char *problem = TF_GetCode(status) == TF_OK ? problem_of(inputs, count) : NULL;
  if (problem) TF_SetStatus(status, TF_INVALID_ARGUMENT, problem);
  if (TF_GetCode(status) == TF_OK) {
    int64_t value[MAX_RANK], weights[MAX_RANK];
    for (int axis = 0; axis < 4; axis++) value[axis] = TF_Dim(inputs[VALUE], axis);
    for (int axis = 0; axis < 5; axis++) weights[axis] = TF_Dim(inputs[WEIGHTS], axis);
    Call call = {
        .batch = value[0], .tokens = value[1], .queries = weights[1], .heads = value[2],
        .levels = weights[3], .points = weights[4], .width = value[3],
        .value = TF_TensorData(inputs[VALUE]), .sizes = TF_TensorData(inputs[LEVELS]),
        .locations = TF_TensorData(inputs[LOCATIONS]), .weights = TF_TensorData(inputs[WEIGHTS]),
    };
    int64_t rows = call.batch * call.queries;
    int64_t multiplications = rows * call.heads * call.levels * call.points * call.width * 4;
    if (count <= DY) {
      const int64_t shape[] = {call.batch, call.queries, call.heads, call.width};
      call.to = allocate(context, 0, shape, 4, &outputs[0], status);
      if (TF_GetCode(status) == TF_OK) run_in_threads(&call, attend, rows, multiplications);
    } else {
      const int64_t locations[] = {weights[0], weights[1], weights[2], weights[3], weights[4], 2};
      call.dy = TF_TensorData(inputs[DY]);
      call.d_value = allocate(context, 0, value, 4, &outputs[0], status);
      if (TF_GetCode(status) == TF_OK) call.d_locations = allocate(context, 1, locations, 6, &outputs[1], status);
      if (TF_GetCode(status) == TF_OK) call.d_weights = allocate(context, 2, weights, 5, &outputs[2], status);
      if (TF_GetCode(status) == TF_OK)
        run_in_threads(&call, attend_backward, call.batch * call.heads, 2 * multiplications);
    }
  }
  if (TF_GetCode(status) != TF_OK) TF_OpKernelContext_Failure(context, status);
  for (int k = 0; k < MAX_INPUTS; k++)
    if (inputs[k]) TF_DeleteTensor(inputs[k]);
  for (int k = 0; k < MAX_OUTPUTS; k++)
    if (outputs[k]) TF_DeleteTensor(outputs[k]);
  TF_DeleteStatus(status);
}

static void compute_forward(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  compute(context, DY);
}

static void compute_backward(void *kernel, TF_OpKernelContext *context) {
  (void)kernel;
  compute(context, MAX_INPUTS);
}

/** [batch, queries, heads, width] */
static void forward_shape(TF_ShapeInferenceContext *context, TF_Status *status) {
  TF_ShapeHandle *value = TF_NewShapeHandle(), *weights = TF_NewShapeHandle();
  TF_ShapeInferenceContextGetInput(context, VALUE, value, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextGetInput(context, WEIGHTS, weights, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSubshape(context, value, 3, 4, value, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSubshape(context, weights, 0, 3, weights, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextConcatenateShapes(context, weights, value, value, status);
  if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, 0, value, status);
  TF_DeleteShapeHandle(value);
  TF_DeleteShapeHandle(weights);
}

/** Gradients have the shapes of their inputs. */
static void backward_shape(TF_ShapeInferenceContext *context, TF_Status *status) {
  static const int of[] = {VALUE, LOCATIONS, WEIGHTS};
  TF_ShapeHandle *shape = TF_NewShapeHandle();
  for (int k = 0; k < MAX_OUTPUTS && TF_GetCode(status) == TF_OK; k++) {
    TF_ShapeInferenceContextGetInput(context, of[k], shape, status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, k, shape, status);
  }
  TF_DeleteShapeHandle(shape);
}

static void register_operation(
    const char *name, int is_backward, void (*shape)(TF_ShapeInferenceContext *, TF_Status *),
    void (*compute_call)(void *, TF_OpKernelContext *), TF_Status *status) {
  if (TF_GetCode(status) != TF_OK) return;
  TF_OpDefinitionBuilder *operation = TF_NewOpDefinitionBuilder(name);
  TF_OpDefinitionBuilderAddInput(operation, "value: float");
  TF_OpDefinitionBuilderAddInput(operation, "levels: int32");
  TF_OpDefinitionBuilderAddInput(operation, "locations: float");
  TF_OpDefinitionBuilderAddInput(operation, "weights: float");
  if (is_backward) {
    TF_OpDefinitionBuilderAddInput(operation, "dy: float");
    TF_OpDefinitionBuilderAddOutput(operation, "d_value: float");
    TF_OpDefinitionBuilderAddOutput(operation, "d_locations: float");
    TF_OpDefinitionBuilderAddOutput(operation, "d_weights: float");
  } else {
    TF_OpDefinitionBuilderAddOutput(operation, "to: float");
  }
  TF_OpDefinitionBuilderSetShapeInferenceFunction(operation, shape);
  TF_RegisterOpDefinition(operation, status);
  if (TF_GetCode(status) != TF_OK) return;
  TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", NULL, compute_call, NULL), status);
}

/** Called when Node loads this file for the first time in a process or thread; operations are registered once a process. */
void *napi_register_module_v1(void *env, void *exports) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static int is_registered = 0;
  pthread_mutex_lock(&lock);
  if (!is_registered) {
    TF_Status *status = TF_NewStatus();
    register_operation("RelflowDeformableAttention", 0, forward_shape, compute_forward, status);
    register_operation("RelflowDeformableAttentionGradient", 1, backward_shape, compute_backward, status);
    is_registered = TF_GetCode(status) == TF_OK;
    if (!is_registered) napi_throw_error(env, NULL, TF_Message(status));
    TF_DeleteStatus(status);
  }
  pthread_mutex_unlock(&lock);
  return exports;
}
